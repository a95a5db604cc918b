"""The connections to one database: a pool of sessions, which the threads of a process share."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from ....._util.forks import tell_of_forks
from ....._util.secrets import hide_passwords
from .....errors import StoreUnavailable
from ..connection import Connection, Connections
from ..limits import Limits
from .connection import SESSIONS, PostgreSQLConnection
from .failures import translate
from .tables import make_right

T = TypeVar("T")

_LOCKS = 0x44424B52 << 32  # from which on the numbers of our locks are: one for each schema
_REACHED = 10  # seconds, within which a server must answer
_FREE = 30.0  # seconds, within which another thread must give a session back


def without_password(uri: str) -> str:
    """Return where a database is, without the password."""
    parts = conninfo_to_dict(uri)
    parts.pop("password", None)
    return make_conninfo("", **parts)


class PostgreSQLConnections(Connections):
    """Gives each thread of each process its own connection to one database."""

    def __init__(self, uri: str, schema: str, read_only: bool, limits: Limits) -> None:
        self.limits, self.read_only = limits, read_only
        self.name = hide_passwords(uri)
        self._uri, self._schema = uri, schema
        self._is_closed = False
        try:
            # The pool would try again and again to reach a server.
            with psycopg.connect(uri, autocommit=True, connect_timeout=_REACHED) as session:
                self._lock_number = _LOCKS | make_right(session, self.name, schema, read_only)
        except psycopg.Error as error:
            raise translate(error, self.name) from error
        self._reset()
        tell_of_forks(self)

    def get(self) -> Connection:
        connection = self._connection()
        if connection.in_transaction and not connection.writing:
            connection.abandon()  # an interrupt left it behind
        return connection

    def write(self, job: Callable[[PostgreSQLConnection], T]) -> T:
        connection = self._connection()
        with self._lock:
            connection.lost = False
            try:
                return self._alone(job, connection)
            except StoreUnavailable:
                if not connection.lost:
                    raise
            return self._alone(job, connection)  # what is known already changes nothing

    def close(self) -> None:
        self._is_closed = True
        if self._pid == os.getpid():
            self._pool.close()

    def before_fork(self) -> None:
        """Do nothing: the sessions stay those of the parent."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Begin anew: psycopg leaves the sessions of another process alone."""
        self._reset()

    def _connection(self) -> PostgreSQLConnection:
        if self._is_closed:
            raise StoreUnavailable(f"The store in {self.name} is closed.")
        connection: PostgreSQLConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            self._pool.open()  # which is done once, and not in each process that is forked
            connection = PostgreSQLConnection(self._pool, self.name, self._lock_number, self.limits)
            self._local.connection = connection
        return connection

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._local = threading.local()
        self._pool = ConnectionPool(
            self._uri,
            min_size=0,
            max_size=SESSIONS,
            kwargs={"autocommit": True, "connect_timeout": _REACHED},
            configure=self._configure,
            timeout=_FREE,
            open=False,
        )

    def _configure(self, session: psycopg.Connection[Any]) -> None:
        # A plan for whatever values would read a whole table where the values say that it is rare.
        settings = {
            "lock_timeout": f"{self.limits.patience:.0f}s",
            "plan_cache_mode": "force_custom_plan",
            "client_encoding": "UTF8",
        }
        schema = sql.Identifier(self._schema)
        session.execute(sql.SQL("SET search_path TO {}").format(schema))
        for name, value in settings.items():
            session.execute("SELECT set_config(%s, %s, false)", (name, value))
