"""Which runs may match: their keys, newest first, out of the indexes.

Either the index with the fewest entries is walked, and the rest is tested run by run; or the
sets of all runs that fulfil each part are made, and joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain, repeat
from operator import and_
from typing import TYPE_CHECKING

from ..engine import render
from ..engine.conditions import ALL, Both, Condition, Either, KeyRange, Lookup, Unless, both
from ..engine.connection import Connection
from ..engine.render import MANY, Sql
from ..engine.statements import index
from .compile import Part
from .key_set import KeySet, in_order, no_runs, union

if TYPE_CHECKING:
    from .key_set import Keys

_FIRST, _LAST = -(2**63), 2**63 - 1

_DEEPEST, _MOST_VALUES = 20, 500
"""SQLite refuses tests that are much deeper or longer; such parts are evaluated."""


@dataclass(frozen=True)
class Plan:
    """How to meet candidates: scans through indexes, and a test of what they meet."""

    scans: tuple[Lookup, ...]  # together they meet every candidate: the newest first, or few
    test: Sql | None  # what else the indexes can say of one of them
    residual: frozenset[Part]  # what is neither met by the scans nor tested: to be evaluated


class Candidates:
    """The runs that may match, by descending key; iterate as often as you like."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        parts: Sequence[Part],
        every: Lookup | None,
    ) -> None:
        self._connect = connect
        self._every = every
        self._limits = connect().limits
        windows = [part.condition for part in parts if isinstance(part.condition, KeyRange)]
        low = max((each.low for each in windows), default=_FIRST)
        high = min((each.high for each in windows), default=_LAST - 1)
        self.bounds = low, high  # between which the keys of all candidates are; both belong
        others = (part for part in parts if not isinstance(part.condition, KeyRange))
        self._parts = [part for part in others if part.condition != ALL]
        self.plan = self._choose()

    @property
    def is_window(self) -> bool:
        """Whether all is asked of a run is that its key is within `bounds`."""
        return not self._parts

    def count(self) -> int:
        """Return how many runs fulfil all conditions."""
        scans, residual = self.plan.scans, self.plan.residual
        if len(scans) == 1 and _ordered(scans) and not (self.plan.test or residual):
            return index.count(self._connect(), scans[0], self.bounds)
        if self._weight(scans)[0] < self._limits.few and not residual:
            return sum(1 for _ in self)
        return len(self.keys_below(None))

    # -- walking an index --------------------------------------------------

    def __iter__(self) -> Iterator[int]:
        plan, (low, high), met, fit = self.plan, self.bounds, 0, 0
        if not plan.scans:
            return
        test = plan.test or render.joined((), Both)
        pages, (patience, rarely) = self._limits.walked, self._limits.walk_patience
        for size in chain(pages, repeat(pages[-1])) if _ordered(plan.scans) else (None,):
            if low > high:
                return
            rows = index.met(self._connect(), plan.scans, test, (low, high), size)
            fitting = [run for run, fits in rows if fits]
            yield from fitting
            if size is None or len(rows) < size:
                return
            high, met, fit = rows[-1][0] - 1, met + size, fit + len(fitting)
            if met >= patience and fit < rarely * met:
                # All at once is several times faster than one by one.
                yield from self.keys_below(high + 1).tolist()
                return

    def _choose(self) -> Plan:
        """Begin at the index with the fewest entries, else at the runs themselves."""
        ways = [(part, self._scans(part.condition)) for part in self._parts]
        options = [(part, scans) for part, scans in ways if scans is not None]
        if len(options) > 1 or not all(_ordered(scans) for _, scans in options):
            weighed = [(self._weight(scans), part, scans) for part, scans in options]
            fit = [each for each in weighed if each[0][0] < self._limits.few or _ordered(each[2])]
            options = [each[1:] for each in sorted(fit, key=lambda each: each[0])]
        every = () if self._every is None else (self._every,)
        chosen, scans = options[0] if options else (None, every)
        tests: list[Sql] = []
        residual: list[Part] = []
        for part in self._parts:
            if part is chosen and _is_met(part.condition):
                continue
            test = render.test_of(part.condition)
            if test and len(tests) < MANY and render.is_small(test, _MOST_VALUES, _DEEPEST):
                tests.append(test)
            else:
                residual.append(part)
        joined = render.joined(tests, Both) if tests else None
        return Plan(scans, joined, frozenset(residual))

    def _scans(self, condition: Condition) -> tuple[Lookup, ...] | None:
        """Return look-ups that together meet every fitting run, and perhaps others; or None."""
        match condition:
            case Lookup():
                return (condition,)
            case Both(parts):
                ways = [scans for part in parts if (scans := self._scans(part)) is not None]
                return min(ways, key=self._weight) if ways else None
            case Either(parts):
                ways = [scans for part in parts if (scans := self._scans(part)) is not None]
                together = tuple(chain.from_iterable(ways))
                return together if len(ways) == len(parts) and len(together) <= MANY else None
        return None

    def _weight(self, scans: Iterable[Lookup]) -> tuple[int, int]:
        """Return how many entries some scans meet, up to few; of more, how far back those reach.

        An index whose newest entries reach further back has fewer of them.
        """
        size, reach, few = 0, _FIRST, self._limits.few
        for scan in scans:
            if size >= few:
                break
            size += index.count(self._connect(), scan, self.bounds, few)
            if size >= few and scan.ordered:
                key = index.key_at(self._connect(), scan, self.bounds, few // 2)
                reach = max(reach, _FIRST if key is None else key)
        return min(size, few), reach

    # -- making sets -------------------------------------------------------

    def keys_below(self, key: int | None) -> Keys:
        """Return the keys of all runs that fulfil all conditions, below a key, descending."""
        low, high = self.bounds
        bounds = low, high if key is None else min(high, key - 1)
        if self._every is None or low > bounds[1]:
            return no_runs().keys
        found = self._set(both(part.condition for part in self._parts), bounds)
        if found.complement:
            found &= self._read(self._every, bounds)
        keys: Keys = found.keys[::-1]
        return keys

    def _set(self, condition: Condition, bounds: tuple[int, int]) -> KeySet:
        """Return the fitting runs between two keys."""
        match condition:
            case Lookup():
                return self._read(condition, bounds)
            case KeyRange(low, high):
                assert self._every is not None
                return self._read(self._every, (max(low, bounds[0]), min(high, bounds[1])))
            case Unless(part):
                return ~self._set(part, bounds)
            case Either(parts):
                return union(self._set(part, bounds) for part in parts)
            case Both(parts) if parts:
                return reduce(and_, (self._set(part, bounds) for part in parts))
            case Both():
                return ~no_runs()

    def _read(self, lookup: Lookup, bounds: tuple[int, int]) -> KeySet:
        return KeySet(in_order(index.keys_of(self._connect(), lookup, bounds)))


def _ordered(scans: Iterable[Lookup]) -> bool:
    """Tell whether some scans can meet the newest runs first."""
    return all(scan.ordered for scan in scans)


def _is_met(condition: Condition) -> bool:
    """Tell whether the scans of a condition meet no other runs than those that fit."""
    if isinstance(condition, Either):
        return all(map(_is_met, condition.parts))
    return isinstance(condition, Lookup)
