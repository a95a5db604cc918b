"""What a question can look at in a run."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from .get_path import path_getter
from .paths import Path
from .values import MISSING, thaw

__all__ = ["Predicate", "RunView", "values_getter"]


def _not_known(fact: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as questions see it: `stop` is None while there is none.

    `data_keys` gives the names of the data keys of all descriptors, `fact` one of
    `paths.FACTS` or None; they are called only if a question needs them.
    """

    start: Mapping[str, Any]
    stop: Mapping[str, Any] | None = None
    data_keys: Callable[[], Container[str]] = frozenset
    fact: Callable[[str], Any] = _not_known


Predicate = Callable[[RunView], bool]


def values_getter(path: Path) -> Callable[[RunView], list[Any]]:
    """Make a function that gives the values at a path of a run, as `get_path` does."""
    if path.document == "value":
        return lambda run: [run.start[""]]
    if path.document == "run":
        return lambda run: [MISSING if (fact := run.fact(path.text)) is None else fact]
    if path.document != "stop" and "." not in path.text:  # nearly always
        key = path.text
        return lambda run: [thaw(run.start.get(key, MISSING))]
    get = path_getter(path.parts)
    if path.document == "stop":
        return lambda run: [MISSING] if run.stop is None else get(run.stop)
    return lambda run: get(run.start)
