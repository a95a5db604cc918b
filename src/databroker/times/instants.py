"""From local time to seconds since 1970, exactly."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction
from typing import Literal

Edge = Literal["since", "until"]

_EPOCH = datetime.datetime(1970, 1, 1)


def seconds(span: datetime.timedelta) -> Fraction:
    """Return the exact number of seconds in a span of time."""
    return Fraction(span // datetime.timedelta(microseconds=1), 10**6)


def as_utc(naive: datetime.datetime) -> Fraction:
    """Count the seconds since 1970 as if the clock showed UTC."""
    return seconds(naive.replace(fold=0) - _EPOCH)


def local(
    naive: datetime.datetime, zone: datetime.tzinfo, edge: Edge, fraction: Fraction = Fraction(0)
) -> float:
    """Return the instant of a local time and a fraction of a second behind it.

    See `parse_bound` for local times that are no one instant.
    """
    first, second = (as_utc(naive) - _utc_offset(naive, zone, fold) for fold in (0, 1))
    if first > second:  # clocks went forward over this time; see PEP 495
        return float(_change_between(math.floor(second), math.ceil(first), zone))
    # Equal, except when clocks went back and this time comes twice.
    earlier = edge == "since" and not naive.fold
    return float((first if earlier else second) + fraction)


def _utc_offset(naive: datetime.datetime, zone: datetime.tzinfo, fold: int) -> Fraction:
    return seconds(zone.utcoffset(naive.replace(fold=fold)) or datetime.timedelta(0))


def _change_between(before: int, after: int, zone: datetime.tzinfo) -> int:
    """Find the second at which clocks change between two instants."""

    def offset_at(instant: int) -> datetime.timedelta | None:
        utc = _EPOCH.replace(tzinfo=datetime.UTC) + datetime.timedelta(seconds=instant)
        return utc.astimezone(zone).utcoffset()

    old = offset_at(before)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_at(middle) == old:
            before = middle
        else:
            after = middle
    return after
