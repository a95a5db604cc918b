"""A connection of one thread, which borrows a session of the server when it has something to ask.

A statement outside a transaction is one by itself. Whoever writes several things as one takes
the lock of writers alone; rows that come one by one share it, so that many may come at once,
but none while somebody moves them into a block.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from psycopg import Error, OperationalError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.errors import QueryCanceled, ReadOnlySqlTransaction
from psycopg.pq import Format

from ....._util.signals import interrupt_behind
from .....errors import InvalidDocument
from .....query.time_limit import time_limit
from ..connection import Answer, Connection, Row
from ..dialect import POSTGRESQL
from ..limits import Limits
from ..render import VALUES, Sql, inserting, together
from .failures import translate
from .listening import Bell, channel
from .sessions import Session, Sessions

T = TypeVar("T")

_BYTES = (bytes, memoryview)
_LARGEST = 2**30 - 2**20
"""Bytes of a value: at a GiB the server ends the session, and says no more."""

_SENT = 2**24
"""Bytes of rows that are sent at once, or one row."""

_APPENDING = "SELECT append_row(?, ?, ?, ?, ?, ?)"
_APPENDING_TOLD = f"{_APPENDING}, pg_notify(?, '')"

_COPIED = 60
"""So many rows are sooner copied than inserted."""


class PostgreSQLConnection(Connection):
    """The connection of one thread to one database."""

    dialect = POSTGRESQL

    def __init__(
        self, sessions: Sessions, bell: Bell, name: str, lock: int, limits: Limits
    ) -> None:
        super().__init__(limits)
        self.lost = False  # whether a session came to its end in a transaction
        self._sessions = sessions
        self._bell = bell
        self._name = name
        self._lock = lock
        self._session: Session | None = None  # during a transaction
        self._types: dict[str, list[int]] = {}  # of the columns of tables
        self._changes: list[Sql] | None = None  # that are to be carried out together

    @property
    def in_transaction(self) -> bool:
        return self._session is not None

    def begin(self, *, to_write: bool) -> None:
        how = (
            f"BEGIN; SELECT pg_advisory_xact_lock({self._lock})"
            if to_write
            else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )

        def begun(session: Session) -> Session:
            session.execute(how)
            return session

        self._session = self._ask(begun, keep=True)

    def end(self, *, commit: bool) -> None:
        if commit:
            last = f"NOTIFY {channel(self._lock)}; COMMIT"
            self._ask(lambda session: session.execute(last))
        self.abandon()

    def abandon(self) -> None:
        session, self._session = self._session, None
        self._changes = None  # an interrupt may have left some behind
        if session is not None:
            with contextlib.suppress(Error):
                session.rollback()
            self._sessions.give_back(session)

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        return self._ask(lambda session: _answer(session, statement, values))

    def views(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        return self._ask(lambda session: _answer(session, statement, values, as_views=True))

    def change(self, statement: str, values: Sequence[Any] = ()) -> None:
        if self._changes is None:
            self.execute(statement, values)
        else:
            self._changes.append((statement, tuple(values)))

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        around, self._changes = self._changes, []
        try:
            yield
            changes = self._changes
        finally:
            self._changes = around
        if changes:
            self.execute(*together(changes))

    def append(self, row: Row, series: int, sealed: int) -> bool:
        values = (self._lock, *row, series, sealed)
        if self._bell.is_due():
            return bool(self.execute(_APPENDING_TOLD, (*values, channel(self._lock)))[0][0])
        return bool(self.execute(_APPENDING, values)[0][0])

    def state(self) -> Hashable:
        # Which transactions of the server are seen: of all its databases, but at once.
        answer: str = self.execute("SELECT pg_current_snapshot()::text")[0][0]
        return answer

    @contextlib.contextmanager
    def listening(self) -> Iterator[Callable[[float], object]]:
        try:
            with self._bell.heard(self._lock) as pause:
                yield pause
        except Error as error:
            raise translate(error, self._name) from error

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        # psycopg would send them without waiting for each, and forget an interrupt meanwhile.
        for each in values:
            self.execute(statement, each)

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> list[int]:
        self._weigh(rows)
        numbers: list[int] = []
        for some in _portions(rows):
            statement = f"{inserting(table, len(some), len(some[0]), are_new=True)} RETURNING id"
            answer = self.execute(statement, tuple(chain.from_iterable(some)))
            numbers += sorted(number for (number,) in answer)  # given one after the other
        return numbers

    def insert_rows(self, table: str, rows: Sequence[Row], are_new: bool) -> None:
        self._weigh(rows)
        if are_new and len(rows) >= _COPIED:
            self._ask(lambda session: self._copy(session, table, rows))
            return
        size = VALUES // len(rows[0])
        carry_out = self.change if len(rows) <= size else self.execute  # few are sent with others
        for first in range(0, len(rows), size):
            some = rows[first : first + size]
            statement = inserting(table, len(some), len(rows[0]), are_new)
            carry_out(statement, tuple(chain.from_iterable(some)))

    def _weigh(self, rows: Iterable[Sequence[Any]]) -> None:
        values = chain.from_iterable(rows)
        largest = max((len(value) for value in values if isinstance(value, _BYTES)), default=0)
        if largest > _LARGEST:
            raise InvalidDocument(
                f"A document is not stored, as a part of it takes {largest / 1e6:.0f} MB: "
                f"{self._name} takes {_LARGEST / 1e6:.0f} MB at most in one piece. Keep it in a "
                "file, to which a resource refers."
            )

    def _copy(self, session: Session, table: str, rows: Sequence[Row]) -> None:
        if table not in self._types:
            name, columns = table.rstrip(")").split(" (")
            described = session.execute(f"SELECT {columns} FROM {name} LIMIT 0").description
            self._types[table] = [column.type_code for column in described or ()]
        with (
            session.cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(self._types[table])
            for row in rows:
                copy.write_row(row)

    def _ask(self, question: Callable[[Session], T], keep: bool = False) -> T:
        try:
            if self._session is not None:
                return self._ask_of(self._session, question)
            return self._ask_of_any(question, keep)
        except Error as error:
            raise translate(error, self._name) from error

    def _ask_of_any(self, question: Callable[[Session], T], keep: bool) -> T:
        self.lost = False
        try:
            return self._ask_of_one(question, keep)
        except OperationalError:
            # It may have ended while nobody asked. Who writes must look again at what is there.
            if not self.lost or self.writing:
                raise
        return self._ask_of_one(question, keep)

    def _ask_of_one(self, question: Callable[[Session], T], keep: bool) -> T:
        session = self._sessions.take()
        try:
            answer = self._ask_of(session, question)
        except BaseException:
            self._sessions.give_back(session)
            raise
        if not keep:
            self._sessions.give_back(session)
        return answer

    def _ask_of(self, session: Session, question: Callable[[Session], T]) -> T:
        around = sys.exception()  # which is being handled, by whoever asks
        try:
            return _in_time(session, question)
        except BaseException as error:
            interrupt = interrupt_behind(error, around)
            if interrupt is not None:
                session.close()  # psycopg hides it if it was sending many rows
                raise interrupt from None
            if not isinstance(error, Error):
                session.close()  # an interrupt may have left it in the middle of something
                raise
            if isinstance(error, OperationalError) and session.closed:
                self.lost = True
                self._sessions.drop_unused()
            if isinstance(error, ReadOnlySqlTransaction):
                session.close()  # it would be so still when the server no longer is
                self._sessions.drop_unused()
            raise


def _in_time(session: Session, question: Callable[[Session], T]) -> T:
    """Return the answer to a question, which is interrupted when the limit of time ends."""
    limit = time_limit()
    if limit is None:
        return question(session)
    try:
        with limit.interrupting(session.cancel_safe):
            return question(session)
    except QueryCanceled as error:
        limit.check()
        raise error
    finally:
        if not limit.left:  # it may still be told to stop, when it is asked something else
            session.close()


class _View(Loader):
    """Leaves bytes where they were received, as far as the driver can."""

    format = Format.BINARY

    def load(self, data: Buffer) -> Buffer:
        return data


def _answer(
    session: Session, statement: str, values: Sequence[Any], as_views: bool = False
) -> Answer:
    cursor = session.cursor(binary=True)
    if as_views:
        cursor.adapters.register_loader("bytea", _View)
    cursor.execute(_translated(statement), values)
    return Answer(cursor.fetchall() if cursor.description else (), cursor.rowcount)


@functools.lru_cache(maxsize=1024)
def _translated(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


def _portions(rows: Sequence[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    """Yield rows, so many at a time as one statement may have and as are not too large."""
    some: list[Sequence[Any]] = []
    size = 0
    for row in rows:
        own = sum(len(value) for value in row if isinstance(value, _BYTES))
        if some and (len(some) >= VALUES // len(row) or size + own > _SENT):
            yield some
            some, size = [], 0
        some.append(row)
        size += own
    if some:
        yield some
