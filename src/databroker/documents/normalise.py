"""Turn whatever an experiment puts into a document into values that can be kept.

An exception in a subscriber stops the experiment, so what can be kept is kept:

=============================  ==========================================
found                          kept as
=============================  ==========================================
keys that are not text         their text (``1`` becomes ``'1'``)
tuple, range, deque            list
NumPy scalar                   the Python scalar
set, frozenset                 sorted list
bytes                          text if it is UTF-8, else ``'base64:...'``
datetime, date, time           ISO 8601 text
timedelta                      seconds
complex                        ``{'real': ..., 'imag': ...}``
Enum                           its value
array of Python objects        nested lists
anything else                  its ``repr``
=============================  ==========================================

Text keys, None, bool, int, float, str, dict, list and NumPy arrays are kept
exactly. Tuples and NumPy scalars are everyday matters and pass silently; for
the others the caller is told what was changed.
"""

from __future__ import annotations

import base64
import datetime
import enum
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._util.signals import from_signal
from ..errors import InvalidDocument

SCALARS = frozenset({float, int, str, bool, type(None)})
"""The types that are kept as they are, compared by identity of the type."""

MAX_DEPTH = 200
"""How deep a document may be nested; deeper than any that a person made."""


def normalise(doc: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a copy of a document made of plain values, and what was changed.

    Raises
    ------
    InvalidDocument
        The document is nested more than 200 deep, or contains itself.

    Examples
    --------
    >>> normalise({"sizes": (1, 2), 3: {"b", "a"}})
    ({'sizes': [1, 2], '3': ['a', 'b']}, ["key 3 (int) as '3'", '3 (set) as list'])
    """
    changes: list[str] = []
    return _mapping(doc, "", 0, changes), changes


def normalise_column(column: Any, path: str, changes: list[str]) -> Any:
    """Return a column of a page as a list of plain values, one a row.

    A column may come as an array, whose elements along the first axis are the
    rows. What has no rows comes back as it is, to be refused.
    """
    if isinstance(column, np.ndarray) and column.ndim:
        simple = column.ndim == 1 and column.dtype.kind in "biufU" and column.dtype.itemsize <= 8
        column = column.tolist() if simple else list(column)
    if not isinstance(column, list | tuple):
        return _value(column, path, 2, changes)
    if SCALARS.issuperset(map(type, column)):
        return list(column)
    return [_value(value, path, 2, changes) for value in column]


def _value(value: Any, path: str, depth: int, changes: list[str]) -> Any:
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is dict:
        return _mapping(value, path, depth + 1, changes)
    if kind is list or kind is tuple:
        return _sequence(value, path, depth + 1, changes)
    if isinstance(value, np.ndarray):
        return _array(value, path, depth, changes)
    if isinstance(value, np.generic) and not isinstance(value, np.void | np.complexfloating):
        return _value(_numpy_scalar(value), path, depth, changes)
    return _odd(value, path, depth, changes)


def _mapping(value: Mapping[Any, Any], path: str, depth: int, changes: list[str]) -> dict[str, Any]:
    _check_depth(depth, path)
    plain: dict[str, Any] = {}
    for key, item in value.items():
        if type(key) is not str:
            key = _text_key(key, {*value, *plain}, changes)
        if type(item) in SCALARS:
            plain[key] = item
        else:
            plain[key] = _value(item, f"{path}.{key}" if path else key, depth, changes)
    return plain


def _text_key(key: Any, taken: set[Any], changes: list[str]) -> str:
    text = str(key.decode("utf-8", "replace") if isinstance(key, bytes) else key)
    if isinstance(key, str):  # a subclass, such as numpy.str_
        return text
    while text in taken:  # {1: ..., '1': ...} keeps both
        text += f" ({type(key).__name__})"
    changes.append(f"key {key!r} ({type(key).__name__}) as {text!r}")
    return text


def _sequence(value: Any, path: str, depth: int, changes: list[str]) -> list[Any]:
    _check_depth(depth, path)
    if SCALARS.issuperset(map(type, value)):
        return list(value)
    return [_value(item, path, depth, changes) for item in value]


def _array(value: np.ndarray[Any, Any], path: str, depth: int, changes: list[str]) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        changes.append(f"{path} (masked array) as list with None")
        return _value(value.tolist(), path, depth + 1, changes)
    if value.dtype.hasobject:
        changes.append(f"{path} (array of objects) as list")
        return _value(value.tolist(), path, depth + 1, changes)
    return np.array(value, order="C", copy=True, subok=False)


def _numpy_scalar(value: np.generic) -> Any:
    # .item() of nanosecond stamps is an integer, which would lose what it is.
    if isinstance(value, np.datetime64 | np.timedelta64):
        return str(value)
    return float(value) if isinstance(value, np.floating) else value.item()


def _odd(value: Any, path: str, depth: int, changes: list[str]) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, path, depth + 1, changes)
    if isinstance(value, bool | int | float | str):  # their subclasses, enumerations among them
        if isinstance(value, str):
            return str.__str__(value)  # what it is, whatever it says of itself
        return next(base(value) for base in (bool, int, float) if isinstance(value, base))
    if isinstance(value, range | deque | list | tuple):
        return _sequence(list(value), path, depth + 1, changes)
    kept = value.value if isinstance(value, enum.Enum) else _rendered(value)
    changes.append(f"{path} ({type(value).__name__}) as {type(kept).__name__}")
    return _value(kept, path, depth + 1, changes)


def _rendered(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (type(item).__name__, repr(item)))
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return "base64:" + base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, datetime.date | datetime.time):  # datetime is a date
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, complex | np.complexfloating):
        return {"real": float(value.real), "imag": float(value.imag)}
    try:
        return repr(value)
    except Exception as error:  # whatever it is that fails, the experiment goes on
        if from_signal(error):
            raise
        return f"<{type(value).__name__} that cannot be printed>"


def _check_depth(depth: int, path: str) -> None:
    if depth > MAX_DEPTH:
        raise InvalidDocument(
            f"The document is nested more than {MAX_DEPTH} deep at {path[:80]!r}..., "
            "or contains itself. Flatten it, or store it as text."
        )
