"""The connections to one file: one for each thread, none across a fork, one write at a time."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from ....._util.forks import leave_open, tell_of_forks
from .....errors import StoreUnavailable
from ..connection import Connection, Connections
from ..limits import Limits
from .connection import Gate, SQLiteConnection
from .failures import translated
from .file import File, after_fork

T = TypeVar("T")


class SQLiteConnections(Connections):
    """Gives each thread of each process its own connection to one SQLite file.

    SQLite keeps what a process has locked in the memory of that process, and a
    child that inherits it takes locks to be its own that it does not have:
    what it writes then is lost. So all connections are closed before a fork,
    and open again when they are used. Where one is in a transaction and does
    not come to its end, the child is refused.
    """

    _inherited: Sequence[SQLiteConnection] = ()
    _at_rest: Sequence[SQLiteConnection] = ()

    def __init__(self, path: Path, durability: str, read_only: bool, limits: Limits) -> None:
        self.limits = limits
        with translated(path):
            self.file = File(path, durability, read_only)
            self.path, self.name, self.read_only = path, str(path), self.file.read_only
            self._reset()
            tell_of_forks(self)
            try:
                connection = self._connection()
                if self.file.look(connection):
                    self._make_right(connection)
            except BaseException:
                self.close()
                raise

    def _make_right(self, connection: SQLiteConnection) -> None:
        try:
            self._alone(self.file.make_right, connection)
        except StoreUnavailable:
            if not self.file.has_tables(connection):
                raise
            # The disk is full, say. What is not tidy is in no reader's way.

    def get(self) -> SQLiteConnection:
        connection = self._connection()
        if connection.frozen is not None and connection.frozen != self.file.state():
            connection.shut()
        elif connection.in_transaction and not connection.writing:
            connection.shut()  # an interrupt left it behind
        return connection

    def write(self, job: Callable[[Connection], T]) -> T:
        connection = self._connection()
        with self._lock:
            return self._alone(job, connection)

    def alone(self, job: Callable[[SQLiteConnection], T]) -> T:
        """Do something with the connection of this thread, in which nothing else may come."""
        return self._alone(job, self._connection())

    def _prepare(self, connection: SQLiteConnection) -> None:
        if connection.in_transaction or not (connection.can_write or self.read_only):
            connection.shut()

    @contextlib.contextmanager
    def another(self, opening: Callable[[SQLiteConnection], None]) -> Iterator[SQLiteConnection]:
        """Have one more connection for a moment, to something else perhaps."""
        connection = self._new(opening)
        try:
            yield connection
        finally:
            with connection.guard:
                connection.shut()

    def close(self) -> None:
        if self._pid != os.getpid():
            return
        with self._lock:
            self.file.is_closed = True
            for connection in self._connections():
                with connection.guard:
                    connection.shut()

    def before_fork(self) -> None:
        """Close all connections, and keep them closed."""
        gate = self.file.gate
        gate.lock.acquire()
        gate.is_shut = True
        deadline = time.monotonic() + self.limits.fork_patience
        self._inherited = inherited = self._connections()
        self._at_rest = [one for one in inherited if one.rest(deadline)]

    def after_fork_in_parent(self) -> None:
        """Let the connections open again."""
        for connection in self._at_rest:
            connection.guard.release()
        self._inherited, self._at_rest = (), ()
        self.file.gate.is_shut = False
        self.file.gate.lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew, unless something could not be closed."""
        if len(self._inherited) > len(self._at_rest):
            if self.file.identity is not None:
                leave_open(self.file.identity, self._inherited)
            return  # the process is another one, and is refused for that
        self._reset()

    def _connection(self) -> SQLiteConnection:
        if self._pid != os.getpid():
            raise StoreUnavailable(after_fork(self.path))
        if self.file.identity is not None:
            self.file.check()
        connection: SQLiteConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._new(self.file.open)
        return connection

    def _new(self, opening: Callable[[SQLiteConnection], None]) -> SQLiteConnection:
        connection = SQLiteConnection(self.path, self.file.gate, opening, self.limits)
        with self._members_lock:
            self._members.add(connection)
        return connection

    def _connections(self) -> list[SQLiteConnection]:
        with self._members_lock:
            return list(self._members)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._local = threading.local()
        self._members_lock = threading.RLock()
        self._members: weakref.WeakSet[SQLiteConnection] = weakref.WeakSet()
        self._inherited, self._at_rest = (), ()
        self.file.gate = Gate()
