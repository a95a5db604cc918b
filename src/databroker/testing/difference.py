"""A strict comparison: what `==` forgives (1 for True, another key order) is a difference here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..documents.typed_list import TypedList


def difference(one: Any, other: Any, path: str = "") -> str | None:
    """Say where two values differ first, or None when they are identical.

    Identical means: the same types all the way down, the same order of keys,
    NaN for NaN, -0.0 for -0.0, and arrays of one dtype, shape and content.

    Examples
    --------
    >>> difference({"a": [1, float("nan")]}, {"a": [1, float("nan")]})
    >>> difference({"a": [1, 2]}, {"a": [1, 2.0]})
    'a.1: 2 (int) against 2.0 (float)'
    >>> difference({"a": 1, "b": 2}, {"b": 2, "a": 1})
    "(top): keys ['a', 'b'] against ['b', 'a']"
    """
    here = path or "(top)"
    if _type(one) is not _type(other):
        return f"{here}: {_shown(one)} against {_shown(other)}"
    if isinstance(one, dict):
        if list(one) != list(other):
            return f"{here}: keys {list(one)!r:.300} against {list(other)!r:.300}"
        return _first(one.items(), other, path)
    if isinstance(one, list | tuple):  # a record in an array comes as a tuple
        if len(one) != len(other):
            return f"{here}: {len(one)} items against {len(other)}"
        return _first(enumerate(one), other, path)
    if isinstance(one, np.ndarray):
        if one.dtype != other.dtype or one.shape != other.shape:
            return f"{here}: {one.dtype} {one.shape} against {other.dtype} {other.shape}"
        equal = _same_elements(one, other)
    elif isinstance(one, float):
        equal = one == other and math.copysign(1, one) == math.copysign(1, other)
        equal = equal or (math.isnan(one) and math.isnan(other))
    else:
        equal = bool(one == other)
    return None if equal else f"{here}: {_shown(one)} against {_shown(other)}"


def _type(value: Any) -> type:
    # What is known of the values of a column makes it no other list.
    return list if isinstance(value, TypedList) else type(value)


def _same_elements(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    # Bytes, so that NaN equals NaN; but field by field, as those between
    # aligned fields mean nothing and are not copied.
    if one.dtype.names is None:
        return one.tobytes() == other.tobytes()
    return all(_same_elements(one[name], other[name]) for name in one.dtype.names)


def _first(items: Any, other: Any, path: str) -> str | None:
    for key, value in items:
        found = difference(value, other[key], f"{path}.{key}" if path else str(key))
        if found is not None:
            return found
    return None


def _shown(value: Any) -> str:
    return f"{value!r:.100} ({type(value).__name__})"


def assert_identical(found: Any, expected: Any) -> None:
    """Fail, naming the place, unless two values are identical (see `difference`).

    Raises
    ------
    AssertionError
        They differ; the message says where and how.
    """
    place = difference(found, expected)
    if place is not None:
        raise AssertionError(f"found differs from expected at {place}")
