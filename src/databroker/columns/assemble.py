"""Columns of many batches as NumPy arrays.

What a column becomes depends on its values alone, never on how rows happen to
be divided into batches or on which store they come from:

====================================  =======================================
all values are                        the column is
====================================  =======================================
integers within 64 bits               int64
floats, or numbers and nothing else   float64 (null and missing are NaN)
booleans                              bool
anything else                         object: the values; rectangular numeric
                                      lists as arrays; null and missing None
====================================  =======================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .arrow import AS_LIST, DTYPE, Column, exact_values, from_arrow, tensor
from .batches import select, split

Array = np.ndarray[Any, Any]

_NUMBERS = frozenset({"int", "float", "null"})


def assemble(batches: Sequence[pa.RecordBatch], names: Sequence[str]) -> dict[str, Array]:
    """Return columns of consecutive batches, each as one array.

    A column that a batch does not have is missing in its rows.

    Examples
    --------
    >>> from databroker.columns import from_rows
    >>> rows = [{"time": 0.0, "data": {"x": x}} for x in (1, 2.5, None)]
    >>> assemble([from_rows("event", rows)], ["data/x"])["data/x"]
    array([1. , 2.5, nan])
    """
    parts = [split(batch) for batch in batches]
    sizes = [batch.num_rows for batch in batches]
    return {name: _join([part.get(name) for part in parts], sizes) for name in names}


def value_range(batch: pa.RecordBatch, name: str) -> tuple[Any, Any] | None:
    """Return the least and the largest value of a column of numbers, if the batch has it."""
    if name not in batch.schema.names:
        return None
    column = batch.column(name)
    if not column.null_count and column.type in (pa.float64(), pa.int64()):
        values = column.to_numpy()
    else:
        values = assemble([select(batch, [name])], [name])[name]
    if values.dtype == object:
        try:
            values = values.astype(np.float64)  # integers beyond 64 bits among them
        except (TypeError, ValueError):
            return None
    return values.min(), values.max()


def _join(columns: list[Column | None], sizes: list[int]) -> Array:
    exact = [
        exact_values(column.exact) if column is not None and column.exact is not None else []
        for column in columns
    ]
    kinds: set[str] = set()
    for column, extra, size in zip(columns, exact, sizes, strict=True):
        kinds |= _kinds(column, extra, size)
    if kinds <= {"int"} and kinds:
        return _numbers(columns, exact, sizes, np.dtype(np.int64))
    if kinds <= _NUMBERS and kinds != {"null"} and kinds:
        return _numbers(columns, exact, sizes, np.dtype(np.float64))
    if kinds == {"bool"}:
        return _numbers(columns, exact, sizes, np.dtype(np.bool_))
    return _objects(columns, sizes)


def _kinds(column: Column | None, exact: list[tuple[int, Any]], size: int) -> set[str]:
    """Say what kinds of values a part of a column holds."""
    if size == 0:
        return set()
    if column is None:
        return {"null"}
    array = column.array
    kinds = {_kind(value) for _, value in exact}
    if array.null_count > len(exact):
        kinds.add("null")
    if array.null_count < len(array):
        kinds.add(_TYPED.get(array.type, "other"))
    return kinds


_TYPED = {pa.float64(): "float", pa.int64(): "int", pa.bool_(): "bool"}


def _kind(value: Any) -> str:
    if type(value) is int:
        return "int" if -(2**63) <= value < 2**63 else "other"
    return {float: "float", bool: "bool"}.get(type(value), "other")


def _numbers(
    columns: list[Column | None],
    exact: list[list[tuple[int, Any]]],
    sizes: list[int],
    dtype: np.dtype[Any],
) -> Array:
    out = np.empty(sum(sizes), dtype)
    place = 0
    for column, extra, size in zip(columns, exact, sizes, strict=True):
        part = out[place : place + size]
        place += size
        if size == 0:
            continue
        if column is None or pa.types.is_null(column.array.type):
            part[:] = np.nan
        elif dtype.kind == "i" and column.array.null_count:
            part[:] = column.array.fill_null(0).to_numpy()
        else:
            part[:] = column.array.to_numpy(zero_copy_only=False)
        for row, value in extra:
            part[row] = value
    return out


def _objects(columns: list[Column | None], sizes: list[int]) -> Array:
    out = np.empty(sum(sizes), object)
    place = 0
    for column, size in zip(columns, sizes, strict=True):
        if column is not None:
            for row, value in enumerate(_cells(column), place):
                out[row] = value
        place += size
    return out


def _cells(column: Column) -> list[Any]:
    array, metadata, exact = column
    if DTYPE in metadata and exact is None and not array.null_count:
        return list(tensor(array, metadata).copy())
    if AS_LIST in metadata:
        metadata = {key: value for key, value in metadata.items() if key != AS_LIST}
    values = from_arrow(Column(array, metadata, exact))
    return [cell(value) if type(value) is list else value for value in values]


def cell(value: list[Any]) -> Any:
    """Return a rectangular numeric list as an array, any other list as it is.

    Examples
    --------
    >>> cell([1, 2.5]), cell(["a"]), cell([[1], [2, 3]])
    (array([1. , 2.5]), ['a'], [[1], [2, 3]])
    """
    if not value:
        return value
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return value
    return array if array.dtype.kind in "biuf" and array.size else value
