"""One SQLite file: what it must be to be ours, and how a connection to it is opened."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import urllib.parse
from pathlib import Path
from typing import Any

from ....._util.filesystem import is_network_folder, is_writable
from ....._util.forks import FileId, is_left_open
from ....._util.signals import not_from_signal
from ....._util.user_warnings import warn_user
from .....errors import ForeignStore, InvalidConfiguration, StoreDamaged, StoreUnavailable
from ..connection import snapshot, transaction
from . import mark, schema
from .connection import CACHE, LOG_PAGES, Gate, SQLiteConnection
from .failures import lacks_room, translated

PAGE_SIZE = 8192
"""Bytes a page: small enough for small commits, large enough for blobs."""

_SMALLEST = 512  # bytes of a database

_TABLES = frozenset(re.findall(r"CREATE TABLE (\w+)", schema.CREATE))

State = tuple[int, int, int]
"""What changes when somebody else writes: size, time, and the size of the log."""


class File:
    """One SQLite file, and how connections to it are opened."""

    def __init__(self, path: Path, durability: str, read_only: bool) -> None:
        if durability not in ("normal", "full"):
            raise InvalidConfiguration(
                f"durability is {durability!r}; it must be 'normal' or 'full'."
            )
        self.path = path
        self.identity: FileId | None = None
        self.gate = Gate()
        self.is_closed = False
        self.changed = 0  # when, as far as was seen last
        found = _looked_at(path)
        if found is None and read_only:
            raise StoreUnavailable(f"There is no file {path}, and it is to be opened read-only.")
        self.read_only = read_only or not is_writable(path)
        if found is not None:
            self.identity = _identity(found)
        if self.identity is not None and is_left_open(self.identity):
            raise StoreUnavailable(after_fork(path))
        self._is_network = is_network_folder(path.parent)
        full = durability == "full" or self._is_network
        # Reading a mapped file that somebody cuts short would end the interpreter.
        # Some builds of SQLite write zeros over what is deleted: tails, blocks that were merged.
        self._pragmas = [f"cache_size = -{CACHE}", "mmap_size = 0", "secure_delete = OFF"]
        self._for_writing = [
            f"synchronous = {'FULL' if full else 'NORMAL'}",
            f"wal_autocheckpoint = {LOG_PAGES}",
            "journal_size_limit = 1048576",
        ]
        if found is None:
            path.parent.mkdir(parents=True, exist_ok=True)
        if self._is_network and not self.read_only:
            warn_user(
                f"{path} is on a network file system, where SQLite is slower and allows one "
                "writer at a time. A local folder, or PostgreSQL, is a better place.",
                UserWarning,
            )

    def check(self) -> os.stat_result:
        """Return how the file is now, which must still be the one that was opened first."""
        self._refuse_if_closed()
        try:  # before each write, so `translated` is entered only when there is an error
            found = os.stat(self.path)
        except FileNotFoundError:
            found = None
        except not_from_signal(OSError):
            with translated(self.path):
                raise
        if found is None or _identity(found) != self.identity:
            raise StoreUnavailable(
                f"{self.path} was {'removed' if found is None else 'replaced by another file'} "
                "while it was in use. Nothing more is stored in it, or read from it; open it anew."
            )
        self.changed = found.st_mtime_ns
        return found

    def state(self) -> State:
        """Return what changes when somebody else writes."""
        found = self.check()
        return found.st_size, found.st_mtime_ns, self.log_size()

    def log_size(self) -> int:
        """Return how large the write-ahead log beside the file is; 0 if there is none."""
        try:
            return os.stat(f"{self.path}-wal").st_size
        except FileNotFoundError:
            return 0

    def _refuse_if_closed(self) -> None:
        if self.is_closed:
            raise StoreUnavailable(f"The store in {self.path} is closed.")

    def open(self, connection: SQLiteConnection) -> None:
        """Open a connection: for writing if that can be, else for reading what is there.

        SQLite makes files beside the database even to read it. Where there is no room for
        them, and nobody is writing, it can do without.
        """
        self._refuse_if_closed()  # in the middle of a look, perhaps
        if not self.read_only:
            try:
                self._connect(connection, "rwc" if self.identity is None else "rw")
                return
            except sqlite3.OperationalError as error:
                if connection.writing or self.identity is None or not lacks_room(error):
                    raise
        self._connect_for_reading(connection)

    def _connect(self, connection: SQLiteConnection, mode: str) -> None:
        connection.frozen, connection.can_write = None, True
        connection.connect(self.uri(mode), [*self._pragmas, *self._for_writing, "user_version"])

    def _connect_for_reading(self, connection: SQLiteConnection) -> None:
        connection.frozen, connection.can_write = None, False
        mode, state = "ro", self.state()
        if not state[-1]:
            # Without a log nobody is writing. To be told that the file does not change
            # keeps SQLite from making a log of its own, which others could not write to.
            mode, connection.frozen = "ro&immutable=1", state
        connection.connect(self.uri(mode), self._pragmas)

    def uri(self, mode: str) -> str:
        """Return what SQLite is told to open."""
        return f"file:{urllib.parse.quote(os.fsencode(self.path))}?mode={mode}"

    def look(self, connection: SQLiteConnection) -> bool:
        """See that the file is ours; tell whether its tables must be made, or made new.

        To open a file is not to write to it, unless something is not right.
        """
        connection.execute("PRAGMA user_version")  # which opens it
        self.identity = _identity(os.stat(self.path))
        version = _checked_version(connection, self.path)
        if version is None and self.read_only:
            raise StoreUnavailable(
                f"{self.path} is empty, and cannot be written to, so that no runs are in it and "
                "none can be."
            )
        lacks_log: bool | None = False
        if version == schema.VERSION:
            _check_tables(connection, self.path)
            lacks_log = mark.lacks_log(connection, self.path, self.log_size)
            if lacks_log:
                mark.warn_of_missing_log(self.path)
        if not connection.can_write:
            return version is None
        return (
            lacks_log is None
            or version != schema.VERSION
            or _one(connection, "PRAGMA journal_mode") != self._wanted_journal
        )

    def make_right(self, connection: SQLiteConnection) -> None:
        """Make the tables of a new file, or those of an older version new."""
        if _checked_version(connection, self.path) is None:
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA journal_mode = {self._wanted_journal}")
        with transaction(connection):
            version = _checked_version(connection, self.path)  # another process was here, perhaps
            if version is None:
                _run(connection, schema.CREATE)
            for older in range(version or schema.VERSION, schema.VERSION):
                _run(connection, schema.MIGRATIONS[older])
            if version != schema.VERSION:
                connection.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {schema.VERSION}")
            connection.execute(mark.REMOVE)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # without tables it is nobody's file

    def has_tables(self, connection: SQLiteConnection) -> bool:
        """Tell whether the tables are there, and of this version."""
        return _checked_version(connection, self.path) == schema.VERSION

    @property
    def has_log(self) -> bool:
        """Whether a log is written beside the file."""
        return not self._is_network

    @property
    def _wanted_journal(self) -> str:
        return "wal" if self.has_log else "delete"


def _identity(found: os.stat_result) -> FileId:
    """Return which file it is, whatever its name."""
    return found.st_dev, found.st_ino


def after_fork(path: Path) -> str:
    """Say why a forked process cannot use a file, and what to do."""
    return (
        f"This process was forked while its parent was writing to {path}, so it can never use "
        "that file safely. Fork while nothing is being written, or start processes with "
        "multiprocessing's 'spawn' or 'forkserver'."
    )


def located(path: str | os.PathLike[str]) -> Path:
    """Return the whole path of a file, wherever the process goes."""
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:  # a user who is not there
        raise StoreUnavailable(f"{os.fspath(path)} can be no file: {error}") from error


def _looked_at(path: Path) -> os.stat_result | None:
    """Return how a file is, None if there is none; refuse what can be no database.

    It is not opened: to close it again would give up all locks that this process has on it.
    """
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except ValueError as error:  # a NUL in it, say
        raise StoreUnavailable(f"{str(path)!r} can be no file: {error}.") from error
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no ordinary file"
        raise StoreUnavailable(
            f"{path} is {what}. Runs are kept in a file; give its path, for example "
            f"{path / 'runs.db' if stat.S_ISDIR(found.st_mode) else path.with_name('runs.db')}."
        )
    if 0 < found.st_size < _SMALLEST:
        # SQLite takes a file of a few bytes for an empty database, and would write over it.
        raise ForeignStore(f"{path} is not an SQLite database, so it is not one of databroker's.")
    return found


def _checked_version(connection: SQLiteConnection, path: Path) -> int | None:
    """Return the version of the tables, None if there are none; refuse those that are not ours."""
    with snapshot(connection):  # another process may be making the tables
        application = _one(connection, "PRAGMA application_id")
        version: int = _one(connection, "PRAGMA user_version")
        tables = _one(connection, "SELECT count(*) FROM sqlite_master")
    if application != schema.APPLICATION_ID:
        if tables or application or version:
            raise ForeignStore(
                f"{path} is an SQLite database of another program. Choose another path; it was "
                "not touched."
            )
        return None
    if version > schema.VERSION:
        raise ForeignStore(
            f"{path} was written by a newer databroker (its tables have version {version}, this "
            f"one knows {schema.VERSION}). Upgrade databroker: pip install --upgrade databroker"
        )
    if version in range(1, min([schema.VERSION, *schema.MIGRATIONS])):
        raise ForeignStore(
            f"{path} was written by a databroker before its first release (its tables have "
            f"version {version}), which this one cannot read. Insert its runs into a new file."
        )
    if version < 1:
        raise StoreDamaged(
            f"{path} is damaged: it says that its tables have version {version}, which no "
            "databroker wrote. Copy the file, then see what `sqlite3 FILE .schema` shows."
        )
    return version


def _check_tables(connection: SQLiteConnection, path: Path) -> None:
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    missing = sorted(_TABLES - names)
    if missing:
        raise StoreDamaged(
            f"{path} is damaged: it has no table {', '.join(missing)}. Another program must have "
            "changed it; go back to a copy."
        )


def _one(connection: SQLiteConnection, question: str) -> Any:
    return connection.execute(question).fetchone()[0]


def _run(connection: SQLiteConnection, script: str) -> None:
    # executescript would commit first; this stays within the transaction.
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)
