"""Tidying: what was written goes from the log into the file, so that the file alone is whole."""

from __future__ import annotations

import _thread
import contextlib
import os
import time
from functools import partial
from pathlib import Path

from .....errors import StoreIsReadOnly, StoreUnavailable
from ..connection import Connection, transaction
from ..failures import FAILURES
from . import mark
from .connections import SQLiteConnections

DELAY = 0.5
"""Seconds after a write: a scan that follows at once is not in the way of its tidying."""


class Tidier:
    """Moves the log into the file soon after a run has ended, in a thread of its own.

    While more is being written, the file gets a mark as well, which says that a copy of it
    may lack something. When the file was changed, by whomever, that may be gone.
    """

    def __init__(self, connections: SQLiteConnections) -> None:
        self._connections = connections
        self._waiting: int | None = None  # the process in which a thread is about to do it
        self._marked: int | None = None  # when the file was changed last, if it has the mark
        self._is_marking = self._is_closing = False
        self._ended = True  # whether what was written last ended a run

    def wrote(self, kind: str) -> None:
        """Take note of a document that was written, and see to what must follow."""
        self._ended = kind == "stop"
        if self._ended or self._connections.file.changed != self._marked:
            self._soon()

    def close(self) -> None:
        """Do what is still to be done, for the last time."""
        self._is_closing = True
        with contextlib.suppress(*FAILURES):
            self._connections.write(self._end_marking)
            if self._waiting == os.getpid():
                move_log(self._connections.get())

    def _soon(self) -> None:
        if self._connections.file.has_log and self._waiting != os.getpid():
            self._waiting = os.getpid()
            with contextlib.suppress(RuntimeError):  # while Python 3.12 ends; closing does it then
                # Unlike this, a `threading.Thread` cannot be started safely amid signals.
                _thread.start_new_thread(self._later, ())

    def _later(self) -> None:
        time.sleep(DELAY)
        self._waiting = None
        with contextlib.suppress(*FAILURES):  # closed meanwhile, say
            if mark.is_marked(self._connections.get()):  # a copy that now is a file of its own
                self._connections.write(self._remove_mark)
            if self._ended and move_log(self._connections.get()):
                self._connections.write(partial(begin_log, path=self._connections.path))
                return
            if not self._has_mark():
                self._move_with_mark()
                if not self._has_mark():
                    self._soon()  # others are reading what cannot be moved before

    def _has_mark(self) -> bool:
        """Tell whether a copy of the main file, without its log, would have the mark."""
        file, found = self._connections.file, False
        changed, uri = file.check().st_mtime_ns, file.uri("ro&immutable=1")
        alone = self._connections.another(lambda connection: connection.connect(uri, []))
        with contextlib.suppress(*FAILURES), alone as main_file:
            found = mark.is_marked(main_file)  # unless it is being written to just now
        if found:
            self._marked = changed
        return found

    def _move_with_mark(self) -> None:
        self._connections.write(self._set_mark)
        try:
            move_log(self._connections.get())
        finally:
            self._connections.write(self._remove_mark)

    def _set_mark(self, connection: Connection) -> None:
        if not self._is_closing:
            self._is_marking = True
            mark.set_mark(connection, self._connections.path)

    def _end_marking(self, connection: Connection) -> None:
        if self._is_marking:
            self._remove_mark(connection)

    def _remove_mark(self, connection: Connection) -> None:
        connection.execute(mark.REMOVE)
        self._is_marking = False


def move_log(connection: Connection) -> bool:
    """Move into the file what can be moved; tell whether that was all of the log.

    Nobody waits for that: writers go on meanwhile, and what readers still need stays.
    """
    _, length, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(length == moved)


def begin_log(connection: Connection, path: Path) -> None:
    """Begin the log anew by changing nothing: whoever does so first waits for the disk."""
    with transaction(connection):
        mark.set_mark(connection, path)
        connection.execute(mark.REMOVE)


def tidy(connection: Connection) -> None:
    """Move the log of a large run into the file, and give back what it no longer needs.

    Reading large blobs from the log is many times slower than from the file.
    """
    with contextlib.suppress(StoreUnavailable, StoreIsReadOnly):  # another process is writing, say
        connection.execute("PRAGMA incremental_vacuum")
        # A log that is cut while the mark is set would leave, after a crash, what looks like a
        # copy without its log. Who set the mark is about to move the log anyway.
        if not mark.is_marked(connection):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
