"""Tidying: what was written goes from the log into the file, so that the file alone is whole."""

from __future__ import annotations

import _thread
import contextlib
import os
import sqlite3
import time

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
        self._waiting: int | None = None  # the process in which a thread is about to do it

    def soon(self) -> None:
        """See to it that it happens."""
        if self._waiting != os.getpid():
            self._waiting = os.getpid()
            # Unlike this, a `threading.Thread` cannot be started safely amid signals.
            _thread.start_new_thread(self._later, ())

    def finish(self) -> None:
        """Do it now if it is still to be done."""
        if self._waiting == os.getpid():
            self._waiting = None
            self._move()

    def _later(self) -> None:
        time.sleep(DELAY)
        self.finish()

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
