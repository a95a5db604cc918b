"""SQLite files: opening them, one connection a thread and process, transactions.

The only module that knows sqlite3. Its exceptions become ours at one place,
:func:`translated`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import urllib.parse
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ...errors import (
    DatabrokerError,
    ForeignStore,
    InvalidConfiguration,
    StoreDamaged,
    StoreIsReadOnly,
    StoreUnavailable,
)
from . import schema
from .place import is_network_folder, is_writable

T = TypeVar("T")

DriverError = sqlite3.Error
"""The root of what the driver raises."""

PAGE_SIZE = 8192
"""Bytes a page: small enough for small commits, large enough for blobs."""

PATIENCE = 120.0
"""Seconds to wait for another writer before giving up."""

_BUSY_TIMEOUT = 5.0

_STEPS = 2_000_000
"""After so many steps of a statement (some 50 ms), Python may see to a Ctrl-C."""

_abandoned: list[Any] = []  # connections of a parent process: never used, never closed


class Connection(sqlite3.Connection):
    """A connection that remembers the numbers of the paths in the leaf index.

    Attributes
    ----------
    paths
        By kind of document and path; see `index.path_id`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.paths: dict[tuple[int, str], int] = {}
        self.set_progress_handler(lambda: 0, _STEPS)


class Connections:
    """Gives each thread of each process its own connection to one SQLite file.

    Parameters
    ----------
    path
        The file. It is made, with its folder, unless ``read_only``.
    durability
        'normal': what was inserted survives a crash of the process; 'full':
        it also survives a loss of power.
    read_only
        Never write, whatever the file's permissions.

    Raises
    ------
    StoreUnavailable
        The file is not there or cannot be opened.
    ForeignStore
        It is not a database of ours, or one of a newer version.
    """

    def __init__(self, path: Path, durability: str, read_only: bool) -> None:
        if durability not in ("normal", "full"):
            raise InvalidConfiguration(
                f"durability is {durability!r}; it must be 'normal' or 'full'."
            )
        self.path = path
        self._durability = durability
        self.read_only = read_only or not is_writable(path)
        self._closed = False
        self._reset()
        self._network = is_network_folder(path.parent)
        if read_only and not path.exists():
            raise StoreUnavailable(f"There is no file {path}, and it is to be opened read-only.")
        with translated(path):
            if not self.read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            _check_header(path)
            connection = self.get()
            _check_ours(connection, path)
            if not self.read_only:
                self._prepare(connection)
        if self._network and not self.read_only:
            warnings.warn(
                f"{path} is on a network file system, where SQLite is slower and allows one "
                "writer at a time. A local folder, or PostgreSQL, is a better place.",
                UserWarning,
                stacklevel=5,
            )

    def get(self) -> sqlite3.Connection:
        """Return the connection of this thread."""
        if self._pid != os.getpid():
            _abandoned.append((self._local, list(self._all)))
            self._reset()
        holder = getattr(self._local, "holder", None)
        if self._closed:
            if holder is not None:
                holder.close()
            raise StoreUnavailable(f"The store in {self.path} is closed.")
        if holder is not None and holder.frozen and holder.frozen != self._state():
            holder.close()
            holder = None
        if holder is None:
            holder = self._connect()
            self._local.holder = holder
            self._all.add(holder)
        connection: sqlite3.Connection = holder.connection
        return connection

    @property
    def lock(self) -> threading.RLock:
        """Held by the one thread of this process that writes."""
        if self._pid != os.getpid():
            self.get()
        return self._lock

    def close(self) -> None:
        """Close the connections of this process.

        Another thread may be using its own at this very moment, and closing it
        then would crash the interpreter: a thread closes its own when it next
        asks for it, or when it ends.
        """
        with self._lock:
            self._closed = True
            for holder in list(self._all):
                if holder.thread is threading.current_thread() or not holder.thread.is_alive():
                    holder.close()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._local = threading.local()
        self._all: weakref.WeakSet[_Holder] = weakref.WeakSet()

    def _connect(self) -> _Holder:
        mode, frozen = "rwc", None
        if self.read_only:
            mode = "ro"
            state = self._state()
            if not state[-1]:
                # Without a log nobody is writing. To be told that the file does not change
                # keeps SQLite from making a log of its own, which others could not write to.
                mode, frozen = "ro&immutable=1", state
        uri = f"file:{urllib.parse.quote(str(self.path))}?mode={mode}"
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=Connection,
        )
        connection.execute("PRAGMA cache_size = -16384")
        # Reading a mapped file that somebody cuts short would end the interpreter.
        connection.execute("PRAGMA mmap_size = 0")
        if not self.read_only:
            full = self._durability == "full" or self._network
            connection.execute(f"PRAGMA synchronous = {'FULL' if full else 'NORMAL'}")
        return _Holder(connection, frozen)

    def _state(self) -> tuple[int, int, bool]:
        """Return what changes when somebody else writes: size, time, whether a log is there."""
        found = self.path.stat()
        return found.st_size, found.st_mtime_ns, os.path.exists(f"{self.path}-wal")

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new file, or those of an older version new."""
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        journal = "DELETE" if self._network else "WAL"
        patiently(lambda: connection.execute(f"PRAGMA journal_mode = {journal}"))
        connection.execute("PRAGMA wal_autocheckpoint = 2000")
        connection.execute("PRAGMA journal_size_limit = 1048576")
        with transaction(connection):
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                _run(connection, schema.CREATE)
            for older in range(version or schema.VERSION, schema.VERSION):
                _run(connection, schema.MIGRATIONS[older])
            connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {schema.VERSION}")


class _Holder:
    """Closes a connection when its thread ends."""

    def __init__(
        self, connection: sqlite3.Connection, frozen: tuple[int, int, bool] | None
    ) -> None:
        self.connection = connection
        self.frozen = frozen  # how the file was when it was opened as one that does not change
        self.thread = threading.current_thread()
        self._pid = os.getpid()

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()

    def __del__(self) -> None:
        if self._pid == os.getpid():
            self.close()


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write several things as one; wait for other writers first."""
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if isinstance(connection, Connection):
            connection.paths.clear()
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def patiently(action: Callable[[], T]) -> T:
    """Do something that another writer may be in the way of, again and again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise


def execute(
    connection: sqlite3.Connection, statement: str, values: Sequence[Any]
) -> sqlite3.Cursor:
    """Write one thing, which is a transaction of its own; wait for other writers."""
    try:
        return connection.execute(statement, values)
    except sqlite3.OperationalError as error:
        if not _is_busy(error):
            raise
    return patiently(lambda: connection.execute(statement, values))


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the exceptions of sqlite3 into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except DatabrokerError:  # ours already, though it may be an OSError too
        raise
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be opened: {error}.") from error


def translate(error: sqlite3.Error, path: Path) -> BaseException:
    """Return our exception for one of sqlite3's."""
    text = str(error)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_INTERRUPT:
        # The driver swallows the exception that a Ctrl-C raised amid a statement.
        return KeyboardInterrupt()
    if code == sqlite3.SQLITE_READONLY:
        return StoreIsReadOnly(
            f"{path} can be read, but not written to. Check the permissions of the file and of "
            "its folder."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return ForeignStore(f"{path} is not an SQLite database, so it is not one of databroker's.")
    if is_damage(error):
        return StoreDamaged(
            f"{path} is damaged ({text}). Copy the file, then try `sqlite3 FILE .recover`."
        )
    if _is_busy(error):
        return StoreUnavailable(
            f"{path} has been locked by another program for {PATIENCE:.0f} s; nothing was stored. "
            "Close what holds it, then try again."
        )
    return StoreUnavailable(f"{path} cannot be used: {text}.")


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an exception says that the file is not as SQLite wrote it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    text = str(error)
    return (
        code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_TOOBIG)
        or text.startswith("Could not decode to UTF-8")
        or (code == sqlite3.SQLITE_ERROR and text.startswith("no such"))  # such a table or column
    )


def _is_busy(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _check_header(path: Path) -> None:
    # SQLite takes a file of a few bytes for an empty database, and would write over it.
    if path.is_file() and path.stat().st_size:
        with path.open("rb") as file:
            if file.read(16) != b"SQLite format 3\0":
                raise ForeignStore(
                    f"{path} is not an SQLite database, so it is not one of databroker's."
                )


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != schema.APPLICATION_ID and (tables or application):
        raise ForeignStore(
            f"{path} is an SQLite database of another program. Choose another path; it was not "
            "touched."
        )
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application and version < min([schema.VERSION, *schema.MIGRATIONS]):
        raise ForeignStore(
            f"{path} was written by a databroker before its first release (its tables have "
            f"version {version}), which this one cannot read. Insert its runs into a new file."
        )
    if version > schema.VERSION:
        raise ForeignStore(
            f"{path} was written by a newer databroker (its tables have version {version}, this "
            f"one knows {schema.VERSION}). Upgrade databroker: pip install --upgrade databroker"
        )


def _run(connection: sqlite3.Connection, script: str) -> None:
    # executescript would commit first; this stays within the transaction.
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def portable(text: str) -> str | bytes:
    """Return text as SQLite can hold it: lone surrogates have no UTF-8."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def original(stored: str | bytes) -> str:
    """Return the text that :func:`portable` was given."""
    return stored if isinstance(stored, str) else stored.decode("utf-8", "surrogatepass")


def fetch(
    connection: sqlite3.Connection, statement: str, values: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Return all rows of a query, so that no transaction stays open."""
    return connection.execute(statement, values).fetchall()
