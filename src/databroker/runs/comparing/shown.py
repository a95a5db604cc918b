"""What is different between two runs, as people read it: old → new."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, takewhile
from typing import Any

from ..._util.printable import repr_of, text_of
from ...display.counting import counted
from ...display.markup import block, quiet, table
from ...display.summary import is_number, one_line
from ...display.text import aligned
from ...times import format_time
from .changes import Absent, Change

ARROW = "→"
_MOST = 100
"""Where the text of a value is cut, so that what is different can be seen."""

_BEFORE = 20
"""So many characters are shown before the first one that is different."""

Pair = tuple[str, str]


def diff_text(
    old: Mapping[str, Any], new: Mapping[str, Any], changes: Sequence[Change], zone: datetime.tzinfo
) -> str:
    """Return which runs are meant and, below a heading for each kind, what changed."""
    lines = [in_words(changes), *runs_lines(old, new, zone)]
    for kind, rows in by_kind(changes):
        lines += ["", kind, *(f"  {line}" for line in aligned([[key, text] for key, text in rows]))]
    return "\n".join(lines)


def diff_html(
    old: Mapping[str, Any], new: Mapping[str, Any], changes: Sequence[Change], zone: datetime.tzinfo
) -> str:
    """Return the same as a table."""
    columns: dict[str, list[str]] = {"": [], "key": [], "old": [], "new": []}
    for kind, group in groupby(changes, key=lambda change: change.kind):
        for number, change in enumerate(group):
            cells = ("" if number else kind, one_line(change.key), *texts(change))
            for column, text in zip(columns.values(), cells, strict=True):
                column.append(text)
    listed = table(columns) if changes else ""
    return block(in_words(changes), *map(quiet, runs_lines(old, new, zone)), listed)


def in_words(changes: Sequence[Change]) -> str:
    """Return how many changes there are."""
    if not changes:
        return "No differences"
    return counted(len(changes), "difference")


def runs_lines(
    old: Mapping[str, Any], new: Mapping[str, Any], zone: datetime.tzinfo
) -> Iterator[str]:
    """Return a line for each of the two runs."""
    rows = [[name, *_identity(run, zone)] for name, run in (("old", old), ("new", new))]
    return aligned(rows)


def by_kind(changes: Sequence[Change]) -> Iterator[tuple[str, list[Pair]]]:
    """Yield the kinds, each with keys and what became of their values."""
    for kind, group in groupby(changes, key=lambda change: change.kind):
        yield kind, [(one_line(each.key), f" {ARROW} ".join(texts(each))) for each in group]


def texts(change: Change) -> Pair:
    """Return the old value and the new one as texts, which show where they are different.

    Examples
    --------
    >>> texts(Change("metadata", "num", 5, "5")), texts(Change("baseline", "T", (1, 2), 3))
    (('5', "'5'"), ('1, then 2', '3'))
    >>> texts(Change("metadata", "note", "x" * 200 + "a", "x" * 200 + "b"))
    ('…xxxxxxxxxxxxxxxxxxxxa', '…xxxxxxxxxxxxxxxxxxxxb')
    """
    old, new = _text(change.old, text_of), _text(change.new, text_of)
    if old == new or not (old and new):
        old, new = _text(change.old, repr_of), _text(change.new, repr_of)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False))
    common = sum(1 for _ in alike)
    first = common - _BEFORE if common > _MOST - _BEFORE else 0
    return _cut(old, first), _cut(new, first)


def _text(value: Any, how: Callable[[Any], str]) -> str:
    if isinstance(value, Absent):
        return value.value
    if isinstance(value, tuple):
        return ", then ".join(map(how, value))
    return how(value)


def _cut(text: str, first: int) -> str:
    return one_line(f"…{text[first:]}" if first else text, _MOST)


def _identity(run: Mapping[str, Any], zone: datetime.tzinfo) -> list[str]:
    scan_id, time = run.get("scan_id"), run.get("time")
    return [
        one_line(run.get("uid", ""))[:8],
        "" if scan_id is None else f"scan_id {one_line(scan_id, 20)}",
        format_time(time, zone) if is_number(time) else one_line(time or ""),
    ]
