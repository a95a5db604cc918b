"""What is asked of an array in square brackets, taken apart: which rows, and what of each."""

from __future__ import annotations

from types import EllipsisType
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Asked", "asked"]

Array = np.ndarray[Any, Any]


class Asked(NamedTuple):
    """What an index asks for."""

    places: Array  # the rows, counted from 0, in the order in which they are wanted
    inner: tuple[slice, ...]  # what is to be read of each row: slices that go forwards
    finish: tuple[Any, ...]  # what is to be selected of what was read


def asked(index: Any, shape: tuple[int, ...]) -> Asked:
    """Take an index apart; raise IndexError if it does not fit the shape.

    Examples
    --------
    >>> asked((5, slice(1, 3)), (10, 4))
    Asked(places=array([5]), inner=(slice(1, 3, 1),), finish=(0, slice(None, None, None)))
    >>> asked((slice(8, None), ..., -1), (10, 4, 4)).inner
    (slice(0, 4, 1), slice(3, 4, 1))
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(part is None for part in parts):
        raise IndexError("New axes are for NumPy: take the rows first, then np.newaxis.")
    dots = [place for place, part in enumerate(parts) if isinstance(part, EllipsisType)]
    if len(parts) - len(dots) > len(shape) or len(dots) > 1:
        raise IndexError(f"Too many indices: the array has {len(shape)} dimensions.")
    missing = [slice(None)] * (len(shape) - len(parts) + len(dots))
    place = dots[0] if dots else len(parts)
    parts[place : place + len(dots)] = missing
    places, first = _rows(parts[0], shape[0])
    pairs = [_inner(part, size) for part, size in zip(parts[1:], shape[1:], strict=True)]
    rest = [finish for _, finish in pairs]
    if isinstance(first, slice) and _is_list(parts[0]) and any(map(_is_list, rest)):
        first = np.arange(len(places))  # lists on several axes are taken together, as in NumPy
    return Asked(places, tuple(inner for inner, _ in pairs), (first, *rest))


def _rows(part: Any, size: int) -> tuple[Array, Any]:
    if isinstance(part, slice):
        return np.arange(*part.indices(size)), slice(None)
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        place = int(part) + (size if part < 0 else 0)
        if not 0 <= place < size:
            raise IndexError(f"Event {part} of {size}: there is no such row.")
        return np.array([place]), 0
    chosen = np.asarray(part)
    return np.arange(size)[chosen if chosen.size else chosen.astype(np.intp)], slice(None)


def _inner(part: Any, size: int) -> tuple[slice, Any]:
    if isinstance(part, slice):
        chosen = range(*part.indices(size))
        if not chosen:
            return slice(0, 0, 1), slice(None)
        if chosen.step > 0:
            return slice(chosen.start, chosen.stop, chosen.step), slice(None)
        return slice(chosen[-1], chosen[0] + 1, 1), slice(None, None, chosen.step)
    if isinstance(part, int | np.integer) and not isinstance(part, bool):
        place = int(part) + (size if part < 0 else 0)
        if not 0 <= place < size:
            raise IndexError(f"Index {part} is out of bounds for an axis of size {size}.")
        return slice(place, place + 1, 1), 0
    return slice(0, size, 1), part


def _is_list(part: Any) -> bool:
    return not isinstance(part, slice | int | np.integer)
