"""Threads that wait until another one wakes them, or an interrupt does.

`threading.Condition` has one lock for all of them. An interrupt that strikes just when a thread has
taken it leaves it locked for ever, and then everybody waits for ever.
"""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable

from .signals import suppressed


class Waiters:
    """Those who wait for something: each has a lock of its own, which whoever wakes it releases.

    It is true while somebody waits.

    Examples
    --------
    >>> import threading
    >>> waiters, done = Waiters(), []
    >>> def do():
    ...     done.append(True)
    ...     waiters.wake()
    >>> threading.Timer(0.01, do).start()
    >>> waiters.wait_for(lambda: bool(done), 60)
    True
    """

    def __init__(self) -> None:
        self._locks: set[_thread.LockType] = set()

    def __bool__(self) -> bool:
        return bool(self._locks)

    def wait_for(self, is_so: Callable[[], bool], timeout: float) -> bool:
        """Wait until something is so, as is looked whenever this is woken; tell whether it is.

        Parameters
        ----------
        is_so
            Tells whether it is. Whoever makes it so wakes the waiters afterwards.
        timeout
            So many seconds at most.
        """
        end = time.monotonic() + timeout
        while not is_so():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._wait(is_so, left)
        return True

    def wait(self, timeout: float) -> None:
        """Wait until this is woken, for so many seconds at most."""
        self._wait(lambda: False, timeout)

    def wake(self) -> None:
        """Wake all who wait now."""
        locks, self._locks = self._locks, set()
        with suppressed(KeyError):  # the last one
            while True:
                locks.pop().release()

    def _wait(self, is_so: Callable[[], bool], timeout: float) -> None:
        lock = _thread.allocate_lock()
        lock.acquire()
        try:
            self._locks.add(lock)
            if not is_so():  # just before it could be woken
                lock.acquire(timeout=timeout)
        finally:
            self._locks.discard(lock)
