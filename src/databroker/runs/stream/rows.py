"""The rows of a stream in their order, chunk by chunk, whichever descriptor they belong to.

Rows are ordered by seq_num, then time, then uid. A store gives the rows of
each descriptor in the order in which they arrived, in stretches of which the
smallest and the largest seq_num are known. Only stretches that overlap have to
be sorted together, so memory stays bounded by them.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...columns import assemble, to_rows
from ...columns.names import SEQ_NUM, TIME, UID, parse

if TYPE_CHECKING:
    import pyarrow as pa

    from ...stores.base import Extent

    Cluster = Sequence[tuple[str, Extent]]

Array = np.ndarray[Any, Any]
Order = np.ndarray[Any, np.dtype[np.intp]]


_PART_BYTES = 2**20


class EventSource(Protocol):
    """What rows are read from: a store, or something that adds to what a store has."""

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return the stretches of rows of one owner; see `Store.extents`."""
        ...

    def read(
        self, kind: str, owner: str, first: int, stop: int, columns: Container[str] | None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as batches; see `Store.read`."""
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...


class Columns:
    """Which columns are wanted: the index, and the data and timestamps of some fields.

    Parameters
    ----------
    data
        Names of data keys; None for all.
    timestamps
        Names of data keys whose timestamps are wanted; None for all.
    others
        Whether uids, `filled` and keys that only this producer uses are wanted too.
    """

    def __init__(
        self,
        data: Container[str] | None,
        timestamps: Container[str] | None = (),
        others: bool = False,
    ) -> None:
        self._data = data
        self._timestamps = timestamps
        self._others = others

    def __contains__(self, column: object) -> bool:
        if column in (SEQ_NUM, TIME):
            return True
        outer, key = parse(str(column))
        if outer == "data":
            return self._data is None or key in self._data
        if outer == "timestamps":
            return self._timestamps is None or key in self._timestamps
        return self._others


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a stream.

    Attributes
    ----------
    owners
        The uid of the descriptor of each batch.
    batches
        The rows as they are stored.
    order
        The places of the rows, in order; None if they are stored in order.
    """

    owners: list[str]
    batches: list[pa.RecordBatch]
    order: Order | None

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

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(batch.num_rows for batch in self.batches)


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch, as its documents are going to be several times as large."""
    rows = max(1, batch.num_rows * _PART_BYTES // max(batch.nbytes, 1))
    for first in range(0, batch.num_rows, rows):
        yield batch.slice(first, rows)


def chunks(
    store: EventSource, owners: Sequence[str], columns: Container[str] | None
) -> Iterator[Chunk]:
    """Yield the rows of some descriptors, in order: all of a cluster at a time.

    Parameters
    ----------
    owners
        The uids of the descriptors of one stream.
    columns
        The wanted columns, with seq_num and time; None for all.
    """
    for cluster in clusters(store, owners):
        yield read_cluster(store, cluster, columns)


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


def clusters(store: EventSource, owners: Sequence[str]) -> list[list[tuple[str, Extent]]]:
    """Group stretches of rows whose ranges of seq_num overlap."""
    found = [(owner, extent) for owner in owners for extent in store.extents("event", owner)]
    found.sort(key=lambda item: (item[1].min_seq, item[1].max_seq))
    groups: list[list[tuple[str, Extent]]] = []
    highest = 0
    for item in found:
        if groups and item[1].min_seq <= highest:
            groups[-1].append(item)
            highest = max(highest, item[1].max_seq)
        else:
            groups.append([item])
            highest = item[1].max_seq
    return groups


def read_cluster(store: EventSource, cluster: Cluster, columns: Container[str] | None) -> Chunk:
    """Return all rows of a cluster, in order."""
    return _chunk(store, _read(store, cluster, columns), cluster)


def _read(
    store: EventSource, cluster: Cluster, columns: Container[str] | None
) -> list[tuple[str, pa.RecordBatch]]:
    return [
        (owner, batch)
        for owner, extent in cluster
        for batch in store.read("event", owner, extent.first, extent.stop, columns)
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
        batches = _read(store, cluster, {UID, SEQ_NUM, TIME})
    return [row[UID] for owner, batch in batches for row in to_rows("event", owner, batch)]
