"""What the events of a stream hold, as columns of one type each, read by ranges of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..columns import Selection
from ..columns.assemble import assemble
from ..columns.names import SEQ_NUM as STORED_SEQ_NUM
from ..columns.names import TIME as STORED_TIME
from ..columns.names import nested
from ..runs.arrow_tables import as_arrow
from ..runs.stream.layout import Layout, joint_order
from ..runs.stream.schema import FieldSchema, infer_schema
from .names import SEQ_NUM, STAMP, TIME

if TYPE_CHECKING:
    from ..runs.stream.stream import Stream

_LOOKED_AT = 100  # rows, for the type of what is neither a number nor a text
_NUMBERS = "biuf"
_ARRAYS = "biufcU"


class Columns:
    """The columns of a stream.

    Parameters
    ----------
    stream
        The stream.
    names
        The fields that events hold, each with the name of its column.
    """

    def __init__(self, stream: Stream, names: Mapping[str, str]) -> None:
        request = stream.request(list(names), fill=False)
        self._stream = stream
        self._store = request.store
        self._layout = Layout.of(request.store, request.owners)
        self._known = infer_schema(request.store, self._layout, request.variables)
        self._fields = {names[field]: field for field in names if field not in self.wide}
        self._stamps = {STAMP + names[field]: field for field in names}

    @property
    def wide(self) -> list[str]:
        """The fields whose values are arrays of one shape: no columns."""
        return [name for name, known in self._known.items() if _is_wide(known)]

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        types = {SEQ_NUM: pa.int64(), TIME: pa.float64()}
        known = {name: _type(self._known[field]) for name, field in self._fields.items()}
        unknown = [name for name, found in known.items() if found is None]
        if unknown:
            first = self.read(0, min(_LOOKED_AT, self._layout.rows), unknown)
            known |= {name: first.schema.field(name).type for name in unknown}
        stamps = dict.fromkeys(self._stamps, pa.float64())
        return pa.schema(list({**types, **known, **stamps}.items()))

    @cached_property
    def partitions(self) -> list[tuple[int, int]]:
        """Ranges of rows that are read together."""
        held = sum(self._known[field].row_bytes for field in self._fields.values())
        row_bytes = held + 8 * (len(self._stamps) + 2)
        return list(pairwise(accumulate(self._layout.chunks(row_bytes), initial=0)))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._layout.rows

    def table(self, first: int, stop: int, names: Sequence[str]) -> pa.Table:
        """Return some rows of some columns, in the types of the schema where values allow it."""
        found = self.read(first, stop, names)
        arrays = [_cast(found.column(name), self.schema.field(name).type) for name in names]
        return pa.table(arrays, names=list(names))

    def read(self, first: int, stop: int, names: Sequence[str]) -> pa.Table:
        """Return some rows of some columns, in the types that their values have."""
        stored = {name: self._stored(name) for name in names}
        selection = Selection(
            data=frozenset(self._fields[name] for name in names if name in self._fields),
            timestamps=frozenset(self._stamps[name] for name in names if name in self._stamps),
        )
        windows = self._layout.windows(first, stop)
        chunks = [self._layout.read(self._store, window, selection) for window in windows]
        if not chunks:
            return pa.table({name: pa.nulls(0) for name in names})
        batches = [batch for chunk in chunks for batch in chunk.batches]
        arrays = assemble(batches, list(dict.fromkeys(stored.values())))
        if (order := joint_order(chunks)) is not None:
            arrays = {name: array[order] for name, array in arrays.items()}
        return as_arrow(pd.DataFrame({name: _series(arrays[stored[name]]) for name in names}))

    def values(self, name: str) -> Any:
        """Return a column as an array: one that is read when it is sliced, if it has numbers."""
        if name in self._stamps:
            return self._stream.timestamps[self._stamps[name]]
        field = self._fields.get(name)
        if field is not None and self._known[field].dtype.kind in _NUMBERS:
            return self._stream[field]
        column = self.table(0, self.rows, [name]).column(name)
        if name in (SEQ_NUM, TIME):
            return column.to_numpy()
        return np.array(["" if each is None else str(each) for each in column.to_pylist()], "U")

    def _stored(self, name: str) -> str:
        """Return the name of the column in the store."""
        if name in self._fields:
            return nested("data", self._fields[name])
        if name in self._stamps:
            return nested("timestamps", self._stamps[name])
        return {SEQ_NUM: STORED_SEQ_NUM, TIME: STORED_TIME}[name]


def _is_wide(known: FieldSchema) -> bool:
    return known.form.shape != () and known.dtype.kind in _ARRAYS


def _type(known: FieldSchema) -> pa.DataType | None:
    if known.dtype.kind == "U":
        return pa.string()
    return pa.from_numpy_dtype(known.dtype) if known.dtype.kind in _NUMBERS else None


def _series(values: np.ndarray[Any, Any]) -> pd.Series[Any]:
    # Objects are said to be objects: pandas would look through them for text.
    return pd.Series(values, dtype=object if values.dtype == object else None, copy=False)


def _cast(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    try:
        return column.cast(wanted, safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # of another kind than the first ones
        return column
