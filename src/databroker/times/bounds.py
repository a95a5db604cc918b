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
from .instants import Edge, as_utc, local, seconds
from .phrases import from_phrase, months_before

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
    """Read one end of a search in time (`ACCEPTED`); give seconds since 1970.

    What names a day or another stretch of time stands for its first instant. Of a
    local time that comes twice, when clocks go back, 'since' is the earlier, 'until'
    the later. One that is left out, when clocks go forward, is the next that exists.

    Examples
    --------
    >>> import zoneinfo
    >>> zone = zoneinfo.ZoneInfo("Europe/Berlin")
    >>> parse_bound("2015", zone) == parse_bound(" 2015-1-1 0:0 ", zone) == 1420066800
    True
    >>> twice = "2015-10-25 02:30"
    >>> parse_bound(twice, zone, "until") - parse_bound(twice, zone, "since")
    3600.0
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

    Of what is an instant or is named otherwise, return None.

    Examples
    --------
    >>> parse_period("1970-01", datetime.UTC), parse_period("1970-1-1 00:01", datetime.UTC)
    ((0.0, 2678400.0), (60.0, 120.0))
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
            after = months_before(naive, -12 if unit == "year" else -1)
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


def _parse_text(text: str, zone: datetime.tzinfo, edge: Edge, now: float | None) -> float:
    stripped = text.strip()
    try:
        if match := _CALENDAR.fullmatch(stripped):
            return _from_calendar(match, zone, edge)
        now = time.time() if now is None else now
        instant = from_phrase(" ".join(stripped[:_LONGEST].lower().split()), zone, edge, now)
    except (ValueError, OverflowError) as error:
        raise _unreadable(text, str(error)) from error
    if instant is None or len(stripped) > _LONGEST:
        raise _unreadable(text)
    return instant


def _from_calendar(match: re.Match[str], zone: datetime.tzinfo, edge: Edge) -> float:
    naive = _naive(match)
    fraction = Fraction(f"0.{match['fraction'] or 0}")
    offset = match["offset"]
    if offset is None:
        return local(naive, zone, edge, fraction)
    return float(as_utc(naive) - _offset(offset) + fraction)


def _naive(match: re.Match[str]) -> datetime.datetime:
    year, month, day = (int(match[unit] or 1) for unit in ("year", "month", "day"))
    hour, minute, second = (int(match[unit] or 0) for unit in ("hour", "minute", "second"))
    return datetime.datetime(year, month, day, hour, minute, second)


def _offset(text: str) -> int:
    if text.upper() in ("Z", "UTC"):
        return 0
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text} is no offset from UTC")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _from_datetime(value: datetime.datetime, zone: datetime.tzinfo, edge: Edge) -> float:
    if value != value:  # pandas' NaT
        raise _unreadable(value)
    naive = datetime.datetime(*value.timetuple()[:6], value.microsecond, fold=value.fold)
    # A pandas Timestamp counts nanoseconds beside the microseconds.
    nanoseconds = Fraction(getattr(value, "nanosecond", 0), 10**9)
    offset = value.utcoffset()
    if offset is None:
        return local(naive, zone, edge, nanoseconds)
    return float(as_utc(naive) - seconds(offset) + nanoseconds)


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
