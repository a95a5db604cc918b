"""What can be asked of the indexes: conditions on runs, as data.

`render` makes SQL of them, `search.plan` decides how they are best answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lookup:
    """Runs that have an entry in an index, or are found in the table of runs.

    Attributes
    ----------
    index
        'numbers', 'texts' or 'runs'.
    path
        The number of a path and a kind of value; of runs, the column.
    op, values
        How the value there compares with others: 'eq', 'lt', 'lte', 'gt', 'gte', 'in', 'within'
        (from the first of two on, and below the second), or 'any'.
    """

    index: str
    path: int | str
    op: str = "any"
    values: tuple[Any, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether entries come in the order of runs: all columns before the run are fixed."""
        return self.path == "id" if self.index == "runs" else self.op == "eq"


@dataclass(frozen=True)
class KeyRange:
    """Runs whose keys lie between two others, which belong."""

    low: int
    high: int


@dataclass(frozen=True)
class Both:
    """Runs that fulfil every part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """Runs that fulfil at least one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Unless:
    """Runs that do not fulfil a condition."""

    part: Condition


Condition = Lookup | KeyRange | Both | Either | Unless

ALL = Both(())
"""Every run fits."""

NOTHING = Either(())
"""No run fits."""


def both(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that several hold, shortened where it can be."""
    parts = _flat(conditions, Both)
    if NOTHING in parts:
        return NOTHING
    ranges = [each for each in parts if isinstance(each, KeyRange)]
    if len(ranges) > 1:
        one = KeyRange(max(each.low for each in ranges), min(each.high for each in ranges))
        parts = (one, *(each for each in parts if not isinstance(each, KeyRange)))
    return parts[0] if len(parts) == 1 else Both(parts)


def either(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that one of several holds, shortened where it can be."""
    parts = _flat(conditions, Either)
    if ALL in parts:
        return ALL
    return parts[0] if len(parts) == 1 else Either(parts)


def unless(condition: Condition) -> Condition:
    """Return the opposite of a condition."""
    if condition in (ALL, NOTHING):
        return NOTHING if condition == ALL else ALL
    return condition.part if isinstance(condition, Unless) else Unless(condition)


def _flat(
    conditions: Iterable[Condition], kind: type[Both] | type[Either]
) -> tuple[Condition, ...]:
    flat: dict[Condition, None] = {}
    for condition in conditions:
        flat.update(dict.fromkeys(condition.parts if isinstance(condition, kind) else [condition]))
    return tuple(flat)
