"""Rows of numbers in a text file; each row is a frame."""

from __future__ import annotations

import io
from collections.abc import Mapping
from itertools import islice
from typing import Any, BinaryIO

from ...errors import FileDamaged
from ..locate import Guard
from ..references import Problem
from .base import Array, Declared, FileReader

_OPTIONS = ("sep", "delimiter", "decimal", "encoding", "comment", "quotechar", "skipinitialspace")
_MARKED = 1024


class CsvReader(FileReader):
    """Reads text/csv, without a line of names unless `header` is 'present'.

    Parameters are those of `pandas.read_csv` that say how a line is written:
    sep, delimiter, decimal, encoding, comment, quotechar, skipinitialspace.
    Where every so-many-th row begins is remembered, so that a few rows cost a
    few rows. Empty lines and comments are no rows.
    """

    unit = "row"
    thread_safe = False  # two threads must not look through a growing file at a time

    def __init__(
        self, path: str, parameters: Mapping[str, Any], declared: Declared, guard: Guard
    ) -> None:
        super().__init__(path, guard)
        self._options = {key: parameters[key] for key in _OPTIONS if key in parameters}
        self._comment = str(parameters.get("comment") or "").encode() or None
        self._skipped = 1 if parameters.get("header") in ("present", 0, True) else 0
        self._marks: list[int] = []
        self._lines = 0
        self._last = 0
        self._count()
        if self._rows < 1:
            raise Problem(FileDamaged, f"the file {path} has no rows", "Is it being written?")
        first = self._load(0, 1)
        self.frame_shape = first.shape[1:]
        said = declared.dtype
        self.dtype = first.dtype if said is None or said.kind not in "biufc" else said

    def read(self, first: int, stop: int, inner: tuple[slice, ...]) -> Array:
        self.need(stop)
        return self._load(first, stop)[(slice(None), *inner)].astype(self.dtype, copy=False)

    @property
    def _rows(self) -> int:
        return self._lines - self._skipped

    def length(self, wanted: int = 0) -> int:
        if self._rows < wanted:
            self._count()
        return self._rows

    def _count(self) -> None:
        """Look through what came since the last time, and the line before it: it may go on."""
        with open(self.path, "rb") as file:
            file.seek(self._last)
            self._lines = max(self._lines - 1, 0)
            place = self._last
            for line in file:
                if self._is_row(line):
                    if self._lines % _MARKED == 0 and self._lines // _MARKED == len(self._marks):
                        self._marks.append(place)
                    self._last = place
                    self._lines += 1
                place += len(line)

    def _is_row(self, line: bytes) -> bool:
        text = line.strip()
        return bool(text) and not (self._comment and text.startswith(self._comment))

    def _load(self, first: int, stop: int) -> Array:
        import pandas as pd

        with open(self.path, "rb") as file:
            lines = b"".join(self._some(file, first + self._skipped, stop + self._skipped))
        rows: Array = pd.read_csv(io.BytesIO(lines), header=None, **self._options).to_numpy()
        return rows

    def _some(self, file: BinaryIO, first: int, stop: int) -> list[bytes]:
        mark = first // _MARKED
        file.seek(self._marks[mark])
        rows = (line for line in file if self._is_row(line))
        return list(islice(rows, first - mark * _MARKED, stop - mark * _MARKED))
