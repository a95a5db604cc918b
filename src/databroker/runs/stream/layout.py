"""The rows of a stream in their order, and where they are stored, so that a few cost a few.

Rows are ordered by seq_num, then time, then uid, whichever descriptor they belong to, and
counted from 0. A store gives the rows of each descriptor in the order in which they arrived, in
stretches of which the smallest and the largest seq_num are known. Stretches that overlap form a
*cluster*, and only these are sorted together; clusters follow each other in order. To read rows i
to j, only the clusters between them are looked at, and within a cluster only the stretches that
hold some of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ...columns import Selection, to_rows
from ...columns.assemble import assemble
from ...columns.batches import nested_values
from ...columns.names import SEQ_NUM, TIME, UID
from ...errors import StoreUnavailable
from ...external.fields.reader import CHUNK_BYTES, PAGE_BYTES
from ...stores.rows import Extent, RowSource
from .fields import EVERY

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]
Order = np.ndarray[Any, np.dtype[np.intp]]

_FEW = 256  # rows that are read at once, whatever they hold
_PART_BYTES = 2**20
_ABSENT = object()
_INDEX = Selection()


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
        return self._in_order(lambda owner, batch: to_rows("event", owner, batch))

    def values(self, field: str) -> Iterator[Any]:
        """Yield the values of a field, of those rows that have it."""
        cells = self._in_order(lambda _, batch: nested_values(batch, "data", field, _ABSENT))
        return (value for value in cells if value is not _ABSENT)

    def _in_order(self, made_of: Callable[[str, pa.RecordBatch], Iterable[Any]]) -> Iterator[Any]:
        """Yield what is made of each row; of rows that are stored in order, a few at a time."""
        owned = zip(self.owners, self.batches, strict=True)
        if self.order is None:
            for owner, batch in owned:
                for part in _cut(batch):
                    yield from made_of(owner, part)
        else:
            stored = [item for owner, batch in owned for item in made_of(owner, batch)]
            for place in self.order:
                yield stored[place]

    def codes(self, codes: Mapping[str, int]) -> Array:
        """Return the code of each row's descriptor."""
        sizes = [batch.num_rows for batch in self.batches]
        by_row: Array = np.repeat([codes[owner] for owner in self.owners], sizes)
        return by_row if self.order is None else by_row[self.order]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(batch.num_rows for batch in self.batches)


def _cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch, as its documents are going to be several times as large."""
    rows = max(1, batch.num_rows * _PART_BYTES // max(batch.nbytes, 1))
    for first in range(0, batch.num_rows, rows):
        yield batch.slice(first, rows)


class Window(NamedTuple):
    """Rows that follow each other within one cluster, counted from the beginning of the stream."""

    cluster: int
    first: int
    stop: int


@dataclass
class Layout:
    """Where the rows of a stream are.

    It is a snapshot: rows that come later are not in it, and those that are
    in it stay where it says, whatever a store does to its blocks.
    """

    clusters: list[tuple[Stretch, ...]]
    starts: list[int]  # the first row of each cluster, and the row after the last
    _orders: dict[int, Order | None] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, store: EventSource, owners: Sequence[str]) -> Layout:
        """Look where the rows of some descriptors are; no row is read."""
        clusters = [tuple(cluster) for cluster in _clusters(store, owners)]
        sizes = (sum(each.extent.rows for each in cluster) for cluster in clusters)
        return cls(clusters, list(accumulate(sizes, initial=0)))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.starts[-1]

    @property
    def owners(self) -> list[str]:
        """The descriptors that have rows, each once."""
        return list(dict.fromkeys(each.owner for cluster in self.clusters for each in cluster))

    def windows(self, first: int = 0, stop: int | None = None) -> Iterator[Window]:
        """Yield the windows that make up rows ``first`` to ``stop``: one for each cluster."""
        stop = self.rows if stop is None else stop
        place = int(np.searchsorted(self.starts, first, "right")) - 1
        while first < stop:
            end = min(stop, self.starts[place + 1])
            yield Window(place, first, end)
            place, first = place + 1, end

    def pages(self, row_bytes: float) -> list[Window]:
        """Cut all rows into windows of about `PAGE_BYTES`, along what is stored together."""
        most = max(1, int(PAGE_BYTES / max(row_bytes, 1)))
        found: list[Window] = []
        for place, first, stop in self.windows():
            # What is stored together is read together, unless it is far too much.
            rows = stop - first if stop - first <= 2 * most else most
            found += [Window(place, row, min(row + rows, stop)) for row in range(first, stop, rows)]
        return found

    def chunks(self, row_bytes: float) -> tuple[int, ...]:
        """Return sizes for chunks of rows, of about `CHUNK_BYTES` at most."""
        sizes: list[int] = []
        for _, first, stop in self.pages(row_bytes):
            if sizes and (sizes[-1] + stop - first) * row_bytes <= CHUNK_BYTES:
                sizes[-1] += stop - first
            else:
                sizes.append(stop - first)
        return tuple(sizes) or (0,)

    def read(self, store: EventSource, window: Window, selection: Selection) -> Chunk:
        """Return the rows of a window, in order."""
        cluster = self.clusters[window.cluster]
        start, stop = self.starts[window.cluster : window.cluster + 2]
        if (window.first, window.stop) == (start, stop):
            chunk = _read_cluster(store, cluster, selection)
            self._orders[window.cluster] = chunk.order
            return chunk
        order = self._order(store, window.cluster)
        places = np.arange(window.first - start, window.stop - start)
        return _pick(store, cluster, places if order is None else order[places], selection)

    def whole(self, store: EventSource, selection: Selection) -> Iterator[Chunk]:
        """Yield all rows in order: those of a cluster at a time."""
        stretches = chain.from_iterable(self.clusters)
        parts = store.read_extents("event", [each.extent for each in stretches], selection)
        for place, cluster in enumerate(self.clusters):
            owned = [(each.owner, batch) for each in cluster for batch in next(parts)]
            chunk = _ordered(store, cluster, owned)
            self._orders[place] = chunk.order
            yield chunk
        next(parts, None)  # a connection that was read to its end can be used again

    def index(self, store: EventSource) -> tuple[Array, Array]:
        """Return time and seq_num of all rows."""
        return index_of(list(self.whole(store, _INDEX)))

    def origins(self, store: EventSource) -> tuple[Order, Order]:
        """Return where each row is stored: the place in `owners`, and the number among its rows."""
        numbers = {owner: number for number, owner in enumerate(self.owners)}
        owners, ordinals = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
        for place, cluster in enumerate(self.clusters):
            sizes = [each.extent.rows for each in cluster]
            mine = np.repeat([numbers[each.owner] for each in cluster], sizes)
            ordinal = np.concatenate(
                [np.arange(each.first, each.first + each.extent.rows) for each in cluster]
            )
            order = self._order(store, place)
            owners.append(mine if order is None else mine[order])
            ordinals.append(ordinal if order is None else ordinal[order])
        return np.concatenate(owners), np.concatenate(ordinals)

    def some(
        self, store: EventSource, selection: Selection, rows: slice = EVERY
    ) -> Iterator[Chunk]:
        """Yield rows in order: those of a cluster at a time, and no others."""
        first, stop, _ = rows.indices(self.rows)
        if (first, stop) == (0, self.rows):
            return self.whole(store, selection)
        return (self.read(store, window, selection) for window in self.windows(first, stop))

    def pieces(
        self, store: EventSource, selection: Selection, some: slice = EVERY
    ) -> Iterator[Chunk]:
        """Yield rows in order, about `PAGE_BYTES` at a time."""
        first, stop, _ = some.indices(self.rows)
        for window in self.windows(first, stop):
            rows = window.stop - window.first
            if rows <= _FEW:
                yield self.read(store, window, selection)
            elif self._order(store, window.cluster) is None:
                yield from self._as_stored(store, window, selection)
            else:
                yield from self._sorted(store, window, selection)

    def _as_stored(
        self, store: EventSource, window: Window, selection: Selection
    ) -> Iterator[Chunk]:
        """Yield rows that are stored in order."""
        before = self.starts[window.cluster]
        for owner, extent, _ in self.clusters[window.cluster]:
            low, high = max(window.first - before, 0), min(window.stop - before, extent.rows)
            if low < high:
                for batch in store.read("event", extent, selection, (low, high)):
                    yield Chunk([owner], [batch], None)
            before += extent.rows

    def _sorted(self, store: EventSource, window: Window, selection: Selection) -> Iterator[Chunk]:
        """Yield rows that are stored in another order."""
        first, rows = window.first, _FEW
        while first < window.stop:
            stop = min(first + rows, window.stop)
            chunk = self.read(store, Window(window.cluster, first, stop), selection)
            yield chunk
            size = sum(batch.nbytes for batch in chunk.batches) / max(chunk.rows, 1)
            first, rows = stop, max(1, int(PAGE_BYTES / max(size, 1)))

    def _order(self, store: EventSource, cluster: int) -> Order | None:
        if cluster not in self._orders:
            index = _read_cluster(store, self.clusters[cluster], _INDEX)
            self._orders[cluster] = index.order
        return self._orders[cluster]


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


def _clusters(store: EventSource, owners: Sequence[str]) -> list[list[Stretch]]:
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


def _stretches(store: EventSource, owner: str) -> Iterator[Stretch]:
    first = 0
    for extent in store.extents("event", owner):
        yield Stretch(owner, extent, first)
        first += extent.rows


def _read_cluster(store: EventSource, cluster: Cluster, selection: Selection) -> Chunk:
    """Return all rows of a cluster, in order."""
    return _ordered(store, cluster, _owned_batches(store, cluster, selection))


def _ordered(
    store: EventSource, cluster: Cluster, parts: list[tuple[str, pa.RecordBatch]]
) -> Chunk:
    """Return all rows of a cluster in order, as they were read."""
    rows = sum(each.extent.rows for each in cluster)
    owners = [owner for owner, _ in parts]
    batches = [batch for _, batch in parts]
    index = assemble(batches, [SEQ_NUM, TIME])
    seq, time = index[SEQ_NUM], np.asarray(index[TIME], np.float64)
    if (seq[1:] > seq[:-1]).all():
        return _complete(store, Chunk(owners, batches, None), rows)
    order: Order = np.lexsort((time, seq))
    ties = (seq[order][1:] == seq[order][:-1]) & (time[order][1:] == time[order][:-1])
    if ties.any():
        uids = _uids(store, parts, cluster)
        keys = list(zip(seq.tolist(), time.tolist(), uids, strict=True))
        order = np.array(sorted(range(len(keys)), key=keys.__getitem__), np.intp)
    return _complete(store, Chunk(owners, batches, order), rows)


def _owned_batches(
    store: EventSource, cluster: Cluster, selection: Selection
) -> list[tuple[str, pa.RecordBatch]]:
    parts = store.read_extents("event", [each.extent for each in cluster], selection)
    return [
        (stretch.owner, batch)
        for stretch, batches in zip(cluster, parts, strict=True)
        for batch in batches
    ]


def _uids(
    store: EventSource, parts: list[tuple[str, pa.RecordBatch]], cluster: Cluster
) -> list[str]:
    """Return the uids of rows, which are read only where nothing else tells two rows apart."""
    if all(UID in batch.schema.names for _, batch in parts):
        batches = parts
    else:
        batches = _owned_batches(store, cluster, Selection(others=True))
    return [row[UID] for owner, batch in batches for row in to_rows("event", owner, batch)]


def _pick(
    store: EventSource,
    cluster: Cluster,
    places: Order,
    selection: Selection,
) -> Chunk:
    """Return the rows at some places of a cluster, reading no stretch that has none of them."""
    owners, batches = [], []
    order = np.empty(len(places), np.intp)
    base = read = 0
    for owner, extent, _ in cluster:
        size = extent.rows
        mine = (places >= base) & (places < base + size)
        if mine.any():
            inside = places[mine] - base
            low, high = int(inside.min()), int(inside.max()) + 1
            order[mine] = inside - low + read
            for batch in store.read("event", extent, selection, (low, high)):
                owners.append(owner)
                batches.append(batch)
            read += high - low
        base += size
    in_order = bool((order == np.arange(read)).all()) if len(order) == read else False
    return _complete(store, Chunk(owners, batches, None if in_order else order), read)


def _complete(store: EventSource, chunk: Chunk, rows: int) -> Chunk:
    if chunk.rows != rows:
        raise StoreUnavailable(
            f"{store} has only {chunk.rows} of {rows} rows that were there before. If this is "
            "another machine, does the store's path lead to the same place from here?"
        )
    return chunk
