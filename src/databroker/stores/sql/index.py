"""Keeping the leaf index and the word index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .connection import Connection, portable
from .leaves import OBJECT, TEXT, Leaf, indexed_words, leaf, leaves
from .schema import DATA_KEYS, RUNS, START, STOP

Doc = dict[str, Any]

EVERY, ENDED = "every", "ended"
"""The paths, among those of RUNS, where each run has a mark, or each that has a stop document."""

IDENTITY = {START: frozenset({"uid", "time"}), STOP: frozenset({"uid", "run_start"})}
"""Keys that each such document has, with one value, which the table of runs knows too.

Most are different for each run. In the leaf index they would take more room,
and more time, than any others.
"""


def index_start(connection: Connection, run: int, doc: Doc) -> None:
    """Index the leaves and the words of a RunStart."""
    _add(connection, RUNS, run, {(EVERY, OBJECT, 0)})
    _add(connection, START, run, leaves(doc, IDENTITY[START]))
    connection.executemany(
        "INSERT OR IGNORE INTO words (word, run) VALUES (?, ?)",
        [(portable(word), run) for word in sorted(indexed_words(doc))],
    )


def index_stop(connection: Connection, run: int, doc: Doc) -> None:
    """Index the leaves of a RunStop."""
    _add(connection, RUNS, run, {(ENDED, OBJECT, 0)})
    _add(connection, STOP, run, leaves(doc, IDENTITY[STOP]))


def unindex_stop(connection: Connection, run: int, doc: Doc) -> None:
    """Take the leaves of a RunStop out of the index, before another one takes its place."""
    connection.executemany(
        "DELETE FROM leaves WHERE path = ? AND kind = ? AND value = ? AND run = ?",
        _rows(connection, STOP, run, leaves(doc, IDENTITY[STOP])),
    )


def index_data_keys(connection: Connection, run: int, data_keys: Iterable[str]) -> None:
    """Index the names of the data keys of a run."""
    _add(connection, DATA_KEYS, run, {("", *leaf(name)) for name in data_keys})


def path_id(connection: Connection, document: int, path: str) -> int | None:
    """Return the number of a path, or None if no document has it.

    A number never changes once it is committed, so each connection remembers
    them; when a transaction fails it forgets them (see `Connections.write`).
    """
    number = connection.paths.get((document, path))
    if number is None:
        row = connection.execute(
            "SELECT id FROM paths WHERE document = ? AND path = ?", (document, portable(path))
        ).fetchone()
        if row is None:
            return None
        number = connection.paths[document, path] = row[0]
    return number


def bound(kind: int, value: Any) -> Any:
    """Return the value of a leaf as SQLite holds it."""
    return portable(value) if kind >= TEXT and type(value) is str else value


def _add(connection: Connection, document: int, run: int, found: set[Leaf]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO leaves (path, kind, value, run) VALUES (?, ?, ?, ?)",
        _rows(connection, document, run, found),
    )


def _rows(
    connection: Connection, document: int, run: int, found: set[Leaf]
) -> list[tuple[int, int, Any, int]]:
    rows = []
    for path, kind, value in found:
        number = path_id(connection, document, path)
        if number is None:
            number = _new_path(connection, document, path)
        rows.append((number, kind, bound(kind, value), run))
    return rows


def _new_path(connection: Connection, document: int, path: str) -> int:
    number = connection.execute(
        "INSERT INTO paths (document, path) VALUES (?, ?)", (document, portable(path))
    ).lastrowid
    assert number is not None
    return number
