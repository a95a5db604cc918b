"""Columns of many batches as dense arrays, where their values are alike enough.

A *form* is what a column of a dataset is: a dtype, and the shape of one
value. It follows from the values alone:

====================================  =======================================
all values are                        the column is
====================================  =======================================
numbers or booleans                   as in a table (int64, float64, bool)
arrays of one shape                   an array with one more dimension; dtypes
                                      are promoted; a missing array is NaN
text in arrays of one shape           the same; with missing ones, or text that
                                      NumPy would cut, of objects
anything else                         object: one value an event
====================================  =======================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from .arrow import Column
from .assemble import NUMBERS, Array, ValueKind, cell, filled, kind_of, kinds_of, objects
from .batches import split

_OBJECT = np.dtype(object)


@dataclass(frozen=True)
class ArraySpec:
    """What the values of a column have in common.

    The dtype of elements is object where the values are unlike; the shape is of one value.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...] = ()


def value_kinds(
    batches: Sequence[pa.RecordBatch], names: Iterable[str]
) -> dict[str, set[ValueKind]]:
    """Return what kinds of values some columns hold, mostly without looking at the values."""
    found: dict[str, set[ValueKind]] = {name: set() for name in names}
    for batch in batches:
        columns = split(batch)
        for name, those in found.items():
            those |= kinds_of(columns.get(name), batch.num_rows, _label)
    return found


def array_spec(found: set[ValueKind]) -> ArraySpec | None:
    """Return the form of a column that holds these kinds of values; None if it has no rows."""
    if not found:
        return None
    arrays = [label for label in found if not isinstance(label, str)]
    if arrays:
        return _spec_of_arrays(arrays, found.difference(arrays))
    if found == {"int"}:
        return ArraySpec(np.dtype(np.int64))
    if found <= NUMBERS and found != {"null"}:
        return ArraySpec(np.dtype(np.float64))
    return ArraySpec(np.dtype(np.bool_)) if found == {"bool"} else ArraySpec(_OBJECT)


def fits(found: set[ValueKind], form: ArraySpec) -> bool:
    """Tell whether values of these kinds can be given in a form without changing them."""
    own = array_spec(found)
    if own is None or (form.dtype == _OBJECT and form.shape in ((), own.shape)):
        return True
    if found == {"null"}:
        return form.dtype.kind in "fcO"
    if own.shape != form.shape:
        return False
    both = own.dtype.kind + form.dtype.kind
    alike = set(both) <= set("iufc") or both == "UU"
    return own.dtype == form.dtype or (
        alike and np.result_type(own.dtype, form.dtype) == form.dtype
    )


def dense(batches: Sequence[pa.RecordBatch], forms: Mapping[str, ArraySpec]) -> dict[str, Array]:
    """Return columns in given forms, which their values must fit, as arrays ``(rows, *shape)``."""
    parts = [split(batch) for batch in batches]
    sizes = [batch.num_rows for batch in batches]
    return {
        name: _fill([part.get(name) for part in parts], sizes, form) for name, form in forms.items()
    }


def cast_lossless(array: Array, dtype: np.dtype[Any]) -> Array | None:
    """Return an array in another dtype; None if that would change a value."""
    if array.dtype == dtype:
        return array
    if array.dtype == _OBJECT:
        return _objects_as(array, dtype)
    if array.dtype.kind + dtype.kind == "UU" and array.dtype.itemsize <= dtype.itemsize:
        return array.astype(dtype)
    if not set(array.dtype.kind + dtype.kind) <= set("biuf"):
        return None
    if np.can_cast(array.dtype, dtype, "safe"):
        return array.astype(dtype)
    if dtype.kind == "u" and (array < 0).any():  # it would wrap around, and back again
        return None
    with np.errstate(all="ignore"):
        cast = array.astype(dtype)
        back = cast.astype(array.dtype)
    same = (back == array) | ((back != back) & (array != array))
    return cast if same.all() else None


def _spec_of_arrays(
    arrays: Sequence[tuple[np.dtype[Any], tuple[int, ...]]], others: set[ValueKind]
) -> ArraySpec:
    shapes = {shape for _, shape in arrays}
    dtypes = {dtype for dtype, _ in arrays}
    if len(shapes) > 1 or not others <= {"null"}:
        return ArraySpec(_OBJECT)
    if all(dtype.kind in "UO" for dtype in dtypes):
        exact = not others and _OBJECT not in dtypes
        return ArraySpec(np.result_type(*dtypes) if exact else _OBJECT, shapes.pop())
    numbers = all(dtype.kind in "iufc" for dtype in dtypes)
    if not numbers and (others or len(dtypes) > 1):
        return ArraySpec(_OBJECT)
    dtype = np.result_type(*dtypes) if len(dtypes) > 1 else next(iter(dtypes))
    if others and dtype.kind in "iu":
        dtype = np.dtype(np.float64)
    return ArraySpec(dtype, shapes.pop())


def _label(value: Any) -> ValueKind:
    if type(value) is list:
        value = _rectangle(value)
    return (value.dtype, value.shape) if isinstance(value, np.ndarray) else kind_of(value)


def _rectangle(value: list[Any]) -> Any:
    """Return a list of numbers, of text or of nothing as an array, if it is rectangular."""
    found = cell(value)
    if found is not value:
        return found
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        return value
    if not array.size:
        return array.astype(np.float64)
    objects = np.array(value, object)
    if array.dtype.kind != "U" or {type(each) for each in objects.flat} != {str}:
        return value
    # NumPy drops zeros at the end of a text.
    return array if (array == objects).all() else objects


def _fill(columns: list[Column | None], sizes: list[int], form: ArraySpec) -> Array:
    if form.dtype == _OBJECT and not form.shape:
        return objects(columns, sizes)
    return filled(columns, sizes, form.dtype, form.shape)


def _objects_as(array: Array, dtype: np.dtype[Any]) -> Array | None:
    types = set(map(type, array.flat))  # it may be a single value
    try:
        if types == {int} and dtype.kind in "iu":
            return np.array(array.tolist(), dtype)
    except OverflowError:
        return None
    if types == {str} and dtype.kind == "U":
        cast = array.astype(dtype)
        return cast if cast.tolist() == array.tolist() else None
    return None
