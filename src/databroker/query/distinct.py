"""The different values that runs have at a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .get_path import get_path
from .nodes import Path

__all__ = ["Keyed", "distinct_values", "keyed_value", "ranked"]

Keyed = tuple[str, Any]
"""A scalar, behind what it is."""


def distinct_values(
    start: Mapping[str, Any], stop: Mapping[str, Any] | None, path: Path
) -> set[Keyed]:
    """Return the scalars at a path of one run, each with what it is.

    What it is ('bool', 'number', 'text', 'null') keeps True apart from 1,
    which Python holds for equal. Equal numbers are one: 5.0 is given as 5.

    Examples
    --------
    >>> sorted(distinct_values({"tags": ["a", "b", "a"], "n": 1}, None, Path("tags")))
    [('text', 'a'), ('text', 'b')]
    >>> distinct_values({"n": 5.0}, None, Path("n"))
    {('number', 5)}
    """
    document = stop if path.document == "stop" else start
    if document is None:
        return set()
    found: set[Keyed] = set()
    for value in get_path(document, path.parts):
        for item in value if isinstance(value, list) else [value]:
            keyed = keyed_value(item)
            if keyed is not None:
                found.add(keyed)
    return found


def keyed_value(value: Any) -> Keyed | None:
    """Return a scalar with what it is; None for NaN and for what is no scalar."""
    kind = _KINDS.get(type(value))
    if kind is None or value != value:
        return None
    if kind == "number" and type(value) is float and abs(value) < _EXACT and value == int(value):
        return kind, int(value)
    return kind, value


def ranked(counts: Mapping[Keyed, int]) -> list[tuple[Any, int]]:
    """Return values with their counts, the most frequent first, then by value."""
    # None is the only null, so that it never has to be compared with another.
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0][0], row[0][1:]))
    return [(value, count) for (_, value), count in rows]


_EXACT = 2**53  # below this, a whole number is the same as a float
_KINDS = {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}
