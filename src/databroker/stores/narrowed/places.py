"""Where rows are, said by whose they are and how many come before them.

What a store behind puts into a token is its own affair, and it trusts that. So none of these is
handed out: a place is looked up again, and whose it is, each time that it is read.
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

Place = tuple[int, int]
"""The first of some rows of an owner, and the one after the last."""


def own_extents(owner: str, extents: Sequence[Extent]) -> list[Extent]:
    """Return extents of all rows of an owner with tokens that say which ones they are."""
    firsts = accumulate((each.rows for each in extents), initial=0)
    return [
        replace(each, token=(owner, first)) for each, first in zip(extents, firsts, strict=False)
    ]


def read_places(
    source: RowSource,
    kind: str,
    extents: Sequence[Extent],
    wanted: Sequence[Place],
    selection: Selection,
) -> Iterator[list[pa.RecordBatch]]:
    """Yield the rows at each of some places, of an owner whose extents now are given."""
    now = list(_places(extents))
    there = dict(now)
    if all(place in there for place in wanted):
        yield from source.read_extents(kind, [there[place] for place in wanted], selection)
        return
    for first, stop in wanted:
        found: list[pa.RecordBatch] = []
        for (begin, end), extent in now:
            low, high = max(first, begin) - begin, min(stop, end) - begin
            if low < high:
                found += source.read(kind, extent, selection, (low, high))
        yield found


def _places(extents: Sequence[Extent]) -> Iterator[tuple[Place, Extent]]:
    first = 0
    for extent in extents:
        yield (first, first + extent.rows), extent
        first += extent.rows
