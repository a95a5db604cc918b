"""The runs of a broker as they begin and end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..._util.printable import shown
from ...errors import InvalidKey
from ...query.nodes import Everything, Exists, In, Node, Not, Path
from .follower import Follower, Look

if TYPE_CHECKING:
    from ...stores.base import Store
    from ..run import Run
    from .reads import Reads

_UID = Path("uid")
_HAS_ENDED = Exists(Path.parse("stop.uid"))
_AT_ONCE = 500
"""Runs that are asked about by one question."""

_LIVELY = 100
"""So many of the runs that have not ended, those that came last, are asked about at each look.

There may be thousands of older ones whose writers died: these are asked about now and then.
"""

_NAMED = 50
"""Runs that are named by a short cursor in the place of all that are known."""


class Arrivals:
    """Which runs came to a store, by its own marks if it has them, else by all their uids."""

    def __init__(self, store: Store, mark: Any = None, known: Iterable[str] = ()) -> None:
        self._store = store
        self.mark = mark
        self.known = set(known)

    def look(self, reads: Reads) -> list[str]:
        """Return the uids of the runs that came since it looked last.

        Parameters
        ----------
        reads
            Has the store answer.

        Raises
        ------
        InvalidKey
            The mark is of another store.
        """
        before = self.mark
        if before is None and self.known and self._knows_all(reads):
            return []  # where there are no marks, all uids are to be read
        answer = reads.uids_since(before)
        if answer is None:
            raise InvalidKey(f"The cursor is not of {self._store}, or that was replaced.")
        uids, self.mark = answer
        came = [uid for uid in uids if uid not in self.known]
        # What came while they were counted comes again with the mark.
        self.known = set(uids) if before is None else set()
        return came

    def _knows_all(self, reads: Reads) -> bool:
        """Tell whether it seems so; as one came, another may have gone."""
        if reads.count(Everything()) != len(self.known):
            return False
        return self.known.issuperset(reads.select(Everything(), _UID, 1))


class RunsFollower(Follower[tuple[str, "Run"]]):
    """Yields ('start', run) for each run that begins, and ('stop', run) when it ends.

    Obtained as ``db.watch()``.
    """

    def __init__(
        self,
        store: Store,
        search: Callable[[Node], Iterable[Run]],
        cursor: Any = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout)
        self._search = search
        if cursor is None:
            self._begin()
        else:
            self._resume(cursor)

    def _begin(self) -> None:
        self._arrivals = Arrivals(self._store, self._reads.newest_mark())
        self._arrivals.look(self._reads)
        # Of runs that have not ended: whether it was said that they began.
        self._open = self._open_now()
        self._note_arrivals()

    def _resume(self, cursor: Any) -> None:
        try:
            self._arrivals = Arrivals(self._store, cursor["mark"], cursor["known"])
            self._open = dict(cursor["open"])
            has_others = "others" in cursor
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidKey(
                f"{shown(cursor)} is no cursor: give what the `cursor` of `db.watch()` was."
            ) from error
        if has_others:  # which are not named: had not ended either, and were known, too
            self._open = self._open_now() | self._open
            if self._arrivals.known:
                self._arrivals.known |= self._older(self._arrivals.known)
            self._note_arrivals()

    def _open_now(self) -> dict[str, bool]:
        found = self._reads.select(Not(_HAS_ENDED), _UID)
        return dict.fromkeys(reversed(found), True)

    def newest(self) -> list[str]:
        """Return the uids of the newest runs that it knows: with `others`, they stand for all."""
        found = self._reads.select(Everything(), _UID, _NAMED)
        return [uid for uid in found if uid in self._arrivals.known]

    def _older(self, named: Collection[str]) -> set[str]:
        """Return the uids of the runs that are older than some."""
        found = self._reads.select(Everything(), _UID)
        places = [place for place, uid in enumerate(found) if uid in named]
        return set(found[places[-1] :]) if places else set()

    @property
    def cursor(self) -> dict[str, Any]:
        """Where it stands, behind what it gave last. JSON can hold it."""
        arrivals = self._arrivals
        return {"mark": arrivals.mark, "known": sorted(arrivals.known), "open": dict(self._open)}

    def move_to(self, cursor: Any) -> None:
        self._resume(cursor)

    def _look(self, is_thorough: bool) -> Look:
        return Look(self._news(None if is_thorough else _LIVELY), is_last=False)

    def _note_arrivals(self) -> None:
        self._open |= dict.fromkeys(self._arrivals.look(self._reads), False)

    def _news(self, most: int | None) -> Iterator[tuple[str, Run]]:
        self._note_arrivals()
        untold = {uid for uid, is_told in self._open.items() if not is_told}
        ended = set(self._ended(untold.union(islice(reversed(self._open), most))))
        for run in self._runs(untold | ended):
            if not self._open[run.uid]:
                self._open[run.uid] = True
                yield "start", run
            if run.uid in ended:
                del self._open[run.uid]
                yield "stop", run
        for uid in ended:  # those that the broker does not see
            self._open.pop(uid, None)

    def _ended(self, uids: Iterable[str]) -> Iterator[str]:
        """Yield those of some runs that have ended."""
        for some in _parts(uids):
            yield from self._reads.select(In(_UID, some) & _HAS_ENDED, _UID)

    def _runs(self, uids: Iterable[str]) -> list[Run]:
        """Return the runs of some uids that the broker sees, the oldest first."""
        found = [run for some in _parts(uids) for run in self._search(In(_UID, some))]
        found.reverse()  # of one time, the one that came last is found first
        return sorted(found, key=lambda run: run.start["time"])


def _parts(uids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    uids = tuple(uids)
    return (uids[first : first + _AT_ONCE] for first in range(0, len(uids), _AT_ONCE))
