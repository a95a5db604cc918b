"""Which runs may match: their keys, newest first, out of the indexes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count
from typing import Any

import numpy as np

from ..engine.connection import Connection, fetch
from .compile import Part
from .conditions import ALL, MANY, Lookup, Sql, Window, both
from .key_set import NONE, Keys, RunSet, in_order

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
class Way:
    """How to meet candidates: walks through indexes, and a test of what they meet.

    Attributes
    ----------
    walks
        Look-ups that together meet every candidate.
    ordered
        Whether the newest can be met first; else there are few.
    test
        What else the indexes can say of one of them.
    untested
        The parts of the query that are neither met by the walks nor tested.
    """

    walks: tuple[Lookup, ...]
    ordered: bool
    test: Sql
    untested: frozenset[Part]


class Candidates:
    """The runs that may match, by descending key; iterate as often as you like.

    Parameters
    ----------
    connect
        Gives the connection of the calling thread.
    parts
        The parts of the query.
    every
        The walk that meets all runs; None if there are none.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        parts: Sequence[Part],
        every: Lookup | None,
    ) -> None:
        self._connect = connect
        self._every = every
        whole = [part for part in parts if not isinstance(part.condition, Window)]
        windows = [part.condition for part in parts if isinstance(part.condition, Window)]
        self._low = max((each.low for each in windows), default=_FIRST)
        self._high = min((each.high for each in windows), default=_LAST - 1)
        self._parts = [part for part in whole if part.condition != ALL]
        self.way = self._choose()

    @property
    def untested(self) -> frozenset[Part]:
        """The parts that the evaluator must be asked about, though an index knows the answer."""
        return self.way.untested

    def __iter__(self) -> Iterator[int]:
        way = self.way
        if not way.walks or self._low > self._high:
            return
        if not way.ordered:
            sql, values = self._few(way)
            yield from (run for run, fits in fetch(self._connect(), sql, values) if fits)
            return
        before, met, fit = self._high + 1, 0, 0
        for page in count(4):
            # What a page costs is then never much more than what was needed.
            size = min(2**page, _LARGEST_PAGE)
            sql, values = self._page(way, before, size)
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
        way = self.way
        if way.ordered and len(way.walks) == 1 and way.test[0] == "1" and not way.untested:
            walk = way.walks[0]
            rows = fetch(
                self._connect(),
                f"SELECT count(*) FROM {walk.table} x WHERE {walk.where} "
                f"AND {walk.run} BETWEEN ? AND ?",
                (*walk.values, self._low, self._high),
            )
            return int(rows[0][0])
        if not way.ordered and not way.untested:
            return sum(1 for _ in self)
        return len(self.keys_below(None))

    def keys_below(self, key: int | None) -> Keys:
        """Return the keys of all runs that fulfil all conditions, below a key, descending."""
        high = self._high if key is None else min(self._high, key - 1)
        if self._every is None or self._low > high:
            return NONE.keys
        reader = _Reader(self._connect, self._every, self._low, high)
        found = both(part.condition for part in self._parts).runs(reader)
        if found.rest:
            found &= reader.between(self._low, high)
        keys: Keys = found.keys[::-1]
        return keys

    # -- choosing --------------------------------------------------------

    def _choose(self) -> Way:
        """Begin at the index with the fewest entries, else at the runs themselves."""
        best: tuple[tuple[int, int], Part, tuple[Lookup, ...], bool] | None = None
        for part in self._parts:
            walks = part.condition.walks(self._weight)
            if walks is None or len(walks) > MANY:
                continue
            weight = self._weight(walks)
            ordered = all(walk.ordered for walk in walks)
            if (ordered or weight[0] < FEW) and (best is None or weight < best[0]):
                best = weight, part, walks, ordered
        if best is None:
            walks = () if self._every is None else (self._every,)
            return self._way(None, walks, True)
        _, part, walks, ordered = best
        return self._way(part, walks, ordered)

    def _way(self, part: Part | None, walks: tuple[Lookup, ...], ordered: bool) -> Way:
        tests: list[Sql] = []
        untested: list[Part] = []
        for each in self._parts:
            if each is part and each.condition.covered:
                continue
            test = each.condition.test()
            if test is None or len(tests) >= MANY or not _is_small(test):
                untested.append(each)
            else:
                tests.append(test)
        sql = " AND ".join(sql for sql, _ in tests) or "1"
        values = tuple(value for _, values in tests for value in values)
        return Way(walks, ordered, (sql, values), frozenset(untested))

    def _weight(self, walks: Iterable[Lookup]) -> tuple[int, int]:
        """Return how many entries some walks meet, up to FEW; of more, how far back those reach.

        An index whose newest entries reach further back has fewer of them.
        """
        size, reach = 0, _FIRST
        for walk in walks:
            if size >= FEW:
                break
            found = f"FROM {walk.table} x WHERE {walk.where} AND {walk.run} BETWEEN ? AND ?"
            values = (*walk.values, self._low, self._high)
            sql = f"SELECT count(*) FROM (SELECT 1 {found} LIMIT {FEW})"
            size += fetch(self._connect(), sql, values)[0][0]
            if size >= FEW and walk.ordered:
                sql = (
                    f"SELECT {walk.run} {found} ORDER BY {walk.run} DESC LIMIT 1 OFFSET {FEW // 2}"
                )
                reach = max(reach, *(row[0] for row in fetch(self._connect(), sql, values)), _FIRST)
        return min(size, FEW), reach

    # -- statements ------------------------------------------------------

    def _page(self, way: Way, before: int, size: int) -> tuple[str, list[Any]]:
        """Return the statement for the newest candidates before a key."""
        branches, values = [], list(way.test[1])
        for walk in way.walks:
            branches.append(
                f"SELECT {walk.run} AS run FROM {walk.table} x WHERE {walk.where} "
                f"AND {walk.run} >= ? AND {walk.run} < ? ORDER BY {walk.run} DESC LIMIT {size}"
            )
            values += [*walk.values, self._low, before]
        met = branches[0]
        if len(branches) > 1:
            each = " UNION ALL ".join(f"SELECT run FROM ({branch})" for branch in branches)
            met = f"SELECT DISTINCT run FROM ({each}) ORDER BY run DESC LIMIT {size}"
        return f"SELECT k.run, {way.test[0]} FROM ({met}) k ORDER BY k.run DESC", values

    def _few(self, way: Way) -> tuple[str, list[Any]]:
        """Return the statement for all candidates."""
        branches, values = [], list(way.test[1])
        for walk in way.walks:
            branches.append(
                f"SELECT {walk.run} AS run FROM {walk.table} x WHERE {walk.where} "
                f"AND {walk.run} BETWEEN ? AND ?"
            )
            values += [*walk.values, self._low, self._high]
        met = f"SELECT DISTINCT run FROM ({' UNION ALL '.join(branches)})"
        return f"SELECT k.run, {way.test[0]} FROM ({met}) k ORDER BY k.run DESC", values


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

    def keys(self, lookup: Lookup) -> RunSet:
        return RunSet(self._read(lookup, self.low, self.high))

    def between(self, low: int, high: int) -> RunSet:
        return RunSet(self._read(self.every, max(low, self.low), min(high, self.high)))

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
