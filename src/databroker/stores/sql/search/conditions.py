"""What can be asked of the indexes: conditions on runs.

A condition answers in up to three ways, and a search takes the cheapest:

- a *scan* goes through an index and meets every run that fits;
- a *test* looks up one run in an index;
- a *set* is all runs that fit, as an array of keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Protocol

from ..engine import render
from ..engine.render import Sql
from .key_set import NONE, KeySet, union

Weight = Callable[[Iterable["Lookup"]], tuple[int, int]]
"""Tells what it costs to follow some scans; the smallest is the cheapest."""

MANY = 32
"""So many scans are followed at once: to join more takes longer than their sets."""


class Reader(Protocol):
    """Reads sets of runs."""

    def keys(self, lookup: Lookup) -> KeySet:
        """Return the runs that have such an entry in an index."""

    def between(self, low: int, high: int) -> KeySet:
        """Return the runs whose keys lie between two others, which belong."""


class Condition:
    """Something that a run fulfils or not."""

    def test(self) -> Sql | None:
        """Return an expression on the run ``k.run``; None if one run is not quickly looked up."""
        return None

    def scans(self, weight: Weight) -> tuple[Lookup, ...] | None:
        """Return look-ups that together meet every fitting run, if there are any.

        They may meet other runs too, unless `covered`.
        """
        return None

    @property
    def covered(self) -> bool:
        """Whether the scans meet no other runs."""
        return False

    def runs(self, reader: Reader) -> KeySet:
        """Return all fitting runs."""
        raise NotImplementedError


@dataclass(frozen=True)
class Lookup(render.Lookup, Condition):
    """Runs that have an entry in an index, or are found in the table of runs."""

    @property
    def ordered(self) -> bool:
        """Whether entries come in the order of runs: all columns before the run are fixed."""
        return self.path == "id" if self.index == "runs" else self.op == "eq"

    def test(self) -> Sql | None:
        """Return a look into the index; without an order it would be a long one."""
        return render.has_entry(self) if self.ordered else None

    def scans(self, weight: Weight) -> tuple[Lookup, ...] | None:
        """Return itself."""
        return (self,)

    @property
    def covered(self) -> bool:
        """Whether the scans meet no other runs: they do not."""
        return True

    def runs(self, reader: Reader) -> KeySet:
        """Return the runs of all entries."""
        return reader.keys(self)


@dataclass(frozen=True)
class KeyRange(Condition):
    """Runs whose keys lie between two others, which belong."""

    low: int
    high: int

    def test(self) -> Sql:
        """Return a comparison."""
        return render.within_keys(self.low, self.high)

    def runs(self, reader: Reader) -> KeySet:
        """Return the runs between the keys."""
        return reader.between(self.low, self.high)


@dataclass(frozen=True)
class _Constant(Condition):
    fits: bool

    def test(self) -> Sql:
        return render.constant(self.fits)

    def scans(self, weight: Weight) -> tuple[Lookup, ...] | None:
        return None if self.fits else ()

    @property
    def covered(self) -> bool:
        return not self.fits

    def runs(self, reader: Reader) -> KeySet:
        return ~NONE if self.fits else NONE


ALL: Condition = _Constant(True)
"""Every run fits."""

NOTHING: Condition = _Constant(False)
"""No run fits."""


@dataclass(frozen=True)
class Both(Condition):
    """Runs that fulfil every part."""

    parts: tuple[Condition, ...]

    def test(self) -> Sql | None:
        """Return the tests of all parts."""
        return _joined(self.parts, "AND")

    def scans(self, weight: Weight) -> tuple[Lookup, ...] | None:
        """Return the scans of the part that meets the fewest."""
        ways = [scans for part in self.parts if (scans := part.scans(weight)) is not None]
        return min(ways, key=weight) if ways else None

    def runs(self, reader: Reader) -> KeySet:
        """Return the runs in the sets of all parts."""
        return reduce(KeySet.__and__, (part.runs(reader) for part in self.parts))


@dataclass(frozen=True)
class Either(Condition):
    """Runs that fulfil at least one part."""

    parts: tuple[Condition, ...]

    def test(self) -> Sql | None:
        """Return the tests of all parts, unless they are too many."""
        return _joined(self.parts, "OR")

    def scans(self, weight: Weight) -> tuple[Lookup, ...] | None:
        """Return the scans of all parts."""
        found: tuple[Lookup, ...] = ()
        for part in self.parts:
            scans = part.scans(weight)
            if scans is None:
                return None
            found += scans
        return found

    @property
    def covered(self) -> bool:
        """Whether the scans meet no other runs."""
        return all(part.covered for part in self.parts)

    def runs(self, reader: Reader) -> KeySet:
        """Return the runs in the set of any part."""
        return union(part.runs(reader) for part in self.parts)


@dataclass(frozen=True)
class Unless(Condition):
    """Runs that do not fulfil a condition."""

    part: Condition

    def test(self) -> Sql | None:
        """Return the negated test."""
        test = self.part.test()
        return None if test is None else render.negated(test)

    def runs(self, reader: Reader) -> KeySet:
        """Return all runs but those of the condition."""
        return ~self.part.runs(reader)


def both(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that several hold, shortened where it can be."""
    flat = _flat(conditions, Both, ALL)
    if NOTHING in flat:
        return NOTHING
    windows = [each for each in flat if isinstance(each, KeyRange)]
    if len(windows) > 1:
        one = KeyRange(max(each.low for each in windows), min(each.high for each in windows))
        flat = [one, *(each for each in flat if not isinstance(each, KeyRange))]
    return _of(flat, Both, ALL)


def either(conditions: Iterable[Condition]) -> Condition:
    """Return the condition that one of several holds, shortened where it can be."""
    flat = _flat(conditions, Either, NOTHING)
    if ALL in flat:
        return ALL
    return _of(flat, Either, NOTHING)


def unless(condition: Condition) -> Condition:
    """Return the opposite of a condition."""
    if condition in (ALL, NOTHING):
        return NOTHING if condition == ALL else ALL
    return condition.part if isinstance(condition, Unless) else Unless(condition)


def _flat(
    conditions: Iterable[Condition], kind: type[Both] | type[Either], neutral: Condition
) -> list[Condition]:
    flat: dict[Condition, None] = {}
    for condition in conditions:
        flat.update(dict.fromkeys(condition.parts if isinstance(condition, kind) else [condition]))
    flat.pop(neutral, None)
    return list(flat)


def _of(flat: list[Condition], kind: type[Both] | type[Either], empty: Condition) -> Condition:
    if len(flat) < 2:
        return flat[0] if flat else empty
    return kind(tuple(flat))


def _joined(parts: tuple[Condition, ...], word: str) -> Sql | None:
    if len(parts) > MANY:
        return None
    tests: list[Sql] = []
    for part in parts:
        test = part.test()
        if test is None:
            return None
        tests.append(test)
    return render.joined(tests, word)
