"""About how large a row is, without encoding it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LARGE_ROW = 2**19
"""A row of so many bytes becomes a block of its own at once: so it is not written twice."""

_NUMBERS = frozenset({float, int})


def is_large(row: dict[str, Any]) -> bool:
    """Tell whether a row alone is worth a block."""
    return _sum(row.get("data", {}).values(), 1) >= LARGE_ROW


def bytes_of(document: Mapping[str, Any]) -> int:
    """Return about how many bytes a document is."""
    return _sum(document.values(), 1)


def _sum(values: Iterable[Any], depth: int) -> int:
    """Return about how many bytes values are; of dictionaries deeper than so, only their items."""
    total = 0
    for value in values:
        kind = type(value)
        if kind is float or kind is int:
            total += 8
        elif kind is str:
            total += len(value)
        elif kind is list:  # of which the first element stands for all
            total += len(value) * _sum(value[:1], depth)
        elif kind is dict:
            few = not depth or _NUMBERS.issuperset(map(type, value.values()))
            total += 8 * len(value) if few else _sum(value.values(), depth - 1)
        else:
            total += getattr(value, "nbytes", 8)
    return total
