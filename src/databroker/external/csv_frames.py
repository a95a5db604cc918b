"""Rows of numbers in a text file; each row is a frame."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .failures import FramesMissing, Problem
from .frames import Declared, Frames
from .paths import Guard

__all__ = ["CsvFrames"]

Array = np.ndarray[Any, Any]

_OPTIONS = ("sep", "delimiter", "decimal", "encoding", "comment", "quotechar", "skipinitialspace")


class CsvFrames(Frames):
    """Reads text/csv, without a line of names unless `header` is 'present'.

    Parameters are those of `pandas.read_csv` that say how a line is written:
    sep, delimiter, decimal, encoding, comment, quotechar, skipinitialspace.
    """

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        guard.check(path)
        self._path = path
        self._options = {key: parameters[key] for key in _OPTIONS if key in parameters}
        self._skipped = 1 if parameters.get("header") in ("present", 0, True) else 0
        self._seen = _state(path)
        self._rows = self._counted()
        first = self._load(0, 1)
        self._columns = first.shape[1]
        self.frame_shape = (self._columns,)
        said = declared.dtype
        self.dtype = first.dtype if said is None or said.kind not in "biufc" else said

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        """Return rows ``first`` to ``stop``, and of each what `inner` selects."""
        there = self._length(stop)
        if there < stop:
            raise Problem(
                FramesMissing,
                f"the file {self._path} has {there} rows so far, and row {stop - 1} is wanted",
                "If it is still being written, try again later.",
            )
        return self._load(first, stop)[(slice(None), *inner)].astype(self.dtype, copy=False)

    def count(self, first: int, stop: int) -> int:
        """Return how many of some rows are there now."""
        return max(0, min(stop, self._length(stop)) - first)

    def files(self, first: int, stop: int) -> list[str]:
        """Return the file."""
        return [self._path]

    def _length(self, wanted: int) -> int:
        state = _state(self._path)
        if self._rows < wanted and state != self._seen:
            self._seen = state
            self._rows = self._counted()
        return self._rows

    def _counted(self) -> int:
        """Count the lines, without making anything of them."""
        with open(self._path, "rb") as file:
            lines = 0
            last = b"\n"
            while block := file.read(2**20):
                lines += block.count(b"\n")
                last = block[-1:]
        return lines + (last != b"\n") - self._skipped

    def _load(self, first: int, stop: int) -> Array:
        import pandas as pd

        found: Array = pd.read_csv(
            self._path,
            header=None,
            skiprows=first + self._skipped,
            nrows=stop - first,
            **self._options,
        ).to_numpy()
        return found


def _state(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
