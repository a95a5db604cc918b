"""Rows as stores give them: where those of one owner are, and how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import StoreUnavailable

if TYPE_CHECKING:
    import pyarrow as pa

    from ..columns import Selection


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of rows of one owner, in the order in which they arrived.

    Attributes
    ----------
    rows
        How many there are.
    min_seq, max_seq
        The range of their seq_nums; 0 for rows without one (datum documents).
    token
        Where they are: JSON can hold it, and what is in it is the store's own affair.
    """

    rows: int
    min_seq: int
    max_seq: int
    token: Any


class RowSource(Protocol):
    """What rows are read from: a store, or something that adds to what a store has."""

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where the rows of one owner are; see `Store.extents`."""
        ...

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as batches; see `Store.read`."""
        ...

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        """Yield the batches of each of several extents; see `Store.read_extents`."""
        ...


def rows_are_gone(kind: str, owner: str, place: str) -> StoreUnavailable:
    """Return what to raise where somebody removed rows after they were counted."""
    return StoreUnavailable(
        f"Rows ({kind}) of {owner!r} are gone from {place} since they were counted. "
        "Read the run again."
    )


def each_extent(
    source: RowSource, kind: str, extents: Iterable[Extent], selection: Selection
) -> Iterator[list[pa.RecordBatch]]:
    """Yield the batches of several extents, of which each is read by itself."""
    return (list(source.read(kind, extent, selection)) for extent in extents)


def batches_of(
    source: RowSource,
    kind: str,
    owner: str,
    selection: Selection,
    first: int = 0,
    stop: int | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield rows of one owner, counted from its first one; all of them unless told otherwise."""
    for extent, rows in parts_of(source.extents(kind, owner), first, stop):
        yield from source.read(kind, extent, selection, rows)


def parts_of(
    extents: Iterable[Extent], first: int = 0, stop: int | None = None
) -> Iterator[tuple[Extent, tuple[int, int]]]:
    """Yield the extents in which some rows are, and which rows of each these are."""
    before = 0
    for extent in extents:
        low = max(first - before, 0)
        high = extent.rows if stop is None else min(stop - before, extent.rows)
        if low < high:
            yield extent, (low, high)
        before += extent.rows


def rows_of(source: RowSource, kind: str, owner: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of one owner as documents."""
    from ..columns import ALL, to_rows

    for batch in batches_of(source, kind, owner, ALL):
        yield from to_rows(kind, owner, batch)


def last_event(source: RowSource, descriptor: str) -> float:
    """Return the time of the newest event of a descriptor; -inf where it has none."""
    from ..columns import Selection
    from ..columns.assemble import value_range
    from ..columns.names import TIME

    batches = batches_of(source, "event", descriptor, Selection())
    ranges = (value_range(batch, TIME) for batch in batches if batch.num_rows)
    return max((float(found[1]) for found in ranges if found), default=float("-inf"))
