"""A digest of rows that depends on their values alone.

The same rows have the same digest however a store divided them into batches, and whichever
types their columns have there.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from ..documents import uuids
from ..documents.encode import encode
from . import names
from .arrow import UUID, Column, from_arrow
from .batches import split, stretches

_FORM = struct.Struct("<cqq")  # a kind of values, the bytes of each, and how many follow
_INT64 = range(-(2**63), 2**63)
_UUID = 36  # characters
_PLAIN = {pa.float64(): b"f", pa.int64(): b"i"}


class RowsDigest:
    """Takes in the rows of one owner, batch by batch, in their order.

    Examples
    --------
    >>> from databroker.columns import from_rows
    >>> rows = [{"datum_id": f"r/{n}", "resource": "r", "datum_kwargs": {"n": n}} for n in (1, 2)]
    >>> whole, parts = RowsDigest(), RowsDigest()
    >>> whole.add(from_rows("datum", rows))
    >>> for row in rows:
    ...     parts.add(from_rows("datum", [row]))
    >>> whole.digest() == parts.digest(), whole.rows
    (True, 2)
    """

    def __init__(self) -> None:
        self.rows = 0
        self._shapes = hashlib.sha256()
        self._columns: dict[str, _ColumnDigest] = {}

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in more rows."""
        self.rows += batch.num_rows
        for shape, part in stretches(batch):
            self._shapes.update(hashlib.sha256(encode(shape)).digest() * part.num_rows)
            columns = split(part)
            for name in _names(shape):
                if name in columns:  # the owner has no column
                    self._column(name).add(columns[name])

    def digest(self) -> bytes:
        """Return the digest of the rows so far."""
        columns = [[name, self._columns[name].digest()] for name in sorted(self._columns)]
        return hashlib.sha256(self._shapes.digest() + encode(columns)).digest()

    def _column(self, name: str) -> _ColumnDigest:
        if name not in self._columns:
            self._columns[name] = _ColumnDigest()
        return self._columns[name]


class _ColumnDigest:
    """Takes in the values of one column."""

    def __init__(self) -> None:
        self._values = hashlib.sha256()
        self._forms: Any = None  # a digest of all forms but the last
        self._form = (b"-", 0)  # of the last values, and how many of these there are
        self._count = 0

    def add(self, column: Column) -> None:
        """Take in the values of a batch: as they lie in memory, where they are of one type."""
        array = column.array
        kind = b"u" if UUID in column.metadata else _PLAIN.get(array.type)
        if kind is None or column.exact is not None or array.null_count:
            self._add_each(column)
        else:
            self._add(kind, 0, len(array), _bytes_of(array))

    def digest(self) -> bytes:
        """Return the digest of the values so far."""
        before = b"" if self._forms is None else self._forms.digest()
        return before + _FORM.pack(*self._form, self._count) + self._values.digest()

    def _add_each(self, column: Column) -> None:
        plain = map(_plain, from_arrow(column))
        for (kind, size), several in groupby(plain, lambda each: (each[0], len(each[1]))):
            values = [value for _, value in several]
            self._add(kind, size if kind in b"so" else 0, len(values), b"".join(values))

    def _add(self, kind: bytes, size: int, count: int, values: Any) -> None:
        if self._form != (kind, size):
            if self._count:
                self._forms = self._forms or hashlib.sha256()
                self._forms.update(_FORM.pack(*self._form, self._count))
            self._form, self._count = (kind, size), 0
        self._count += count
        self._values.update(values)


def _names(shape: Any) -> Iterator[str]:
    """Yield the columns of rows that have these keys."""
    for key in shape:
        if isinstance(key, str):
            yield names.top(key)
        else:
            outer, inners = key
            yield from (names.nested(outer, inner) for inner in inners)


def _plain(value: Any) -> tuple[bytes, bytes]:
    """Return what kind of value it is, and its bytes."""
    kind = type(value)
    if value is None:
        return b"n", b""
    if kind is float:
        return b"f", struct.pack("<d", value)
    if kind is int and value in _INT64:
        return b"i", struct.pack("<q", value)
    if kind is bool:
        return b"b", bytes([value])
    if kind is str:
        packed = uuids.pack([value]) if len(value) == _UUID else None
        if packed is not None:
            return b"u", packed.tobytes()
        return b"s", value.encode("utf-8", "surrogatepass")
    return b"o", encode(_without_padding(value) if kind is np.ndarray else value)


def _without_padding(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an array of records with nothing between their fields, where anything may be."""
    if array.dtype.names is None:
        return array
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = _without_padding(array[name])
    return clean


def _bytes_of(array: pa.Array) -> memoryview:
    width = array.type.byte_width
    begin, data = array.offset * width, array.buffers()[1]
    return memoryview(data)[begin : begin + len(array) * width]
