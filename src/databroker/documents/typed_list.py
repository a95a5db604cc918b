"""The values of a column with what all of them are: so they are looked at once, where they come."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, Any]

_DTYPES = {float: np.dtype(np.float64), int: np.dtype(np.int64), bool: np.dtype(np.bool_)}


class TypedList(list[Any]):
    """Values that nobody changes any more, and their types.

    Examples
    --------
    >>> column = TypedList([[1, 2], [3, 4]])
    >>> column.types, column.numbers, column.elements.numbers
    ({<class 'list'>}, None, array([1, 2, 3, 4]))
    """

    __slots__ = ("_elements", "_numbers", "types")

    def __init__(self, values: Iterable[Any]) -> None:
        super().__init__(values)
        self.types = _types_of(self)
        self._elements: TypedList | None = None
        self._numbers: Numbers | None = None

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


def typed(values: Iterable[Any]) -> TypedList:
    """Return values with their types, as they are if these are known."""
    return values if isinstance(values, TypedList) else TypedList(values)


def _types_of(values: list[Any]) -> set[type]:
    # In most columns all values have one; to count it is five times as fast as to make a set.
    types = list(map(type, values))
    if types and types.count(types[0]) == len(types):
        return {types[0]}
    return set(types)


def _packed(values: list[Any], kind: type) -> Numbers | None:
    if kind not in _DTYPES:
        return None
    dtype = _DTYPES[kind]
    try:  # NumPy itself would look at each value first
        return np.frombuffer(struct.pack(f"{len(values)}{dtype.char}", *values), dtype)
    except struct.error:  # beyond 64 bits
        return None
