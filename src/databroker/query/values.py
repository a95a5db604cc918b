"""Values in documents: of which kind they are.

Documents hold None, bool, int, float, str, lists, dictionaries and NumPy
arrays. An array is treated as a list and a NumPy scalar as the Python scalar.
A bool is not a number; an integer and a float are both numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["KINDS", "MISSING", "is_number", "kind_of", "thaw"]

#: The kinds of value that a document can hold, by the names that MongoDB gives them.
KINDS = ("null", "bool", "int", "double", "string", "object", "array")

# bool before int, of which it is a subclass.
_TYPES_BY_KIND: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("bool", bool),
    ("int", int),
    ("double", float),
    ("string", str),
    ("object", Mapping),
    ("array", (list, tuple)),
)
_PLAIN = frozenset({str, int, float, bool, type(None), dict, list})


class _Missing:
    """Stands where a path leads nowhere; equal to no value, null neither."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


def thaw(value: Any) -> Any:
    """Turn a NumPy value into the Python value, and leave others alone."""
    if type(value) in _PLAIN or getattr(value, "dtype", None) is None:
        return value
    return value.tolist()


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, which a bool is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def kind_of(value: Any) -> str | None:
    """Give the kind of a value, one of `KINDS`, or None."""
    if value is None:
        return "null"
    for kind, types in _TYPES_BY_KIND:
        if isinstance(value, types):
            return kind
    return None
