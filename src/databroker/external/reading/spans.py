"""Which index of which stream resource holds the value of which event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...columns import assemble
from ...columns.names import nested, top

if TYPE_CHECKING:
    import pyarrow as pa

    from ...stores.contract import Store

__all__ = ["Spans", "read_spans"]

Array = np.ndarray[Any, Any]

_COLUMNS = [
    nested("seq_nums", "start"),
    nested("seq_nums", "stop"),
    nested("indices", "start"),
    nested("indices", "stop"),
]
_DESCRIPTOR = top("descriptor")


class Spans(NamedTuple):
    """Stretches of events whose values follow each other in one resource.

    Attributes
    ----------
    first, stop
        The seq_nums of each stretch, half-open, sorted.
    places
        The index of the first value in the resource.
    part
        The number of the resource.

    Examples
    --------
    >>> spans = Spans.of([(1, 3, 0, 0), (3, 4, 2, 0), (4, 6, 0, 1)])
    >>> len(spans.first), spans.seq_nums().tolist()
    (2, [1, 2, 3, 4, 5])
    >>> [found.tolist() for found in spans.locate(np.array([2, 5, 9]))]
    [[0, 1, -1], [1, 1, 0]]
    """

    first: Array
    stop: Array
    places: Array
    part: Array

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, int, int]] | Array) -> Spans:
        """Return spans of rows of (first, stop, index, part), those that continue others joined."""
        found = np.asarray(rows, np.int64).reshape(-1, 4)
        found = found[found[:, 1] > found[:, 0]]
        found = found[np.argsort(found[:, 0], kind="stable")]
        first, stop, index, part = found.T
        goes_on = (
            (first[1:] == stop[:-1])
            & (part[1:] == part[:-1])
            & (index[1:] == index[:-1] + stop[:-1] - first[:-1])
        )
        if not len(found):
            return cls(first, stop, index, part)
        starts = np.flatnonzero(np.concatenate([[True], ~goes_on]))
        ends = np.append(starts[1:], len(found)) - 1
        return cls(first[starts], stop[ends], index[starts], part[starts])

    @classmethod
    def joined(cls, several: Sequence[Spans]) -> Spans:
        """Return spans of the same resources as one."""
        if len(several) == 1:
            return several[0]
        rows = [np.stack(each, axis=1) for each in several]
        return cls.of(np.concatenate(rows) if rows else [])

    def seq_nums(self) -> Array:
        """Return the seq_nums of all events that have a value."""
        each = [np.arange(a, b) for a, b in zip(self.first, self.stop, strict=True)]
        return np.unique(np.concatenate(each)) if each else np.empty(0, np.int64)

    def locate(self, seq_nums: Array) -> tuple[Array, Array]:
        """Return the resource of each event (-1 where there is none), and the index in it."""
        if not len(self.first):
            return np.full(len(seq_nums), -1), np.zeros(len(seq_nums), np.int64)
        place = np.searchsorted(self.first, seq_nums, "right") - 1
        known = np.maximum(place, 0)
        there = (place >= 0) & (seq_nums < self.stop[known])
        index = self.places[known] + seq_nums - self.first[known]
        return np.where(there, self.part[known], -1), np.where(there, index, 0)


def read_spans(store: Store, resources: Sequence[str], descriptors: Collection[str]) -> Spans:
    """Read the stream datum documents of some resources.

    Parameters
    ----------
    resources
        The uids of stream resources; their order gives the numbers of parts.
    descriptors
        The uids of the descriptors of the stream that is read.
    """
    rows = [
        found
        for part, uid in enumerate(resources)
        for extent in store.extents("stream_datum", uid)
        for batch in store.read(
            "stream_datum", uid, extent.first, extent.stop, [*_COLUMNS, _DESCRIPTOR]
        )
        if len(found := _rows(batch, part, descriptors))
    ]
    return Spans.of(np.concatenate(rows) if rows else np.empty((0, 4), np.int64))


def _rows(batch: pa.RecordBatch, part: int, descriptors: Collection[str]) -> Array:
    columns = assemble([batch], [*_COLUMNS, _DESCRIPTOR])
    numbers = [np.asarray(columns[name], np.float64) for name in _COLUMNS]
    owners = columns[_DESCRIPTOR]
    # One resource may serve two streams. Older documents leave the descriptor empty.
    mine = np.array([not owner or owner in descriptors for owner in owners], bool)
    mine &= np.isfinite(numbers).all(axis=0)
    first, stop, index, end = (column[mine].astype(np.int64) for column in numbers)
    stop = np.minimum(stop, first + end - index)
    return np.stack([first, stop, index, np.full(len(first), part)], axis=1)
