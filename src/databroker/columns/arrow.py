"""One column: Python values to Arrow and back, exactly.

Most columns hold one simple type and become a typed Arrow array. What does
not fit (an integer among floats, a ragged list) is null there and stands, in
the exact encoding of `databroker.documents`, in a second array beside it.

Arrays of one dtype and shape, and lists that are such arrays, become
fixed-size binary whose metadata says dtype and shape: a pile of elements, as
NumPy has it. So do canonical uuids, at 16 bytes each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..documents import uuids
from ..documents.encode import decode, describe_dtype, encode, restore_dtype
from ..documents.typed_list import Numbers, TypedList, typed

DTYPE = b"dtype"
SHAPE = b"shape"
AS_LIST = b"list"
UUID = b"uuid"


class Column(NamedTuple):
    """Values as Arrow holds them."""

    array: pa.Array
    metadata: dict[bytes, bytes]
    exact: pa.Array | None


Label = tuple[Any, ...]
_OTHER: Label = ("other",)
_WIDEST = 2**28 - 1  # bytes of an array in a column of arrays: Arrow reads no wider ones
_NULL: Label = ("null",)
_SIMPLE: dict[type, tuple[Label, pa.DataType]] = {
    float: (("float",), pa.float64()),
    int: (("int",), pa.int64()),
    bool: (("bool",), pa.bool_()),
    str: (("str",), pa.string()),
    type(None): (_NULL, pa.null()),
}
_TYPES: dict[Label, pa.DataType] = dict(_SIMPLE.values())
_INT64 = range(-(2**63), 2**63)


def to_arrow(values: Sequence[Any]) -> Column:
    """Return values as a typed array, with what does not fit beside it."""
    column = typed(values)
    uniform = _uniform(column, *column.types) if len(column.types) == 1 else None
    return uniform or _mixed(values, [_label(value) for value in values])


def prepare() -> None:
    """Import what making columns needs: pyarrow looks for pandas when it is first used."""
    to_arrow([None])


def from_arrow(column: Column) -> list[Any]:
    """Return the values that :func:`to_arrow` was given."""
    array, metadata, exact = column
    values: list[Any]
    if UUID in metadata:
        values = uuids.unpack(_elements(array, np.dtype("u1"), (16,)))
    elif DTYPE in metadata:
        rows = tensor(array, metadata)
        as_list = AS_LIST in metadata
        valid = array.is_valid().to_pylist() if array.null_count else [True] * len(array)
        values = [
            (rows[row].tolist() if as_list else rows[row, ...].copy()) if there else None
            for row, there in enumerate(valid)
        ]
    elif array.null_count == 0 and pa.types.is_primitive(array.type):
        values = array.to_numpy(zero_copy_only=False).tolist()
    else:
        values = array.to_pylist()
    for row, value in exact_values(exact):
        values[row] = value
    return values


def exact_values(exact: pa.Array | None) -> list[tuple[int, Any]]:
    """Return (row, value) for each row that an exact column holds."""
    if exact is None:
        return []
    rows = np.flatnonzero(exact.is_valid().to_numpy(zero_copy_only=False))
    return [(int(row), decode(exact[int(row)].as_buffer())) for row in rows]


def tensor(array: pa.Array, metadata: dict[bytes, bytes]) -> np.ndarray[Any, Any]:
    """Return a column of arrays as one array of shape ``(rows, *shape)``, not copied."""
    shape = tuple(int(n) for n in metadata[SHAPE].split(b",") if n)
    return _elements(array, restore_dtype(metadata[DTYPE].decode()), shape)


def _elements(
    array: pa.Array, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> np.ndarray[Any, Any]:
    width = array.type.byte_width
    data = array.buffers()[1]
    raw = np.frombuffer(data, np.uint8, len(array) * width, array.offset * width)
    return raw.view(dtype).reshape(len(array), *shape)


def _uniform(values: TypedList, kind: type) -> Column | None:
    """Return a column whose values are all of one type, if they are all of one shape too."""
    if kind is float or (kind is int and values.numbers is not None):
        numbers = pa.py_buffer(values.numbers)
        array = pa.Array.from_buffers(_SIMPLE[kind][1], len(values), [None, numbers])
        return Column(array, {}, None)
    try:
        if kind is str and values.uuids is not None:
            return Column(_binary(values.uuids), {UUID: b"1"}, None)
        if kind in _SIMPLE:
            return Column(pa.array(values, _SIMPLE[kind][1]), {}, None)
    except (OverflowError, UnicodeEncodeError):  # beyond 64 bits; a lone surrogate
        return None
    return _uniform_arrays(values, kind)


def _uniform_arrays(values: TypedList, kind: type) -> Column | None:
    if kind is list:
        label, numbers = _flattened(values)
        if numbers is None or numbers.nbytes > _WIDEST * len(values):
            return None
        _, description, (_, *shape) = label
        stacked = numbers.reshape(len(values), *shape)
        return Column(*_tensor_column(stacked, ("list", description, tuple(shape))), None)
    # A single array may be a large one, which is not copied.
    if kind is np.ndarray and len(values) > 1 and _are_alike(values):
        label = _label(values[0])
        if label is not _OTHER:
            stacked = np.empty((len(values), *label[2]), values[0].dtype)
            np.stack(values, out=stacked)
            return Column(*_tensor_column(stacked, label), None)
    return None


def _are_alike(arrays: list[np.ndarray[Any, Any]]) -> bool:
    return len({(array.dtype, array.shape) for array in arrays}) == 1


def _mixed(values: Sequence[Any], labels: list[Label]) -> Column:
    """Type the column by what most values are; keep the others exactly."""
    counts = Counter(label for label in labels if label not in (_OTHER, _NULL))
    base = counts.most_common(1)[0][0] if counts else _NULL
    fits = [label == base for label in labels]
    metadata: dict[bytes, bytes] = {}
    if base[0] in ("array", "list"):
        array, metadata = _tensors(values, base, fits)
    else:
        typed = [value if fit else None for value, fit in zip(values, fits, strict=True)]
        array = pa.array(typed, _TYPES[base])
    if all(fit or label == _NULL for fit, label in zip(fits, labels, strict=True)):
        return Column(array, metadata, None)
    exact = [
        None if fit or label == _NULL else encode(value)
        for value, label, fit in zip(values, labels, fits, strict=True)
    ]
    return Column(array, metadata, pa.array(exact, pa.large_binary()))


def _tensors(
    values: Sequence[Any], base: Label, fits: list[bool]
) -> tuple[pa.Array, dict[bytes, bytes]]:
    _, description, shape = base
    dtype = restore_dtype(description)
    if len(values) == 1:
        stacked = np.ascontiguousarray(values[0], dtype)[np.newaxis]
    else:
        stacked = np.zeros((len(values), *shape), dtype)
        for row, (value, fit) in enumerate(zip(values, fits, strict=True)):
            if fit:
                stacked[row] = value
    return _tensor_column(stacked, base, None if all(fits) else fits)


def _tensor_column(
    stacked: np.ndarray[Any, Any], label: Label, valid: list[bool] | None = None
) -> tuple[pa.Array, dict[bytes, bytes]]:
    kind, description, shape = label
    metadata = {DTYPE: description.encode(), SHAPE: ",".join(map(str, shape)).encode()}
    if kind == "list":
        metadata[AS_LIST] = b"1"
    rows = len(stacked)
    raw = stacked.reshape(rows, -1).view(np.uint8).reshape(rows, -1)
    return _binary(raw, valid), metadata


def _binary(rows: np.ndarray[Any, Any], valid: list[bool] | None = None) -> pa.Array:
    """Return rows of bytes, shape (n, width), as a fixed-size binary array."""
    validity = None if valid is None else pa.array(valid, pa.bool_()).buffers()[1]
    data = pa.py_buffer(np.ascontiguousarray(rows))
    return pa.Array.from_buffers(pa.binary(rows.shape[1]), len(rows), [validity, data])


def _label(value: Any) -> Label:
    """Say which typed column a value fits in exactly."""
    kind = type(value)
    if kind is int:
        return ("int",) if value in _INT64 else _OTHER
    if kind is str:
        return ("str",) if _is_unicode(value) else _OTHER
    if kind in _SIMPLE:
        return _SIMPLE[kind][0]
    if kind is np.ndarray:
        if not 0 < value.nbytes <= _WIDEST:
            return _OTHER
        return ("array", describe_dtype(value.dtype), value.shape)
    if kind is list and value:
        label, numbers = _flattened(value)
        return _OTHER if numbers is None or numbers.nbytes > _WIDEST else label
    return _OTHER


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _flattened(value: list[Any]) -> tuple[Label, Numbers | None]:
    """Label a rectangular list with elements of one simple type, which come as a flat array."""
    shape = [len(value)]
    level = typed(value)
    while level.types == {list}:
        size = len(level[0])
        if size == 0 or set(map(len, level)) != {size}:
            return _OTHER, None
        shape.append(size)
        level = level.elements
    numbers = level.numbers
    if numbers is None:
        return _OTHER, None
    return ("list", describe_dtype(numbers.dtype), tuple(shape)), numbers
