"""A field of a stream as an array of Tiled, read block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
from fastapi import HTTPException
from tiled.ndslice import NDBlock, NDSlice
from tiled.server.settings import get_settings
from tiled.structures.array import ArrayStructure, BuiltinDtype, StructDtype
from tiled.structures.core import StructureFamily

from .container import Entry, http_errors

_WHOLE = NDSlice()


class ArrayEntry(Entry):
    """An array.

    Parameters
    ----------
    values
        What has a shape and a dtype, and is read when it is sliced.
    metadata
        What is said of it.
    """

    structure_family = StructureFamily.array

    def __init__(self, values: Any, metadata: Mapping[str, Any]) -> None:
        self._values = values
        self._metadata = dict(metadata)

    def metadata(self) -> dict[str, Any]:
        """Return what the descriptor says of the field."""
        return self._metadata

    def structure(self) -> ArrayStructure:
        """Return shape, type and chunks."""
        with http_errors():
            dtype, shape = self._values.dtype, self._values.shape
            is_record = dtype.fields is not None
            kind = StructDtype if is_record else BuiltinDtype
            chunks = getattr(self._values, "chunks", None) or tuple((size,) for size in shape)
            return ArrayStructure(
                data_type=kind.from_numpy_dtype(dtype),
                shape=tuple(shape),
                chunks=tuple(sizes or (0,) for sizes in chunks),
            )

    def read(self, slice: NDSlice = _WHOLE) -> np.ndarray[Any, Any]:
        """Return a part of it; no more than the server may send."""
        with http_errors():
            shape = slice.shape_after_slice(self._values.shape)
            _check_size(math.prod(shape) * self._values.dtype.itemsize)
            return np.asarray(self._values[tuple(slice)])

    def read_block(self, block: NDBlock, slice: NDSlice = _WHOLE) -> np.ndarray[Any, Any]:
        """Return a part of a block."""
        with http_errors():
            bounds = (list(accumulate(sizes, initial=0)) for sizes in self.structure().chunks)
            place = tuple(
                np.s_[edges[number] : edges[number + 1]]
                for edges, number in zip(bounds, block, strict=True)
            )
            found = np.asarray(self._values[place])
            return np.asarray(found[tuple(slice)])


def _check_size(size: int) -> None:
    """Refuse before anything is read what Tiled would refuse when all of it is in memory."""
    most = get_settings().response_bytesize_limit
    if size > most:
        raise HTTPException(400, f"Response would exceed {most}. Use slicing ('?slice=...').")
