"""What the index has of a run, and what it should have: as sets that can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ....errors import StoreDamaged
from ..engine.connection import Connection, fetch, portable
from ..schema import DATA_KEYS, START, STOP
from ..search.index import (
    HAS_ENDED,
    Entry,
    bound,
    entries_of_data_keys,
    entries_of_start,
    entries_of_stop,
    mark_of_words,
    path_id,
)
from ..search.index_terms import indexed_words
from ..single import documents_of_run
from ..starts import open_run
from .log import Connect

WORDS = -1
"""Stands for the path of a word."""

_PAGE = 20_000

Place = int | tuple[int, str]
"""The number of a path; document and path, where it has no number; WORDS."""

Held = tuple[Place, int, Any]
"""An entry: place, kind and value. Text stands as bytes, bytes stand in a tuple: text in a
damaged index may be none."""


@dataclass
class Wanted:
    """What the index should have of a run.

    Attributes
    ----------
    uid
        Of the run; None where it cannot be read.
    entries
        All entries.
    unknown
        The documents (see `schema`) that cannot be read: nothing is known of their entries.
    ended
        Whether it has a stop document, be it damaged.
    time
        When it began.
    problems
        What is damaged.
    """

    uid: str | None
    entries: set[Held]
    unknown: frozenset[int]
    ended: bool
    time: float
    problems: list[str]


def wanted_entries(connection: Connection, key: int, row: Sequence[Any]) -> Wanted:
    """Return what the index should have of a run.

    Parameters
    ----------
    connection
        To the file.
    key
        Of the run.
    row
        As `starts.RUN` selects it; empty where it cannot be read.
    """
    nothing = frozenset({START, STOP, DATA_KEYS})
    if not row:
        return Wanted(None, set(), nothing, True, 0.0, [f"The run of key {key} cannot be read."])
    try:
        run = open_run(tuple(row))
    except StoreDamaged as error:
        uid = row[1] if isinstance(row[1], str) else None
        return Wanted(uid, set(), nothing, True, 0.0, [str(error)])
    ended = run.stop is not None or not run.intact
    documents, damaged = documents_of_run(connection, run.uid)
    data_keys = (
        name for kind, doc in documents if kind == "descriptor" for name in doc["data_keys"]
    )
    words, others = indexed_words(run.start)
    entries = entries_of_start(run.start) | mark_of_words(others) | entries_of_data_keys(data_keys)
    unknown: set[int] = {DATA_KEYS} if damaged else set()
    problems = []
    if ended:
        entries.add(HAS_ENDED)
    if not run.intact:
        unknown.add(STOP)
        problems.append(f"Run {run.uid!r}: the stop document is not as it was written.")
    elif run.stop is not None:
        entries |= entries_of_stop(run.stop)
    held = {_held(connection, entry) for entry in entries}
    held |= {(WORDS, 0, plain(portable(word))) for word in words}
    return Wanted(run.uid, held, frozenset(unknown), ended, run.time, problems)


def stored_entries(
    connect: Connect, where: str, values: Sequence[Any]
) -> Iterator[tuple[int, Held]]:
    """Yield the entries of the index of some runs, each behind its run, in pages."""
    yield from _pages(connect, "leaves", ("path", "kind", "value", "run"), where, values)
    for run, (_, _, word) in _pages(connect, "words", ("word", "run"), where, values):
        yield run, (WORDS, 0, word)


def fingerprint(entry: Held) -> int:
    """Return a hash of an entry, to be added to others."""
    return hash((entry, entry[2] == -1))  # -1 and -2 have one hash


def plain(value: Any) -> Any:
    """Return a value of the index as `Held` has it."""
    if type(value) is str:
        return value.encode()
    return (value,) if type(value) is bytes else value


def as_sql(value: Any) -> tuple[str, Any]:
    """Return an expression for a value as `Held` has it, and what is bound to it."""
    if type(value) is bytes:
        return "CAST(? AS TEXT)", value
    return "?", value[0] if type(value) is tuple else value


def _held(connection: Connection, entry: Entry) -> Held:
    document, (path, kind, value) = entry
    number = path_id(connection, document, path)
    return (document, path) if number is None else number, kind, plain(bound(kind, value))


def _pages(
    connect: Connect, table: str, columns: tuple[str, ...], where: str, values: Sequence[Any]
) -> Iterator[tuple[int, Held]]:
    """Yield the entries of a table in the order of its key."""
    text = columns[-2]
    others = "".join(f"{column}, " for column in columns[:-2])
    select = (
        f"SELECT typeof({text}) = 'text', {others}CASE typeof({text}) WHEN 'text' "
        f"THEN CAST({text} AS BLOB) ELSE {text} END, run FROM {table} WHERE {where}"
    )
    order = f"ORDER BY {', '.join(columns)} LIMIT {_PAGE}"
    after, last = "", ()
    while True:
        rows = fetch(connect(), f"{select} {after} {order}", (*values, *last))
        for is_text, *found, value, run in rows:
            held = value if is_text or type(value) is not bytes else (value,)
            place, kind = found or (WORDS, 0)
            yield run, (place, kind, held)
        if len(rows) < _PAGE:
            return
        sql, raw = as_sql(held)
        after = f"AND ({', '.join(columns)}) > ({', '.join('?' * len(found))}" + (
            f"{', ' if found else ''}{sql}, ?)"
        )
        last = (*found, raw, run)
