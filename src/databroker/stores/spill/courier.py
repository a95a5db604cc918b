"""The thread that takes documents to a store: those just inserted, and those that wait.

So whoever inserts can give up waiting for it, whatever the server does, and let the documents wait
in a file instead. A document goes without the thread if there is nothing else to be taken, and the
store can give up waiting by itself: that saves the turns of threads, which take longer than all
else where several processes share a core.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from ..._util.forks import tell_of_forks
from ..._util.signals import suppressed
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
        self._begun = time.monotonic()
        self.is_given_up = False
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        """Do it, unless nobody waits any more."""
        try:
            if not self.is_given_up:
                self._job()
        except BaseException as error:
            self.end(error)
        else:
            self.end()

    def end(self, error: BaseException | None = None) -> None:
        """Tell who waits that it is done, or what went wrong."""
        self._error = error
        self._done.release()

    def wait(self, seconds: float | None, of: Store) -> None:
        """Wait until it is done, and raise what it raised; give it up some seconds after it began.

        Raises
        ------
        StoreAway
            It takes longer; it may be done all the same.
        """
        left = -1 if seconds is None else max(0.0, self._begun + seconds - time.monotonic())
        if not self._done.acquire(timeout=left):
            self.is_given_up = True
            raise StoreAway(f"{of} has not answered within {seconds:g} s.")
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error


class Delivery(Errand):
    """Documents that are taken to a store while who inserted them waits."""

    def __init__(self, documents: Pairs, store: Store) -> None:
        super().__init__(partial(_put, documents, store))
        self.documents = documents


def _put(documents: Pairs, store: Store) -> None:
    if len(documents) == 1:
        store.put(*documents[0])
    else:
        store.put_many(documents)


def _deliver(deliveries: Sequence[Delivery], store: Store) -> None:
    """Take documents of all who wait to a store, at once: so they share the time that it takes."""
    wanted = [each for each in deliveries if not each.is_given_up]
    if len(wanted) == 1 or not _delivered_together(wanted, store):
        for each in wanted:
            each.run()


def _delivered_together(deliveries: Sequence[Delivery], store: Store) -> bool:
    """Tell whether that came to an end; if not, one is refused: which, each finds out alone."""
    why: StoreAway | None = None
    try:
        _put([pair for each in deliveries for pair in each.documents], store)
    except StoreAway as error:  # which takes none of them
        why = error
    except BaseException:
        return False
    for each in deliveries:
        each.end(why)
    return True


def reach_within(seconds: float, store: Store) -> None:
    """Reach the server of a store; raise StoreAway if it does not answer within some seconds."""
    errand = Errand(store.reach)
    threading.Thread(target=errand.run, daemon=True, name="databroker reach").start()
    errand.wait(seconds, store)


class Courier:
    """Takes documents to a store, in a thread that runs from the first one on.

    Attributes
    ----------
    is_closed
        Whether it takes no more.
    """

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self.is_closed = False
        self._is_forking = False
        self._begin()
        tell_of_forks(self)

    def _begin(self) -> None:
        self._pause = 0.0
        self._starting = threading.RLock()
        self._deliveries: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._is_busy = False
        self._without_thread = threading.Lock()
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
        if self.is_closed:
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
        StoreUnavailable
            This was closed meanwhile.
        """
        delivery = Delivery(documents, self._store)
        if patience is not None and len(documents) == 1:
            if self._carried_at_once(*documents[0], patience):
                return
            self.start()  # it may have been closed meanwhile
        self._deliveries.put(delivery)
        delivery.wait(patience, self._store)

    def _carried_at_once(self, kind: str, doc: dict[str, Any], seconds: float) -> bool:
        """Tell whether a document was taken to the store in this thread, as nothing else is."""
        # What others insert meanwhile goes together. If an interrupt leaves the lock taken, all
        # goes by the thread.
        if self._is_busy or not self._deliveries.empty() or self._is_forking:
            return False
        if not self._without_thread.acquire(blocking=False):
            return False
        try:
            return self._store.put_at_once(kind, doc, seconds)
        finally:
            self._without_thread.release()

    def wake(self) -> None:
        """Have it look at once for what waits."""
        self._deliveries.put(None)

    def stop(self) -> None:
        """Let the thread end when it is free."""
        self.is_closed = True
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

    def _work(self) -> None:
        due = time.monotonic()
        while True:
            try:
                found = self._deliveries.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + self._send()
                continue
            if found is not None:
                self._is_busy = True
                _deliver([found, *self._waiting_too()], self._store)
                self._is_busy = False
            elif self._is_forking:
                return
            elif self.is_closed:
                self._spool.close()
                return
            else:
                due = time.monotonic()

    def _waiting_too(self) -> Iterator[Delivery]:
        """Yield what came while the thread was busy."""
        with suppressed(queue.Empty):
            while (delivery := self._deliveries.get_nowait()) is not None:
                yield delivery
            self.wake()  # once more, for what comes after it

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
            self._spool.cannot_send(error)
            return self._longer_pause()
        self._pause = 0.0
        return self._pause

    def _longer_pause(self) -> float:
        self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        return self._pause
