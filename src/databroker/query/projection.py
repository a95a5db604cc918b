"""The one value that stands for a run in a column of a list, and in its order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .get_path import get_path
from .nodes import Path
from .values import MISSING, thaw

__all__ = ["sort_key", "value_at"]

_EXACT = (str, float, int, dict, list, bool)


def value_at(start: Mapping[str, Any], stop: Mapping[str, Any] | None, path: Path) -> Any:
    """Return what a path leads to; None if to nothing, a list if to several values.

    Examples
    --------
    >>> start = {"sample": {"name": "Ni"}, "layers": [{"nm": 1}, {"nm": 2}]}
    >>> value_at(start, None, Path("sample.name")), value_at(start, None, Path("layers.nm"))
    ('Ni', [1, 2])
    >>> value_at(start, None, Path("exit_status", "stop"))
    """
    document = stop if path.document == "stop" else start
    if document is None:
        return None
    if "." not in path.text:  # nearly always, and much faster
        found = document.get(path.text)
        return found if type(found) in _EXACT else thaw(found)
    values = [value for value in get_path(document, path.parts) if value is not MISSING]
    return values if len(values) > 1 else values[0] if values else None


def sort_key(value: Any) -> tuple[int, Any] | None:
    """Return by what runs are sorted that have this value; None for those that come last.

    Numbers come before text, text before False and True, and these before
    lists and dictionaries, which are equal to each other. What is missing,
    null or not a number comes last, in both directions.

    Examples
    --------
    >>> [sort_key(value) for value in (2.5, "b", True, [1], None, float("nan"))]
    [(0, 2.5), (1, 'b'), (2, True), (3, 0), None, None]
    """
    if value is None or value != value:
        return None
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, 0)
