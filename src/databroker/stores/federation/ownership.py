"""Whose a run is that several stores have: it is listed, counted and read once.

It is that of the first store, in the order of the configuration, that has its stop document; if
none has, of the first that has the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from itertools import chain, islice, repeat
from typing import TypeVar

from ...query.nodes import Exists, In, Node, Not, Path
from ..base import Store
from .member import MemberStore
from .members import Members

T = TypeVar("T")

UID = Path("uid")
STOP = Path("uid", "stop")

_PAGES = (8, 64, 256)
"""So many runs are looked up together, the first ones soon."""

_TOGETHER = 500
"""So many uids are asked for in one query."""

_EVERY = 2**53
"""More uids than any store has."""

Rank = tuple[bool, int]
"""Of a run in a store, whether its stop is missing, and the place of the store: the least wins."""


class Ownership:
    """Whose the runs of some stores are.

    Which runs several of them have is found by a look at all uids. That is remembered while no
    store changes, and until it is known, runs are looked up a page at a time.
    """

    def __init__(self, members: Members) -> None:
        self._members = members
        self._known = threading.local()  # since the state of a store is that of a thread

    def owners(self, uids: Iterable[str]) -> dict[str, MemberStore]:
        """Return whose each run is; those that are nowhere are left out."""
        wanted = list(uids)
        ranks: dict[str, Rank] = {}
        for member, stops in self._members.answers(lambda store: stops_of(store, wanted)):
            for uid, has_stop in stops.items():
                rank = (not has_stop, member.place)
                ranks[uid] = min(rank, ranks.get(uid, rank))
        return {uid: self._members[place] for uid, (_, place) in ranks.items()}

    def owned(
        self,
        found: Iterator[tuple[MemberStore, T]],
        known: Callable[[T], tuple[str, bool]],
        first: int | None = None,
    ) -> Iterator[tuple[MemberStore, T]]:
        """Yield of what was found, in the order of all stores, what is of a store's own runs.

        `known` gives a uid, and whether the run ended. So many are looked up first.
        """
        copies = self._copies_if_known()
        if copies is not None:
            for member, each in found:
                if known(each)[0] not in copies.get(member.place, ()):
                    yield member, each
            return
        for size in chain([first or _PAGES[0]], _PAGES[1:], repeat(_PAGES[-1])):
            page = list(islice(found, size))
            if not page:
                return
            ranked = [(*known(each), member, each) for member, each in page]
            best = self._best({(uid, (not stop, one.place)) for uid, stop, one, _ in ranked})
            for uid, stop, member, each in ranked:
                if best[uid] == (not stop, member.place):
                    yield member, each

    def _best(self, found: set[tuple[str, Rank]]) -> dict[str, Rank]:
        """Return the least rank of each run, given those that were found in some stores."""
        best: dict[str, Rank] = {}
        for uid, rank in found:
            best[uid] = min(rank, best.get(uid, rank))
        for member in self._members.asked():
            here = {uid for uid, (_, place) in found if place == member.place}
            elsewhere = [uid for uid in best if uid not in here]
            for stops in self._members.answer(member, partial(stops_of, uids=elsewhere)):
                for uid, has_stop in stops.items():
                    best[uid] = min(best[uid], (not has_stop, member.place))
        return best

    # -- of all runs -----------------------------------------------------

    def copies(self) -> dict[int, frozenset[str]]:
        """Return, by the place of a store, which of its runs are another one's."""
        known = self._copies_if_known()
        if known is None:
            states = self._states()
            known = self._compared()
            self._known.states, self._known.copies = states, known
        return known

    def _copies_if_known(self) -> dict[int, frozenset[str]] | None:
        if len(self._members) == 1:
            return {}
        before: tuple[Hashable, ...] | None = getattr(self._known, "states", None)
        if before is None or before != self._states():
            return None
        copies: dict[int, frozenset[str]] = self._known.copies
        return copies

    def _states(self) -> tuple[Hashable, ...]:
        return tuple(
            (member.place, state) for member, state in self._members.answers(lambda s: s.state())
        )

    def _compared(self) -> dict[int, frozenset[str]]:
        found_by = self._members.answers(lambda store: store.resolve("", _EVERY))
        uids = {member: set(found) for member, found in found_by}
        seen: set[str] = set()
        several: set[str] = set()
        for found in uids.values():
            several |= seen & found
            seen |= found
        best: dict[str, Rank] = {}
        ranks: dict[int, dict[str, Rank]] = {}
        for member, found in uids.items():
            shared = found & several
            ranks[member.place] = self._ranks(member, shared)
            for uid, rank in ranks[member.place].items():
                best[uid] = min(rank, best.get(uid, rank))
        return {
            place: frozenset(uid for uid, rank in mine.items() if rank != best[uid])
            for place, mine in ranks.items()
        }

    def _ranks(self, member: MemberStore, uids: set[str]) -> dict[str, Rank]:
        if not uids:
            return {}
        going_on = self._members.stream(member, lambda s: s.select(Not(Exists(STOP)), [UID]))
        unstopped = {uid for (uid,) in going_on}
        return {uid: (uid in unstopped, member.place) for uid in uids}


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
