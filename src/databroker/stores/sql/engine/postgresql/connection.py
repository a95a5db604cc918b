"""A connection of one thread, which borrows a session of the server when it has something to ask.

A statement outside a transaction is one by itself. Whoever writes several things as one takes
the lock of writers alone; rows that come one by one share it, so that many may come at once,
but none while somebody moves them into a block.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from psycopg import Error, OperationalError

from ..connection import Answer, Connection, Row
from ..dialect import POSTGRESQL
from ..limits import Limits
from ..render import marks
from .failures import translate

if TYPE_CHECKING:
    from psycopg import Connection as Session
    from psycopg_pool import ConnectionPool

T = TypeVar("T")

SESSIONS = 16
"""So many are open in a process at most; whoever needs another one waits."""


class PostgreSQLConnection(Connection):
    """The connection of one thread to one database."""

    dialect = POSTGRESQL

    def __init__(
        self, pool: ConnectionPool[Session[Row]], name: str, lock: int, limits: Limits
    ) -> None:
        super().__init__(limits)
        self.lost = False  # whether a session came to its end in a transaction
        self._pool = pool
        self._name = name
        self._lock = lock
        self._session: Session[Row] | None = None  # during a transaction

    @property
    def in_transaction(self) -> bool:
        return self._session is not None

    def begin(self, *, to_write: bool) -> None:
        how = "" if to_write else " ISOLATION LEVEL REPEATABLE READ READ ONLY"

        def begun(session: Session[Row]) -> Session[Row]:
            session.execute(f"BEGIN{how}")
            if to_write:
                session.execute("SELECT pg_advisory_xact_lock(%s)", (self._lock,))
            return session

        self._session = self._ask(begun, keep=True)

    def end(self, *, commit: bool) -> None:
        if commit:
            self.execute("COMMIT")
        self.abandon()

    def abandon(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(Error):
                session.rollback()
            self._pool.putconn(session)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        return self._ask(lambda session: _answer(session, statement, values))

    def append(self, row: Row, series: int, sealed: int) -> bool:
        values = (self._lock, *row, series, sealed)
        return bool(self.execute("SELECT append_row(?, ?, ?, ?, ?, ?)", values)[0][0])

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        several = list(values)

        def each(session: Session[Row]) -> None:
            with session.cursor() as cursor:
                cursor.executemany(_translated(statement), several)

        self._ask(each)

    def insert(self, table: str, values: Sequence[Any]) -> int:
        statement = f"INSERT INTO {table} VALUES ({marks(values)}) RETURNING id"
        number: int = self.execute(statement, values)[0][0]
        return number

    def _ask(self, question: Callable[[Session[Row]], T], keep: bool = False) -> T:
        try:
            if self._session is not None:
                return self._ask_of(self._session, question)
            return self._ask_of_any(question, keep)
        except Error as error:
            raise translate(error, self._name) from error

    def _ask_of_any(self, question: Callable[[Session[Row]], T], keep: bool) -> T:
        # Sessions may have ended while nobody asked, and statements bear to be repeated.
        for is_last in [*[False] * SESSIONS, True]:
            session = self._pool.getconn()
            try:
                answer = self._ask_of(session, question)
                if not keep:
                    self._pool.putconn(session)
                return answer
            except BaseException as error:
                is_lost = isinstance(error, OperationalError) and session.closed
                self._pool.putconn(session)
                if is_last or not is_lost:
                    raise
        raise AssertionError("the last one returns or raises")

    def _ask_of(self, session: Session[Row], question: Callable[[Session[Row]], T]) -> T:
        around = sys.exception()  # which is being handled, by whoever asks
        try:
            return question(session)
        except Error as error:
            self.lost |= isinstance(error, OperationalError) and session.closed
            cause = error.__context__
            if cause not in (None, around) and not isinstance(cause, Exception):
                session.close()  # an interrupt, which psycopg hides if it was sending many rows
                raise cause from None
            raise
        except BaseException:
            session.close()  # an interrupt may have left it in the middle of something
            raise


def _answer(session: Session[Row], statement: str, values: Sequence[Any]) -> Answer:
    cursor = session.execute(_translated(statement), values, binary=True)
    return Answer(cursor.fetchall() if cursor.description else (), cursor.rowcount)


@functools.lru_cache(maxsize=1024)
def _translated(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")
