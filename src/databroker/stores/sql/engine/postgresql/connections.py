"""The connections to one database: a pool of sessions, which the threads of a process share."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from itertools import chain
from typing import TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ....._util.forks import tell_of_forks
from ....._util.secrets import has_password
from .....errors import InvalidConfiguration, StoreUnavailable
from ..connection import Connection, Connections
from ..limits import Limits
from .connection import PostgreSQLConnection
from .failures import translate_opening
from .listening import Bell
from .sessions import Session, Sessions
from .tables import make_right

T = TypeVar("T")

_LOCKS = 0x44424B52 << 32  # from which on the numbers of our locks are: one for each schema

_HABITS = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""What is seen to where the address says nothing of it: that a cut cable is noticed."""

_SYNCHRONOUS = (
    "set_config('synchronous_commit', "
    "coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'local'), false)"
)
"""What is said to be stored must be, also where a server would not wait for its disk."""


def without_password(uri: str) -> str:
    """Return where a database is, without the password."""
    parts = conninfo_to_dict(uri)
    parts.pop("password", None)
    return make_conninfo("", **parts)


def _name_of(uri: str) -> str:
    """Return how people are told of a database.

    A part of a password that is not written as it must be would be taken for host or port.
    """
    try:
        parts = {name: f"{value}" for name, value in conninfo_to_dict(uri).items()}
    except psycopg.ProgrammingError as error:
        raise _no_address("" if has_password(uri) else f": {error}".rstrip()) from None
    user, host, port = (parts.get(name, "") for name in ("user", "host", "port"))
    if "@" in host or (port and not port.replace(",", "").isdecimal()):
        raise _no_address("")
    where = f"{user}{'@' * bool(user)}{host}{':' * bool(port)}{port}"
    return f"postgresql://{where}/{parts.get('dbname', user)}"


def _no_address(why: str) -> InvalidConfiguration:
    return InvalidConfiguration(
        f"This is no address of a PostgreSQL database{why}. Give one like postgresql://host/name. "
        "What means something in addresses ('@', ':', '/', '%', a space) is written in a user or "
        "a password as `urllib.parse.quote` does; better is a password in ~/.pgpass or PGPASSWORD."
    )


class PostgreSQLConnections(Connections):
    """Gives each thread of each process its own connection to one database."""

    def __init__(self, uri: str, schema: str, read_only: bool, limits: Limits) -> None:
        self.limits, self.read_only = limits, read_only
        self._uri, self._schema = uri, schema
        self._is_closed = False
        self.name = _name_of(uri)
        self._lock_number: int | None = None  # which is known once the server was reached
        self._reset()
        tell_of_forks(self)

    def reach(self) -> int:
        """See that the server can be asked, and that its tables are right; return their lock."""
        try:
            session = self._connect()
            if self._lock_number is not None:
                session.close()  # there are others, or none is needed yet
                return self._lock_number
            number = make_right(session, self.name, self._schema, self.read_only)
            self._lock_number = _LOCKS | number
        except psycopg.Error as error:
            raise translate_opening(error, self.name) from error
        self._sessions.give_back(session)
        return self._lock_number

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
            self._sessions.close()

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
            lock = self._lock_number or self.reach()
            connection = PostgreSQLConnection(
                self._sessions, self._bell, self.name, lock, self.limits
            )
            self._local.connection = connection
        return connection

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._local = threading.local()
        self._sessions = Sessions(self._connect, self.limits.outage)
        self._bell = Bell(self._sessions)

    def _connect(self) -> Session:
        habits = _HABITS | {"connect_timeout": max(2, round(self.limits.outage))}
        address = make_conninfo("", **habits | conninfo_to_dict(self._uri))
        session = Session.connect(address, autocommit=True)
        # A plan for whatever values would read a whole table where the values say that it is rare.
        settings = {
            "search_path": sql.Identifier(self._schema).as_string(session),
            "lock_timeout": f"{self.limits.patience:.0f}s",
            "plan_cache_mode": "force_custom_plan",
            "client_encoding": "UTF8",
        }
        setting = "set_config(%s, %s, false), " * len(settings)
        session.execute(f"SELECT {setting}{_SYNCHRONOUS}", [*chain.from_iterable(settings.items())])
        return session
