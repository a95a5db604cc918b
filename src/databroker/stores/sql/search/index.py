"""Keeping the leaf index and the word index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..engine.connection import Connection, original, portable
from ..schema import DATA_KEYS, RUNS, START, STOP
from .index_terms import OBJECT, TEXT, UNINDEXED, Leaf, indexed_words, leaf, leaves

Doc = dict[str, Any]

EVERY, ENDED, WORDS = "every", "ended", "words"
"""Paths among those of RUNS.

There each run has a mark, or each that has a stop document, or each whose words are not all
indexed: a filter of the others.
"""

IDENTITY = {START: frozenset({"uid", "time"}), STOP: frozenset({"uid", "run_start"})}
"""Keys that each such document has, with one value, which the table of runs knows too.

Most are different for each run. In the leaf index they would take more room,
and more time, than any others.
"""


Entry = tuple[int, Leaf]
"""Which document (see `schema`), and a leaf of it."""


def entries_of_start(doc: Doc) -> set[Entry]:
    """Return what the leaf index has of a RunStart."""
    return {(RUNS, (EVERY, OBJECT, 0)), *((START, one) for one in leaves(doc, IDENTITY[START]))}


def mark_of_words(others: bytes | int | None) -> set[Entry]:
    """Return what the leaf index has of words that are not indexed (see `indexed_words`)."""
    return set() if others is None else {(RUNS, (WORDS, UNINDEXED, others))}


def entries_of_stop(doc: Doc) -> set[Entry]:
    """Return what the leaf index has of a RunStop, but for the mark that there is one."""
    return {(STOP, one) for one in leaves(doc, IDENTITY[STOP])}


def entries_of_data_keys(data_keys: Iterable[str]) -> set[Entry]:
    """Return what the leaf index has of the data keys of a run."""
    return {(DATA_KEYS, ("", *leaf(name))) for name in data_keys}


HAS_ENDED: Entry = (RUNS, (ENDED, OBJECT, 0))
"""The mark of a run that has a stop document."""


def index_start(connection: Connection, run: int, doc: Doc) -> None:
    """Index the leaves and the words of a RunStart."""
    indexed, others = indexed_words(doc)
    _add(connection, run, entries_of_start(doc) | mark_of_words(others))
    connection.executemany(
        "INSERT OR IGNORE INTO words (word, run) VALUES (?, ?)",
        [(portable(word), run) for word in sorted(indexed)],
    )


def index_stop(connection: Connection, run: int, doc: Doc) -> None:
    """Index the leaves of a RunStop."""
    _add(connection, run, {HAS_ENDED, *entries_of_stop(doc)})


def unindex_stop(connection: Connection, run: int, doc: Doc) -> None:
    """Take the leaves of a RunStop out of the index, before another one takes its place."""
    connection.executemany(
        "DELETE FROM leaves WHERE path = ? AND kind = ? AND value = ? AND run = ?",
        _rows(connection, run, entries_of_stop(doc)),
    )


def index_data_keys(connection: Connection, run: int, data_keys: Iterable[str]) -> None:
    """Index the names of the data keys of a run."""
    _add(connection, run, entries_of_data_keys(data_keys))


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


def known_paths(connection: Connection, most: int) -> list[str]:
    """Return paths that documents have: of very many, those known longest and those known last."""
    found: list[str] = []
    for document, mark, before in ((START, EVERY, ""), (STOP, ENDED, "stop.")):
        if path_id(connection, RUNS, mark) is None:
            continue  # there is no such document
        keys = set(IDENTITY[document])
        for order in ("", "DESC"):
            rows = connection.execute(
                f"SELECT path FROM paths WHERE document = ? ORDER BY id {order} LIMIT ?",
                (document, most // 4),
            ).fetchall()
            keys |= {original(path) for (path,) in rows}
        found += [before + key for key in sorted(keys) if key]
    return found[:most]


def bound(kind: int, value: Any) -> Any:
    """Return the value of a leaf as SQLite holds it."""
    return portable(value) if kind >= TEXT and type(value) is str else value


def new_path(connection: Connection, document: int, path: str) -> int:
    """Return the number of a path, which it is given if it has none; within a transaction."""
    number = path_id(connection, document, path)
    if number is None:
        number = connection.execute(
            "INSERT INTO paths (document, path) VALUES (?, ?)", (document, portable(path))
        ).lastrowid
        assert number is not None
    return number


def _add(connection: Connection, run: int, found: set[Entry]) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO leaves (path, kind, value, run) VALUES (?, ?, ?, ?)",
        _rows(connection, run, found),
    )


def _rows(connection: Connection, run: int, found: set[Entry]) -> list[tuple[int, int, Any, int]]:
    return [
        (new_path(connection, document, path), kind, bound(kind, value), run)
        for document, (path, kind, value) in found
    ]
