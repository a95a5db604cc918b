"""Documents as MongoDB holds them, and back.

They stay what databroker 1.x can read: numbers, text, lists and dictionaries as they are, arrays
as lists. What MongoDB has no form for stands in the exact encoding of `databroker.documents`, as
the only item of a dictionary: integers beyond 64 bits, arrays of stamps or of records, and what
is nested too deep. NUL and lone surrogates in text, which keys must not have, are written with
other characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from bson import ObjectId
from bson.int64 import Int64

from ..._util.portable_text import original, portable
from ...documents.encode import decode, encode
from ...documents.kinds import NESTED
from ...documents.normalise import SCALARS, normalise
from ...documents.repair import repair
from ...errors import InvalidDocument

Doc = dict[str, Any]

EXACT = "__exact__"
"""The key beside which an exact encoding stands."""

_TAKEN = "\1"  # before a key that the server takes for its own; `portable` never writes it alone
_DEEPEST = 90  # MongoDB takes a hundred levels
_INT64 = range(-(2**63), 2**63)
_KNOWN = frozenset({float, bool, type(None)})
_UNCHANGED = SCALARS - {str}  # by the server


class Packed:
    """A document on its way to the server.

    Attributes
    ----------
    document
        As the server keeps it.
    is_odd
        Whether it has values that a search of the server does not see as they are.
    """

    def __init__(self, kind: str, document: Mapping[str, Any]) -> None:
        self.is_odd = False
        self.document: Doc = {}
        for key, value in document.items():
            if key == "time" and type(value) is int:
                value = _time(kind, value)
            self.document[_top_key(key)] = self._value(value, 1)

    def _value(self, value: Any, depth: int) -> Any:
        kind = type(value)
        if kind in _KNOWN:
            return value
        if kind is str:
            return self._text(value)
        if kind is int:
            return value if value in _INT64 else self._exact(value)
        if kind is np.ndarray:
            return self._array(value, depth)
        if depth > _DEEPEST and value:
            return self._exact(value)
        if kind is dict:
            return {portable(key): self._value(item, depth + 1) for key, item in value.items()}
        if _KNOWN.issuperset(map(type, value)):
            return value
        return [self._value(item, depth + 1) for item in value]

    def _text(self, text: str) -> str:
        stored = portable(text)
        if stored is not text and stored != text:
            self.is_odd = True
        return stored

    def _array(self, array: np.ndarray[Any, Any], depth: int) -> Any:
        if array.dtype.kind in "biuU" or (array.dtype.kind == "f" and array.dtype.itemsize <= 8):
            return self._value(array.tolist(), depth)
        return self._exact(array)

    def _exact(self, value: Any) -> Doc:
        self.is_odd = True
        return {EXACT: encode(value)}


def _top_key(key: str) -> str:
    return _TAKEN + portable(key) if key == "_id" or key.startswith("$") else portable(key)


def _time(kind: str, time: int) -> int | float:
    """Return a time that MongoDB can hold, by which it can sort."""
    if time in _INT64:
        return time
    if kind == "start" and float(time) != time:
        raise InvalidDocument(
            f"start document: 'time' is {time}, an integer beyond 64 bits, which MongoDB cannot "
            "sort by. Give it in seconds since 1970, as a float."
        )
    return float(time) if float(time) == time else time


def unpack_document(stored: Mapping[str, Any]) -> Doc:
    """Return a document as it was inserted, by whomever.

    Examples
    --------
    >>> unpack_document({"_id": ObjectId(), "uid": "a", "time": Int64(5)})
    {'uid': 'a', 'time': 5}
    """
    return {
        _inserted_key(key): value if type(value) in _UNCHANGED else _inserted(value)
        for key, value in stored.items()
        if key != "_id"
    }


def unpack_row(kind: str, stored: Doc) -> Doc:
    """Return a row as it was inserted; old ones may have counters that are floats."""
    sections = NESTED[kind]
    row: Doc = {}
    for key, value in stored.items():
        if key != "_id":
            plain = type(value) in _UNCHANGED or (key in sections and _is_plain(value))
            row[_inserted_key(key)] = value if plain else _inserted(value)
    repair(kind, row, [])
    return row


def _is_plain(section: Any) -> bool:
    """Tell whether a dictionary has only values, and keys, that are as they were."""
    if type(section) is not dict or not _UNCHANGED.issuperset(map(type, section.values())):
        return False
    keys = "".join(section)
    return keys.isascii() and "\1" not in keys


def _inserted_key(key: str) -> str:
    return original(key.removeprefix(_TAKEN)) if key[:2] in ("\1_", "\1$") else original(key)


def _inserted(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return original(value)
    if kind in SCALARS:
        return value
    if kind is list:
        return value if _UNCHANGED.issuperset(map(type, value)) else list(map(_inserted, value))
    if kind is dict:
        exact = value.get(EXACT)
        if type(exact) is bytes and len(value) == 1:
            return decode(exact)
        return {original(key): _inserted(item) for key, item in value.items()}
    if kind is Int64:
        return int(value)
    # What other programs have stored: dates, bytes, ...
    return str(value) if kind is ObjectId else normalise({"": value})[0][""]
