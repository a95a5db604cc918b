"""Which runs of some stores are another one's, since several have them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from operator import methodcaller
from typing import Any

from ...query.nodes import Exists, In, Node, Not, Path
from ..base import Store
from .member import MemberStore
from .members import Members

UID = Path("uid")
STOP = Path("uid", "stop")

_TOGETHER = 500
"""So many uids are asked for in one query."""

Rank = tuple[bool, int]
"""Of a run in a store, whether its stop is missing, and the place of the store: the least wins."""

Lost = Mapping[int, frozenset[str]]
"""By the place of a store, which of its runs are another one's."""


class Copies:
    """Finds the runs that several stores have; for one thread, as the states of stores are.

    All uids are compared once. Afterwards it is looked at the runs that came since, and at those
    of which a store lacks the stop. Where a store cannot tell what came, all are compared again.
    """

    def __init__(self, members: Members) -> None:
        self._members = members
        self._states: dict[int, Hashable] = {}
        self._marks: dict[int, Any] = {}
        self._undecided: set[str] = set()
        self._lost: Lost = {}

    def if_known(self) -> Lost | None:
        """Return which runs are another store's, if that is known without comparing all."""
        if len(self._members) == 1:
            return {}
        states = self._states_now() if self._states else {}
        if not states or states.keys() != self._states.keys():
            return None
        changed = [place for place, state in states.items() if state != self._states[place]]
        if changed and not self._catches_up(changed):
            return None
        self._states = states
        return self._lost

    def all(self) -> Lost:
        """Return which runs are another store's."""
        known = self.if_known()
        if known is None:
            states = self._states_now()
            self._compare()
            known, self._states = self._lost, states
        return known

    def _states_now(self) -> dict[int, Hashable]:
        answers = self._members.answers(lambda store: store.state())
        return {member.place: state for member, state in answers}

    # -- what came since -------------------------------------------------

    def _catches_up(self, changed: Iterable[int]) -> bool:
        """Take in what came to some stores; tell whether they can tell what that is."""
        came: set[str] = set()
        marks = {place: self._marks.get(place) for place in changed}
        for place, mark in marks.items():
            ask = methodcaller("uids_since", mark)
            answers = [] if mark is None else self._members.answer(self._members[place], ask)
            if not answers or answers[0] is None:  # it is away, or cannot tell
                return False
            uids, marks[place] = answers[0]
            came.update(uids)
        self._look_at(came | self._undecided)
        self._marks.update(marks)
        return True

    def _look_at(self, uids: set[str]) -> None:
        """See which stores have some runs now, and which have their stops."""
        if not uids:
            return
        ranks: dict[str, list[Rank]] = {uid: [] for uid in uids}
        for member, stops in self._members.answers(partial(stops_of, uids=uids)):
            for uid, has_stop in stops.items():
                ranks[uid].append((not has_stop, member.place))
        self._decide(ranks)

    def _decide(self, ranks: Mapping[str, list[Rank]]) -> None:
        """Take note of whose some runs are, given how each store ranks that has them."""
        copies: dict[int, set[str]] = {member.place: set() for member in self._members}
        self._undecided.difference_update(ranks)
        for uid, each in ranks.items():
            each.sort()
            for _, place in each[1:]:
                copies[place].add(uid)
            if len(each) > 1 and each[-1][0]:
                self._undecided.add(uid)
        # New sets where they differ, as a search that goes on has the old ones.
        before = self._lost
        self._lost = {
            place: (before[place].difference(ranks) | found)
            if found or not before[place].isdisjoint(ranks)
            else before[place]
            for place, found in copies.items()
        }

    # -- of all runs -----------------------------------------------------

    def _compare(self) -> None:
        """Find the runs that several stores have by the uids of all."""
        uids: dict[MemberStore, set[str]] = {}
        self._marks = {}
        for member, news in self._members.answers(lambda store: store.uids_since(None)):
            found, self._marks[member.place] = news or ([], None)
            uids[member] = set(found)
        seen: set[str] = set()
        several: set[str] = set()
        for here in uids.values():
            several |= seen & here
            seen |= here
        ranks: dict[str, list[Rank]] = {uid: [] for uid in several}
        for member, here in uids.items():
            for uid, rank in self._ranks(member, here & several):
                ranks[uid].append(rank)
        self._undecided = set()
        self._lost = {member.place: frozenset() for member in self._members}
        self._decide(ranks)

    def _ranks(self, member: MemberStore, uids: set[str]) -> Iterator[tuple[str, Rank]]:
        if uids:
            going_on = self._members.stream(member, lambda s: s.select(Not(Exists(STOP)), [UID]))
            unstopped = {uid for (uid,) in going_on}
            yield from ((uid, (uid in unstopped, member.place)) for uid in uids)


def stops_of(store: Store, uids: Iterable[str]) -> dict[str, bool]:
    """Return which of some runs a store has, and of each whether it has the stop document."""
    wanted = list(uids)
    if len(wanted) == 1:  # which is quicker
        run = store.record(wanted[0])
        return {} if run is None else {run.uid: run.stop is not None}
    found: dict[str, bool] = {}
    for some in among(wanted):
        rows = store.select(some, [UID, STOP])
        found.update((uid, stop is not None) for uid, stop in rows)
    return found


def among(uids: Iterable[str]) -> Iterator[Node]:
    """Yield queries for some runs at a time."""
    left = iter(uids)
    while some := tuple(islice(left, _TOGETHER)):
        yield In(UID, some)
