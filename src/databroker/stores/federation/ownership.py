"""Whose a run is that several stores have: it is listed, counted and read once.

It is that of the first store, in the order of the configuration, that has its stop document; if
none has, of the first that has the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice, repeat
from typing import TypeVar

from .copies import Copies, Lost, Rank, stops_of
from .member import MemberStore
from .members import Members

T = TypeVar("T")

_PAGES = (8, 64, 256)
"""So many runs are looked up together, the first ones soon."""


class Ownership:
    """Whose the runs of some stores are.

    Until it is known which runs several of them have, runs are looked up a page at a time.
    """

    def __init__(self, members: Members) -> None:
        self._members = members
        self._of_thread = threading.local()

    @property
    def _copies(self) -> Copies:
        known: Copies | None = getattr(self._of_thread, "copies", None)
        if known is None:
            known = self._of_thread.copies = Copies(self._members)
        return known

    def copies(self) -> Lost:
        """Return, by the place of a store, which of its runs are another one's."""
        return self._copies.all()

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
        # To look up a few costs no more than to see whether it is still known.
        lost = None if first and first <= _PAGES[0] else self._copies.if_known()
        if lost is not None:
            for member, each in found:
                if known(each)[0] not in lost.get(member.place, ()):
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
