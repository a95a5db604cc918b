"""A store that stands before one behind a server, so that inserting goes on without it."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..._util.signals import not_from_signal, suppressed
from ..._util.user_warnings import warn_user
from ...errors import SpillWarning, StoreAway, StoreDamaged, StoreUnavailable
from ..base import Store
from ..delegating import DelegatingStore
from ..waiting import Waiting
from ..wrapper import StoreWrapper
from .courier import Courier, reach_within
from .journal import Journal, left_behind
from .sending import TROUBLE, Sender
from .spool import Pairs, Spool
from .survey import survey

if TYPE_CHECKING:
    import pyarrow as pa

    from ..contents import StoredRun

AFTER = 5.0
"""Seconds that an insert waits for the server, unless configured otherwise."""


class SpillStore(StoreWrapper, DelegatingStore):
    """Passes everything on to a store, and keeps what that takes only later.

    Parameters
    ----------
    behind
        The store, which raises `StoreAway` while its server takes nothing. Once it has taken
        something, whatever else says nothing against a document is as good a reason to wait.
    folder
        Where documents wait.
    after
        So many seconds an insert waits for the server.
    sync
        Whether what waits is on the disk when `insert` returns.
    """

    def __init__(
        self, behind: Store, folder: Path, *, after: float = AFTER, sync: bool = False
    ) -> None:
        super().__init__(behind)
        self.folder = folder
        self._after, self._sync = after, sync
        self._absence: str | None = None  # as it was found when it was looked for
        self._has_taken = False  # so that no mistake of a configuration keeps it from that
        self._spool = Spool(folder, str(behind), sync)
        self._courier = Courier(behind, self._spool)
        # The thread knows the courier, but not the store: it ends with the last who has that.
        weakref.finalize(self, self._courier.stop).atexit = False

    def __reduce__(self) -> Any:
        make = functools.partial(SpillStore, after=self._after, sync=self._sync)
        return make, (self.behind, self.folder)

    # -- writing ---------------------------------------------------------

    def write_for_others(self) -> None:
        self.behind.write_for_others()

    def put(self, kind: str, doc: dict[str, Any]) -> None:
        if kind != "start" and not self._spool.is_keeping:  # a start needs little
            self.behind.prepare()
        self._put([(kind, doc)], self._after)

    def put_many(self, documents: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Keep documents, and wait as long as the server works on them."""
        self._put(documents, None)

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        """Keep a batch, if the server takes it: who moves runs can come again."""
        self._check_nothing_waits()
        self.behind.put_batch(kind, owner, batch)

    def insert_runs(self, runs: Sequence[StoredRun]) -> None:
        """Keep runs, if the server takes them, as `put_batch` does."""
        self._check_nothing_waits()
        self.behind.insert_runs(runs)

    def _check_nothing_waits(self) -> None:
        if self._spool.is_keeping:
            raise StoreAway(f"{self} has been away, and other documents wait. Come again later.")

    def _put(self, documents: Pairs, patience: float | None) -> None:
        why = self._trouble_with(self._courier.start)
        if why is None and not (self._spool.is_keeping and self._keep(documents, None)):
            why = self._trouble_with(self._carry, documents, patience)
        if why is not None:
            self._keep(documents, why)
            self._courier.wake()
        self._tell()

    def _trouble_with(self, do: Callable[..., None], *args: Any) -> Exception | None:
        """Do something, and return what documents wait for if it cannot be done now."""
        try:
            do(*args)
        except TROUBLE as error:
            if not self._may_wait(error):
                raise
            return error
        return None

    def _may_wait(self, error: Exception) -> bool:
        """Tell whether documents wait for that: not for who configures it to notice a mistake."""
        return isinstance(error, StoreAway) or (self._has_taken and not self._courier.is_closed)

    def _carry(self, documents: Pairs, patience: float | None) -> None:
        absence, self._absence = self._absence, None
        if absence is not None:
            raise StoreAway(absence)  # so that the server is not waited for a second time
        self._courier.carry(documents, patience)
        self._has_taken = True
        self._spool.was_reached()

    def _tell(self) -> None:
        for each in self._spool.news():
            warn_user(each, SpillWarning)

    def _keep(self, documents: Pairs, why: Exception | None) -> bool:
        """Let documents wait, or else only behind others; tell whether they do."""
        runs = {run for kind, doc in documents if (run := self._changes.run_of(kind, doc))}
        try:
            if why is None:
                return self._spool.keep_behind(documents, runs)
            self._spool.keep(documents, runs, why)
        except not_from_signal(OSError) as error:
            raise StoreUnavailable(
                f"{why or f'{self} has been away.'} And {self.folder} cannot take the document "
                f"either: {error}. It was not stored; make room, then insert it again."
            ) from error
        return True

    def look(self) -> None:
        """Reach the server, within the time that an insert waits for it; say so if it is away.

        Raises
        ------
        StoreUnavailable
            It refuses.
        """
        try:
            reach_within(self._after, self.behind)
        except StoreAway as error:
            self._absence = str(error)
            self._spool.tell_once(error)
        self._tell()

    # -- what waits ------------------------------------------------------

    def waiting(self) -> Waiting:
        return survey(self.folder, self._spool.reason)

    def is_waiting(self, uid: str) -> bool:
        return uid in self._spool.runs

    def send_waiting(self) -> int:
        return send_left(self.folder, self)

    def close(self) -> None:
        self._courier.close(self._after)
        self._spool.close()
        self.behind.close()

    # -- reading: what the server has --------------------------------------

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.behind, method)(*args, **kwargs)


def send_left(folder: Path, store: Store) -> int:
    """Send what waits in a folder, but for what others have; return how many records that were.

    Raises
    ------
    StoreUnavailable, StoreIsReadOnly, StoreDamaged
        The store takes nothing now.
    """
    sent = 0
    server = store.behind if isinstance(store, SpillStore) else store  # else it could wait again
    for sender in _senders(folder):
        with closing(sender):
            sent += sender.send_all(server)
    return sent


def _senders(folder: Path) -> Iterator[Sender]:
    """Yield what sends each file that nobody has."""
    for path in left_behind(folder):
        journal = None
        with suppressed(OSError, StoreDamaged):  # of which `waiting` tells
            journal = Journal.take(path)
        if journal is not None:
            yield Sender(journal)
