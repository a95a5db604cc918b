"""The different values that runs have at a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .nodes import Path
from .reach import reach

__all__ = ["distinct_values", "ranked"]

Keyed = tuple[str, Any]


def distinct_values(
    start: Mapping[str, Any], stop: Mapping[str, Any] | None, path: Path
) -> set[Keyed]:
    """Return the scalars at a path of one run, each with what it is.

    What it is ('bool', 'number', 'text', 'null') keeps True apart from 1,
    which Python holds for equal.

    Examples
    --------
    >>> sorted(distinct_values({"tags": ["a", "b", "a"], "n": 1}, None, Path("tags")))
    [('text', 'a'), ('text', 'b')]
    """
    document = stop if path.document == "stop" else start
    if document is None:
        return set()
    found: set[Keyed] = set()
    for value in reach(document, path.parts):
        for item in value if isinstance(value, list) else [value]:
            kind = _KINDS.get(type(item))
            if kind is not None and item == item:
                found.add((kind, item))
    return found


def ranked(counts: Mapping[Keyed, int]) -> list[tuple[Any, int]]:
    """Return values with their counts, the most frequent first, then by value."""
    # None is the only null, so that it never has to be compared with another.
    rows = sorted(counts.items(), key=lambda row: (-row[1], row[0][0], row[0][1:]))
    return [(value, count) for (_, value), count in rows]


_KINDS = {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}
