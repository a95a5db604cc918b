"""Where a path leads in a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .nodes import Path
from .values import MISSING, thaw
from .view import RunView

__all__ = ["get_path", "path_getter"]

_POSITION = re.compile(r"0|[1-9][0-9]{0,17}")

# For each part of a path: the keys that may begin there, and where each ends.
_Steps = list[list[tuple[str, int]]]


def path_getter(path: Path) -> Callable[[RunView], list[Any]]:
    """Make a function that gives the values at a path of a run.

    MISSING stands for a dictionary without the key, and for a scalar where the
    path goes on. An array that holds no dictionary gives nothing at all.
    """
    parts = path.parts
    if path.document == "value":
        return lambda run: [run.start[""]]
    if path.document == "run":
        return lambda run: [MISSING if (fact := run.fact(path.text)) is None else fact]
    if path.document == "stop":
        return lambda run: [MISSING] if run.stop is None else get_path(run.stop, parts)
    if len(parts) == 1:
        key = parts[0]
        return lambda run: [thaw(run.start.get(key, MISSING))]
    steps = _steps(parts)
    return lambda run: _get(run.start, steps)


def get_path(document: Mapping[str, Any], parts: tuple[str, ...]) -> list[Any]:
    """Give the values at a path of a document.

    Examples
    --------
    >>> get_path({"a": [{"b": 1}, {"b": 2}, {}]}, ("a", "b"))
    [1, 2, MISSING]
    >>> get_path({"a": [5, 6], "a.b": 7}, ("a", "1")), get_path({"a": {"b.c": 7}}, ("a", "b", "c"))
    ([6], [7])
    """
    return _get(document, _steps(parts))


def _steps(parts: tuple[str, ...]) -> _Steps:
    # A key may itself contain dots, so each run of parts may be one key.
    ends = range(1, len(parts) + 1)
    return [
        [(".".join(parts[at:end]), end) for end in ends if end > at] for at in range(len(parts))
    ]


def _get(document: Any, steps: _Steps) -> list[Any]:
    value = document
    for (key, _), *longer in steps:  # dictionary in dictionary: nearly always
        if type(value) is not dict or any(other in value for other, _ in longer):
            return _get_all(document, steps)
        if key not in value:
            return [MISSING]
        value = value[key]
    return [thaw(value)]


def _get_all(document: Any, steps: _Steps) -> list[Any]:
    found: list[Any] = []
    # Where an array's elements can be reached both by position and without,
    # ways would multiply with depth; each array is searched once per part.
    searched: dict[tuple[int, int], Any] = {}

    def go(value: Any, at: int) -> None:
        if at == len(steps):
            found.append(value)
        elif isinstance(value, Mapping):
            known = False
            for key, end in steps[at]:
                if key in value:
                    known = True
                    go(thaw(value[key]), end)
            if not known:
                found.append(MISSING)
        elif not isinstance(value, list | tuple):
            found.append(MISSING)
        elif (id(value), at) not in searched:
            searched[id(value), at] = value
            for item in value:
                if isinstance(item, Mapping):
                    go(item, at)
            part = steps[at][0][0]
            if _POSITION.fullmatch(part) and int(part) < len(value):
                go(thaw(value[int(part)]), at + 1)

    go(document, 0)
    return found
