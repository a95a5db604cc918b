"""The rows of a stream in their order, chunk by chunk, whichever descriptor they belong to.

Rows are ordered by seq_num, then time, then uid. A store gives the rows of
each descriptor in the order in which they arrived, in stretches of which the
smallest and the largest seq_num are known. Only stretches that overlap have to
be sorted together, so memory stays bounded by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ...columns import Selection, assemble, to_rows
from ...columns.batches import nested_values
from ...columns.names import SEQ_NUM, TIME, UID
from ...stores.rows import Extent, RowSource

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]
Order = np.ndarray[Any, np.dtype[np.intp]]


_PART_BYTES = 2**20
_ABSENT = object()


class EventSource(RowSource, Protocol):
    """What events are read from: a store, or something that adds to what a store has."""

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Stretch(NamedTuple):
    """Rows of one descriptor, in the order in which they arrived.

    ``first`` says how many rows of this descriptor come before them.
    """

    owner: str
    extent: Extent
    first: int


Cluster = Sequence[Stretch]
"""Stretches whose seq_nums overlap."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a stream, as they are stored."""

    owners: list[str]  # the descriptor of each batch
    batches: list[pa.RecordBatch]
    order: Order | None  # which row comes first, second, ...; None if they are stored in order

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield the rows as event documents, with the columns that were read."""
        if self.order is None:
            for owner, batch in zip(self.owners, self.batches, strict=True):
                for part in _parts(batch):
                    yield from to_rows("event", owner, part)
            return
        rows = [
            row
            for owner, batch in zip(self.owners, self.batches, strict=True)
            for row in to_rows("event", owner, batch)
        ]
        for place in self.order:
            yield rows[place]

    def values(self, field: str) -> Iterator[Any]:
        """Yield the values of a field, of those rows that have it."""
        if self.order is None:
            cells: Iterable[Any] = (
                value
                for batch in self.batches
                for part in _parts(batch)
                for value in nested_values(part, "data", field, _ABSENT)
            )
        else:
            stored = [
                value
                for batch in self.batches
                for value in nested_values(batch, "data", field, _ABSENT)
            ]
            cells = (stored[place] for place in self.order)
        return (value for value in cells if value is not _ABSENT)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(batch.num_rows for batch in self.batches)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch, as its documents are going to be several times as large."""
    rows = max(1, batch.num_rows * _PART_BYTES // max(batch.nbytes, 1))
    for first in range(0, batch.num_rows, rows):
        yield batch.slice(first, rows)


def chunks(store: EventSource, owners: Sequence[str], selection: Selection) -> Iterator[Chunk]:
    """Yield the rows of some descriptors, in order: all of a cluster at a time."""
    for cluster in clusters(store, owners):
        yield read_cluster(store, cluster, selection)


def joint_order(parts: Sequence[Chunk]) -> Order | None:
    """Return the order of the rows of several chunks, where some are not stored in order."""
    if all(part.order is None for part in parts):
        return None
    places, first = [], 0
    for part in parts:
        places.append((np.arange(part.rows) if part.order is None else part.order) + first)
        first += part.rows
    return np.concatenate(places)


def index_of(chunks: Sequence[Chunk]) -> tuple[Array, Array]:
    """Return time and seq_num of the events of consecutive chunks."""
    batches = [batch for chunk in chunks for batch in chunk.batches]
    if not batches:
        return np.empty(0), np.empty(0, np.int64)
    index = assemble(batches, [TIME, SEQ_NUM])
    time, seq_num = np.asarray(index[TIME], np.float64), index[SEQ_NUM]
    order = joint_order(chunks)
    return (time, seq_num) if order is None else (time[order], seq_num[order])


def clusters(store: EventSource, owners: Sequence[str]) -> list[list[Stretch]]:
    """Group stretches of rows whose ranges of seq_num overlap."""
    stretches = [each for owner in owners for each in _stretches(store, owner)]
    stretches.sort(key=lambda each: (each.extent.min_seq, each.extent.max_seq))
    groups: list[list[Stretch]] = []
    highest = 0
    for stretch in stretches:
        if groups and stretch.extent.min_seq <= highest:
            groups[-1].append(stretch)
            highest = max(highest, stretch.extent.max_seq)
        else:
            groups.append([stretch])
            highest = stretch.extent.max_seq
    return groups


def read_cluster(store: EventSource, cluster: Cluster, selection: Selection) -> Chunk:
    """Return all rows of a cluster, in order."""
    return _chunk(store, _read(store, cluster, selection), cluster)


def _stretches(store: EventSource, owner: str) -> Iterator[Stretch]:
    first = 0
    for extent in store.extents("event", owner):
        yield Stretch(owner, extent, first)
        first += extent.rows


def _read(
    store: EventSource, cluster: Cluster, selection: Selection
) -> list[tuple[str, pa.RecordBatch]]:
    return [
        (stretch.owner, batch)
        for stretch in cluster
        for batch in store.read("event", stretch.extent, selection)
    ]


def _chunk(store: EventSource, parts: list[tuple[str, pa.RecordBatch]], cluster: Cluster) -> Chunk:
    owners = [owner for owner, _ in parts]
    batches = [batch for _, batch in parts]
    index = assemble(batches, [SEQ_NUM, TIME])
    seq, time = index[SEQ_NUM], np.asarray(index[TIME], np.float64)
    if (seq[1:] > seq[:-1]).all():
        return Chunk(owners, batches, None)
    order: Order = np.lexsort((time, seq))
    ties = (seq[order][1:] == seq[order][:-1]) & (time[order][1:] == time[order][:-1])
    if ties.any():
        uids = _uids(store, parts, cluster)
        keys = list(zip(seq.tolist(), time.tolist(), uids, strict=True))
        order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.intp)
    return Chunk(owners, batches, order)


def _uids(
    store: EventSource, parts: list[tuple[str, pa.RecordBatch]], cluster: Cluster
) -> list[str]:
    """Return the uids of rows, which are read only where nothing else tells two rows apart."""
    if all(UID in batch.schema.names for _, batch in parts):
        batches = parts
    else:
        batches = _read(store, cluster, Selection(others=True))
    return [row[UID] for owner, batch in batches for row in to_rows("event", owner, batch)]
