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

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .arrow import AS_LIST, DTYPE, Column, exact_values, from_arrow, tensor
from .batches import column_of, select

Array = np.ndarray[Any, Any]

ValueKind = str | tuple[np.dtype[Any], tuple[int, ...]]
"""'int', 'float', 'bool', 'null', 'other'; or dtype and shape of an array."""

NUMBERS = frozenset({"int", "float", "null"})
"""Kinds of values that are floats where they come together."""


def assemble(batches: Sequence[pa.RecordBatch], names: Sequence[str]) -> dict[str, Array]:
    """Return columns of consecutive batches, each as one array.

    A column that a batch does not have is missing in its rows.
    """
    sizes = [batch.num_rows for batch in batches]
    return {name: _join([column_of(batch, name) for batch in batches], sizes) for name in names}


def value_range(batch: pa.RecordBatch, name: str) -> tuple[Any, Any] | None:
    """Return the least and the largest value of a column of numbers, if the batch has it."""
    place = batch.schema.get_field_index(name)
    if place < 0:
        return None
    column = batch.column(place)
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
    kinds: set[ValueKind] = set()
    for column, size in zip(columns, sizes, strict=True):
        kinds |= kinds_of(column, size, kind_of)
    if kinds <= NUMBERS and kinds not in ({"null"}, set()):
        dtype = np.int64 if kinds == {"int"} else np.float64
        return filled(columns, sizes, np.dtype(dtype))
    if kinds == {"bool"}:
        return filled(columns, sizes, np.dtype(np.bool_))
    return objects(columns, sizes)


def kinds_of(column: Column | None, size: int, label: Callable[[Any], ValueKind]) -> set[ValueKind]:
    """Return what kinds of values a part of a column holds, mostly without looking at them."""
    if size == 0:
        return set()
    if column is None:
        return {"null"}
    array, metadata, exact = column
    beside = exact_values(exact)
    found = {label(value) for _, value in beside}
    if array.null_count > len(beside):
        found.add("null")
    if array.null_count < len(array):
        if DTYPE in metadata:
            pile = tensor(array, metadata)
            found.add((pile.dtype, pile.shape[1:]))
        else:
            found.add(_TYPED.get(array.type, "other"))
    return found


_TYPED = {pa.float64(): "float", pa.int64(): "int", pa.bool_(): "bool"}


def kind_of(value: Any) -> ValueKind:
    """Return the kind of a value that stands beside an array."""
    if type(value) is int:
        return "int" if -(2**63) <= value < 2**63 else "other"
    return {float: "float", bool: "bool"}.get(type(value), "other")


def filled(
    columns: list[Column | None],
    sizes: list[int],
    dtype: np.dtype[Any],
    shape: tuple[int, ...] = (),
) -> Array:
    """Return a column, of which the shape is that of one value, as an array of one dtype."""
    out = np.empty((sum(sizes), *shape), dtype)
    missing: Any = np.nan if dtype.kind in "fc" else np.zeros((), dtype)
    if dtype == np.dtype(object):
        missing = None
    place = 0
    for column, size in zip(columns, sizes, strict=True):
        part = out[place : place + size]
        place += size
        if column is None or column.array.null_count == len(column.array):
            part[...] = missing
        else:
            part[...] = _elements(column)
            if column.array.null_count:
                part[~column.array.is_valid().to_numpy(zero_copy_only=False)] = missing
        if column is not None:
            for row, value in exact_values(column.exact):
                part[row] = value
    return out


def _elements(column: Column) -> Array:
    array, metadata, _ = column
    if DTYPE in metadata:
        return tensor(array, metadata)
    plain = array.fill_null(0) if array.null_count else array
    elements: Array = plain.to_numpy(zero_copy_only=False)
    return elements


def objects(columns: list[Column | None], sizes: list[int]) -> Array:
    """Return a column as an array of its values."""
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
    """Return a rectangular numeric list as an array, any other list as it is."""
    if not value:
        return value
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return value
    return array if array.dtype.kind in "biuf" and array.size else value
