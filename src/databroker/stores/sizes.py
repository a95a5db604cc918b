"""About how large a row is, without encoding it."""

from __future__ import annotations

from typing import Any

LARGE_ROW = 2**19
"""A row of so many bytes becomes a block of its own at once: so it is not written twice."""

_NUMBERS = frozenset({float, int})


def is_large(row: dict[str, Any]) -> bool:
    """Tell whether a row alone is worth a block.

    Examples
    --------
    >>> is_large({"data": {"x": 1.5}}), is_large({"data": {"x": [0.0] * 10**5}})
    (False, True)
    """
    return sum(map(_size, row.get("data", {}).values())) >= LARGE_ROW


def bytes_of(document: dict[str, Any]) -> int:
    """Return about how many bytes a document is.

    Examples
    --------
    >>> bytes_of({"uid": "a", "data": {"x": [1.5, 2.5]}})
    17
    """
    return sum(map(_size, document.values()))


def _size(value: Any, depth: int = 1) -> int:
    """Return about how many bytes a value is.

    Of a list, its first element stands for all; what is deep in a dictionary counts as numbers.
    """
    kind = type(value)
    if kind is float or kind is int:
        return 8
    if kind is str:
        return len(value)
    if kind is dict:
        if not depth or _NUMBERS.issuperset(map(type, value.values())):
            return 8 * len(value)
        return sum(
            [8 if type(each) in _NUMBERS else _size(each, depth - 1) for each in value.values()]
        )
    if kind is list:
        return len(value) * _size(value[0], depth) if value else 0
    nbytes: int = getattr(value, "nbytes", 8)
    return nbytes
