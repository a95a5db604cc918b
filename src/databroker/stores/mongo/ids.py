"""The ids under which MongoDB keeps documents, in the order in which they arrive.

Those of pymongo are in that order within one process alone: of two processes, in the same
second, one always comes first. These say the nanosecond, and are ObjectIds like others.
"""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

from bson import ObjectId

_SECOND = 10**9


class _Begun(NamedTuple):
    pid: int
    mark: bytes


class Ids:
    """Gives ids, each greater than the one before it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._begun = _Begun(0, b"")

    def next(self) -> ObjectId:
        """Return the id of a document that arrives now."""
        if self._begun.pid != os.getpid():  # a fork has a lock and a mark of its own
            self._lock, self._begun = threading.Lock(), _Begun(os.getpid(), os.urandom(4))
        with self._lock:
            now = self._last = max(self._last + 1, time.time_ns())
        seconds, rest = divmod(now, _SECOND)
        when = (seconds % 2**32).to_bytes(4, "big") + rest.to_bytes(4, "big")
        return ObjectId(when + self._begun.mark)
