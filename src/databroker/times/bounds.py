"""One end of a search in time: whatever people and programs write for it.

A bound is a number (seconds since 1970), a `datetime`, a `date`, or text; see
:func:`parse_bound`. Local times are read in the broker's time zone.
"""

from __future__ import annotations

import datetime
import re
import time
from fractions import Fraction
from typing import Any

from .._util.printable import shown
from ..errors import InvalidQuery
from .clocks import SECOND, Edge, as_utc, local
from .phrases import from_phrase

__all__ = ["ACCEPTED", "parse_bound", "parse_period"]

#: The forms of a bound, for messages and documentation.
ACCEPTED = (
    "'2015', '2015-3', '2015-3-5', '2015-3-5 10', '2015-3-5 10:01', '2015-3-5 10:01:30', "
    "'2015-3-5 10:01:30.5', '2015-03-05T10:01:30+01:00' or ...Z; 'now', 'today', 'yesterday', "
    "'monday' ... 'sunday', 'last monday', 'yesterday 22:00', '3am', '15:30', 'this week', "
    "'last week', 'last month', 'last year', '3 days ago', '8 h ago', '-8h'; a number of "
    "seconds since 1970, a datetime or a date"
)

_LONGEST = 100
_STEPS = {"year": 0, "month": 0, "day": 86400, "hour": 3600, "minute": 60, "second": 1}
_CALENDAR = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2})"
    r"(?:(?:\s+|\s*T\s*)(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})"
    r"(?:[.,](?P<fraction>\d{1,18}))?)?)?\s*(?P<offset>Z|UTC|[+-]\d{1,2}(?::?\d{2})?)?)?)?)?",
    re.ASCII | re.IGNORECASE,
)


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
          one, today included), ``'last monday'`` (before today): the first instant of that
          day, or with a time of day, ``'yesterday 22:00'``, ``'monday 3 pm'``, that time;
        - ``'3am'``, ``'15:30'``: the most recent such time of day;
        - ``'this week'``, ``'last week'`` (weeks begin on Monday), and months and years:
          the first instant of it;
        - ``'now'``, ``'90 seconds ago'``, ``'8 h ago'`` or ``'-8h'``: that instant;
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
    >>> from databroker.times import format_time, resolve_zone
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
        return local(datetime.datetime(value.year, value.month, value.day), zone, edge)
    if getattr(value, "dtype", None) is not None and not isinstance(value, float):
        return _from_numpy(value, zone, edge)
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:
        try:
            return float(value)
        except OverflowError:
            pass
    raise _unreadable(value)


def parse_period(value: Any, zone: datetime.tzinfo) -> tuple[float, float] | None:
    """Return the first instant of what a calendar's text or a date names, and that after it.

    None for all that is an instant or is named otherwise.

    Examples
    --------
    >>> parse_period("1970-01", datetime.UTC), parse_period("1970-1-1 00:01", datetime.UTC)
    ((0.0, 2678400.0), (60.0, 120.0))
    >>> parse_period("yesterday", datetime.UTC)
    """
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = value.isoformat()
    match = _CALENDAR.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match["fraction"]:
        return None
    first = parse_bound(value, zone, "since")
    naive, unit = _naive(match), [name for name in _STEPS if match[name]][-1]
    try:
        if unit in ("year", "month"):
            months = naive.year * 12 + naive.month - 1 + (12 if unit == "year" else 1)
            after = naive.replace(year=months // 12, month=months % 12 + 1)
        else:
            after = naive + datetime.timedelta(seconds=_STEPS[unit])
    except (ValueError, OverflowError):  # the last year of the calendar
        return first, float("inf")
    if match["offset"]:
        return first, first + _STEPS[unit]
    return first, local(after, zone, "until")


def _unreadable(value: Any, reason: str = "") -> InvalidQuery:
    why = f" ({reason})" if reason else ""
    return InvalidQuery(
        f"cannot read {shown(value, most=80)} as a time{why}; accepted are {ACCEPTED}"
    )


# -- text ----------------------------------------------------------------------


def _parse_text(text: str, zone: datetime.tzinfo, edge: Edge, now: float | None) -> float:
    stripped = text.strip()
    try:
        if match := _CALENDAR.fullmatch(stripped):
            return _from_calendar(match, zone, edge)
        now = time.time() if now is None else now
        found = from_phrase(" ".join(stripped[:_LONGEST].lower().split()), zone, edge, now)
    except (ValueError, OverflowError) as error:
        raise _unreadable(text, str(error)) from error
    if found is None or len(stripped) > _LONGEST:
        raise _unreadable(text)
    return found


def _from_calendar(match: re.Match[str], zone: datetime.tzinfo, edge: Edge) -> float:
    naive = _naive(match)
    fraction = Fraction(f"0.{match['fraction'] or 0}")
    offset = match["offset"]
    if offset is None:
        return local(naive, zone, edge, fraction)
    return float(as_utc(naive) - _offset(offset) + fraction)


def _naive(match: re.Match[str]) -> datetime.datetime:
    units = match.group("year", "month", "day", "hour", "minute", "second")
    defaults = (1, 1, 1, 0, 0, 0)
    year, month, day, hour, minute, second = (
        default if digits is None else int(digits)
        for digits, default in zip(units, defaults, strict=True)
    )
    return datetime.datetime(year, month, day, hour, minute, second)


def _offset(text: str) -> int:
    if text.upper() in ("Z", "UTC"):
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text} is no offset from UTC")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


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
        return float(as_utc(naive) - Fraction(offset / SECOND) + fraction)
    return local(naive, zone, edge, fraction)


def _from_numpy(value: Any, zone: datetime.tzinfo, edge: Edge) -> float:
    if value.dtype.kind == "M" and value.ndim == 0:
        whole = value.astype("datetime64[s]")
        plain = whole.item()
        if plain is None or not isinstance(plain, datetime.datetime):
            raise _unreadable(value)
        rest = (value.astype("datetime64[ns]") - whole.astype("datetime64[ns]")).astype(int)
        return local(plain, zone, edge, Fraction(int(rest), 10**9))
    plain = value.item() if value.ndim == 0 else value
    if getattr(plain, "dtype", None) is not None:
        raise _unreadable(value)
    return parse_bound(plain, zone, edge)
