"""Values, and how many runs have each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._util.printable import repr_of


class Counts(Mapping[Any, int]):
    """A mapping from values to how many runs have each, the most frequent first.

    Unlike a dictionary it keeps True apart from 1.

    Examples
    --------
    >>> plans = Counts([("scan", 3), ("count", 1)])
    >>> plans
    {'scan': 3, 'count': 1}
    >>> plans["scan"], list(plans), dict(plans.items())
    (3, ['scan', 'count'], {'scan': 3, 'count': 1})
    """

    def __init__(self, rows: Iterable[tuple[Any, int]]) -> None:
        self._rows = {_keyed(value): (value, count) for value, count in rows}

    def __getitem__(self, value: Any) -> int:
        try:
            return self._rows[_keyed(value)][1]
        except (KeyError, TypeError):
            raise KeyError(value) from None

    def __iter__(self) -> Iterator[Any]:
        return (value for value, _ in self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{repr_of(v)}: {count}" for v, count in self._rows.values()) + "}"


def _keyed(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value
