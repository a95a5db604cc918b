"""What questions compare with: checked, and in the form that documents keep."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import os
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any

from .._util.printable import shown
from ..errors import InvalidQuery, UnsupportedQuery
from .paths import MAX_DEPTH
from .values import is_number, thaw

# What documents keep in another form; see `databroker.documents.normalise`.
_KEPT_OTHERWISE = (
    bytes,
    bytearray,
    set,
    frozenset,
    complex,
    deque,
    range,
    enum.Enum,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    os.PathLike,
    uuid.UUID,
)

# By name, by MongoDB's number, and by the Python type.
_TYPES: dict[Any, str] = {
    **dict.fromkeys(("double", "float", 1, float), "double"),
    **dict.fromkeys(("string", "str", 2, str), "string"),
    **dict.fromkeys(("object", "dict", 3, dict), "object"),
    **dict.fromkeys(("array", "list", 4, list), "array"),
    **dict.fromkeys(("bool", 8, bool), "bool"),
    **dict.fromkeys(("null", "None", 10, type(None)), "null"),
    # How many bits a whole number takes is nothing that a document says.
    **dict.fromkeys(("int", "long", 16, 18, int), "int"),
    "number": "number",
}


def plain(value: Any, _depth: int = 0) -> Any:
    """Turn a value into the form that documents keep.

    Examples
    --------
    >>> plain((1, {"a": {"x"}}))
    [1, {'a': ['x']}]
    """
    if getattr(getattr(value, "dtype", None), "names", None) and value.shape == ():
        value = {name: value[name] for name in value.dtype.names}
    value = thaw(value)
    if value is None or type(value) in (str, int, float, bool):
        return value
    if _depth > MAX_DEPTH:
        raise InvalidQuery(f"the value searched for is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, list | tuple):
        return [plain(item, _depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {_text_key(key): plain(item, _depth + 1) for key, item in value.items()}
    if isinstance(value, _KEPT_OTHERWISE):
        # Imported here because only odd values need it, and it needs NumPy.
        from ..documents.normalise import normalise

        return normalise({"value": value})[0]["value"]
    for base in (bool, int, float, str):  # subclasses, such as numpy.str_
        if isinstance(value, base):
            return base(value)
    raise InvalidQuery(
        f"cannot search for a value of type {type(value).__name__}: give text, a number, "
        "True, False, None, or a list or dictionary of these"
    )


def _text_key(key: Any) -> str:
    if not isinstance(key, str):
        raise InvalidQuery(f"the keys of a nested value must be text, not {shown(key)}")
    return str(key)


def comparable(operand: Any, name: str) -> Any:
    """Give the plain form of a value that has an order."""
    value = plain(operand)
    if isinstance(value, list | dict):
        raise UnsupportedQuery(f"{name} compares with a number, text or bool, not {shown(operand)}")
    return value


def whole_number(name: str, operand: Any) -> int:
    """Give a whole number, which may be written as 5.0."""
    value = plain(operand)
    if not is_number(value) or (isinstance(value, float) and not value.is_integer()):
        raise InvalidQuery(f"{name} takes whole numbers, not {shown(operand)}")
    return int(value)


def nonzero(name: str, operand: Any) -> int:
    """Give a whole number by which one can divide."""
    number = whole_number(name, operand)
    if number == 0:
        raise InvalidQuery(f"{name} cannot divide by 0")
    return number


def type_name(kind: Any) -> str:
    """Give the one name of a type.

    Examples
    --------
    >>> type_name("string"), type_name(2), type_name(str), type_name("long")
    ('string', 'string', 'string', 'int')
    """
    if isinstance(kind, str | int | type) and not isinstance(kind, bool) and kind in _TYPES:
        return _TYPES[kind]
    names = sorted(set(_TYPES.values()))
    raise InvalidQuery(f"{shown(kind)} is no type; known are {', '.join(names)}")
