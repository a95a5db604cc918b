"""Seconds since 1970 as the stamps of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


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
    valid = np.abs(seconds) < 9.2e9
    seconds = np.where(valid, seconds, 0.0)
    whole = np.floor(seconds)
    stamps = whole.astype(np.int64) * 10**9 + np.rint((seconds - whole) * 1e9).astype(np.int64)
    stamps[~valid] = np.iinfo(np.int64).min
    return stamps.view("datetime64[ns]")
