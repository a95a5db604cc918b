"""Which runs may match: their keys, newest first, out of the indexes.

Either the index with the fewest entries is walked, and the rest is tested run by run; or the
sets of all runs that fulfil each part are made, and joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from ..engine import render
from ..engine.connection import Connection
from ..engine.render import Sql
from ..engine.statements import index
from .compile import Part
from .conditions import ALL, MANY, KeyRange, Lookup, both
from .key_set import NONE, Keys, KeySet, in_order

__all__ = ["Candidates"]

FEW = 1_000
"""So many entries of an index are sorted sooner than it could be told whether that is needed."""

_PAGES = tuple(2**n for n in range(4, 14))
"""How many runs are met at once: a page costs as much as those before it, and the last is met
again and again, as more at once is not faster."""

_PATIENCE, _RARELY = 5_000, 0.01
"""After so many runs met, of which so few pass the test, the set of all is sooner made."""

_FIRST, _LAST = -(2**63), 2**63 - 1

_DEEPEST, _MOST_VALUES = 20, 500
"""SQLite refuses tests that are much deeper or longer; such parts are evaluated."""


@dataclass(frozen=True)
class Plan:
    """How to meet candidates: scans through indexes, and a test of what they meet.

    Attributes
    ----------
    scans
        Look-ups that together meet every candidate.
    ordered
        Whether the newest can be met first; else there are few.
    test
        What else the indexes can say of one of them.
    residual
        The parts of the query that are neither met by the scans nor tested.
    is_all
        Whether whatever is met passes the test.
    """

    scans: tuple[Lookup, ...]
    ordered: bool
    test: Sql
    residual: frozenset[Part]
    is_all: bool = False


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
        whole = [part for part in parts if not isinstance(part.condition, KeyRange)]
        windows = [part.condition for part in parts if isinstance(part.condition, KeyRange)]
        self._low = max((each.low for each in windows), default=_FIRST)
        self._high = min((each.high for each in windows), default=_LAST - 1)
        self._parts = [part for part in whole if part.condition != ALL]
        self.plan = self._choose()

    @property
    def residual(self) -> frozenset[Part]:
        """The parts that the evaluator must be asked about, though an index knows the answer."""
        return self.plan.residual

    def __iter__(self) -> Iterator[int]:
        plan, before, met, fit = self.plan, self._high + 1, 0, 0
        if not plan.scans:
            return
        for size in chain(_PAGES, repeat(_PAGES[-1])) if plan.ordered else (None,):
            if self._low >= before:
                return
            keys = (self._low, before - 1)
            rows = index.met(self._connect(), plan.scans, plan.test, keys, size)
            fitting = [run for run, fits in rows if fits]
            yield from fitting
            if size is None or len(rows) < size:
                return
            before, met, fit = rows[-1][0], met + size, fit + len(fitting)
            if met >= _PATIENCE and fit < _RARELY * met:
                # All at once is several times faster than one by one.
                yield from self.keys_below(before).tolist()
                return

    @property
    def is_window(self) -> bool:
        """Whether all is asked of a run is that its key is within `bounds`."""
        return not self._parts

    @property
    def bounds(self) -> tuple[int, int]:
        """The keys between which all candidates are; both belong."""
        return self._low, self._high

    def count(self) -> int:
        """Return how many runs fulfil all conditions."""
        plan = self.plan
        if plan.ordered and len(plan.scans) == 1 and plan.is_all and not plan.residual:
            return index.count(self._connect(), plan.scans[0], self.bounds)
        if not plan.ordered and not plan.residual:
            return sum(1 for _ in self)
        return len(self.keys_below(None))

    def keys_below(self, key: int | None) -> Keys:
        """Return the keys of all runs that fulfil all conditions, below a key, descending."""
        high = self._high if key is None else min(self._high, key - 1)
        if self._every is None or self._low > high:
            return NONE.keys
        reader = _Reader(self._connect, self._every, self._low, high)
        found = both(part.condition for part in self._parts).runs(reader)
        if found.complement:
            found &= reader.between(self._low, high)
        keys: Keys = found.keys[::-1]
        return keys

    # -- choosing --------------------------------------------------------

    def _choose(self) -> Plan:
        """Begin at the index with the fewest entries, else at the runs themselves."""
        best: tuple[tuple[int, int], Part, tuple[Lookup, ...], bool] | None = None
        for part in self._parts:
            scans = part.condition.scans(self._weight)
            if scans is None or len(scans) > MANY:
                continue
            weight = self._weight(scans)
            ordered = all(scan.ordered for scan in scans)
            if (ordered or weight[0] < FEW) and (best is None or weight < best[0]):
                best = weight, part, scans, ordered
        if best is None:
            scans = () if self._every is None else (self._every,)
            return self._plan_of(None, scans, True)
        _, part, scans, ordered = best
        return self._plan_of(part, scans, ordered)

    def _plan_of(self, part: Part | None, scans: tuple[Lookup, ...], ordered: bool) -> Plan:
        tests: list[Sql] = []
        residual: list[Part] = []
        for each in self._parts:
            if each is part and each.condition.covered:
                continue
            test = each.condition.test()
            if test and len(tests) < MANY and render.is_small(test, _MOST_VALUES, _DEEPEST):
                tests.append(test)
            else:
                residual.append(each)
        test = render.joined(tests, "AND") if tests else render.constant(True)
        return Plan(scans, ordered, test, frozenset(residual), not tests)

    def _weight(self, scans: Iterable[Lookup]) -> tuple[int, int]:
        """Return how many entries some scans meet, up to FEW; of more, how far back those reach.

        An index whose newest entries reach further back has fewer of them.
        """
        size, reach = 0, _FIRST
        for scan in scans:
            if size >= FEW:
                break
            size += index.count(self._connect(), scan, self.bounds, FEW)
            if size >= FEW and scan.ordered:
                key = index.key_at(self._connect(), scan, self.bounds, FEW // 2)
                reach = max(reach, _FIRST if key is None else key)
        return min(size, FEW), reach


@dataclass(frozen=True)
class _Reader:
    """Reads sets of runs between two keys, which belong."""

    connect: Callable[[], Connection]
    every: Lookup
    low: int
    high: int

    def keys(self, lookup: Lookup) -> KeySet:
        return KeySet(self._read(lookup, self.low, self.high))

    def between(self, low: int, high: int) -> KeySet:
        return KeySet(self._read(self.every, max(low, self.low), min(high, self.high)))

    def _read(self, lookup: Lookup, low: int, high: int) -> Keys:
        return in_order(index.keys_of(self.connect(), lookup, (low, high)))
