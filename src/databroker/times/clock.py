"""Instants as people read them: on a clock in a zone, and as how long ago."""

from __future__ import annotations

import datetime
import functools
import math
import time
from collections.abc import Iterable

from .._util.signals import not_from_signal

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def format_time(epoch: float, zone: datetime.tzinfo) -> str:
    """Show an instant in a zone, and the zone, as '2020-11-04 17:11:59 EST'."""
    return " ".join(filter(None, _shown(epoch, zone)))


def clock_time(epoch: float, zone: datetime.tzinfo) -> str:
    """Show an instant in a zone that is named elsewhere; see `zone_names`."""
    return _shown(epoch, zone)[0]


def zone_names(epochs: Iterable[float], zone: datetime.tzinfo) -> str:
    """Return what a zone is called at these instants: 'EST/EDT', if clocks changed between."""
    return "/".join(dict.fromkeys(filter(None, (_shown(epoch, zone)[1] for epoch in epochs))))


def _shown(epoch: float, zone: datetime.tzinfo) -> tuple[str, str]:
    try:
        return _local(math.floor(epoch), zone)
    except not_from_signal(ValueError, OverflowError, OSError, TypeError):
        return str(epoch), ""  # what a damaged document holds should be seen, not raise


@functools.lru_cache(maxsize=1024)
def _local(epoch: int, zone: datetime.tzinfo) -> tuple[str, str]:
    utc = _EPOCH + datetime.timedelta(seconds=epoch)
    local = utc.astimezone(zone)
    return str(local.replace(tzinfo=None)), local.tzname() or ""


_UNITS = (
    ("year", 365 * 86400),
    ("month", 30 * 86400),
    ("week", 7 * 86400),
    ("day", 86400),
    ("hour", 3600),
    ("minute", 60),
    ("second", 1),
)


def ago(epoch: float, now: float | None = None) -> str:
    """Say in words how long ago an instant was.

    Examples
    --------
    >>> ago(1000, 1000 + 3 * 3600 + 5), ago(1000, 1090), ago(1000, 1000.5), ago(7200, 0)
    ('3 hours ago', '1 minute ago', 'just now', 'in 2 hours')
    """
    elapsed = (time.time() if now is None else now) - epoch
    for name, seconds in _UNITS:
        count = abs(elapsed) // seconds
        if count >= 1:
            words = f"{int(count)} {name}{'s' if count > 1 else ''}"
            return f"{words} ago" if elapsed > 0 else f"in {words}"
    return "just now"
