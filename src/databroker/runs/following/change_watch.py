"""Waiting for a store: one thread does so, however many followers it has in this process."""

from __future__ import annotations

import functools
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from ..._util.signals import not_from_signal
from ..._util.waiters import Waiters
from .shared_answers import SharedAnswers

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from ...stores.base import Store

_PAUSE = 0.02
"""Seconds between two changes that are told at least: events may come by the thousand."""

_PATIENCE = 1.0
"""Seconds for which the store is asked to wait, until it is seen whether anybody waits yet.

It is also how long the thread stays when nobody does: who follows waits again soon.
"""


class ChangeWatch:
    """Wakes all who wait for a store once it has something new.

    Parameters
    ----------
    store
        It is let go of when nobody else has it.

    Attributes
    ----------
    pid
        The process that it is of.
    changes
        How many times something new was told.
    changed
        When that was told last, by `time.monotonic`.
    answers
        What followers were told by the store.
    """

    def __init__(self, store: Store) -> None:
        self.pid = os.getpid()
        self.changes, self.changed = 0, time.monotonic()
        self.answers = SharedAnswers()
        self._store = weakref.ref(store)
        self._waiters = Waiters()
        self._waited = 0.0
        self._is_running = threading.Lock()  # it is the thread's

    def wait(self, changes: int, timeout: float) -> None:
        """Wait until there are other than so many changes.

        Parameters
        ----------
        changes
            How many had been told before it was looked what is in the store.
        timeout
            So many seconds at most.
        """
        self._waited = time.monotonic()
        if not self._is_running.locked():
            threading.Thread(target=self._run, name="databroker-watch", daemon=True).start()
        try:
            self._waiters.wait_for(lambda: self.changes != changes, timeout)
        finally:
            self._waited = time.monotonic()

    def tell(self) -> None:
        """Wake all who wait, as if there was something new."""
        self.changes, self.changed = self.changes + 1, time.monotonic()
        if self._waiters:
            self._waited = self.changed  # they will again
            self._waiters.wake()

    def _run(self) -> None:
        while self._is_wanted() and self._is_running.acquire(blocking=False):  # or another one is
            try:
                self._watch()
            finally:
                self._is_running.release()

    def _is_wanted(self) -> bool:
        waited = bool(self._waiters) or time.monotonic() < self._waited + _PATIENCE
        return waited and self._store() is not None

    def _watch(self) -> None:
        """Tell of changes for as long as anybody waits; first of those before it began."""
        is_new, state = True, None
        while self._is_wanted() and (store := self._store()) is not None:
            try:
                if is_new:
                    state = store.state()
                    self.tell()
                    time.sleep(_PAUSE)
                is_new = store.wait_for_changes(state, _PATIENCE)
            except not_from_signal(Exception):  # those who wait will see for themselves
                is_new, store = True, None
                self.tell()
                time.sleep(_PATIENCE / 2)
        self.answers.forget()


def watch_of(store: Store) -> ChangeWatch:
    """Return the watch of a store, which all its followers in this process share."""
    watches = _watches()
    watch = watches.get(store)
    if watch is None or watch.pid != os.getpid():  # whose thread is the parent's
        watch = watches[store] = ChangeWatch(store)
    return watch


@functools.cache
def _watches() -> MutableMapping[Store, ChangeWatch]:
    return weakref.WeakKeyDictionary()
