"""The values of a column with what all of them are: so they are looked at once, where they come."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from . import uuids

Numbers = np.ndarray[Any, Any]

_DTYPES = {int: np.dtype(np.int64), bool: np.dtype(np.bool_)}
_FLOAT = b"\xcb"  # before each float of MessagePack, and before nothing else
_encode = msgspec.msgpack.Encoder().encode


class TypedList(list[Any]):
    """Values that nobody changes any more, and their types.

    Examples
    --------
    >>> column = TypedList([[1, 2], [3, 4]])
    >>> column.types, column.numbers, column.elements.numbers
    ({<class 'list'>}, None, array([1, 2, 3, 4]))
    """

    __slots__ = ("_elements", "_numbers", "_uuids", "types")

    def __init__(self, values: Iterable[Any]) -> None:
        super().__init__(values)
        self._elements: TypedList | None = None
        self._numbers: Numbers | None = None
        self._uuids: uuids.Bytes | None = None
        self.types = self._look()

    def _look(self) -> set[type]:
        """Return the types of the values; of floats, their numbers are made in the same pass."""
        if not self:
            return set()
        kind: type = type(self[0])
        if kind is float:
            self._numbers = _floats(self)
            if self._numbers is not None:
                return {float}
        elif kind is int and (integers := _converted(self, list[int])) is not None:
            self[:] = integers  # plain ones, where some were of subclasses
            return {int}
        # In most columns all values have one; to count it is five times as fast as to make a set.
        types = list(map(type, self))
        return {kind} if types.count(kind) == len(types) else set(types)

    @property
    def elements(self) -> TypedList:
        """The elements of lists, in one list."""
        if self._elements is None:
            self._elements = TypedList(chain.from_iterable(self))
        return self._elements

    @property
    def numbers(self) -> Numbers | None:
        """An array, if all values are floats, or booleans, or integers within 64 bits."""
        if self._numbers is None and len(self.types) == 1:
            self._numbers = _packed(self, *self.types)
        return self._numbers

    @property
    def uuids(self) -> uuids.Bytes | None:
        """Their bytes, of shape (n, 16), if all values are canonical uuids."""
        if self._uuids is None and self.types == {str}:
            self._uuids = uuids.pack(self)
        return self._uuids


def typed(values: Iterable[Any]) -> TypedList:
    """Return values with their types, as they are if these are known."""
    return values if isinstance(values, TypedList) else TypedList(values)


def _converted(values: list[Any], kind: Any) -> list[Any] | None:
    """Return values that are of a kind, or None: looked at in C, without a call of their code."""
    try:
        return msgspec.convert(values, kind)  # type: ignore[no-any-return]
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def _floats(values: list[Any]) -> Numbers | None:
    """Return an array of values that are all floats."""
    if _converted(values, list[float]) is None:
        return None
    try:
        encoded = _encode(values)
    except (OverflowError, TypeError):  # there are integers, too
        return None
    size = len(values)
    head = 1 if size < 2**4 else 3 if size < 2**16 else 5  # bytes that say how many values come
    if len(encoded) != head + 9 * size or encoded[head::9] != _FLOAT * size:
        return None
    return np.ndarray(size, ">f8", encoded, head + 1, 9).astype(np.float64)


def _packed(values: list[Any], kind: type) -> Numbers | None:
    if kind not in _DTYPES:
        return None
    dtype = _DTYPES[kind]
    try:  # NumPy itself would look at each value first
        return np.frombuffer(struct.pack(f"{len(values)}{dtype.char}", *values), dtype)
    except struct.error:  # beyond 64 bits
        return None
