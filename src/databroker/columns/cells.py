"""Objects in an array, each a value of its own, as dask may take one out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Cells(np.ndarray[Any, Any]):
    """An array of objects of which dask gets a single one as an array without dimensions.

    Dask indexes with tuples, and would take a list or an array that comes out
    for a part of its own structure. Anybody else gets what NumPy gives.

    Examples
    --------
    >>> cells = as_cells(np.array([[1, 2], "text"], object))
    >>> cells[0], cells[(0,)]
    ([1, 2], array(list([1, 2]), dtype=object))
    """

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        whole = isinstance(index, tuple) and len(index) == self.ndim
        if whole and all(isinstance(part, int | np.integer) for part in index):
            return only(found)
        return found


def cells_of(values: Sequence[Any] | Array) -> Array:
    """Return an array of objects, each one of the values, whatever these are."""
    cells = np.empty(len(values), object)
    for place, value in enumerate(values):  # all at once, lazy arrays would be computed
        cells[place] = value
    return cells


def only(value: Any) -> Array:
    """Return an object as an array without dimensions."""
    found = np.empty((), object)
    found[()] = value
    return found


def as_cells(values: Array) -> Array:
    """Return an array as it is to be a chunk of a dask array."""
    return values.view(Cells) if values.dtype == np.dtype(object) else values
