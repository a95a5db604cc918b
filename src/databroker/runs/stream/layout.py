"""Which rows of a stream are stored where, at one moment: so that a few rows cost a few rows.

Rows are counted from 0 in the order of the stream. Stretches of rows whose
seq_nums overlap form a *cluster*; clusters follow each other in order. To read
rows i to j, only the clusters between them are looked at, and within a cluster
only the stretches that hold some of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ...columns import Selection
from ...errors import StoreUnavailable
from .rows import (
    Array,
    Chunk,
    Cluster,
    EventSource,
    Order,
    Stretch,
    clusters,
    index_of,
    read_cluster,
)

PAGE_BYTES = 4 * 2**20
"""About how much of one field is read at a time."""

CHUNK_BYTES = 16 * 2**20
"""About how large a chunk of a dask array is."""

_FEW = 256  # rows that are read at once, whatever they hold

_INDEX = Selection()


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
        found = [tuple(cluster) for cluster in clusters(store, owners)]
        starts = [0]
        for cluster in found:
            starts.append(starts[-1] + sum(each.extent.rows for each in cluster))
        return cls(found, starts)

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
            chunk = _complete(store, read_cluster(store, cluster, selection), stop - start)
            self._orders[window.cluster] = chunk.order
            return chunk
        order = self._order(store, window.cluster)
        places = np.arange(window.first - start, window.stop - start)
        return _pick(store, cluster, places if order is None else order[places], selection)

    def index(self, store: EventSource) -> tuple[Array, Array]:
        """Return time and seq_num of all rows."""
        return index_of([self.read(store, window, _INDEX) for window in self.windows()])

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

    def pieces(self, store: EventSource, selection: Selection) -> Iterator[Chunk]:
        """Yield all rows in order, about `PAGE_BYTES` at a time."""
        for window in self.windows():
            rows = window.stop - window.first
            if rows <= _FEW:
                yield self.read(store, window, selection)
            elif self._order(store, window.cluster) is None:
                for owner, extent, _ in self.clusters[window.cluster]:
                    for batch in store.read("event", extent, selection):
                        yield Chunk([owner], [batch], None)
            else:
                yield from self._sorted(store, window, selection)

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
            rows = self.starts[cluster + 1] - self.starts[cluster]
            index = _complete(store, read_cluster(store, self.clusters[cluster], _INDEX), rows)
            self._orders[cluster] = index.order
        return self._orders[cluster]


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
