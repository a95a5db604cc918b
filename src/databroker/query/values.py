"""Values in documents and in questions: what is of one kind, and what is equal.

Documents hold None, bool, int, float, str, lists, dictionaries and NumPy
arrays. An array is treated as a list and a NumPy scalar as the Python scalar.
A bool is not a number; an integer and a float are both numbers and compare by
value, exactly, however large they are.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import os
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from .._util.printable import shown
from ..errors import InvalidQuery
from .nodes import MAX_DEPTH

__all__ = [
    "KINDS",
    "MISSING",
    "Test",
    "equality",
    "is_number",
    "kind_of",
    "plain",
    "thaw",
    "type_name",
]

Test = Callable[[Any], bool]

#: The kinds of value that a document can hold, by the names that MongoDB gives them.
KINDS = ("null", "bool", "int", "double", "string", "object", "array")

_EXACT = frozenset({str, int, float, bool, type(None), dict, list})
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


class _Missing:
    """Stands where a path leads nowhere; equal to no value, null neither."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def thaw(value: Any) -> Any:
    """Turn a NumPy value into the Python value, and leave others alone.

    Examples
    --------
    >>> import numpy
    >>> thaw(numpy.array([[1, 2]])), thaw(numpy.float32(0.5)), thaw("text")
    ([[1, 2]], 0.5, 'text')
    """
    if type(value) in _EXACT or getattr(value, "dtype", None) is None:
        return value
    return value.tolist()


def plain(value: Any, _depth: int = 0) -> Any:
    """Turn a value in a question into the form that documents keep.

    Examples
    --------
    >>> plain((1, {"a": {"x"}}))
    [1, {'a': ['x']}]
    >>> plain(object())
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: cannot search for a value of type object: ...
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


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, which a bool is not.

    Examples
    --------
    >>> is_number(5), is_number(5.0), is_number(True), is_number("5")
    (True, True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: Any) -> str | None:
    """Give the kind of a value, one of `KINDS`, or None.

    Examples
    --------
    >>> [kind_of(value) for value in (None, True, 1, 1.0, "1", {}, [], ())]
    ['null', 'bool', 'int', 'double', 'string', 'object', 'array', 'array']
    """
    if value is None:
        return "null"
    for kind, types in _TYPES_BY_KIND:
        if isinstance(value, types):
            return kind
    return None


# bool before int, of which it is a subclass.
_TYPES_BY_KIND: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("bool", bool),
    ("int", int),
    ("double", float),
    ("string", str),
    ("object", Mapping),
    ("array", (list, tuple)),
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


def equality(wanted: Any) -> Test:
    """Make a test for being equal to a plain value, at any depth.

    Numbers are equal by value and NaN equals NaN; a bool equals only a bool;
    the order of the keys of a dictionary does not matter.

    Examples
    --------
    >>> [equality(5)(found) for found in (5, 5.0, "5", True)]
    [True, True, False, False]
    >>> equality({"a": [1]})({"a": [1.0]}), equality(float("nan"))(float("nan"))
    (True, True)
    >>> equality(2**53 + 1)(2.0**53)
    False
    """
    wanted = thaw(wanted)
    if wanted is None:
        return lambda found: found is None
    if isinstance(wanted, bool):
        return lambda found: found is wanted
    if isinstance(wanted, list | tuple):
        return _equal_array(wanted)
    if isinstance(wanted, Mapping):
        return _equal_object(wanted)
    if isinstance(wanted, str):
        return lambda found: isinstance(found, str) and found == wanted
    if wanted != wanted:
        return lambda found: is_number(found) and found != found
    return lambda found: is_number(found) and bool(found == wanted)


def _equal_array(wanted: list[Any] | tuple[Any, ...]) -> Test:
    tests = [equality(item) for item in wanted]

    def test(found: Any) -> bool:
        return (
            isinstance(found, list | tuple)
            and len(found) == len(tests)
            and all(test(thaw(item)) for test, item in zip(tests, found, strict=True))
        )

    return test


def _equal_object(wanted: Mapping[str, Any]) -> Test:
    tests = {key: equality(item) for key, item in wanted.items()}

    def test(found: Any) -> bool:
        return (
            isinstance(found, Mapping)
            and len(found) == len(tests)
            and all(key in found and test(thaw(found[key])) for key, test in tests.items())
        )

    return test
