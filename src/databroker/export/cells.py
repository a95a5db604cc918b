"""Columns as the cells of a sheet, and what these cannot hold of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from .._util.formulas import FORMULA, NUMBER

EMPTY = "the difference between empty text and none"
GUARDED = "text that begins like a formula (an apostrophe was put before it)"

_TEXT = (types.is_string, types.is_large_string, types.is_string_view)
_BYTES = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)


class Cells:
    """Turns columns into cells of text files.

    Attributes
    ----------
    losses
        What the cells cannot hold, as far as there was any of it.
    """

    def __init__(self) -> None:
        self.losses: dict[str, None] = {}

    def of(self, column: pa.Array) -> list[Any]:
        """Return the values of a column; what is missing is None."""
        kind = column.type
        if types.is_dictionary(kind):
            return self.of(column.dictionary_decode())
        if types.is_timestamp(kind):
            return self._times(column)
        if any(is_text(kind) for is_text in _TEXT):
            return self._texts(column.cast(pa.string()))
        if types.is_nested(kind) or any(is_bytes(kind) for is_bytes in _BYTES):
            values = column.to_pylist()
            texts = [None if value is None else as_json(value) for value in values]
            return self._texts(pa.array(texts, pa.string()))
        return self._numbers(column)

    def header(self, names: Iterable[str | None]) -> list[Any]:
        """Return names as cells."""
        return self._texts(pa.array([_encodable(name) for name in names], pa.string()))

    def _times(self, column: pa.Array) -> list[Any]:
        zone = "" if column.type.tz is None else "%Ez"
        return pc.strftime(column, f"%Y-%m-%dT%H:%M:%S{zone}").to_pylist()  # type: ignore[no-any-return]

    def _texts(self, column: pa.Array) -> list[Any]:
        if pc.any(pc.equal(column, "")).as_py():
            self._lose(EMPTY)
        return self._guarded(column).to_pylist()  # type: ignore[no-any-return]

    def _guarded(self, column: pa.Array) -> pa.Array:
        """Return text of which no spreadsheet makes a formula."""
        risky = pc.match_substring_regex(column, rf"\A{FORMULA}")
        risky = pc.and_not(risky, pc.match_substring_regex(column, rf"\A{NUMBER}\z"))
        if not pc.any(risky).as_py():
            return column
        self._lose(GUARDED)
        return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)

    def _numbers(self, column: pa.Array) -> list[Any]:
        return column.to_pylist()  # type: ignore[no-any-return]

    def _lose(self, what: str) -> None:
        self.losses[what] = None


def as_json(value: Any) -> str:
    """Return a value as JSON; bytes in it are hexadecimal digits.

    Examples
    --------
    >>> as_json([1.5, None, b"a"])
    '[1.5, null, "61"]'
    """
    return json.dumps(value, ensure_ascii=False, default=_as_json)


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _encodable(text: str | None) -> str | None:
    """Return text of which no half of a character is left."""
    return None if text is None else text.encode(errors="backslashreplace").decode()
