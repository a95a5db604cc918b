"""What can be asked of the indexes: conditions on the run ``r`` of a statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


class Condition:
    """Something that a run fulfils or not, as SQL with its values."""

    def test(self) -> tuple[str, list[Any]]:
        """Return an expression that is true for each fitting run ``r``."""
        raise NotImplementedError

    def runs(self) -> tuple[str, list[Any]] | None:
        """Return a query that gives the keys of all fitting runs as ``run``, if there is one.

        A key may come more than once.
        """
        return None


@dataclass(frozen=True)
class Lookup(Condition):
    """Runs that have an entry in an index.

    Attributes
    ----------
    table
        'leaves' or 'words'.
    where
        What the entry must fulfil.
    values
        The values of the question marks.
    ordered
        The entries come in the order of runs, each run once: all columns of
        the index before the run are fixed.
    """

    table: str
    where: str
    values: tuple[Any, ...]
    ordered: bool = True

    def test(self) -> tuple[str, list[Any]]:
        """Return a look into the index for one run."""
        sql = f"EXISTS (SELECT 1 FROM {self.table} x WHERE {self.where} AND x.run = r.id)"
        return sql, list(self.values)

    def runs(self) -> tuple[str, list[Any]]:
        """Return a walk through the index."""
        return f"SELECT x.run AS run FROM {self.table} x WHERE {self.where}", list(self.values)


@dataclass(frozen=True)
class Expression(Condition):
    """Something about the run's own row."""

    sql: str
    values: tuple[Any, ...] = ()

    def test(self) -> tuple[str, list[Any]]:
        """Return the expression."""
        return self.sql, list(self.values)


NOTHING = Expression("0")
"""No run fits."""

ALL = Expression("1")
"""Every run fits."""


@dataclass(frozen=True)
class _Combined(Condition):
    parts: tuple[Condition, ...]
    _word: ClassVar[str]

    def test(self) -> tuple[str, list[Any]]:
        tests = [part.test() for part in self.parts]
        sql = f" {self._word} ".join(sql for sql, _ in tests)
        return f"({sql})", [value for _, values in tests for value in values]


@dataclass(frozen=True)
class Both(_Combined):
    """Runs that fulfil every part."""

    _word: ClassVar[str] = "AND"


@dataclass(frozen=True)
class Either(_Combined):
    """Runs that fulfil at least one part."""

    _word: ClassVar[str] = "OR"

    def runs(self) -> tuple[str, list[Any]] | None:
        """Return the walks through all indexes, one after the other."""
        walks = [part.runs() for part in self.parts]
        if any(walk is None for walk in walks):
            return None
        sql = " UNION ALL ".join(walk[0] for walk in walks if walk)
        return sql, [value for walk in walks if walk for value in walk[1]]


@dataclass(frozen=True)
class Unless(Condition):
    """Runs that do not fulfil a condition."""

    part: Condition

    def test(self) -> tuple[str, list[Any]]:
        """Return the negated expression."""
        sql, values = self.part.test()
        return f"NOT {sql}", values


def both(conditions: list[Condition]) -> list[Condition]:
    """Return conditions that must all hold as a flat list, shortened where it can be."""
    flat: list[Condition] = []
    for condition in conditions:
        flat += condition.parts if isinstance(condition, Both) else [condition]
    if NOTHING in flat:
        return [NOTHING]
    return [condition for condition in flat if condition != ALL]


def either(conditions: list[Condition]) -> Condition:
    """Return a condition that holds where one of several does."""
    flat: list[Condition] = []
    for condition in conditions:
        flat += condition.parts if isinstance(condition, Either) else [condition]
    if ALL in flat:
        return ALL
    flat = [condition for condition in flat if condition != NOTHING]
    if not flat:
        return NOTHING
    return flat[0] if len(flat) == 1 else Either(tuple(flat))
