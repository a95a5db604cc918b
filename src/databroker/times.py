"""Time zones, the bounds of a search in time, and times shown to people.

A bound is a number (seconds since 1970), a `datetime`, a `date`, or text; see
:func:`parse_bound`. Local times are read in the broker's time zone.

Examples
--------
>>> zone = resolve_zone("America/New_York")
>>> format_time(parse_bound("2015-03-05 10:01:30.5", zone, "since"), zone)
'2015-03-05 10:01:30 EST'
"""

from __future__ import annotations

import calendar
import datetime
import math
import re
import time
import warnings
import zoneinfo
from fractions import Fraction
from typing import Any, Literal

from ._util.clock import ago, format_time
from ._util.suggestions import did_you_mean
from .errors import InvalidConfiguration, InvalidQuery

__all__ = ["ACCEPTED", "Edge", "ago", "format_time", "parse_bound", "resolve_zone"]

Edge = Literal["since", "until"]

#: The forms of a bound, for messages and documentation.
ACCEPTED = (
    "'2015', '2015-3', '2015-3-5', '2015-3-5 10', '2015-3-5 10:01', '2015-3-5 10:01:30', "
    "'2015-3-5 10:01:30.5', '2015-03-05T10:01:30+01:00' or ...Z; 'now', 'today', 'yesterday', "
    "'monday' ... 'sunday', '3 days ago', '2 hours ago'; a number of seconds since 1970, "
    "a datetime or a date"
)

_EPOCH = datetime.datetime(1970, 1, 1)
_SECOND = datetime.timedelta(seconds=1)
_WEEKDAYS = [name.lower() for name in calendar.day_name]
_CALENDAR = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2})"
    r"(?:(?:\s+|\s*T\s*)(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})"
    r"(?:[.,](?P<fraction>\d{1,18}))?)?)?\s*(?P<offset>Z|UTC|[+-]\d{1,2}(?::?\d{2})?)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_AGO = re.compile(
    r"(?P<count>\d{1,9}|an?|one)\s+(?P<unit>second|minute|hour|day|week|month|year)s?\s+ago",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def resolve_zone(name: str | datetime.tzinfo | None = None) -> datetime.tzinfo:
    """Give the time zone of this name, or the machine's own.

    Raises
    ------
    InvalidConfiguration
        There is no such zone.

    Examples
    --------
    >>> resolve_zone("Europe/Berlin")
    zoneinfo.ZoneInfo(key='Europe/Berlin')
    >>> resolve_zone("Europe/Berlni")
    Traceback (most recent call last):
    databroker.errors.InvalidConfiguration: unknown time zone 'Europe/Berlni'. Did you mean ...
    """
    if isinstance(name, datetime.tzinfo):
        return name
    if name is None:
        return _machine_zone()
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        hint = did_you_mean(name, zoneinfo.available_timezones())
        hint = hint or " Names look like 'America/New_York'."
        raise InvalidConfiguration(f"unknown time zone {name!r}.{hint}") from error


def _machine_zone() -> datetime.tzinfo:
    import tzlocal

    try:
        return tzlocal.get_localzone()
    except (zoneinfo.ZoneInfoNotFoundError, LookupError, ValueError, OSError) as error:
        # A machine whose zone is set up wrongly should still show its data.
        warnings.warn(
            f"the machine's time zone is not known ({error}); using UTC. "
            "Set `timezone:` in the configuration.",
            stacklevel=3,
        )
        return datetime.UTC


def parse_bound(
    value: Any, zone: datetime.tzinfo, edge: Edge = "since", now: float | None = None
) -> float:
    """Read one end of a search in time; give seconds since 1970.

    Parameters
    ----------
    value
        - a number: seconds since 1970, as it is;
        - text: ``'2015'``, ``'2015-3'``, ``'2015-3-5'``, ``'2015-3-5 10'``,
          ``'... 10:01'``, ``'... 10:01:30'``, ``'... 10:01:30.5'``, with ``T`` in
          place of the space if you like, and with ``Z`` or an offset such as
          ``+01:00`` behind a time of day. It stands for the first instant of
          what it names;
        - ``'today'``, ``'yesterday'``, ``'monday'`` to ``'sunday'`` (the most recent
          one, today included): the first instant of that day;
        - ``'now'``, ``'90 seconds ago'``, ``'2 hours ago'``: that instant;
          ``'3 days ago'``, and weeks, months and years: that day at this time of day;
        - a ``datetime`` (so also a pandas Timestamp) or a NumPy ``datetime64``,
          read in `zone` if it has no zone of its own; a ``date``: its first instant.
    zone
        Where local times are read.
    edge
        Decides about a local time that comes twice, when clocks go back:
        the earlier for 'since', the later for 'until'. A local time that is
        left out, when clocks go forward, stands for the next one that exists.
    now
        What relative times refer to, in seconds since 1970; by default the clock.

    Raises
    ------
    InvalidQuery
        It is none of these.

    Examples
    --------
    >>> zone = resolve_zone("Europe/Berlin")
    >>> parse_bound("2015", zone) == parse_bound(" 2015-1-1 0:0 ", zone) == 1420066800
    True
    >>> twice = "2015-10-25 02:30"
    >>> parse_bound(twice, zone, "until") - parse_bound(twice, zone, "since")
    3600.0
    >>> format_time(parse_bound("2015-03-29 02:30", zone), zone)
    '2015-03-29 03:00:00 CEST'
    >>> parse_bound("03/29/2015", zone)
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: cannot read '03/29/2015' as a time; accepted are '2015', ...
    """
    if isinstance(value, str):
        return _parse_text(value, zone, edge, now)
    if isinstance(value, datetime.datetime):
        return _from_datetime(value, zone, edge)
    if isinstance(value, datetime.date):
        return _local(datetime.datetime(value.year, value.month, value.day), zone, edge)
    if getattr(value, "dtype", None) is not None and not isinstance(value, float):
        return _from_numpy(value, zone, edge)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        try:
            return float(value)
        except OverflowError:
            pass
    raise _unreadable(value)


def _unreadable(value: Any, reason: str = "") -> InvalidQuery:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    why = f" ({reason})" if reason else ""
    return InvalidQuery(f"cannot read {shown} as a time{why}; accepted are {ACCEPTED}")


# -- text ----------------------------------------------------------------------


def _parse_text(text: str, zone: datetime.tzinfo, edge: Edge, now: float | None) -> float:
    stripped = text.strip()
    try:
        if match := _CALENDAR.fullmatch(stripped):
            return _from_calendar(match, zone, edge)
        return _from_words(stripped.lower(), zone, edge, time.time() if now is None else now)
    except (ValueError, OverflowError) as error:
        if isinstance(error, InvalidQuery):
            raise
        raise _unreadable(text, str(error)) from error


def _from_calendar(match: re.Match[str], zone: datetime.tzinfo, edge: Edge) -> float:
    units = match.group("year", "month", "day", "hour", "minute", "second")
    defaults = (1, 1, 1, 0, 0, 0)
    year, month, day, hour, minute, second = (
        default if digits is None else int(digits)
        for digits, default in zip(units, defaults, strict=True)
    )
    naive = datetime.datetime(year, month, day, hour, minute, second)
    fraction = Fraction(f"0.{match['fraction'] or 0}")
    offset = match["offset"]
    if offset is None:
        return _local(naive, zone, edge, fraction)
    return float(_seconds(naive) - _offset(offset) + fraction)


def _offset(text: str) -> int:
    if text.upper() in ("Z", "UTC"):
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text} is no offset from UTC")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _from_words(text: str, zone: datetime.tzinfo, edge: Edge, now: float) -> float:
    if text == "now":
        return now
    here = datetime.datetime.fromtimestamp(now, zone).replace(tzinfo=None, fold=0)
    if match := _AGO.fullmatch(text):
        count = int(match["count"]) if match["count"].isdigit() else 1
        return _back(count, match["unit"].lower(), here, now, zone, edge)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    if text in _WEEKDAYS:
        days = (here.weekday() - _WEEKDAYS.index(text)) % 7
    elif text in ("today", "yesterday"):
        days = ("today", "yesterday").index(text)
    else:
        raise _unreadable(text)
    return _local(midnight - datetime.timedelta(days=days), zone, edge)


def _back(
    count: int,
    unit: str,
    here: datetime.datetime,
    now: float,
    zone: datetime.tzinfo,
    edge: Edge,
) -> float:
    if unit in _SECONDS:
        return now - count * _SECONDS[unit]
    if unit in ("day", "week"):
        days = count * (7 if unit == "week" else 1)
        return _from_datetime(here - datetime.timedelta(days=days), zone, edge)
    year, month = divmod(
        here.year * 12 + here.month - 1 - count * (12 if unit == "year" else 1), 12
    )
    if year < 1:
        raise ValueError("there is no year before 1")
    # A month before March 31 is the last day of February.
    day = min(here.day, calendar.monthrange(year, month + 1)[1])
    return _from_datetime(here.replace(year=year, month=month + 1, day=day), zone, edge)


# -- other types ---------------------------------------------------------------


def _from_datetime(value: datetime.datetime, zone: datetime.tzinfo, edge: Edge) -> float:
    if value != value:  # pandas' NaT
        raise _unreadable(value)
    # A pandas Timestamp counts nanoseconds beside the microseconds.
    fraction = Fraction(value.microsecond, 10**6) + Fraction(getattr(value, "nanosecond", 0), 10**9)
    naive = datetime.datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, fold=value.fold
    )
    offset = value.utcoffset()
    if offset is not None:
        return float(_seconds(naive) - Fraction(offset / _SECOND) + fraction)
    return _local(naive, zone, edge, fraction)


def _from_numpy(value: Any, zone: datetime.tzinfo, edge: Edge) -> float:
    if value.dtype.kind == "M" and value.ndim == 0:
        whole = value.astype("datetime64[s]")
        plain = whole.item()
        if plain is None or not isinstance(plain, datetime.datetime):
            raise _unreadable(value)
        rest = (value.astype("datetime64[ns]") - whole.astype("datetime64[ns]")).astype(int)
        return _local(plain, zone, edge, Fraction(int(rest), 10**9))
    plain = value.item() if value.ndim == 0 else value
    if getattr(plain, "dtype", None) is not None:
        raise _unreadable(value)
    return parse_bound(plain, zone, edge)


# -- clocks --------------------------------------------------------------------


def _seconds(naive: datetime.datetime) -> int:
    """Count whole seconds since 1970 as if the clock showed UTC."""
    return (naive.replace(fold=0) - _EPOCH) // _SECOND


def _local(
    naive: datetime.datetime, zone: datetime.tzinfo, edge: Edge, fraction: Fraction = Fraction(0)
) -> float:
    first, second = (_seconds(naive) - _utc_offset(naive, zone, fold) for fold in (0, 1))
    if first > second:  # clocks went forward over this time; see PEP 495
        return float(_change_between(math.floor(second), math.ceil(first), zone))
    # Equal, except when clocks went back and this time comes twice.
    return float(Fraction(first if edge == "since" else second) + fraction)


def _utc_offset(naive: datetime.datetime, zone: datetime.tzinfo, fold: int) -> Fraction:
    offset = zone.utcoffset(naive.replace(fold=fold)) or datetime.timedelta(0)
    return Fraction(offset // datetime.timedelta(microseconds=1), 10**6)


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
