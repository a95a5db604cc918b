"""Frames in an array that the store of a run has itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import ExternalDataMissing, FramesMissing
from ...stores.base import Store
from ..references import Problem
from .base import Array, FrameReader


class HeldReader(FrameReader):
    """Reads what a stream resource of the store stands for (`stores.arrays.MIMETYPE`)."""

    def __init__(self, store: Store, document: Mapping[str, Any]) -> None:
        parameters = document["parameters"]
        length, *frame = parameters["shape"]
        self.frame_shape = tuple(frame)
        self.dtype = np.dtype(parameters["dtype"])
        self.chunks = tuple(parameters["chunks"]) if parameters.get("chunks") else None
        self._length = int(length)
        self._store, self._document = store, document

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        if stop > self._length:
            raise Problem(
                FramesMissing,
                f"there are {self._length} frames so far, and frame {stop - 1} is wanted",
                "If the run is going on, try again later.",
            )
        try:
            return self._store.read_array(self._document, (slice(first, stop), *inner))
        except ExternalDataMissing as error:
            raise Problem(ExternalDataMissing, str(error).rstrip(".")) from error

    def count(self, first: int, stop: int) -> int:
        return max(0, min(stop, self._length) - first)

    def length(self, wanted: int = 0) -> int:
        return self._length
