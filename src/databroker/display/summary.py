"""The few facts of a run that a list has room for, drawn from its documents; lists of runs.

Documents come from many people and programs: whatever is missing or of an
unexpected kind is left out, never an error.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from .. import times
from .._util.printable import printable, text_of
from ..documents.kinds import Document
from ..times import clock_time, zone_names

STREAM = tuple[str, int, list[str]]
"""A stream as it is shown: its name, how many events, its fields."""

CAPTIONS = ("scan_id", "uid", "started", "plan", "devices", "sample", "status")

RunList = dict[str, list[str]]
"""The texts of each column, by its caption."""

_BY_PROGRAMS = (
    *("uid", "time", "scan_id", "plan_name", "detectors", "motors", "num_points", "num_intervals"),
    *("shape", "extents", "snaking", "hints", "plan_type", "plan_args", "versions"),
    *("plan_pattern", "plan_pattern_module", "plan_pattern_args"),
)
"""The keys of a start document that the RunEngine and its plans write."""


def facts(
    start: Document, stop: Document | None, zone: datetime.tzinfo, now: float | None = None
) -> dict[str, str]:
    """Return the facts of a run, in the order in which people ask for them; '' if not known."""
    return {
        "uid": one_line(start.get("uid", "")),
        "scan_id": _text(start.get("scan_id")),
        "plan": plan(start),
        "devices": devices(start),
        "started": when(start.get("time"), zone, now),
        "took": duration(start, stop),
    }


def by_people(start: Document) -> dict[str, Any]:
    """Return what people said of a run."""
    return {key: start[key] for key in start if key not in _BY_PROGRAMS}


def by_programs(start: Document) -> dict[str, Any]:
    """Return what programs recorded of a run, what matters most first."""
    return {key: start[key] for key in _BY_PROGRAMS if key in start}


def plan(start: Document) -> str:
    """Return the name of the plan, or nothing."""
    return _text(start.get("plan_name"))


def devices(start: Document) -> str:
    """Return what was moved and what was read."""
    moved, read = (_names(start.get(key)) for key in ("motors", "detectors"))
    return f"{read} vs {moved}" if moved and read else moved or read


def sample(start: Document) -> str:
    """Return the name of the sample, or nothing."""
    return _text(sample_name(start))


def sample_name(start: Document) -> Any:
    """Return the name of the sample as it was recorded, or None."""
    name = start.get("sample", start.get("sample_name"))
    return name.get("name") if isinstance(name, Mapping) else name


def duration(start: Document, stop: Document | None) -> str:
    """Return how long a run took, or nothing while that is not known."""
    try:
        seconds = float(stop["time"]) - float(start["time"]) if stop else -1.0
    except (KeyError, TypeError, ValueError):
        return ""
    if not 0 <= seconds < 1e9:
        return ""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, left = divmod(round(seconds), 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours else f"{minutes} min {left:02} s"


def when(epoch: object, zone: datetime.tzinfo, now: float | None = None) -> str:
    """Return an instant as local time with its zone, and how long ago it was."""
    if not is_number(epoch):
        return _text(epoch)
    return f"{times.format_time(epoch, zone)} ({times.ago(epoch, now)})"


def one_line(value: Any, limit: int = 200) -> str:
    r"""Return a value as one line of printable text, cut where it grows too long.

    Examples
    --------
    >>> one_line([1, "a"]), one_line("one\ntwo"), one_line("x" * 9, limit=5)
    ("[1, 'a']", 'one two', 'xxxx…')
    >>> print(one_line("a\x1b[31m\0"))
    a\x1b[31m\x00
    """
    # The text of a long value is not made only to be thrown away.
    if isinstance(value, list | tuple) and len(value) > limit:
        value = [*value[:limit], ...]
    text = " ".join((value[: limit * 9] if isinstance(value, str) else text_of(value)).split())
    text = printable(text[: limit + 1], lines=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def size(number: int) -> str:
    """Return a number of bytes for people."""
    if number < 1000:
        return f"{number} B"
    value = float(number)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        # 999.95 would be shown as 1000.0.
        if value < 999.95 or unit == "PB":
            break
    return f"{value:.1f} {unit}"


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number that one can reckon with, which True is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(value: object) -> str:
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list | tuple):
        return ""
    return printable(", ".join(map(text_of, several)), lines=False)


def _text(value: object) -> str:
    return "" if value is None else one_line(value, 80)


def list_of_runs(rows: Sequence[tuple[Document, str]], zone: datetime.tzinfo) -> RunList:
    """Return what a list of runs has room for; columns that would be empty are left out.

    The caption of times names the zone of all of them.
    """
    facts = [_facts(start, status, zone) for start, status in rows]
    zones = zone_names([start["time"] for start, _ in rows if is_number(start.get("time"))], zone)
    columns = {}
    for caption, texts in zip(CAPTIONS, zip(*facts, strict=True), strict=False):
        if any(texts):
            named = f"started ({zones})" if caption == "started" and zones else caption
            columns[named] = list(texts)
    return columns


def _facts(start: Document, status: str, zone: datetime.tzinfo) -> tuple[str, ...]:
    """Return the facts of a run in the order of `CAPTIONS`."""
    scan_id, time = start.get("scan_id"), start.get("time")
    return (
        "" if scan_id is None else one_line(scan_id, 12),
        one_line(start.get("uid", ""))[:8],
        clock_time(time, zone) if is_number(time) else one_line(time or "", 19),
        plan(start),
        devices(start),
        sample(start),
        one_line(status, 12),
    )
