"""Turn whatever an experiment puts into a document into values that can be kept.

An exception in a subscriber stops the experiment, so what can be kept is kept:

=============================  ==========================================
found                          kept as
=============================  ==========================================
keys that are not text         their text (``1`` becomes ``'1'``)
tuple, range, deque            list
NumPy scalar                   the Python scalar
NumPy void scalar              a dictionary of its fields
set, frozenset                 sorted list
bytes                          text if it is UTF-8, else ``'base64:...'``
datetime, date, time           ISO 8601 text
timedelta                      seconds
complex                        ``{'real': ..., 'imag': ...}``
Enum                           its value
paths, UUID, Decimal, Fraction their text
array of Python objects        nested lists
Series, DataArray, Index, ...  the array that they are
table (DataFrame)              a dictionary of its columns
array of thousands of fields   a dictionary of its fields
anything else                  its ``repr``
=============================  ==========================================

Text keys, None, bool, int, float, str, dict, list and NumPy arrays are kept
exactly. Tuples and NumPy scalars are everyday matters and pass silently; for
the others the caller is told what was changed. Where an object raises while it
is looked at, that is no reason to lose the rest: what is left to say of it is kept.
"""

from __future__ import annotations

import array
import base64
import datetime
import decimal
import enum
import fractions
import math
import os
import uuid
from collections import deque
from collections.abc import (
    Callable,
    Collection,
    ItemsView,
    KeysView,
    Mapping,
    Sequence,
    ValuesView,
)
from typing import Any

import numpy as np

from .._util.printable import repr_of, shown, text_of, type_name
from .._util.signals import from_signal, not_from_signal, suppressed
from ..errors import InvalidDocument
from .encode import LONGEST_DTYPE, describe_dtype
from .typed_list import TypedList

SCALARS = frozenset({float, int, str, bool, type(None)})
"""The types that are kept as they are, compared by identity of the type."""

TEXTUAL = (os.PathLike, uuid.UUID, decimal.Decimal, fractions.Fraction)
"""What is kept as its text."""

MAX_DEPTH = 200
"""How deep a document may be nested; deeper than any that a person made."""

_EMPTY = 10**6
"""How many empty lists an array without values may stand for: it takes no room, but they do."""


def normalise(doc: Mapping[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a copy of a document made of plain values, and what was changed.

    Examples
    --------
    >>> normalise({"sizes": (1, 2), 3: {"b", "a"}})
    ({'sizes': [1, 2], '3': ['a', 'b']}, ["key 3 (int) as '3'", '3 (set) as list'])
    """
    changes: list[str] = []
    try:
        return _mapping(_items(doc), "", 0, changes), changes
    except RecursionError:  # of a caller who is deep already
        raise _too_deep("") from None


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
    values = TypedList(column)
    if values.types <= SCALARS:
        return values
    if values.types == {list} and values.elements.types <= SCALARS:
        values[:] = map(list.copy, values)
        return values
    return TypedList(_value(value, path, 2, changes) for value in column)


def _value(value: Any, path: str, depth: int, changes: list[str]) -> Any:
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is dict:
        return _mapping(value.items(), path, depth + 1, changes)
    if kind is list or kind is tuple:
        return _sequence(value, path, depth + 1, changes)
    said = len(changes)
    try:
        return _other(value, path, depth, changes)
    except (InvalidDocument, RecursionError):
        raise
    except not_from_signal(Exception):  # the experiment goes on
        changes[said:] = [f"{path} ({type_name(value)}) as str"]
        return repr_of(value)


def _other(value: Any, path: str, depth: int, changes: list[str]) -> Any:
    if isinstance(value, np.ndarray):
        return _array(value, path, depth, changes)
    if isinstance(value, np.generic) and not isinstance(value, np.void | np.complexfloating):
        return _value(_numpy_scalar(value), path, depth, changes)
    return _odd(value, path, depth, changes)


def _items(value: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    try:
        return [(key, item) for key, item in value.items()]
    except Exception as error:  # a dictionary has its values, whatever its class makes of them
        if isinstance(value, dict) and not from_signal(error):
            return list(dict.items(value))
        raise


def _mapping(
    items: Collection[tuple[Any, Any]], path: str, depth: int, changes: list[str]
) -> dict[str, Any]:
    _check_depth(depth, path)
    plain: dict[str, Any] = {}
    taken: dict[str, int] = {}
    for key, item in items:
        if type(key) is not str:
            taken = taken or {other: 0 for other, _ in items if type(other) is str}
            key = _text_key(key, taken, changes)
        if type(item) in SCALARS:
            plain[key] = item
        else:
            plain[key] = _value(item, f"{path}.{key}" if path else key, depth, changes)
    return plain


def _text_key(key: Any, taken: dict[str, int], changes: list[str]) -> str:
    """Return a key as text that no other has; how often a text was taken is counted."""
    is_text = issubclass(type(key), str)  # a subclass, such as numpy.str_
    if is_text:
        text = str.__str__(key)
    else:
        text = bytes.decode(key, "utf-8", "replace") if type(key) is bytes else text_of(key)
    name = text
    if text in taken:  # {1: ..., '1': ...} keeps both
        name = text = f"{text} ({type_name(key)})"
        while name in taken:
            taken[text] += 1
            name = f"{text} {taken[text]}"
    taken[name] = 0
    if not is_text:
        changes.append(f"key {shown(key)} ({type_name(key)}) as {shown(name)}")
    return name


def _sequence(value: Sequence[Any], path: str, depth: int, changes: list[str]) -> list[Any]:
    _check_depth(depth, path)
    if SCALARS.issuperset(map(type, value)):
        return list(value)
    return [_value(item, path, depth, changes) for item in value]


def _array(value: np.ndarray[Any, Any], path: str, depth: int, changes: list[str]) -> Any:
    _check_size(value, path)
    if isinstance(value, np.ma.MaskedArray):
        changes.append(f"{path} (masked array) as list with None")
        return _value(value.tolist(), path, depth + 1, changes)
    if value.dtype.hasobject:
        changes.append(f"{path} (array of objects) as list")
        return _value(value.tolist(), path, depth + 1, changes)
    if value.dtype.names and len(describe_dtype(value.dtype)) > LONGEST_DTYPE:
        changes.append(f"{path} (array of {len(value.dtype.names)} fields) as dict")
        return _value({name: value[name] for name in value.dtype.names}, path, depth, changes)
    if type(value) not in _ARRAYS:  # such as one with a unit
        changes.append(f"{path} ({type_name(value)}) as ndarray")
    return np.array(value, order="C", copy=True, subok=False)


def _check_size(value: np.ndarray[Any, Any], path: str) -> None:
    if math.prod(filter(None, value.shape)) > max(value.nbytes, _EMPTY):
        raise InvalidDocument(
            f"The array at {path[:80]!r} has the shape {value.shape} and no values: written as "
            f"lists, that is more than {_EMPTY:,} empty ones. Leave it out."
        )


def _numpy_scalar(value: np.generic) -> Any:
    # .item() of nanosecond stamps is an integer, which would lose what it is.
    if isinstance(value, np.datetime64 | np.timedelta64):
        return str(value)
    return float(value) if isinstance(value, np.floating) else value.item()


def _odd(value: Any, path: str, depth: int, changes: list[str]) -> Any:
    if isinstance(value, Mapping):
        return _mapping(_items(value), path, depth + 1, changes)
    for base in (str, bool, int, float):  # their subclasses, enumerations among them
        if isinstance(value, base):
            return _BASES[base](value)  # what it is, whatever it says of itself
    if isinstance(value, _SEQUENCES):
        return _sequence(list(value), path, depth + 1, changes)
    kept = value.value if isinstance(value, enum.Enum) else _rendered(value)
    changes.append(f"{path} ({type_name(value)}) as {type_name(kept)}")
    return _value(kept, path, depth + 1, changes)


_SEQUENCES = (range, deque, list, tuple, array.array, KeysView, ValuesView, ItemsView)
_ARRAYS = (np.ndarray, np.memmap, np.matrix, np.recarray)

_BASES: Mapping[type, Callable[[Any], Any]] = {
    str: str.__str__,
    bool: bool,
    int: int.__int__,
    float: float.__float__,
}


def _rendered(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value, key=lambda item: (type_name(item), repr_of(item)))
    if isinstance(value, np.void) and value.dtype.names:
        return {name: value[name] for name in value.dtype.names}
    if isinstance(value, np.void):
        value = value.tobytes()
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return "base64:" + base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, datetime.datetime):
        return _iso_text(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if _is_array_like(value):
        return _columns(value) if hasattr(type(value), "columns") else np.asarray(value)
    if isinstance(value, complex | np.complexfloating):
        return {"real": float(value.real), "imag": float(value.imag)}
    if isinstance(value, TEXTUAL):
        return os.fsdecode(value) if isinstance(value, os.PathLike) else str(value)
    return repr_of(value)


def _is_array_like(value: Any) -> bool:
    """Tell whether something is an array, in memory and without units that would be lost."""
    if isinstance(value, np.generic) or not hasattr(type(value), "__array__"):
        return False
    lazy = getattr(value, "__dask_graph__", None)
    return not hasattr(type(value), "units") and (not callable(lazy) or lazy() is None)


def _columns(table: Any) -> Any:
    """Return a table by its columns; as an array where several have one name."""
    names = list(table.columns)
    if len(set(names)) < len(names):
        return np.asarray(table)
    return {name: table[name] for name in names}


def _iso_text(value: datetime.datetime) -> str:
    """Return a datetime as text; of an hour that comes twice, the second says so by its offset."""
    if value.fold and value.tzinfo is None:
        # At the ends of the calendar no offset is known.
        with suppressed(OverflowError, ValueError, OSError):
            second, first = value.astimezone(), value.replace(fold=0).astimezone()
            if second.utcoffset() != first.utcoffset():
                return second.isoformat()
    return value.isoformat()


def _check_depth(depth: int, path: str) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep(path)


def _too_deep(path: str) -> InvalidDocument:
    return InvalidDocument(
        f"The document is nested more than {MAX_DEPTH} deep at {path[:80]!r}..., "
        "or contains itself. Flatten it, or store it as text."
    )
