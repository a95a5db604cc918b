"""Streamed fields among the columns of a stream's events, as references to their values.

The values of a streamed field are in stream resources. Events leave the field
out, and a stream all of whose fields are streamed may have no events at all.
Here each event has the field, as the reference ``<stream resource>/<index>``,
and a stream without events has one row, without a time, for each value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ...columns import Selection
from ...columns.names import SEQ_NUM, TIME, exact, nested
from ...external.fields.filling import is_streamed
from ...external.fields.resource_values import stream_sources
from ...external.fields.stream_index import ANYBODY, FramePlaces, read_claims
from ...external.fields.streamed_field import StreamedField
from ...stores.rows import Extent, batches_of, each_extent
from ...stores.store_ref import StoreRef
from .fields import Doc
from .layout import Array, Layout

if TYPE_CHECKING:
    from ...stores.base import Store


class StreamedRows:
    """A stream's events as a store has them, with its streamed fields among them.

    It can be pickled if the store can. `seq_nums` are those of the rows of descriptors without
    events, where no descriptor has any.
    """

    def __init__(
        self, store: Store, fields: Mapping[str, StreamedField], seq_nums: Mapping[str, Array]
    ) -> None:
        self._store_ref = StoreRef(store)
        self.fields = fields
        self.seq_nums = seq_nums
        self._places: dict[str, dict[str, FramePlaces]] = {}

    @classmethod
    def of(cls, store: Store, run: str, descriptors: Sequence[Doc]) -> StreamedRows:
        """Ask a store where the values of a stream's streamed fields are at this moment."""
        documents = list(store.documents(run, ["stream_resource"]))
        owners = {doc["uid"]: number for number, doc in enumerate(descriptors)}
        flown = not any(store.extents("event", owner) for owner in owners)
        fields: dict[str, StreamedField] = {}
        for descriptor in descriptors:
            for name, key in descriptor["data_keys"].items():
                if not isinstance(key, Mapping) or not is_streamed(key):
                    continue
                if name not in fields:
                    sources = stream_sources(documents, name)
                    # Whatever is declared: with datum ids in its events, a field is none of these.
                    if not sources and _is_held(store, owners, name):
                        continue
                    uids = [str(source.document["uid"]) for source in sources]
                    claims = read_claims(store, run, uids, owners)
                    if flown:  # there are no events to tell whose these are
                        claims = claims.owned_by(owners[descriptor["uid"]])
                    fields[name] = StreamedField(name, key, sources, {}, claims)
                fields[name].holders[descriptor["uid"]] = owners[descriptor["uid"]]
        seq_nums = {owner: _seq_nums(fields, owner) for owner in owners} if flown else {}
        return cls(store, fields, seq_nums)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where the rows of one owner are; see `Store.extents`.

        The token of events says whose they are, and how many there are before them.
        """
        rows = self.seq_nums.get(owner) if kind == "event" else None
        if rows is None:
            extents = self._store_ref.store.extents(kind, owner)
            if kind != "event":
                return extents
            before = accumulate((each.rows for each in extents), initial=0)
            return [
                replace(each, token=(owner, first, each.token))
                for first, each in zip(before, extents, strict=False)
            ]
        if not len(rows):
            return []
        return [Extent(len(rows), int(rows[0]), int(rows[-1]), (owner, 0, None))]

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as batches, which for events have references; see `Store.read`."""
        store = self._store_ref.store
        if kind != "event":
            yield from store.read(kind, extent, selection, rows)
            return
        owner, before, token = extent.token
        low, high = rows or (0, extent.rows)
        first = before + low
        seq_nums = self.seq_nums.get(owner)
        if seq_nums is not None:
            batch = _without_times(seq_nums[first : before + high])
            yield self._with_references(batch, owner, first, selection)
            return
        for batch in store.read(kind, replace(extent, token=token), selection, rows):
            yield self._with_references(batch, owner, first, selection)
            first += batch.num_rows

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        """Yield the batches of each of several extents; see `Store.read_extents`."""
        return each_extent(self, kind, extents, selection)

    def close(self) -> None:
        """Do nothing: the store is not ours to close."""

    def places(self, name: str, layout: Layout) -> FramePlaces:
        """Return where the values of a field are, for all rows of a layout."""
        owners, ordinals = layout.origins(self)
        places = FramePlaces.nowhere(layout.rows)
        for number, owner in enumerate(layout.owners):
            if owner in self.fields[name].holders:
                mine = np.flatnonzero(owners == number)
                stop = int(ordinals[mine].max(initial=-1)) + 1
                part, index = self._of_owner(name, owner, stop)
                places.part[mine] = part[ordinals[mine]]
                places.place[mine] = index[ordinals[mine]]
        return places

    def left_over(self, name: str) -> int:
        """Return how many values of a field are claimed for events that there are not."""
        field = self.fields[name]
        if self.seq_nums or (field.claims.owner == ANYBODY).any():
            return 0
        matched = [self._of_owner(name, owner, 0) for owner in field.holders]
        return field.claims.total - sum(int((places.part >= 0).sum()) for places in matched)

    def _with_references(
        self, batch: pa.RecordBatch, owner: str, first: int, selection: Selection
    ) -> pa.RecordBatch:
        held = set(batch.schema.names)
        schema, arrays = batch.schema, list(batch.columns)
        for name, field in self.fields.items():
            column = nested("data", name)
            wanted = owner in field.holders and column in selection
            # Filled documents that were inserted again have the values themselves.
            if wanted and not held & {column, exact(column)}:
                stop = first + batch.num_rows
                places = self._of_owner(name, owner, stop)
                schema = schema.append(pa.field(column, pa.string()))
                arrays.append(field.references(FramePlaces(*(each[first:stop] for each in places))))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _of_owner(self, name: str, owner: str, rows: int) -> FramePlaces:
        """Return where the values of a field are, for at least some rows as they are stored."""
        known = self._places.get(name)
        # A run that goes on may have more events by now.
        if known is None or len(known[owner].part) < rows:
            known = self._places[name] = self._match(self.fields[name])
        return known[owner]

    def _match(self, field: StreamedField) -> dict[str, FramePlaces]:
        """Find the value of each event, by its descriptor, as they are stored."""
        if self.seq_nums:
            rows = [self.seq_nums[owner] for owner in field.holders]
            matched = [
                field.claims.match(np.full(len(seq_nums), number), seq_nums)
                for number, seq_nums in zip(field.holders.values(), rows, strict=True)
            ]
            return dict(zip(field.holders, matched, strict=True))
        store = self._store_ref.store
        layout = Layout.of(store, list(field.holders))
        _, seq_nums = layout.index(store)
        owners, ordinals = layout.origins(store)
        numbers = np.array([field.holders[owner] for owner in layout.owners], np.int64)
        places = field.claims.match(numbers[owners], seq_nums)
        by_owner = {owner: FramePlaces.nowhere(0) for owner in field.holders}
        for number, owner in enumerate(layout.owners):
            mine = owners == number
            by_owner[owner] = FramePlaces.nowhere(int(ordinals[mine].max()) + 1)
            by_owner[owner].part[ordinals[mine]] = places.part[mine]
            by_owner[owner].place[ordinals[mine]] = places.place[mine]
        return by_owner


def _is_held(store: Store, owners: Iterable[str], name: str) -> bool:
    """Tell whether events have a field."""
    column = nested("data", name)
    return any(
        {column, exact(column)} & set(batch.schema.names)
        for owner in owners
        for batch in batches_of(store, "event", owner, Selection(frozenset({name})))
    )


def _seq_nums(fields: Mapping[str, StreamedField], owner: str) -> Array:
    """Return the seq_num of each row of a descriptor without events: one for each value."""
    counted = [
        np.unique(field.claims.some(field.claims.owner == number).seq_nums(), return_counts=True)
        for field in fields.values()
        if (number := field.holders.get(owner)) is not None
    ]
    if not counted:
        return np.empty(0, np.int64)
    seq_nums = np.unique(np.concatenate([each for each, _ in counted]))
    most = np.zeros(len(seq_nums), np.int64)
    for each, counts in counted:
        places = np.searchsorted(seq_nums, each)
        most[places] = np.maximum(most[places], counts)
    return np.repeat(seq_nums, most)


def _without_times(seq_nums: Array) -> pa.RecordBatch:
    times = pa.array(np.full(len(seq_nums), np.nan))
    return pa.RecordBatch.from_arrays([pa.array(seq_nums), times], [SEQ_NUM, TIME])
