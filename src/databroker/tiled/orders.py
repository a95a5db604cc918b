"""The orders in which runs are given, each from a place on.

A store gives the newest run first, from any of them on. The oldest ones are found by counting the
runs of stretches of time, so that none has to be passed over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..query.nodes import Everything, In, Path, TimeBounds
from ..query.projection import sort_key
from ..runs.session import StoreView
from ..stores.base import RunRecord

Placed = Iterator[tuple[RunRecord, Any]]
"""Runs, each with the place after it, which JSON can hold."""

_ALL = Everything()
_UID = Path("uid")
_TOGETHER = 300  # runs that are read at once
_HOUR = 3600.0


class Order(Protocol):
    """An order of runs."""

    def runs(self, view: StoreView, after: Any, most: int | None) -> Placed:
        """Yield the runs after a place, None for the beginning: `most` of them are wanted."""
        ...


class NewestFirst:
    """By start time and arrival, the newest first: the order of stores."""

    def runs(self, view: StoreView, after: Any, most: int | None) -> Placed:
        """Yield the runs after a place."""
        for run in view.find(_ALL, limit=most, after=after):
            yield run, run.cursor


class OldestFirst:
    """By start time and arrival, the oldest first."""

    def runs(self, view: StoreView, after: Any, most: int | None) -> Placed:
        """Yield the runs after a place: a time, and the uid of a run at that time."""
        low, uid = (-math.inf, None) if after is None else after
        passed = uid is None
        for run in _from(view, low):
            time = run.start["time"]
            if passed or time > low:
                yield run, [time, run.uid]
            passed = passed or run.uid == uid


def _from(view: StoreView, low: float) -> Iterator[RunRecord]:
    """Yield the runs from a time on, the oldest first."""
    newest = next(view.find(_ALL, limit=1), None)
    if newest is None:
        return
    end, width = newest.start["time"], _HOUR
    high = low + _HOUR if low >= 0 else 0.0
    while low <= end:
        for between in _stretches(view, low, high, view.count(TimeBounds(low, high))):
            yield from reversed(list(view.find(between)))
        width *= 2
        low, high = math.nextafter(high, math.inf), high + width


def _stretches(view: StoreView, low: float, high: float, runs: int) -> Iterator[TimeBounds]:
    """Cut a stretch of time into such with few runs, earlier ones first; empty ones are left out.

    Runs of one time are never cut.
    """
    middle = low + (high - low) / 2
    if 0 < runs <= _TOGETHER or (runs and not low < middle < high):
        yield TimeBounds(low, high)
    elif runs:
        before = view.count(TimeBounds(low, middle))
        yield from _stretches(view, low, middle, before)
        yield from _stretches(view, math.nextafter(middle, math.inf), high, runs - before)


@dataclass(frozen=True)
class ByKeys:
    """By the values of some keys; the values of all runs are read for it.

    Attributes
    ----------
    keys
        Paths, each with whether the greatest comes first. Runs without a value come last.
    """

    keys: Sequence[tuple[Path, bool]]

    def runs(self, view: StoreView, after: Any, most: int | None) -> Placed:
        """Yield the runs after so many."""
        first = after or 0
        uids = self._uids(view)
        places = range(first, len(uids) if most is None else min(first + most, len(uids)))
        for start in places[::_TOGETHER]:
            some = uids[start : min(start + _TOGETHER, places.stop)]
            found = {run.uid: run for run in view.find(In(_UID, tuple(some)))}
            for number, uid in enumerate(some, start + 1):
                if uid in found:
                    yield found[uid], number

    def _uids(self, view: StoreView) -> list[str]:
        rows = list(view.select(_ALL, [_UID, *(path for path, _ in self.keys)]))
        for column in range(len(self.keys), 0, -1):  # sorting is stable: the first key comes last
            rows = _sorted(rows, column, self.keys[column - 1][1])
        return [row[0] for row in rows]


def _sorted(rows: list[tuple[Any, ...]], column: int, descending: bool) -> list[tuple[Any, ...]]:
    keyed = [(sort_key(row[column]), row) for row in rows]
    there = [pair for pair in keyed if pair[0] is not None]
    there.sort(key=lambda pair: pair[0] or (), reverse=descending)
    return [row for _, row in there] + [row for key, row in keyed if key is None]


_TIMES = ("", "_", "time", "start.time")
"""What stands for the order of stores: Tiled's own order, that of arrival, is this one."""


def order_of(sorting: Sequence[tuple[str, int]]) -> Order:
    """Return an order as Tiled says it: keys, each with 1 or, for the greatest first, -1.

    Examples
    --------
    >>> order_of([("start.scan_id", -1), ("", 1)])
    ByKeys(keys=[(Path(text='scan_id', document='start'), True)])
    >>> type(order_of([("start.time", 1), ("", 1)]))
    <class 'databroker.tiled.orders.OldestFirst'>
    """
    if not sorting:
        return NewestFirst()
    key, direction = sorting[0]
    if key in _TIMES:
        return OldestFirst() if direction > 0 else NewestFirst()
    return ByKeys([(Path.parse(key), sign < 0) for key, sign in sorting if key not in ("", "_")])
