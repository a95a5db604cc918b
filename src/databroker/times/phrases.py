"""Times as people say them: 'yesterday 22:00', 'last week', '8 h ago'.

Days, weeks, months and years are those of the calendar, and stand for their
first instant; seconds, minutes and hours are those of the clock.
"""

from __future__ import annotations

import calendar
import datetime
import re
from fractions import Fraction

from .instants import Edge, local

_WEEKDAYS = [name.lower() for name in calendar.day_name]
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_UNITS = {
    "second": ("s", "sec"),
    "minute": ("m", "min"),
    "hour": ("h", "hr"),
    "day": ("d",),
    "week": ("w", "wk"),
    "month": ("mo", "mon"),
    "year": ("y", "yr"),
}
_UNIT = {short: unit for unit, shorts in _UNITS.items() for short in (unit, *shorts)}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}

_ANY_UNIT = "|".join(sorted(_UNIT, key=len, reverse=True))
_BACK = re.compile(
    rf"(?:(?P<count>\d{{1,9}}(?:\.\d{{1,9}})?|an?|one)\s*(?P<unit>{_ANY_UNIT})s?\s+ago"
    rf"|-\s*(?P<less>\d{{1,9}}(?:\.\d{{1,9}})?)\s*(?P<of>{_ANY_UNIT})s?)",
    re.ASCII,
)
_PERIOD = re.compile(r"(?P<which>last|this)\s+(?P<unit>week|month|year)", re.ASCII)
_CLOCK = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?)?"
    r"(?:\s*(?P<half>am|pm))?"
)
_DAY = rf"(?:(?P<last>last)\s+)?(?P<day>{'|'.join([*_DAYS, *_WEEKDAYS])})"
_DAY_AND_CLOCK = re.compile(rf"{_DAY}(?:\s+(?:at\s+)?{_CLOCK})?", re.ASCII)
_CLOCK_ALONE = re.compile(_CLOCK, re.ASCII)


def from_phrase(text: str, zone: datetime.tzinfo, edge: Edge, now: float) -> float | None:
    """Return the instant that a phrase in lower case names; None if it is none.

    A ValueError or OverflowError says that it is one, but there is no such time.
    """
    if text == "now":
        return now
    here = datetime.datetime.fromtimestamp(now, zone).replace(tzinfo=None, fold=0)
    if match := _BACK.fullmatch(text):
        number = match["count"] or match["less"]
        count = Fraction(number if number[0].isdigit() else "1")
        unit = _UNIT[match["unit"] or match["of"]]
        if unit in _SECONDS:
            return float(Fraction(now) - count * _SECONDS[unit])
        return local(_back(count, unit, here), zone, edge)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    if match := _PERIOD.fullmatch(text):
        return local(_period(midnight, match["unit"], match["which"] == "last"), zone, edge)
    if match := _DAY_AND_CLOCK.fullmatch(text):
        return _at(_day(midnight, match), match, zone, edge)
    match = _CLOCK_ALONE.fullmatch(text)
    if match is None or not (match["minute"] or match["half"]):
        return None
    # Of a time of day, as of a weekday, the most recent is meant.
    is_past = _at(midnight, match, zone, "since") <= now
    return _at(midnight if is_past else midnight - datetime.timedelta(1), match, zone, edge)


def _day(midnight: datetime.datetime, match: re.Match[str]) -> datetime.datetime:
    if match["day"] in _DAYS:
        if match["last"]:
            raise ValueError(f"'last' goes before a weekday, not before {match['day']!r}")
        return midnight + datetime.timedelta(_DAYS[match["day"]])
    back = (midnight.weekday() - _WEEKDAYS.index(match["day"])) % 7
    return midnight - datetime.timedelta(back or (7 if match["last"] else 0))


def _at(day: datetime.datetime, match: re.Match[str], zone: datetime.tzinfo, edge: Edge) -> float:
    """Return the instant of a time of day, or of the beginning of the day."""
    if match["hour"] is None:
        return local(day, zone, edge)
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{hour} {match['half']} is no time of day")
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    elif match["minute"] is None:
        raise ValueError(f"write {hour}:00, {hour} am or {hour} pm")
    minute, second = int(match["minute"] or 0), int(match["second"] or 0)
    time = day.replace(hour=hour, minute=minute, second=second)
    return local(time, zone, edge, Fraction(f"0.{match['fraction'] or 0}"))


def _period(midnight: datetime.datetime, unit: str, is_last: bool) -> datetime.datetime:
    """Return the beginning of a week, month or year, or of the one before it."""
    if unit == "week":
        return midnight - datetime.timedelta(midnight.weekday() + 7 * is_last)
    first = midnight.replace(day=1) if unit == "month" else midnight.replace(month=1, day=1)
    return months_before(first, is_last * (1 if unit == "month" else 12))


def _back(count: Fraction, unit: str, here: datetime.datetime) -> datetime.datetime:
    if count.denominator != 1:
        raise ValueError(f"of a {unit} there are no parts; write hours")
    whole = int(count)
    if unit in ("day", "week"):
        return here - datetime.timedelta(whole * (7 if unit == "week" else 1))
    return months_before(here, whole * (12 if unit == "year" else 1))


def months_before(here: datetime.datetime, months: int) -> datetime.datetime:
    """Return the same day so many months before, or the last one of a month that is shorter."""
    year, month = divmod(here.year * 12 + here.month - 1 - months, 12)
    if year < 1:
        raise ValueError("there is no year before 1")
    day = min(here.day, calendar.monthrange(year, month + 1)[1])
    return here.replace(year=year, month=month + 1, day=day)
