"""Which rows and columns of a stream are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..runs.stream.records import FIRST

if TYPE_CHECKING:
    from ..runs.stream.stream import Stream

Ends = tuple[int, int]
"""How many of the first and of the last rows."""


def columns_of(stream: Stream, fields: list[str] | None) -> list[str]:
    """Return the columns of rows: what each has, then the fields, then what stands beside events.

    Raises
    ------
    NoSuchField
        A name is that of nothing.
    """
    chosen = stream.select(fields)
    data = stream.fields if chosen.data is None else chosen.data
    return list(dict.fromkeys([*FIRST, *data, *chosen.extras]))


def parts_of(rows: int, ends: Ends | None) -> list[slice]:
    """Return which of so many rows are read: those of the ends, or all where that is all.

    Examples
    --------
    >>> parts_of(9, (2, 1)), parts_of(9, (0, 3)), parts_of(9, (5, 4)), parts_of(9, None)
    ([slice(0, 2, None), slice(8, 9, None)], [slice(6, 9, None)], [slice(0, 9, None)],
     [slice(0, 9, None)])
    """
    if ends is None or sum(ends) >= rows:
        return [slice(0, rows)]
    head, tail = ends
    return [part for part in (slice(0, head), slice(rows - tail, rows)) if part.start < part.stop]
