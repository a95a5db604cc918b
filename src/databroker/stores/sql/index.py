"""Keeping the leaf index and the word index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from .connection import portable
from .leaves import TEXT, Leaf, indexed_words, leaf, leaves
from .schema import DATA_KEYS, START, STOP

Doc = dict[str, Any]


def index_start(connection: sqlite3.Connection, run: int, doc: Doc) -> None:
    """Index the leaves and the words of a RunStart."""
    _add(connection, START, run, leaves(doc))
    connection.executemany(
        "INSERT OR IGNORE INTO words (word, run) VALUES (?, ?)",
        [(portable(word), run) for word in sorted(indexed_words(doc))],
    )


def index_stop(connection: sqlite3.Connection, run: int, doc: Doc) -> None:
    """Index the leaves of a RunStop."""
    _add(connection, STOP, run, leaves(doc))


def unindex_stop(connection: sqlite3.Connection, run: int, doc: Doc) -> None:
    """Take the leaves of a RunStop out of the index."""
    connection.executemany(
        "DELETE FROM leaves WHERE path = ? AND kind = ? AND value = ? AND run = ?",
        list(_rows(connection, STOP, run, leaves(doc))),
    )


def index_data_keys(connection: sqlite3.Connection, run: int, data_keys: Iterable[str]) -> None:
    """Index the names of the data keys of a run."""
    _add(connection, DATA_KEYS, run, {("", *leaf(name)) for name in data_keys})


def path_id(connection: sqlite3.Connection, document: int, path: str) -> int | None:
    """Return the number of a path, or None if no document has it."""
    row = connection.execute(
        "SELECT id FROM paths WHERE document = ? AND path = ?", (document, portable(path))
    ).fetchone()
    return None if row is None else row[0]


def bound(kind: int, value: Any) -> Any:
    """Return the value of a leaf as SQLite holds it."""
    return portable(value) if kind >= TEXT and type(value) is str else value


def _add(connection: sqlite3.Connection, document: int, run: int, found: set[Leaf]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO leaves (path, kind, value, run) VALUES (?, ?, ?, ?)",
        list(_rows(connection, document, run, found)),
    )


def _rows(
    connection: sqlite3.Connection, document: int, run: int, found: set[Leaf]
) -> Iterable[tuple[int, int, Any, int]]:
    numbers: dict[str, int] = {}
    for path, kind, value in found:
        number = numbers.get(path)
        if number is None:
            number = numbers[path] = path_id(connection, document, path) or _new_path(
                connection, document, path
            )
        yield number, kind, bound(kind, value), run


def _new_path(connection: sqlite3.Connection, document: int, path: str) -> int:
    cursor = connection.execute(
        "INSERT INTO paths (document, path) VALUES (?, ?)", (document, portable(path))
    )
    number = cursor.lastrowid
    assert number is not None
    return number
