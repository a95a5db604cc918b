"""Tables of many runs as Arrow: pages that differ in their columns get one schema.

The pages wait in a temporary file, as their schema is known when the last has come.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import pandas as pd

_IN_MEMORY = 2**26  # bytes that wait in memory; more of them in a file
_ROW_GROUP = 2**17  # rows, unless they are wide
_GROUP_BYTES = 2**26


def as_arrow(table: pd.DataFrame) -> pa.Table:
    """Return a table as Arrow has it, its index before its columns; what is missing is null.

    Arrays are lists. A column of values that no Arrow type holds together is text. An index
    without a name only counts the rows, and is left out.
    """
    whole = table if table.index.names == [None] else table.reset_index()
    return pa.table({_text(name): _array(column) for name, column in whole.items()})


def reader_of(tables: Iterable[pd.DataFrame]) -> pa.RecordBatchReader:
    """Return tables as a stream of batches with one schema; they are read at once, into a file."""
    with contextlib.ExitStack() as stack:
        spool = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
        schemas = [_write(as_arrow(table), spool) for table in tables]
        spool.seek(0)
        schema = _unified(schemas)
        batches = _read(stack.pop_all(), spool, len(schemas), schema)
    next(batches)  # from now on the file goes with what reads it, be that used or not
    return pa.RecordBatchReader.from_batches(schema, batches)


def write_parquet(reader: pa.RecordBatchReader, path: str | os.PathLike[str]) -> None:
    """Write batches into a Parquet file, whose row groups have a bounded size."""
    from pyarrow import parquet

    with parquet.ParquetWriter(path, reader.schema) as writer:
        for group in _groups(reader):
            writer.write_table(group)


def _groups(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Yield batches joined to tables as large as row groups should be."""
    waiting: list[pa.RecordBatch] = []
    for batch in reader:
        waiting.append(batch)
        rows = sum(each.num_rows for each in waiting)
        if rows >= _ROW_GROUP or sum(each.nbytes for each in waiting) >= _GROUP_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _write(table: pa.Table, spool: Any) -> pa.Schema:
    with pa.ipc.new_stream(spool, table.schema) as writer:
        writer.write_table(table)
    return table.schema


def _read(
    owner: contextlib.AbstractContextManager[Any], spool: Any, tables: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch | None]:
    with owner:
        yield None
        for _ in range(tables):
            with pa.ipc.open_stream(spool) as stream:
                yield from (_fitted(batch, schema) for batch in stream)


def _unified(schemas: Iterable[pa.Schema]) -> pa.Schema:
    types: dict[str, pa.DataType] = {}
    for schema in schemas:
        for each in schema:
            types[each.name] = _common(types.get(each.name, each.type), each.type)
    return pa.schema(list(types.items()))


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Return a type that holds the values of two."""
    if one == other:
        return one
    fields = [pa.schema([pa.field("x", each)]) for each in (one, other)]
    try:
        return pa.unify_schemas(fields, promote_options="permissive").field("x").type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.string()


def _fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns of a schema."""
    names = set(batch.schema.names)
    arrays = [
        _cast(batch.column(each.name), each.type)
        if each.name in names
        else pa.nulls(batch.num_rows, each.type)
        for each in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    if array.type == wanted:
        return array
    if wanted == pa.string():
        return _texts(array.to_pylist())
    return array.cast(wanted, safe=False)  # integers beyond 2**53 become floats, as in a table


def _array(column: pd.Series[Any]) -> pa.Array:
    if column.dtype != object:
        return pa.Array.from_pandas(column)
    values = [value.tolist() if isinstance(value, np.ndarray) else value for value in column]
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError, ValueError):
        return _texts(values)
    return _texts(values) if _has_nothing_in_it(array.type) else array


def _has_nothing_in_it(kind: pa.DataType) -> bool:
    """Tell whether this is a record of no fields, which no Parquet file has, or one is inside."""
    inside = [kind.field(n).type for n in range(kind.num_fields)]
    is_record = pa.types.is_struct(kind)
    return (is_record and not inside) or any(map(_has_nothing_in_it, inside))


def _texts(values: Iterable[Any]) -> pa.Array:
    texts = [None if value is None or _is_nan(value) else _text(value) for value in values]
    return pa.array(texts, pa.string())


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _text(value: Any) -> str:
    """Return a value as text, of which no half of a character is left."""
    text = json.dumps(value, default=str) if isinstance(value, list | dict) else str(value)
    return text.encode(errors="backslashreplace").decode()
