"""Frames in a Zarr array."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import DatasetMissing, FileDamaged
from ...extras import require
from ..locate import Guard
from ..references import Problem
from .base import Array, Declared, FileReader


class ZarrReader(FileReader):
    """Reads application/x-zarr: an array, or one in a group, which `dataset` names."""

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        super().__init__(path, guard)
        name = parameters.get("dataset") or parameters.get("path") or ""
        self._name = "/".join(name) if isinstance(name, list | tuple) else str(name).strip("/")
        self._array = self._open()
        self.frame_shape = tuple(self._array.shape[1:])
        self.dtype = np.dtype(self._array.dtype)
        self.chunks = tuple(self._array.chunks)

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        self.need(stop)
        return np.asarray(self._array[(slice(first, stop), *inner)])

    def length(self, wanted: int = 0) -> int:
        if self._array.shape[0] < wanted:
            self._array = self._open()  # its metadata tells the shape anew
        return int(self._array.shape[0])

    def _open(self) -> Any:
        if not os.path.exists(self.path):
            raise FileNotFoundError(2, "There is no such folder", self.path)
        _check_links(self._guard, os.path.join(self.path, self._name))
        zarr = require("zarr", "images")
        try:
            # A text might be taken for a URL.
            store = zarr.storage.LocalStore(self.path, read_only=True)
            node = zarr.open(store, mode="r")
            node = node[self._name] if self._name else node
        except KeyError as error:
            raise Problem(DatasetMissing, f"{self.path} has no array {self._name!r}") from error
        except ValueError as error:  # so zarr says of a file that is no array, too
            raise Problem(
                FileDamaged,
                f"{self.path} is no Zarr array or group, or not a whole one",
                "Is it still being written?",
            ) from error
        if not hasattr(node, "chunks"):
            raise Problem(
                DatasetMissing,
                f"{self.path} is a group of arrays, and the stream resource names none of them",
            )
        return node


def _check_links(guard: Guard, folder: str, above: tuple[str, ...] = ()) -> None:
    """Refuse an array of which links lead some to where nothing may be read."""
    guard.check(folder)
    real = os.path.realpath(folder)
    if not guard or real in above:
        return
    for inside, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(inside, name)
            if os.path.islink(path):
                _check_links(guard, path, (*above, real))
