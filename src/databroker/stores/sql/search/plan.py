"""Which runs may match: their keys, newest first, out of the indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from typing import Any

import numpy as np

from ..engine.connection import Connection, fetch
from .compile import Part
from .conditions import ALL, MANY, KeyRange, Lookup, Sql, both
from .key_set import NONE, Keys, KeySet, in_order

__all__ = ["Candidates"]

FEW = 1_000
"""So many entries of an index are sorted at once; of more, the newest are looked for."""

_LARGEST_PAGE = 8_192
_PATIENCE = 5_000
"""After so many candidates tested, of which few fit, sets of runs are made in memory."""

_RARELY = 0.01
_FIRST, _LAST = -(2**63), 2**63 - 1

# An expression of more is not worth its making, and SQLite has limits.
_DEEPEST = 20
_MOST_VALUES = 500


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
    untested
        The parts of the query that are neither met by the scans nor tested.
    """

    scans: tuple[Lookup, ...]
    ordered: bool
    test: Sql
    residual: frozenset[Part]


class Candidates:
    """The runs that may match, by descending key; iterate as often as you like.

    Parameters
    ----------
    connect
        Gives the connection of the calling thread.
    parts
        The parts of the query.
    every
        The scan that meets all runs; None if there are none.
    """

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
        plan = self.plan
        if not plan.scans or self._low > self._high:
            return
        if not plan.ordered:
            sql, values = self._few(plan)
            yield from (run for run, fits in fetch(self._connect(), sql, values) if fits)
            return
        before, met, fit = self._high + 1, 0, 0
        for page in count(4):
            # What a page costs is then never much more than what was needed.
            size = min(2**page, _LARGEST_PAGE)
            sql, values = self._page(plan, before, size)
            rows = fetch(self._connect(), sql, values)
            keys = [run for run, fits in rows if fits]
            yield from keys
            if len(rows) < size:
                return
            before, met, fit = rows[-1][0], met + size, fit + len(keys)
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
        if plan.ordered and len(plan.scans) == 1 and plan.test[0] == "1" and not plan.residual:
            scan = plan.scans[0]
            rows = fetch(
                self._connect(),
                f"SELECT count(*) FROM {scan.table} x WHERE {scan.where} "
                f"AND {scan.run} BETWEEN ? AND ?",
                (*scan.values, self._low, self._high),
            )
            return int(rows[0][0])
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
            if test is None or len(tests) >= MANY or not _is_small(test):
                residual.append(each)
            else:
                tests.append(test)
        sql = " AND ".join(sql for sql, _ in tests) or "1"
        values = tuple(value for _, values in tests for value in values)
        return Plan(scans, ordered, (sql, values), frozenset(residual))

    def _weight(self, scans: Iterable[Lookup]) -> tuple[int, int]:
        """Return how many entries some scans meet, up to FEW; of more, how far back those reach.

        An index whose newest entries reach further back has fewer of them.
        """
        size, reach = 0, _FIRST
        for scan in scans:
            if size >= FEW:
                break
            found = f"FROM {scan.table} x WHERE {scan.where} AND {scan.run} BETWEEN ? AND ?"
            values = (*scan.values, self._low, self._high)
            sql = f"SELECT count(*) FROM (SELECT 1 {found} LIMIT {FEW})"
            size += fetch(self._connect(), sql, values)[0][0]
            if size >= FEW and scan.ordered:
                sql = (
                    f"SELECT {scan.run} {found} ORDER BY {scan.run} DESC LIMIT 1 OFFSET {FEW // 2}"
                )
                reach = max(reach, *(row[0] for row in fetch(self._connect(), sql, values)), _FIRST)
        return min(size, FEW), reach

    # -- statements ------------------------------------------------------

    def _page(self, plan: Plan, before: int, size: int) -> tuple[str, list[Any]]:
        """Return the statement for the newest candidates before a key."""
        branches, values = [], list(plan.test[1])
        for scan in plan.scans:
            branches.append(
                f"SELECT {scan.run} AS run FROM {scan.table} x WHERE {scan.where} "
                f"AND {scan.run} >= ? AND {scan.run} < ? ORDER BY {scan.run} DESC LIMIT {size}"
            )
            values += [*scan.values, self._low, before]
        met = branches[0]
        if len(branches) > 1:
            each = " UNION ALL ".join(f"SELECT run FROM ({branch})" for branch in branches)
            met = f"SELECT DISTINCT run FROM ({each}) ORDER BY run DESC LIMIT {size}"
        return f"SELECT k.run, {plan.test[0]} FROM ({met}) k ORDER BY k.run DESC", values

    def _few(self, plan: Plan) -> tuple[str, list[Any]]:
        """Return the statement for all candidates."""
        branches, values = [], list(plan.test[1])
        for scan in plan.scans:
            branches.append(
                f"SELECT {scan.run} AS run FROM {scan.table} x WHERE {scan.where} "
                f"AND {scan.run} BETWEEN ? AND ?"
            )
            values += [*scan.values, self._low, self._high]
        met = f"SELECT DISTINCT run FROM ({' UNION ALL '.join(branches)})"
        return f"SELECT k.run, {plan.test[0]} FROM ({met}) k ORDER BY k.run DESC", values


def _is_small(test: Sql) -> bool:
    nesting = accumulate({"(": 1, ")": -1}.get(letter, 0) for letter in test[0])
    return len(test[1]) <= _MOST_VALUES and max(nesting, default=0) <= _DEEPEST


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
        # One text that holds all numbers is read twice as fast as many rows.
        sql = (
            f"SELECT group_concat({lookup.run}) FROM {lookup.table} x "
            f"WHERE {lookup.where} AND {lookup.run} BETWEEN ? AND ?"
        )
        (text,) = fetch(self.connect(), sql, (*lookup.values, low, high))[0]
        if text is None:
            return NONE.keys
        return in_order(np.fromstring(text, np.int64, sep=","))
