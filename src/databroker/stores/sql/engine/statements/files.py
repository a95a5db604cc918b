"""The tables of an index of files, beside those of every database.

============  =================================================================
table         a row is
============  =================================================================
files         a file: how it was when it was read, how far it was read, and the
              run that it begins with
strays        something in a file that is not of that run: another run, or rows
              whose owner is elsewhere
unsearchable  a run that the index of metadata does not have yet
============  =================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..connection import Connection, fetch
from ..render import marks
from .insert import insert_rows

Row = tuple[Any, ...]

COLUMNS = "path, size, mtime, inode, read_to, last, mark, run, ended, plain, faults"
"""What is known of a file."""

_CREATE = (
    "CREATE TABLE IF NOT EXISTS files (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, "
    "size INTEGER NOT NULL, mtime INTEGER NOT NULL, inode INTEGER NOT NULL, "
    "read_to INTEGER NOT NULL, last INTEGER NOT NULL, mark BLOB NOT NULL, run TEXT, "
    "ended INTEGER NOT NULL, plain INTEGER NOT NULL, faults BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS files_run ON files (run)",
    "CREATE INDEX IF NOT EXISTS files_mixed ON files (id) WHERE NOT plain",
    "CREATE TABLE IF NOT EXISTS strays (owner TEXT NOT NULL, kind TEXT NOT NULL, "
    "file INTEGER NOT NULL, PRIMARY KEY (owner, kind, file)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS unsearchable (run INTEGER PRIMARY KEY)",
)


def create(connection: Connection) -> None:
    """Make the tables where they are not there."""
    for statement in _CREATE:
        connection.execute(statement)


# -- files -------------------------------------------------------------------


def every(connection: Connection) -> list[Row]:
    """Return what is known of all files."""
    return fetch(connection, f"SELECT {COLUMNS} FROM files")


def some(connection: Connection, paths: Sequence[bytes]) -> list[Row]:
    """Return what is known of some files."""
    return fetch(connection, f"SELECT {COLUMNS} FROM files WHERE path IN ({marks(paths)})", paths)


def add(connection: Connection, rows: Iterable[Row]) -> None:
    """Store what is known of new files."""
    insert_rows(connection, f"files ({COLUMNS})", rows)


def update(connection: Connection, rows: Iterable[Row]) -> None:
    """Store what is known of files in the place of what was; of one that was forgotten, nothing."""
    changes = ", ".join(f"{name} = ?" for name in COLUMNS.split(", ")[1:])
    connection.executemany(
        f"UPDATE files SET {changes} WHERE path = ?", [(*known, path) for path, *known in rows]
    )


def drop(connection: Connection, path: bytes) -> None:
    """Forget a file."""
    connection.execute(
        "DELETE FROM strays WHERE file = (SELECT id FROM files WHERE path = ?)", (path,)
    )
    connection.execute("DELETE FROM files WHERE path = ?", (path,))


def others_with(connection: Connection, run: Any, path: bytes) -> list[bytes]:
    """Return the files that must be read again when a run of a file is forgotten."""
    rows = fetch(
        connection, "SELECT path FROM files WHERE path != ? AND (run = ? OR NOT plain)", (path, run)
    )
    return [row[0] for row in rows]


def any_mixed(connection: Connection) -> bool:
    """Tell whether a file has anything but one run."""
    return bool(fetch(connection, "SELECT 1 FROM files WHERE NOT plain LIMIT 1"))


# -- where things are ----------------------------------------------------------


def add_strays(connection: Connection, path: bytes, strays: Iterable[tuple[str, Any]]) -> None:
    """Note the owners of rows, and the runs, that a file has though they are not of its run."""
    connection.executemany(
        "INSERT INTO strays (owner, kind, file) SELECT ?, ?, id FROM files WHERE path = ? "
        "ON CONFLICT DO NOTHING",
        [(owner, kind, path) for kind, owner in strays],
    )


def of_stray(connection: Connection, kind: str, owner: Any) -> list[bytes]:
    """Return the files with rows of an owner who is elsewhere."""
    rows = fetch(
        connection,
        "SELECT files.path FROM strays JOIN files ON files.id = strays.file "
        "WHERE strays.owner = ? AND strays.kind = ? ORDER BY files.id",
        (owner, kind),
    )
    return [row[0] for row in rows]


def of_run(connection: Connection, run: Any) -> bytes | None:
    """Return the file that begins with a run; of several, one with its stop, known longest."""
    one = "SELECT path FROM files WHERE run = ? ORDER BY ended DESC, id LIMIT 1"
    rows = fetch(connection, one, (run,))
    return rows[0][0] if rows else None


def run_of_document(connection: Connection, kind: str, uid: Any) -> Any:
    """Return the run of a descriptor, resource or stream resource, or None."""
    rows = fetch(connection, "SELECT run FROM documents WHERE uid = ? AND kind = ?", (uid, kind))
    return rows[0][0] if rows else None


# -- runs ----------------------------------------------------------------------


def set_unsearchable(connection: Connection, keys: Iterable[int]) -> None:
    """Note that the index of metadata does not have some runs yet."""
    insert_rows(connection, "unsearchable (run)", [(key,) for key in keys])


def unsearchable(connection: Connection, most: int) -> list[int]:
    """Return runs that the index of metadata does not have yet."""
    rows = fetch(connection, "SELECT run FROM unsearchable ORDER BY run LIMIT ?", (most,))
    return [row[0] for row in rows]


def any_unsearchable(connection: Connection) -> bool:
    """Tell whether the index of metadata lacks a run."""
    return bool(fetch(connection, "SELECT 1 FROM unsearchable LIMIT 1"))


def set_searchable(connection: Connection, keys: Sequence[int]) -> None:
    """Note that the index of metadata has some runs."""
    connection.executemany("DELETE FROM unsearchable WHERE run = ?", [(key,) for key in keys])


def drop_run(connection: Connection, key: int, uid: Any) -> None:
    """Take out a run and its documents, but for what the index of metadata has of it."""
    connection.execute("DELETE FROM unsearchable WHERE run = ?", (key,))
    connection.execute("DELETE FROM documents WHERE run = ?", (uid,))
    connection.execute("DELETE FROM series WHERE run = ?", (uid,))
    connection.execute("DELETE FROM runs WHERE id = ?", (key,))
