"""Columns of a stream as a pandas DataFrame."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...columns import Selection
from ...columns.assemble import assemble
from ...columns.cells import cells_of
from ...columns.names import SEQ_NUM, TIME, nested
from .dataset import variable_names
from .fields import EVERY, FieldSelection, data_keys
from .layout import Array, Chunk, EventSource, Layout, joint_order
from .schema import Request, gather
from .times import clock, to_datetime64

_PAGE_ROWS = 2**16
_PAGE_BYTES = 2**24
_TYPED: tuple[set[type], ...] = ({float}, {bool}, {int})
_DECLARED = {"number": np.float64, "integer": np.float64, "boolean": np.bool_}


class TableReader:
    """Reads the rows of a stream as tables, as a whole or page by page.

    The index is ``seq_num``; the first column is ``time``, then the data keys in the order of the
    descriptors, then values of configuration, start and stop.

    Parameters
    ----------
    store
        What has the rows.
    descriptors
        Those of the stream.
    selection
        Which fields the tables have.
    convert_times, timezone
        How times are given: as numbers or as stamps, naive or in a zone.
    """

    def __init__(
        self,
        store: EventSource,
        descriptors: Sequence[Mapping[str, Any]],
        selection: FieldSelection,
        convert_times: bool,
        timezone: str | datetime.tzinfo | None,
    ) -> None:
        self._store = store
        self._descriptors = descriptors
        self._names = data_keys(descriptors) if selection.data is None else list(selection.data)
        self._extras = selection.extras
        self._times = convert_times, timezone

    def table(self, rows: slice = EVERY) -> pd.DataFrame:
        """Return rows as one table."""
        chunks = list(self._layout().some(self._store, self._columns(), rows))
        return self._table(chunks) if chunks else self._empty()

    def pages(self) -> Iterator[pd.DataFrame]:
        """Yield tables of consecutive rows; one at least."""
        is_empty = True
        for chunks in _joined(self._layout().pieces(self._store, self._columns())):
            is_empty = False
            yield self._table(chunks)
        if is_empty:
            yield self._empty()

    def _layout(self) -> Layout:
        return Layout.of(self._store, [descriptor["uid"] for descriptor in self._descriptors])

    def _columns(self) -> Selection:
        return Selection(frozenset(self._names))

    def _empty(self) -> pd.DataFrame:
        return empty_table(self._descriptors, [*self._names, *self._extras], *self._times)

    def _table(self, chunks: Sequence[Chunk]) -> pd.DataFrame:
        """Return the rows of consecutive chunks as a table."""
        stored = {name: nested("data", name) for name in self._names}
        batches = [batch for chunk in chunks for batch in chunk.batches]
        arrays = assemble(batches, [TIME, SEQ_NUM, *stored.values()])
        for name, source in self._extras.items():
            arrays[name] = _repeated(chunks, source.values)
        if (order := joint_order(chunks)) is not None:
            arrays = {name: array[order] for name, array in arrays.items()}
        columns = {name: arrays[column] for name, column in stored.items()}
        columns |= {name: arrays[name] for name in self._extras}
        return table_from(arrays[TIME], arrays[SEQ_NUM], columns, *self._times)


def _joined(chunks: Iterable[Chunk]) -> Iterator[list[Chunk]]:
    """Yield some chunks at a time: as many as make a page."""
    waiting: list[Chunk] = []
    rows = size = 0
    for chunk in chunks:
        waiting.append(chunk)
        rows += chunk.rows
        size += sum(batch.nbytes for batch in chunk.batches)
        if rows >= _PAGE_ROWS or size >= _PAGE_BYTES:
            yield waiting
            waiting, rows, size = [], 0, 0
    if waiting:
        yield waiting


def empty_table(
    descriptors: Sequence[Mapping[str, Any]],
    names: Iterable[str],
    convert_times: bool,
    timezone: str | datetime.tzinfo | None,
) -> pd.DataFrame:
    """Return the table of a stream without events."""
    empty = {name: _empty(descriptors, name) for name in names}
    return table_from(np.empty(0), np.empty(0, np.int64), empty, convert_times, timezone)


def frame_of(
    request: Request, *, convert_times: bool, timezone: str | datetime.tzinfo | None
) -> pd.DataFrame:
    """Return what is requested as a table; values that are times are converted, as `time` is."""
    gathered = gather(request)
    columns = {each.name: _cells(values) for each, values in gathered.values}
    times = {
        each.name
        for each, values in gathered.values
        if each.stamps and values.dtype.kind in "iuf" and values.ndim == 1
    }
    return table_from(gathered.time, gathered.seq_num, columns, convert_times, timezone, times)


def no_table() -> pd.DataFrame:
    """Return the table of a stream that there is not."""
    return pd.DataFrame(index=pd.RangeIndex(0, name="seq_num"))


def stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one below the other; a column that some lack is empty there."""
    columns = list(dict.fromkeys(name for table in tables for name in table.columns))
    # A table without rows has something to say about columns, but not about their types.
    filled = [table for table in tables if len(table)] or [t for t in tables if len(t.columns)][:1]
    if not filled:
        return no_table()
    together = pd.concat(filled) if len(filled) > 1 else filled[0]
    return together if list(together.columns) == columns else together.reindex(columns=columns)


def table_from(
    time: Array,
    seq_num: Array,
    columns: Mapping[str, Array],
    convert: bool,
    timezone: str | datetime.tzinfo | None,
    times: Collection[str] = (),
) -> pd.DataFrame:
    """Return a table that says what its times are: naive ones do not show it."""
    index = pd.Index(seq_num, name="seq_num", copy=False)
    shown = variable_names(columns)
    data = {"time": stamps(time, convert, timezone, index)}
    for name, values in columns.items():
        is_time = name in times
        data[shown[name]] = (
            stamps(values, convert, timezone, index) if is_time else _series(values, index)
        )
    frame = named_frame(data, index)
    frame.attrs["time"] = clock(convert, timezone)
    return frame


def named_frame(data: Mapping[str, Any], index: pd.Index | None = None) -> pd.DataFrame:
    """Return columns of any names as a DataFrame."""
    frame = pd.DataFrame(dict(enumerate(data.values())), index=index, copy=False)
    try:
        frame.columns = pd.Index(list(data))
    except UnicodeEncodeError:  # a name with half of a character, which Arrow's text cannot hold
        frame.columns = pd.Index(list(data), dtype=object)
    return frame


def with_runs(table: pd.DataFrame, runs: pd.DataFrame, index: bool = False) -> pd.DataFrame:
    """Return a table with what is said of the run of each row, before its own columns or index."""
    taken = {*table.columns, table.index.name}
    names = [f"run_{name}" if name in taken else name for name in runs.columns]
    runs = runs.set_axis(pd.Index(names), axis=1).set_axis(table.index, axis=0)
    together = pd.concat([runs, table], axis=1)
    together.attrs = table.attrs
    if not index:
        return together
    together = together.set_index(names, append=True)
    return together.reorder_levels([*range(1, len(names) + 1), 0])


def _cells(values: Array) -> Array:
    """Return an array with one element a row."""
    return values if values.ndim == 1 else cells_of(values)


def stamps(
    seconds: Array,
    convert: bool,
    timezone: str | datetime.tzinfo | None,
    index: pd.Index | None = None,
) -> Any:
    """Return times as a column: naive UTC, in a zone, or as seconds."""
    if not convert:
        return pd.Series(np.asarray(seconds, np.float64), index=index, copy=False)
    found = pd.DatetimeIndex(to_datetime64(seconds), copy=False)
    if timezone is not None:
        found = found.tz_localize("UTC").tz_convert(timezone)
    return pd.Series(found, index=index, copy=False)


def _series(values: Array, index: pd.Index) -> Any:
    # Objects are said to be objects: pandas would look through them for text.
    dtype = object if values.dtype == object else None
    return pd.Series(values, index=index, dtype=dtype, copy=False)


def _repeated(chunks: Sequence[Chunk], values: Mapping[str, Any]) -> Array:
    """Return one value for each row, by its descriptor; typed where all are scalars of a type."""
    sizes = [
        (values.get(owner), batch.num_rows)
        for chunk in chunks
        for owner, batch in zip(chunk.owners, chunk.batches, strict=True)
    ]
    cells = np.empty(sum(rows for _, rows in sizes), object)
    cells[:] = [value for value, rows in sizes for _ in range(rows)]
    types = {type(value) for value, _ in sizes}
    if types not in _TYPED:
        return cells
    try:
        return cells.astype(next(iter(types)))
    except OverflowError:  # an integer beyond 64 bits
        return cells


def _empty(descriptors: Sequence[Mapping[str, Any]], name: str) -> Array:
    """Return the column of a stream without events, typed as declared."""
    declared = [doc["data_keys"][name] for doc in descriptors if name in doc["data_keys"]]
    scalar = declared and not declared[0].get("shape")
    return np.empty(0, _DECLARED.get(declared[0].get("dtype"), object) if scalar else object)
