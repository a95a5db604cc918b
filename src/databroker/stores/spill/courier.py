"""The thread that takes documents to a store: those just inserted, and those that wait.

It alone writes to the store. So whoever inserts can give up waiting for it, whatever the server
does, and let the documents wait in a file instead.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from functools import partial

from ..._util.forks import tell_of_forks
from ...errors import StoreAway, StoreUnavailable
from ..base import Store
from .spool import Pairs, Spool

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds until the server is tried again."""

_LOOK = 60.0
"""Seconds until it is looked again for files whose writers are gone."""

_FORK_PATIENCE = 1.0
"""Seconds that a fork waits for the thread to be free."""


class Errand:
    """Something that is done in another thread while somebody waits for it."""

    def __init__(self, job: Callable[[], None]) -> None:
        self._job = job
        self._is_given_up = False
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        """Do it, unless nobody waits any more."""
        try:
            if not self._is_given_up:
                self._job()
        except BaseException as error:
            self._error = error
        finally:
            self._done.release()

    def wait(self, seconds: float | None, of: Store) -> None:
        """Wait until it is done, and raise what it raised; give it up after some seconds.

        Raises
        ------
        StoreAway
            It takes longer; it may be done all the same.
        """
        if not self._done.acquire(timeout=-1 if seconds is None else seconds):
            self._is_given_up = True
            raise StoreAway(f"{of} has not answered within {seconds:g} s.")
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error


def reach_within(seconds: float, store: Store) -> None:
    """Reach the server of a store; raise StoreAway if it does not answer within some seconds."""
    errand = Errand(store.reach)
    threading.Thread(target=errand.run, daemon=True, name="databroker reach").start()
    errand.wait(seconds, store)


class Courier:
    """Takes documents to a store, in a thread that runs from the first one on."""

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self._is_closed = False
        self._is_forking = False
        self._begin()
        tell_of_forks(self)

    def _begin(self) -> None:
        self._pause = 0.0
        self._starting = threading.RLock()
        self._errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """See to it that the thread runs.

        Raises
        ------
        StoreUnavailable
            It was closed.
        StoreAway
            The program is about to end, and begins nothing new.
        """
        if self._is_closed:
            raise StoreUnavailable(f"The store in {self._store} is closed.")
        if self._is_running:
            return
        with self._starting:
            if not self._is_running:
                self._spool.begin()
                self._run()

    def _run(self) -> None:
        # It is known before it runs, as an interrupt may come as soon as it does.
        self._thread = threading.Thread(target=self._work, daemon=True, name="databroker courier")
        try:
            self._thread.start()
        except RuntimeError as error:
            raise StoreAway("This program is ending.") from error

    def carry(self, documents: Pairs, patience: float | None) -> None:
        """Take documents to the store, and wait for so many seconds until it has them.

        Raises
        ------
        StoreAway
            The store takes none now, or not within this time; it may get them all the same.
        """
        errand = Errand(partial(self._put, documents))
        self._errands.put(errand)
        errand.wait(patience, self._store)

    def wake(self) -> None:
        """Have it look at once for what waits."""
        self._errands.put(None)

    def stop(self) -> None:
        """Let the thread end when it is free."""
        self._is_closed = True
        self.wake()

    def close(self, patience: float) -> None:
        """End the thread, or leave it to its fate after some seconds."""
        self.stop()
        self._join(patience)

    def before_fork(self) -> None:
        """End the thread if it is free: a process had better have one thread when it is forked."""
        self._starting.acquire()
        self._is_forking = True
        self.wake()
        self._join(_FORK_PATIENCE)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._is_forking = False
        if self._thread is not None and not self._is_running:
            self._run()
        self._starting.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, with a thread of its own when it is needed."""
        self._is_forking = False
        self._begin()

    @property
    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _join(self, seconds: float) -> None:
        if self._thread is not None and self._is_running:
            self._thread.join(seconds)

    def _put(self, documents: Pairs) -> None:
        if len(documents) == 1:
            self._store.put(*documents[0])
        else:
            self._store.put_many(documents)

    def _work(self) -> None:
        due = time.monotonic()
        while True:
            try:
                errand = self._errands.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + self._send()
                continue
            if errand is not None:
                errand.run()
            elif self._is_forking:
                return
            elif self._is_closed:
                self._spool.close()
                return
            else:
                due = time.monotonic()

    def _send(self) -> float:
        """Send a batch of what waits; return after how many seconds to go on."""
        try:
            found = self._spool.next_batch()
            if found is None:
                return self._longer_pause() if self._spool.is_keeping else _LOOK
            sender, batch = found
            if self._pause:  # which says at once that the server is still away
                self._store.reach()
            sender.send(self._store, batch)
            self._spool.was_sent(sender)
        except BaseException as error:  # whatever it is, the thread goes on
            self._spool.cannot_send(str(error))
            return self._longer_pause()
        self._pause = 0.0
        return self._pause

    def _longer_pause(self) -> float:
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        return self._pause
