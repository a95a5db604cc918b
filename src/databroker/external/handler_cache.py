"""Handlers that were made and are kept, so that a file is not opened for each event.

There are never more than a bounded number of them; the one that was used
least recently is closed. A handler in use is not closed under its user. One
that does not say that it is safe for threads is called by one at a time. A
forked child begins with none: those of its parent are neither used nor closed.
One that says ``keep = False`` is closed after each use.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .._util.signals import suppressed

MOST = 64
"""How many handlers are kept. Files may be open in each; systems allow some 256 or 1024."""


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from another that takes its place; None where there is none."""
    with suppressed(OSError, ValueError):
        status = os.stat(path)
        return status.st_dev, status.st_ino
    return None


@dataclass(eq=False)
class _Kept:
    """A handler, who uses it, and whether it is to be closed afterwards."""

    shared: bool
    lock: threading.RLock = field(default_factory=threading.RLock)
    handler: Any = None
    made: bool = False
    users: int = 0
    dropped: bool = False


class Opened:
    """The handlers of a process that are kept."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._inherited: list[Any] = []
        self._begin()

    def __len__(self) -> int:
        return len(self._kept)

    @contextlib.contextmanager
    def acquire(
        self, key: Hashable, make: Callable[[], Any], shared: bool = False
    ) -> Iterator[Any]:
        """Lend a handler for the length of a ``with`` block."""
        kept = self._take(key, shared)
        try:
            # Making is always done by one thread, using only where the handler needs it.
            with kept.lock:
                if not kept.made:
                    kept.handler = make()
                    kept.made = True
                if not kept.shared:
                    yield kept.handler
                    return
            yield kept.handler
        finally:
            self._give_back(key, kept)

    def close(self, wanted: Callable[[Hashable], bool] = lambda key: True) -> None:
        """Close the handlers whose key is wanted; those in use are closed after it."""
        self._check_process()
        with self._lock:
            dropped = [self._kept.pop(key) for key in list(self._kept) if wanted(key)]
            for kept in dropped:
                kept.dropped = True
            idle = [kept for kept in dropped if not kept.users]
        for kept in idle:
            _close(kept)

    def _take(self, key: Hashable, shared: bool) -> _Kept:
        self._check_process()
        with self._lock:
            kept = self._kept.setdefault(key, _Kept(shared))
            self._kept.move_to_end(key)
            kept.users += 1
            surplus = self._surplus()
        for other in surplus:
            _close(other)
        return kept

    def _give_back(self, key: Hashable, kept: _Kept) -> None:
        with self._lock:
            kept.users -= 1
            if kept.users:
                return
            # Where one could not be made, the next one tries again.
            if not kept.made or not getattr(kept.handler, "keep", True):
                kept.dropped = True
                if self._kept.get(key) is kept:
                    del self._kept[key]
        if kept.dropped:
            _close(kept)

    def _surplus(self) -> list[_Kept]:
        """Forget those used least recently, and return them to be closed."""
        surplus = []
        for key in list(self._kept):
            if len(self._kept) <= self.most:
                break
            if not self._kept[key].users:
                surplus.append(self._kept.pop(key))
        return surplus

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            # Kept alive: libraries close files when the last reference goes, and a lock that
            # another thread of the parent held would never be released here.
            self._inherited.append(self._kept)
            self._begin()


def _close(kept: _Kept) -> None:
    close = getattr(kept.handler, "close", None)
    if callable(close):
        # A handler that cannot be closed must not spoil the reading of another.
        with suppressed(Exception):
            close()


OPEN = Opened()
"""The handlers of this process, of all brokers: what is bounded is bounded for the process."""

atexit.register(OPEN.close)
