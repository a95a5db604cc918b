"""What the index has of a run, and what it should have: as sets that can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ....errors import StoreDamaged
from ..engine.conditions import KeyRange
from ..engine.connection import Connection
from ..engine.schema import DATA_KEYS, START, STOP
from ..engine.statements import checks
from ..search.index import (
    HAS_ENDED,
    Entry,
    bound,
    entries_of_data_keys,
    entries_of_start,
    entries_of_stop,
    entries_of_words,
    path_id,
    table_of,
)
from ..single import documents_of_run
from ..starts import open_run
from .base import Connect

TABLES = ("numbers", "texts")

Place = int | tuple[int, str, int]
"""The number of a path; document, path and kind, where it has no number."""

Held = tuple[str, Place, Any]
"""An entry: table, place and value, as `checks.entries_after` gives it."""


@dataclass
class Wanted:
    """What the index should have of a run."""

    uid: str | None  # None where it cannot be read
    entries: set[Held]
    unknown: frozenset[int]  # documents (see `schema`) that cannot be read, and their entries
    ended: bool  # whether it has a stop document, be it damaged
    time: float
    problems: list[str]  # what is damaged


def wanted_entries(connection: Connection, key: int, row: Sequence[Any]) -> Wanted:
    """Return what the index should have of a run, whose row is empty where it cannot be read."""
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
    entries = entries_of_start(run.start) | entries_of_words(run.start)
    entries |= entries_of_data_keys(data_keys)
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
    return Wanted(run.uid, held, frozenset(unknown), ended, run.time, problems)


def stored_entries(connect: Connect, runs: KeyRange | Sequence[int]) -> Iterator[tuple[int, Held]]:
    """Yield the entries of the index of some runs, each behind its run, in pages."""
    for table in TABLES:
        last, is_end = None, False
        while not is_end:
            rows, is_end = checks.entries_after(connect(), table, runs, last)
            for last in rows:
                path, value, run = last
                yield run, (table, path, value)


def fingerprint(entry: Held) -> int:
    """Return a hash of an entry, to be added to others."""
    return hash((entry, entry[2] == -1))  # -1 and -2 have one hash


def _held(connection: Connection, entry: Entry) -> Held:
    document, (path, kind, value) = entry
    number = path_id(connection, document, path, kind)
    place = (document, path, kind) if number is None else number
    return table_of(kind), place, bound(kind, value)
