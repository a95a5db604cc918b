"""Tidying: what was written goes from the log into the file, so that the file alone is whole."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

from ...errors import StoreUnavailable
from .access import Connections
from .connection import Connection

DELAY = 0.5
"""Seconds after a run has ended: a scan that follows at once is not in the way of its tidying."""


class Tidier:
    """Moves the log into the file soon after a run has ended, in a thread of its own.

    Nobody waits for that: writers go on meanwhile, and what readers still need is moved
    another time.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._timer: threading.Timer | None = None

    def soon(self) -> None:
        """See to it that it happens."""
        if self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(DELAY, self._move)
            self._timer.daemon = True
            self._timer.start()

    def finish(self) -> None:
        """Do it now if it is still to be done."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.is_alive():
            timer.cancel()
            self._move()

    def _move(self) -> None:
        with contextlib.suppress(sqlite3.Error, StoreUnavailable):  # closed meanwhile, say
            self._connections.get().execute("PRAGMA wal_checkpoint(PASSIVE)")


def tidy(connection: Connection) -> None:
    """Move the log of a large run into the file, and give back what it no longer needs.

    Reading large blobs from the log is many times slower than from the file.
    """
    with contextlib.suppress(sqlite3.OperationalError):  # another process is writing, say
        connection.execute("PRAGMA incremental_vacuum")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
