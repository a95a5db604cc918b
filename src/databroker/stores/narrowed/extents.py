"""Extents whose tokens name an owner and a first row, in place of those of the store behind.

What a store puts into a token is its own affair, and it trusts that. So none of these is handed
out: whose rows are meant, and where they are, is looked up again each time that they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from ..rows import Extent, RowSource

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection

Span = tuple[int, int]
"""The first of some rows of an owner, and the one after the last."""


def own_extents(owner: str, extents: Sequence[Extent]) -> list[Extent]:
    """Return the extents of an owner with tokens that say its uid and the first row."""
    firsts = accumulate((each.rows for each in extents), initial=0)
    return [
        replace(each, token=(owner, first)) for each, first in zip(extents, firsts, strict=False)
    ]


def read_spans(
    source: RowSource,
    kind: str,
    extents: Sequence[Extent],
    wanted: Sequence[Span],
    selection: Selection,
) -> Iterator[list[pa.RecordBatch]]:
    """Yield the rows of each of some spans, of an owner whose extents are now these."""
    now = list(_spans(extents))
    there = dict(now)
    if all(span in there for span in wanted):
        yield from source.read_extents(kind, [there[span] for span in wanted], selection)
        return
    for first, stop in wanted:
        found: list[pa.RecordBatch] = []
        for (begin, end), extent in now:
            low, high = max(first, begin) - begin, min(stop, end) - begin
            if low < high:
                found += source.read(kind, extent, selection, (low, high))
        yield found


def _spans(extents: Sequence[Extent]) -> Iterator[tuple[Span, Extent]]:
    first = 0
    for extent in extents:
        yield (first, first + extent.rows), extent
        first += extent.rows
