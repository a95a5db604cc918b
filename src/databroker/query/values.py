"""Values in documents: of which kind they are.

Documents hold None, bool, int, float, str, lists, dictionaries and NumPy
arrays. An array is treated as a list and a NumPy scalar as the Python scalar.
A bool is not a number; an integer and a float are both numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KINDS: Mapping[str, type | tuple[type, ...]] = {
    "null": type(None),
    "bool": bool,
    "int": int,
    "double": float,
    "string": str,
    "object": Mapping,
    "array": (list, tuple),
}
"""The kinds of value that a document can hold, by the names that MongoDB gives them."""

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
