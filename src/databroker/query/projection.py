"""What is taken from each run: values for columns, to sort by and to count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .paths import Path, get_path
from .values import MISSING, thaw

Keyed = tuple[str, Any]
"""A scalar behind its kind, which keeps True apart from 1, that Python holds for equal."""

_PLAIN = (str, float, int, dict, list, bool)
_KINDS = {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}
_EXACT = 2**53  # below this, a whole number is the same as a float


def value_at(start: Mapping[str, Any], stop: Mapping[str, Any] | None, path: Path) -> Any:
    """Return what a path leads to; None if to nothing, a list if to several values.

    Examples
    --------
    >>> start = {"sample": {"name": "Ni"}, "layers": [{"nm": 1}, {"nm": 2}]}
    >>> value_at(start, None, Path("sample.name")), value_at(start, None, Path("layers.nm"))
    ('Ni', [1, 2])
    """
    document = stop if path.document == "stop" else start
    if document is None:
        return None
    if "." not in path.text:  # nearly always, and much faster
        value = document.get(path.text)
        return value if type(value) in _PLAIN else thaw(value)
    values = [value for value in get_path(document, path.parts) if value is not MISSING]
    return values if len(values) > 1 else values[0] if values else None


def sort_key(value: Any) -> tuple[int, Any] | None:
    """Return by what runs are sorted that have this value; None for those that come last.

    Numbers come before text, text before False and True, and these before
    lists and dictionaries, which are equal to each other. What is missing,
    null or not a number comes last, in both directions.
    """
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, 0)


def distinct_values(
    start: Mapping[str, Any], stop: Mapping[str, Any] | None, path: Path
) -> set[Keyed]:
    """Return the different scalars at a path of one run."""
    document = stop if path.document == "stop" else start
    if document is None:
        return set()
    values = get_path(document, path.parts)
    scalars = (item for value in values for item in (value if isinstance(value, list) else [value]))
    return {keyed for scalar in scalars if (keyed := keyed_value(scalar)) is not None}


def keyed_value(value: Any) -> Keyed | None:
    """Return a scalar with its kind, 5.0 as 5; None for NaN and for what is no scalar."""
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
