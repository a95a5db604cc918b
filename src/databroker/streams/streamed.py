"""Streamed fields among the columns of a stream's events, as references to their values.

The values of a streamed field are in stream resources. Events leave the field
out, and a stream all of whose fields are streamed may have no events at all.
Here each event has the field, as the reference ``<stream resource>/<index>``,
and a stream without events has one row, without a time, for each value.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..columns.names import SEQ_NUM, TIME, exact, nested
from ..external.reading.filling import is_streamed
from ..external.reading.sources import StreamSource, stream_sources
from ..external.reading.spans import Spans, read_spans
from ..external.reading.streamed import StreamReader
from ..stores.contract import Extent
from .locator import Locator

if TYPE_CHECKING:
    from ..external import Registry
    from ..stores.contract import Store

__all__ = ["Streamed", "StreamedField", "StreamedRows", "streamed_fields"]

Array = np.ndarray[Any, Any]
Doc = Mapping[str, Any]


def streamed_fields(descriptor: Doc) -> list[str]:
    """Return the data keys of a descriptor whose values are in stream resources.

    Examples
    --------
    >>> streamed_fields({"data_keys": {"cam": {"external": "STREAM:"}, "det": {}}})
    ['cam']
    """
    keys = descriptor["data_keys"].items()
    return [name for name, key in keys if isinstance(key, Mapping) and is_streamed(key)]


@dataclass(frozen=True)
class StreamedField:
    """Where the values of a streamed field are.

    Attributes
    ----------
    name
        The field.
    data_key
        What the first descriptor says of it.
    sources
        Its stream resources.
    spans
        For each descriptor that has the field, which events have a value, and where it is.
    """

    name: str
    data_key: Doc
    sources: list[StreamSource]
    spans: dict[str, Spans]

    def references(self, owner: str, seq_nums: Array) -> pa.Array:
        """Return the references of some events of a descriptor; null where there is none."""
        part, index = self.spans[owner].locate(seq_nums)
        uids = pa.array([str(source.document["uid"]) for source in self.sources], pa.string())
        places = pa.array(part, mask=part < 0)
        texts: pa.Array = pc.binary_join_element_wise(
            uids.take(places), pa.array(index).cast(pa.string()), "/"
        )
        return texts

    def reader(
        self,
        registry: Registry,
        run: str | None,
        seq_nums: Array | None = None,
        absent: Array | None = None,
    ) -> StreamReader:
        """Return what reads the values of some events; of all that have one by default.

        Parameters
        ----------
        registry, run, seq_nums, absent
            As for `StreamReader`.
        """
        spans = Spans.joined(list(self.spans.values()))
        return StreamReader(
            registry, run, self.name, self.data_key, self.sources, spans, seq_nums, absent
        )


class Streamed:
    """The streamed fields of a stream, as one knew them at one moment.

    Parameters
    ----------
    fields
        By name.
    rows
        For each descriptor of a stream without events, the seq_nums that have a value.
    """

    def __init__(self, fields: Mapping[str, StreamedField], rows: Mapping[str, Array]) -> None:
        self.fields = fields
        self.rows = rows

    @classmethod
    def of(cls, store: Store, run: str, descriptors: Sequence[Doc]) -> Streamed:
        """Ask a store where the values of a stream's streamed fields are."""
        documents = store.documents(run)
        holders: dict[str, list[Doc]] = {}
        for descriptor in descriptors:
            for name in streamed_fields(descriptor):
                holders.setdefault(name, []).append(descriptor)
        fields = {}
        for name, docs in holders.items():
            sources = stream_sources(documents, name)
            uids = [str(source.document["uid"]) for source in sources]
            spans = {doc["uid"]: read_spans(store, uids, {doc["uid"]}) for doc in docs}
            fields[name] = StreamedField(name, docs[0]["data_keys"][name], sources, spans)
        owners = [doc["uid"] for doc in descriptors]
        if any(store.extents("event", owner) for owner in owners):
            return cls(fields, {})
        return cls(fields, {owner: _seq_nums(fields, owner) for owner in owners})


class StreamedRows:
    """A stream's events as a store has them, with its streamed fields among them.

    It can be pickled if the store can.

    Parameters
    ----------
    store
        Where the events are.
    streamed
        Where the values of streamed fields are.
    """

    def __init__(self, store: Store, streamed: Streamed) -> None:
        self._locator = Locator(store)
        self._streamed = streamed

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return the stretches of rows of one owner; see `Store.extents`."""
        rows = self._streamed.rows.get(owner) if kind == "event" else None
        if rows is None:
            return self._locator.store.extents(kind, owner)
        return [Extent(0, len(rows), int(rows[0]), int(rows[-1]))] if len(rows) else []

    def read(
        self, kind: str, owner: str, first: int, stop: int, columns: Container[str] | None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as batches, which for events have references; see `Store.read`."""
        rows = self._streamed.rows.get(owner) if kind == "event" else None
        if rows is not None:
            yield self._with_references(_without_times(rows[first:stop]), owner, columns)
            return
        for batch in self._locator.store.read(kind, owner, first, stop, columns):
            yield self._with_references(batch, owner, columns) if kind == "event" else batch

    def close(self) -> None:
        """Do nothing: the store is not ours to close."""

    def _with_references(
        self, batch: pa.RecordBatch, owner: str, columns: Container[str] | None
    ) -> pa.RecordBatch:
        there = set(batch.schema.names)
        schema, arrays = batch.schema, list(batch.columns)
        for name, field in self._streamed.fields.items():
            column = nested("data", name)
            wanted = owner in field.spans and (columns is None or column in columns)
            # Filled documents that were inserted again have the values themselves.
            if wanted and not there & {column, exact(column)}:
                schema = schema.append(pa.field(column, pa.string()))
                arrays.append(field.references(owner, batch.column(SEQ_NUM).to_numpy()))
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _seq_nums(fields: Mapping[str, StreamedField], owner: str) -> Array:
    found = [field.spans[owner].seq_nums() for field in fields.values() if owner in field.spans]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _without_times(seq_nums: Array) -> pa.RecordBatch:
    times = pa.array(np.full(len(seq_nums), np.nan))
    return pa.RecordBatch.from_arrays([pa.array(seq_nums), times], [SEQ_NUM, TIME])
