"""Keeping the index of metadata and words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...._util.portable_text import original, portable
from ..engine.connection import Connection
from ..engine.schema import DATA_KEYS, RUNS, START, STOP
from ..engine.statements import index
from .index_terms import LONG_TEXT, OBJECT, TEXT, UNINDEXED, Leaf, indexed_words, leaf, leaves

Doc = dict[str, Any]

EVERY, ENDED, WORDS = "every", "ended", "words"
"""Paths among those of RUNS.

At these each run has a mark, or each that has a stop document; or there are the words of its
texts and, where not all are indexed, a filter of the others.
"""

_AS_TEXT = frozenset({TEXT, LONG_TEXT, UNINDEXED})
"""The kinds whose values are text, or bytes."""

IDENTITY = {START: frozenset({"uid", "time"}), STOP: frozenset({"uid", "run_start"})}
"""Keys that each such document has, with one value, which the table of runs knows too.

Most are different for each run. In the index they would take more room,
and more time, than any others.
"""


Entries = tuple[int, Iterable[Leaf]]
"""Which document (see `schema`), and leaves of it."""


def table_of(kind: int) -> str:
    """Return the table that has the values of a kind."""
    return "texts" if kind in _AS_TEXT else "numbers"


def entries_of_start(doc: Doc) -> list[Entries]:
    """Return what the index has of a RunStart, and of the words in it."""
    words, others = indexed_words(doc)
    of_run: list[Leaf] = [(WORDS, TEXT, word) for word in words]
    if others is not None:
        of_run.append((WORDS, UNINDEXED, others))
    return [EXISTS, (RUNS, of_run), (START, leaves(doc, IDENTITY[START]))]


def entries_of_stop(doc: Doc) -> Entries:
    """Return what the index has of a RunStop, but for the mark that there is one."""
    return STOP, leaves(doc, IDENTITY[STOP])


def entries_of_data_keys(data_keys: Iterable[str]) -> Entries:
    """Return what the index has of the data keys of a run."""
    return DATA_KEYS, {("", *leaf(name)) for name in data_keys}


EXISTS: Entries = (RUNS, [(EVERY, OBJECT, 0)])
"""The mark of a run."""

HAS_ENDED: Entries = (RUNS, [(ENDED, OBJECT, 0)])
"""The mark of a run that has a stop document."""


def index_start(connection: Connection, run: int, doc: Doc) -> None:
    """Index the leaves and the words of a RunStart."""
    add_entries(connection, [(run, entries_of_start(doc))])


def index_stop(connection: Connection, run: int, doc: Doc) -> None:
    """Index the leaves of a RunStop."""
    add_entries(connection, [(run, [HAS_ENDED, entries_of_stop(doc)])])


def unindex_stop(connection: Connection, run: int, doc: Doc) -> None:
    """Take the leaves of a RunStop out of the index, before another one takes its place."""
    remove_entries(connection, run, [entries_of_stop(doc)])


def remove_entries(connection: Connection, run: int, entries: Iterable[Entries]) -> None:
    """Take entries of a run out."""
    for table, rows in _rows(connection, [(run, entries)]).items():
        index.drop(connection, table, rows)


def index_data_keys(connection: Connection, run: int, data_keys: Iterable[str]) -> None:
    """Index the names of the data keys of a run."""
    add_entries(connection, [(run, [entries_of_data_keys(data_keys)])])


def path_id(connection: Connection, document: int, path: str, kind: int) -> int | None:
    """Return the number of a path and a kind of value, or None if no document has such.

    A number never changes once it is committed, so each connection remembers
    them; when a transaction fails it forgets them (see `Connections.write`).
    """
    key = document, path, kind
    number = connection.paths.get(key)
    if number is None:
        number = index.path_id(connection, document, portable(path), kind)
        if number is not None:
            connection.paths[key] = number
    return number


def known_paths(connection: Connection, most: int) -> list[str]:
    """Return paths that documents have: of very many, those known longest and those known last."""
    found: list[str] = []
    for document, mark, before in ((START, EVERY, ""), (STOP, ENDED, "stop.")):
        if path_id(connection, RUNS, mark, OBJECT) is None:
            continue  # there is no such document
        keys = {*map(original, index.some_paths(connection, document, most // 2))}
        found += [before + key for key in sorted(keys | IDENTITY[document]) if key]
    return found[:most]


def bound(kind: int, value: Any) -> Any:
    """Return the value of a leaf as the index holds it."""
    if kind not in _AS_TEXT:
        return value
    return value or b"" if type(value) is not str else value.encode("utf-8", "surrogatepass")


def held(connection: Connection, kind: int, value: Any) -> Any:
    """Return the value of a leaf as an entry: of filters that are too long, one of everything."""
    longest = connection.dialect.longest
    if kind == UNINDEXED and longest is not None and value and len(value) > longest:
        return b""
    return bound(kind, value)


def text_of(value: bytes) -> str:
    """Return the text that the index holds as bytes."""
    return value.decode("utf-8", "surrogatepass")


def new_path(connection: Connection, document: int, path: str, kind: int) -> int:
    """Return the number of a path, which it is given if it has none; within a transaction."""
    number = path_id(connection, document, path, kind)
    return index.add_path(connection, document, portable(path), kind) if number is None else number


def add_entries(
    connection: Connection, entries: Iterable[tuple[int, Iterable[Entries]]], are_new: bool = False
) -> None:
    """Add the entries of some runs; if these are new, nothing of them is there yet."""
    for table, rows in _rows(connection, entries).items():
        index.add(connection, table, dict.fromkeys(rows) if are_new else rows, are_new)


def _rows(
    connection: Connection, entries: Iterable[tuple[int, Iterable[Entries]]]
) -> dict[str, list[tuple[int, Any, int]]]:
    """Return the rows of each table in its order."""
    numbers: list[tuple[int, Any, int]] = []
    texts: list[tuple[int, Any, int]] = []
    known = connection.paths.get
    for run, its_own in entries:
        for document, its_leaves in its_own:
            for path, kind, value in its_leaves:
                number = known((document, path, kind)) or new_path(connection, document, path, kind)
                if kind not in _AS_TEXT:
                    numbers.append((number, value, run))
                else:
                    texts.append((number, held(connection, kind, value), run))
    return {"numbers": sorted(numbers), "texts": sorted(texts)}
