"""The thread that takes documents to a store: those just inserted, and those that wait.

It alone writes to the store. So whoever inserts can give up waiting for it, whatever the server
does, and put the documents into a file instead.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..._util.forks import tell_of_forks
from ..._util.signals import suppressed
from ...errors import StoreAway, StoreDamaged, StoreUnavailable
from ..base import Store
from ..facts import boot_id, host
from .journal import Journal, left_behind, new_journal
from .sending import Sender

Pairs = Sequence[tuple[str, dict[str, Any]]]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
"""Seconds until the server is tried again."""

_LOOK = 60.0
"""Seconds until it is looked again for files whose writers are gone."""


class Errand:
    """Documents that are to be put while somebody waits for it."""

    def __init__(self, documents: Pairs) -> None:
        self._documents = documents
        self._is_given_up = False
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def run(self, store: Store) -> None:
        """Put the documents, unless nobody waits any more."""
        try:
            if self._is_given_up:
                return
            if len(self._documents) == 1:
                store.put(*self._documents[0])
            else:
                store.put_many(self._documents)
        except BaseException as error:
            self._error = error
        finally:
            self._done.release()

    def is_run_within(self, seconds: float | None) -> bool:
        """Wait until it is run, and raise what that raised; give it up after some seconds."""
        if not self._done.acquire(timeout=-1 if seconds is None else seconds):
            self._is_given_up = True
            return False
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error
        return True


class Courier:
    """Takes documents to a store, in a thread that runs from the first one on.

    Attributes
    ----------
    runs
        The uids of the runs of which documents of this process wait.
    reason
        Why they do.
    """

    def __init__(self, store: Store, folder: Path, sync: bool) -> None:
        self._store = store
        self._folder = folder
        self._sync = sync
        self._is_closed = False
        self._begin()
        tell_of_forks(self)

    def _begin(self) -> None:
        self._own: Sender | None = None
        self._found: Sender | None = None  # of a writer that is gone
        self.runs: set[str] = set()
        self.reason: str | None = None
        self._refused: list[str] = []
        self._pause = 0.0
        self._lock = threading.RLock()
        self._errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def is_keeping(self) -> bool:
        """Whether documents of this process wait, so that later ones must go behind them."""
        return self._own is not None

    def carry(self, documents: Pairs, patience: float | None) -> None:
        """Take documents to the store, and wait for so many seconds until it has them.

        Raises
        ------
        StoreAway
            The store takes none now, or not within this time; it may get them all the same.
        """
        self._see_to_thread()
        errand = Errand(documents)
        self._errands.put(errand)
        if not errand.is_run_within(patience):
            raise StoreAway(f"{self._store} has not answered within {patience:g} s.")

    def keep_behind(self, documents: Pairs, runs: set[str]) -> bool:
        """Put documents of some runs behind those that wait; tell whether there are any.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        with self._lock:
            if self._own is None:
                return False
            self._append(self._own, documents, runs)
        return True

    def keep(self, documents: Pairs, runs: set[str], reason: str) -> bool:
        """Let documents wait, for some reason; tell whether they are the first.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        self._see_to_thread()
        with self._lock:
            is_first = self._own is None
            if self._own is None:
                about = {"store": str(self._store), "host": host(), "pid": os.getpid()}
                journal = new_journal(self._folder, about | {"boot_id": boot_id()}, self._sync)
                self._own, self.reason = Sender(journal), reason
            self._append(self._own, documents, runs)
        if is_first:
            self._errands.put(None)
        return is_first

    def refused(self) -> list[str]:
        """Return what was refused since this was asked last."""
        refused = []
        while self._refused:
            refused.append(self._refused.pop(0))
        return refused

    def close(self, patience: float) -> None:
        """End the thread, or leave it to its fate after some seconds; leave the files to others."""
        self._is_closed = True
        thread = self._thread
        if thread is not None:
            self._errands.put(None)
            thread.join(patience)
        with self._lock:
            for sender in filter(None, (self._own, self._found)):
                sender.close()
            self._own = self._found = None

    def stop(self) -> None:
        """Let the thread end when it is free."""
        self._is_closed = True
        self._errands.put(None)

    def before_fork(self) -> None:
        """Do nothing: the file and the thread stay those of the parent."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Begin anew, without the parent's file, which it still writes and locks."""
        for sender in filter(None, (self._own, self._found)):
            sender.close()
        self._begin()

    def _append(self, sender: Sender, documents: Pairs, runs: set[str]) -> None:
        for pair in documents:
            sender.journal.append(pair)
        self.runs |= runs

    def _see_to_thread(self) -> None:
        if self._is_closed:
            raise StoreUnavailable(f"The store in {self._store} is closed.")
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._work, daemon=True, name="databroker courier")
                thread.start()
                self._thread = thread

    def _work(self) -> None:
        due = time.monotonic()
        while True:
            try:
                errand = self._errands.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + self._send()
                continue
            if errand is not None:
                errand.run(self._store)
            elif self._is_closed:
                return
            else:
                due = time.monotonic()

    def _send(self) -> float:
        """Send a batch of what waits; return after how many seconds to go on."""
        try:
            sender = self._own or self._next_found()
            if sender is None:
                return _LOOK
            self._send_some(sender)
            self._pause = 0.0
        except Exception as error:
            self.reason = str(error)
            self._pause = min(max(_FIRST_PAUSE, 2 * self._pause), _LONGEST_PAUSE)
        return self._pause

    def _send_some(self, sender: Sender) -> None:
        with self._lock:
            batch = sender.next_batch()
            if not batch:
                self._forget(sender)
                return
        self._store.reach()
        sender.send(self._store, batch)
        self._refused += sender.refused
        sender.refused = []

    def _forget(self, sender: Sender) -> None:
        """Be done with a file."""
        if sender is self._own:
            self._own, self.reason = None, None
            self.runs.clear()
        else:
            self._found = None

    def _next_found(self) -> Sender | None:
        """Return what sends the file of a writer that is gone, if there is one."""
        if self._found is None:
            for path in left_behind(self._folder):
                with suppressed(StoreDamaged):  # which is told by `waiting`
                    journal = Journal.take(path)
                    if journal is not None:
                        self._found = Sender(journal)
                        break
        return self._found
