"""Time zones: by name, that of the machine, and from local time to seconds since 1970."""

from __future__ import annotations

import datetime
import functools
import importlib
import math
import zoneinfo
from fractions import Fraction
from typing import Any, Literal

from .._util.printable import shown
from .._util.signals import from_signal, without_signals
from .._util.suggestions import did_you_mean
from .._util.user_warnings import warn_user
from ..errors import InvalidConfiguration

Edge = Literal["since", "until"]

_EPOCH = datetime.datetime(1970, 1, 1)


def resolve_zone(name: str | datetime.tzinfo | None = None) -> datetime.tzinfo:
    """Give the time zone of this name, or the machine's own."""
    if isinstance(name, datetime.tzinfo):
        return name
    if name is None:
        return _machine_zone()
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        if from_signal(error):
            raise
        hint = did_you_mean(name, zoneinfo.available_timezones())
        hint = hint or " Names look like 'America/New_York'."
        raise InvalidConfiguration(f"unknown time zone {shown(name)}.{hint}") from None


@functools.cache
def _tzlocal() -> Any:
    return without_signals(lambda: importlib.import_module("tzlocal"))


def _machine_zone() -> datetime.tzinfo:
    tzlocal = _tzlocal()
    try:
        zone: datetime.tzinfo = tzlocal.get_localzone()
        return zone
    except (zoneinfo.ZoneInfoNotFoundError, LookupError, ValueError, OSError) as error:
        if from_signal(error):
            raise
        # A machine whose zone is set up wrongly should still show its data.
        warn_user(
            f"the machine's time zone is not known ({error}); using UTC. "
            "Set `timezone:` in the configuration."
        )
        return datetime.UTC


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
