"""Which value of which stream resource an event has: stream datums claim stretches of events.

After a rewind, events of the same seq_num come again, each with a value of its
own. So the n-th event of a seq_num has the value of the n-th claim to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...columns.assemble import assemble
from ...columns.names import nested, top
from ...stores.many_owners import batches_of_each

if TYPE_CHECKING:
    import pyarrow as pa

    from ...stores.base import Store

Array = np.ndarray[Any, Any]

ANYBODY = -1
"""The owner of a claim that does not say whose events it means, as old documents have it."""

_COLUMNS = [
    nested("seq_nums", "start"),
    nested("seq_nums", "stop"),
    nested("indices", "start"),
    nested("indices", "stop"),
]
_DESCRIPTOR = top("descriptor")
_LARGEST = 2.0**53  # above, not every integer has a float


class FramePlaces(NamedTuple):
    """Where the values of some events are."""

    part: Array  # the number of the resource; -1 where there is no value
    place: Array  # the index of the value in it

    @classmethod
    def nowhere(cls, size: int) -> FramePlaces:
        """Return places of events without values."""
        return cls(np.full(size, -1), np.zeros(size, np.int64))

    def stretches(self) -> list[tuple[int, int]]:
        """Return where the events begin and end whose values follow each other in one resource."""
        breaks = np.flatnonzero((np.diff(self.part) != 0) | (np.diff(self.place) != 1)) + 1
        ends = [*breaks.tolist(), len(self.part)]
        return [(a, b) for a, b in zip([0, *ends], ends, strict=False) if a < b]


class Claims(NamedTuple):
    """Stretches of events whose values follow each other in one resource, as they were told."""

    # The seq_nums of each stretch, half-open.
    first: Array
    stop: Array
    place: Array  # the index of the first value in the resource
    part: Array  # the number of the resource
    owner: Array  # the number of the descriptor whose events are meant, or `ANYBODY`

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, int, int, int]] | Array) -> Claims:
        """Return claims of rows in this order of columns, those that continue others joined."""
        claims = np.asarray(rows, np.int64).reshape(-1, 5)
        claims = claims[claims[:, 1] > claims[:, 0]]
        first, stop, index, part, owner = claims.T
        if not len(claims):
            return cls(first, stop, index, part, owner)
        goes_on = (
            (first[1:] == stop[:-1])
            & (part[1:] == part[:-1])
            & (owner[1:] == owner[:-1])
            & (index[1:] == index[:-1] + stop[:-1] - first[:-1])
        )
        starts = np.flatnonzero(np.concatenate([[True], ~goes_on]))
        ends = np.append(starts[1:], len(claims)) - 1
        return cls(first[starts], stop[ends], index[starts], part[starts], owner[starts])

    def some(self, chosen: Array) -> Claims:
        """Return those of the claims that a mask or an order chooses."""
        return Claims(*(column[chosen] for column in self))

    def owned_by(self, owner: int) -> Claims:
        """Return the claims with an owner for those that do not say whose events they mean."""
        return self._replace(owner=np.where(self.owner == ANYBODY, owner, self.owner))

    @property
    def total(self) -> int:
        """How many values are claimed."""
        return int((self.stop - self.first).sum())

    def seq_nums(self) -> Array:
        """Return the seq_num of each claimed value, in order."""
        return np.sort(self._each()[0])

    def match(self, owners: Array, seq_nums: Array) -> FramePlaces:
        """Return where the values of some events are.

        A claim that names the descriptor counts before one that does not.
        """
        places = FramePlaces.nowhere(len(seq_nums))
        for owner in np.unique(self.owner)[::-1]:
            mine = np.flatnonzero(places.part < 0 if owner == ANYBODY else owners == owner)
            part, index = self.some(self.owner == owner)._match(seq_nums[mine])
            places.part[mine], places.place[mine] = part, index
        return places

    def _match(self, seq_nums: Array) -> FramePlaces:
        claims = self.some(np.argsort(self.first, kind="stable"))
        apart = (claims.first[1:] >= np.maximum.accumulate(claims.stop)[:-1]).all()
        if apart and (np.diff(seq_nums) > 0).all():
            return claims._locate(seq_nums)
        return self._match_repeated(seq_nums)

    def _locate(self, seq_nums: Array) -> FramePlaces:
        """Match events of different seq_nums with sorted claims, none of which overlap."""
        place = np.searchsorted(self.first, seq_nums, "right") - 1
        known = np.maximum(place, 0)
        is_claimed = (place >= 0) & (seq_nums < self.stop[known])
        index = self.place[known] + seq_nums - self.first[known]
        part = np.where(is_claimed, self.part[known], -1)
        return FramePlaces(part, np.where(is_claimed, index, 0))

    def _match_repeated(self, seq_nums: Array) -> FramePlaces:
        if not len(seq_nums):
            return FramePlaces.nowhere(0)
        claimed, index, part = self._within(int(seq_nums[0]), int(seq_nums[-1]) + 1)._each()
        order = np.argsort(claimed, kind="stable")
        claimed = claimed[order]
        nth = np.arange(len(seq_nums)) - np.searchsorted(seq_nums, seq_nums, "left")
        place = np.searchsorted(claimed, seq_nums, "left") + nth
        is_claimed = place < np.searchsorted(claimed, seq_nums, "right")
        places = FramePlaces.nowhere(len(seq_nums))
        places.part[is_claimed] = part[order][place[is_claimed]]
        places.place[is_claimed] = index[order][place[is_claimed]]
        return places

    def _within(self, low: int, high: int) -> Claims:
        """Return what of the claims is within some seq_nums."""
        first, stop = np.maximum(self.first, low), np.minimum(self.stop, high)
        cut = Claims(first, stop, self.place + first - self.first, self.part, self.owner)
        return cut.some(stop > first)

    def _each(self) -> tuple[Array, Array, Array]:
        """Return seq_num, index and resource of each claimed value."""
        sizes = self.stop - self.first
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        first, index, part = (
            np.repeat(each, sizes) for each in (self.first, self.place, self.part)
        )
        return first + within, index + within, part


def read_claims(
    store: Store, run: str, resources: Sequence[str], owners: Mapping[str, int]
) -> Claims:
    """Read the stream datum documents of some resources of a run."""
    found = batches_of_each(store, run, "stream_datum", resources)
    rows = [
        claims
        for part, batches in enumerate(found)
        for batch in batches
        if len(claims := _rows(batch, part, owners))
    ]
    return Claims.of(np.concatenate(rows) if rows else np.empty((0, 5), np.int64))


def _numbers(column: Any) -> Array:
    """Return a column as numbers; what is none is NaN."""
    try:
        return np.asarray(column, np.float64)
    except (OverflowError, TypeError, ValueError):
        return np.array([_number(value) for value in column], np.float64)


def _number(value: Any) -> float:
    try:
        # Some versions of NumPy take an array of one number for that number.
        return float("nan") if np.ndim(value) else float(value)
    except (OverflowError, TypeError, ValueError):
        return float("nan")


def _rows(batch: pa.RecordBatch, part: int, owners: Mapping[str, int]) -> Array:
    columns = assemble([batch], [*_COLUMNS, _DESCRIPTOR])
    numbers = [_numbers(columns[name]) for name in _COLUMNS]
    # One resource may serve two streams. Older documents leave the descriptor empty.
    codes = [owners.get(uid) if uid else ANYBODY for uid in columns[_DESCRIPTOR]]
    mine = np.array([code is not None for code in codes], bool)
    mine &= (np.abs(numbers) < _LARGEST).all(axis=0)
    owner = np.array([-1 if code is None else code for code in codes], np.int64)[mine]
    first, stop, index, end = (column[mine].astype(np.int64) for column in numbers)
    stop = np.minimum(stop, first + end - index)
    return np.stack([first, stop, index, np.full(len(first), part), owner], axis=1)
