"""Frames in NumPy's own files: one file of many frames, or a file for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import FileDamaged
from ..locate import Guard
from ..references import Problem
from .base import Array, Declared, FileReader, Form
from .numbered_files import FileSequence


class NpyReader(FileReader):
    """Reads application/x-npy: an array of frames, of which only what is used is read."""

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        super().__init__(path, guard)
        self._frames = load_npy(path, whole=False)
        if not self._frames.ndim:
            raise Problem(FileDamaged, f"{path} has a single number, and no frames")
        self.frame_shape = self._frames.shape[1:]
        self.dtype = self._frames.dtype

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        self.need(stop)
        return np.array(self._frames[(slice(first, stop), *inner)])

    def length(self, wanted: int = 0) -> int:
        """Return how many frames there are: such a file does not grow."""
        return len(self._frames)


class NpySequence(FileSequence):
    """Reads multipart/related;type=application/x-npy: an array for each event."""

    template = "%s_%d.npy"
    join = "stack"

    def load(self, path: str, whole: bool = True) -> Array:
        return load_npy(path, whole)

    def form(self, number: int) -> Form | None:
        """Return shape and dtype of a frame, which the file begins with."""
        if not self.varying:
            return super().form(number)
        frames = self.frames_in(number)
        return frames.shape[1:], frames.dtype


def load_npy(path: str, whole: bool) -> Array:
    """Return an array, or what reads it when it is used; pickles, which run code, are refused."""
    array: Array = np.load(path, mmap_mode=None if whole else "r", allow_pickle=False)
    return array
