"""A connection to an SQLite file that waits, can be interrupted, and sleeps while nothing is asked.

Between two statements nothing is open but perhaps a transaction: then the connection can be
closed, for a fork, and opens again by itself.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any, TypeVar

from .....query.time_limit import check_time
from ..connection import Answer, Connection, Row
from ..dialect import SQLITE
from ..limits import Limits
from ..render import VALUES, inserting, marks
from .failures import is_busy, primary_code, translate, translated

T = TypeVar("T")

_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.025, 0.05, 0.05)
"""Seconds between two tries while somebody else is in the way; the last one again and again."""


LOG_PAGES, MOST_LOG_PAGES = 8_000, 60_000
"""So many pages of the log are moved into the file by the write after which there are as many.

Mostly they were moved before, by a thread of their own: 64 MB at most. While much is stored, many
pages are written again and again, and moved once: 480 MB at most.
"""

CACHE, MOST_CACHE = 2**14, 2**16
"""KiB of pages that are kept in memory; the second while much is stored."""


class Gate:
    """Shut while this process is being copied: no statement begins."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.is_shut = False


class SQLiteConnection(Connection):
    """The connection of one thread to one file; it opens, by `connect`, when it is used."""

    dialect = SQLITE
    driver: sqlite3.Connection | None = None  # while it is open

    def __init__(
        self, path: Path, gate: Gate, opening: Callable[[SQLiteConnection], None], limits: Limits
    ) -> None:
        super().__init__(limits)
        self.path = path
        self.frozen: object = None  # how the file was when opened as one that does not change
        self.can_write = False
        self.thread = threading.get_ident()
        self.guard = threading.RLock()  # held while a statement is carried out
        self._gate = gate
        self._opening = opening
        self._opened: object = None  # another one each time
        self._pid = os.getpid()
        self._raised: list[BaseException] = []

    def connect(self, uri: str, pragmas: Iterable[str]) -> None:
        """Open, and set what holds for this connection alone."""
        # To wait is our own affair, as SQLite does not let itself be interrupted in this.
        self._opened = object()
        self.driver = driver = sqlite3.connect(
            uri,
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=_Driver,
        )
        try:
            self._listen(driver)
            for pragma in pragmas:
                driver.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            self.shut()
            raise

    @property
    def in_transaction(self) -> bool:
        return self.driver is not None and self.driver.in_transaction

    def begin(self, *, to_write: bool) -> None:
        self.execute("BEGIN IMMEDIATE" if to_write else "BEGIN")

    def end(self, *, commit: bool) -> None:
        self._carry_out("COMMIT" if commit else "ROLLBACK")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        check_time()
        return self._carry_out(statement, values)

    def _carry_out(self, statement: str, values: Sequence[Any] = ()) -> Answer:
        return self._patiently(lambda driver: _answer(driver.execute(statement, values)))

    def insert(self, table: str, rows: Sequence[Sequence[Any]]) -> list[int]:
        return [self._insert(table, values) for values in rows]

    def _insert(self, table: str, values: Sequence[Any]) -> int:
        statement = f"INSERT INTO {table} VALUES ({marks(values)})"
        return self._patiently(lambda driver: driver.execute(statement, values).lastrowid or 0)

    def insert_rows(self, table: str, rows: Sequence[Row], are_new: bool) -> None:
        # Several rows in one statement are stored twice as fast as one by one.
        columns = len(rows[0])
        size = VALUES // columns
        whole = len(rows) // size * size
        several = inserting(table, size, columns, are_new)
        for first in range(0, whole, size):
            self.execute(several, tuple(chain.from_iterable(rows[first : first + size])))
        self.executemany(inserting(table, 1, columns, are_new), rows[whole:])

    def append(self, row: Row, series: int, sealed: int) -> bool:
        statement = (
            "INSERT INTO tail (id, seq, body) "
            "SELECT ?, ?, ? WHERE (SELECT sealed FROM series WHERE id = ?) = ? "
            "ON CONFLICT DO NOTHING"
        )
        values = (*row, series, sealed)
        return self._patiently(lambda driver: driver.execute(statement, values).rowcount) > 0

    def state(self) -> Hashable:
        # Of what others commit SQLite keeps a number for each connection, while it is open.
        others = self.execute("PRAGMA data_version")[0][0]
        return self._opened, others, self.driver.total_changes if self.driver else 0

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        several = list(values)
        self._patiently(lambda driver: driver.executemany(statement, several).close())

    @contextlib.contextmanager
    def storing_much(self) -> Iterator[None]:
        self._set(MOST_LOG_PAGES, MOST_CACHE)
        try:
            yield
        finally:
            if self.driver is not None:
                self._set(LOG_PAGES, CACHE)

    def _set(self, log_pages: int, cache: int) -> None:
        self.execute(f"PRAGMA wal_autocheckpoint = {log_pages}")
        self.execute(f"PRAGMA cache_size = -{cache}")

    def abandon(self) -> None:
        if self.driver is not None:
            with translated(self.path):
                self.driver.rollback()

    def shut(self) -> None:
        """Close; it opens again when it is used."""
        driver, self.driver, self.paths = self.driver, None, {}
        if driver is not None:
            driver.close()

    def rest(self, deadline: float) -> bool:
        """Close between two statements, and stay closed for as long as the guard is held.

        A transaction that another thread has open is waited for until the deadline. Return
        whether it could be done.
        """
        while self.guard.acquire(timeout=max(0.0, deadline - time.monotonic())):
            if not self.in_transaction:
                self.shut()
                return True
            self.guard.release()
            if self.thread == threading.get_ident() or time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return False

    def _patiently(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._wait(action)
        except sqlite3.Error as error:
            raise translate(error, self.path) from error

    def _wait(self, action: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return self._try(action)
        except sqlite3.OperationalError as error:
            self._weigh(error)
        deadline = time.monotonic() + self.limits.patience
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            time.sleep(pause)
            try:
                return self._try(action)
            except sqlite3.OperationalError as error:
                self._weigh(error)
                if time.monotonic() > deadline:
                    raise
        raise AssertionError("pauses have no end")

    def _try(self, action: Callable[[sqlite3.Connection], T]) -> T:
        if self._gate.is_shut and not self.in_transaction:
            with self._gate.lock:
                pass  # this process is being copied; then all goes on
        with self.guard:
            if self.driver is None:
                self._opening(self)
                assert self.driver is not None
            return action(self.driver)

    def _weigh(self, error: sqlite3.OperationalError) -> None:
        """Raise, unless it may help to wait."""
        if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            # The driver swallows what a handler of a signal raises amid a statement.
            if self.driver is not None:
                self._listen(self.driver)
            raise (self._raised.pop() if self._raised else KeyboardInterrupt()) from None
        if not is_busy(error):
            raise error

    def _listen(self, driver: sqlite3.Connection) -> None:
        """Let Python see to signals, and to a limit of time, amid long statements."""
        driver.set_progress_handler(_watch(self._raised).__next__, self.limits.steps)

    def __del__(self) -> None:
        if self.driver is not None and self._pid == os.getpid():
            # Whoever closes the others just now waits, so that the last one moves the log.
            with self.guard:
                self.shut()


class _Driver(sqlite3.Connection):
    """Closes itself: the collector of garbage may come to it before whoever used it."""

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # it could not be opened
            self.close()


def _answer(cursor: sqlite3.Cursor) -> Answer:
    return Answer(cursor, cursor.rowcount)


def _watch(raised: list[BaseException]) -> Iterator[int]:
    """Let Python see to signals, each time that this is asked to go on; keep what is raised.

    A function would not do: the handler is called as soon as a function begins, before any
    `try` in it. Here it is called where a `yield` returns.
    """
    stop = 0
    while True:
        try:
            while True:
                yield stop
                stop = 0
                check_time()
        except GeneratorExit:
            return
        except BaseException as error:
            raised.append(error)
            stop = 1
