"""Runs of several stores in one order, and where a search goes on after one of them.

The newest come first; of one time, those of the first store in the configuration, and of one
store, those that arrived last.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, TypeVar

from ...query.nodes import Node
from ..base import RunRecord, Store
from .member import MemberStore

T = TypeVar("T")


def merged(streams: Iterable[Iterator[tuple[float, T]]]) -> Iterator[T]:
    """Yield what is in some streams, the greatest number first, of equal ones in their order."""
    return (each for _, each in heapq.merge(*streams, key=itemgetter(0), reverse=True))


@dataclass(frozen=True)
class Place:
    """Where a run stands among those of several stores: JSON holds it as `cursor`.

    Attributes
    ----------
    time, name
        The time of the run, and the name of its store.
    after
        Of each store that has handed out a run, the cursor of the last one.
    """

    time: float
    name: str
    after: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, cursor: Any) -> Place:
        """Return the place that a cursor stands for."""
        return cls(cursor["time"], cursor["source"], cursor["after"])

    @property
    def cursor(self) -> dict[str, Any]:
        """The place as JSON can hold it."""
        return {"time": self.time, "source": self.name, "after": dict(self.after)}

    def is_before(self, run: RunRecord, member: MemberStore, names: list[str]) -> bool:
        """Tell whether this place comes before a run of a store, given the order of all."""
        time = run.start["time"]
        if time != self.time or self.name not in names:
            return bool(time < self.time)
        here = names.index(self.name)
        # Of its own store, what comes after it was asked for.
        return member.place >= here


def in_portions(store: Store, query: Node, limit: int | None, after: Any) -> Iterator[RunRecord]:
    """Yield the runs of a store: first as many as may do, and the others if they are wanted."""
    number = 0
    for number, run in enumerate(store.find(query, limit=limit, after=after), 1):  # noqa: B007
        after = run.cursor
        yield run
    if number and number == limit:
        yield from store.find(query, after=after)


def placed(run: RunRecord, member: MemberStore, after: Mapping[str, Any]) -> RunRecord:
    """Return a run of a store as one of several have it."""
    place = Place(run.start["time"], member.name, {**after, member.name: run.cursor})
    return replace(run, cursor=place.cursor, source=(member.name, *run.source))


def with_places(
    runs: Iterator[tuple[MemberStore, RunRecord]], before: Mapping[str, Any]
) -> Iterator[RunRecord]:
    """Yield runs of several stores in their order, each with its place among all."""
    after = dict(before)
    for member, run in runs:
        found = placed(run, member, after)
        after[member.name] = run.cursor
        yield found
