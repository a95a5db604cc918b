"""Columns as the cells of an Excel sheet: numbers are floats, and times have no zone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from .cells import Cells, as_json

_TEXT = 2**15 - 1  # units of UTF-16 in a cell
_WHOLE = 2**53  # up to which floats have all integers
_FIRST_YEAR = 1900

LONG = "what is beyond 32,767 characters of a cell"
LARGE = "integers beyond 2**53 as numbers (they are text)"
INFINITE = "infinite numbers as numbers (they are text)"
FINE = "times finer than milliseconds"
OLD = "times before 1900 as times (they are text)"


class ExactFloat(float):
    """A number that is written with all its digits: XlsxWriter formats what it gets with 16."""

    def __format__(self, _: str) -> str:
        return repr(float(self))


class ExcelCells(Cells):
    """Turns columns into cells of a sheet: None, text, booleans, numbers and naive stamps.

    Text is written as such, and never as a formula.
    """

    def one(self, value: Any) -> Any:
        """Return a value of a document as a cell."""
        if type(value) is bool or (type(value) in (int, float) and abs(value) <= _WHOLE):
            return ExactFloat(value) if type(value) is float else value
        text = value if value is None or isinstance(value, str) else as_json(value)
        return self.header([text])[0]

    def _times(self, column: pa.Array) -> list[Any]:
        if pc.any(pc.not_equal(pc.floor_temporal(column, 1, "millisecond"), column)).as_py():
            self._lose(FINE)
        local = column if column.type.tz is None else pc.local_timestamp(column)
        stamps = local.cast(pa.timestamp("us"), safe=False).to_pylist()
        if all(stamp is None or stamp.year >= _FIRST_YEAR for stamp in stamps):
            return stamps  # type: ignore[no-any-return]
        self._lose(OLD)
        return [str(each) if each and each.year < _FIRST_YEAR else each for each in stamps]

    def _texts(self, column: pa.Array) -> list[Any]:
        return [self._cut(text) for text in column.to_pylist()]

    def _cut(self, text: str | None) -> str | None:
        if text is None or len(text) * 2 <= _TEXT:
            return text
        units = text.encode("utf-16-le")
        if len(units) <= 2 * _TEXT:
            return text
        self._lose(LONG)
        return units[: 2 * _TEXT].decode("utf-16-le", "ignore")

    def _numbers(self, column: pa.Array) -> list[Any]:
        values: list[Any] = column.to_pylist()
        if types.is_floating(column.type):
            return list(self._floats(values))
        if types.is_integer(column.type) and column.type.bit_width == 64:
            return [self._whole(value) for value in values]
        return values

    def _floats(self, values: Iterable[float | None]) -> Iterable[Any]:
        for value in values:
            if value is None or math.isfinite(value):
                yield None if value is None else ExactFloat(value)
            elif math.isinf(value):
                self._lose(INFINITE)
                yield str(value)
            else:
                yield None

    def _whole(self, value: int | None) -> Any:
        if value is None or abs(value) <= _WHOLE:
            return value
        self._lose(LARGE)
        return str(value)
