"""Seconds since 1970 as the stamps of a table."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

SECONDS = "seconds since 1970-01-01 UTC"
"""The units of times that are numbers."""

_LIMIT = 9.2e9  # seconds, about the year 2261: where nanoseconds end


def clock(convert: bool, timezone: str | datetime.tzinfo | None = None) -> str:
    """Return what the times of a table are, for its ``attrs``.

    Examples
    --------
    >>> clock(True), clock(True, "Asia/Tokyo"), clock(False)
    ('UTC', 'Asia/Tokyo', 'seconds since 1970-01-01 UTC')
    """
    return str(timezone or "UTC") if convert else SECONDS


def to_datetime64(seconds: Array) -> Array:
    """Return POSIX seconds as naive UTC ``datetime64[ns]``; NaT where there is none.

    Whole seconds and the fraction are converted apart: their product with
    10**9 would lose the last digits.

    Examples
    --------
    >>> to_datetime64(np.array([1604527919.017866850, np.nan]))
    array(['2020-11-04T22:11:59.017866850', 'NaT'], dtype='datetime64[ns]')
    """
    seconds = np.asarray(seconds, np.float64)
    if len(seconds) and not max(-seconds.min(), seconds.max()) < _LIMIT:
        valid = np.abs(seconds) < _LIMIT
        stamps = to_datetime64(np.where(valid, seconds, 0.0))
        stamps[~valid] = np.datetime64("NaT", "ns")
        return stamps
    stamps = seconds.astype(np.int64)
    fraction = seconds - stamps
    fraction *= 1e9
    np.rint(fraction, out=fraction)
    stamps *= 10**9
    stamps += fraction.astype(np.int64)
    return stamps.view("datetime64[ns]")
