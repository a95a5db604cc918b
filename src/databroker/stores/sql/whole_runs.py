"""Runs that come whole, of which nothing is stored yet: they are stored a table at a time.

A run is whole if its start, its stop and all between come in one group, each document after
those that it refers to. So a few looks at the tables do for the whole group, and what belongs
into a table is one statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from ..._util.portable_text import portable
from ...documents.kinds import IDENTITY, OWNER, PAGES, ROWS
from .blocks import write_segments
from .engine.connection import Connection
from .engine.statements import documents, rows, runs
from .engine.statements.which import which
from .layouts import block_row
from .run_key import key_of
from .search.index import (
    HAS_ENDED,
    Entries,
    add_entries,
    entries_of_data_keys,
    entries_of_start,
    entries_of_stop,
)
from .single import document_row
from .starts import Writer, run_row, stop_columns

if TYPE_CHECKING:
    import pyarrow as pa

    from ..contents import Owner, StoredRun

Doc = dict[str, Any]
Documents = Sequence[tuple[str, Doc]]


@dataclass(slots=True)
class WholeRun:
    """A run, with the rows of each owner."""

    start: Doc
    stops: list[Doc] = field(default_factory=list)
    linked: list[tuple[str, Doc]] = field(default_factory=list)
    rows: dict[Owner, list[Doc]] = field(default_factory=dict)
    batches: dict[Owner, pa.RecordBatch] = field(default_factory=dict)
    """The rows of other owners, as columns."""
    key: int = field(init=False)
    """Where it belongs among all runs."""

    def __post_init__(self) -> None:
        self.key = key_of(self.start["time"])

    def take(self, kind: str, doc: Doc) -> None:
        """Take one more document."""
        if kind in OWNER:
            self.rows[kind, doc[OWNER[kind]]].append(doc)
        elif kind == "stop":
            self.stops.append(doc)
        elif kind != "start":
            self.linked.append((kind, doc))
            self.rows.setdefault((ROWS[kind], doc["uid"]), [])

    @property
    def is_whole(self) -> bool:
        """Whether it has one stop, and each of its rows once."""
        from ...columns.batches import values_of

        several = [[row[IDENTITY[kind]] for row in rows] for (kind, _), rows in self.rows.items()]
        several += [values_of(batch, IDENTITY[kind]) for (kind, _), batch in self.batches.items()]
        return len(self.stops) == 1 and all(len(set(each)) == len(each) for each in several)


def whole_run(run: StoredRun) -> WholeRun | None:
    """Return a run that was read with its rows, checked; None if it has to go another way."""
    from ...columns.batches import concatenate, to_rows
    from ...columns.checks import check_batch
    from ...documents.accept import accept

    stops = [] if run.stop is None else [run.stop]
    documents = [("start", run.start), *(("stop", stop) for stop in stops), *run.linked]
    clean = [(kind, *accept(kind, doc)) for kind, doc in documents]
    if not stops or any(changes for _, _, changes in clean):
        return None
    (_, start, _), (_, stop, _), *linked = clean
    whole = WholeRun(start, [stop], [(kind, doc) for kind, doc, _ in linked])
    for (kind, uid), several in (run.batches or {}).items():
        for batch in several:
            check_batch(kind, batch)
        joined = concatenate(several) if several else None
        if joined is not None and kind != "datum":
            whole.batches[kind, uid] = joined
        else:
            whole.rows[kind, uid] = [row for each in several for row in to_rows(kind, uid, each)]
    return whole if whole.is_whole else None


def divide(connection: Connection, group: Documents) -> tuple[list[WholeRun], Documents]:
    """Divide documents into whole runs, of which nothing is stored, and all others in order."""
    if any(kind in PAGES for kind, _ in group):
        return [], group
    found, runs_of = _gather(group)
    # Of runs that begin at one time, the order of arrival counts.
    keys = Counter(key_of(doc["time"]) for kind, doc in group if kind == "start")
    whole = (run for run in found.values() if run.is_whole and keys[run.key] == 1)
    found = new_runs(connection, whole)
    others = [each for each, run in zip(group, runs_of, strict=True) if run not in found]
    return list(found.values()), others


def _gather(group: Documents) -> tuple[dict[str, WholeRun], list[str | None]]:
    """Return the runs that begin in a group, and to which of them each document belongs."""
    found: dict[str, WholeRun] = {}
    runs_of: list[str | None] = []
    owners: dict[tuple[str, str], str | None] = {}  # and what else has come, with its run
    broken: set[str | None] = set()
    for kind, doc in group:
        if kind in OWNER:
            run = owners.setdefault((OWNER[kind], doc[OWNER[kind]]), None)
        else:
            named = doc["uid"] if kind == "start" else doc.get("run_start")
            run = named if type(named) is str else None  # old resources may have anything there
            if kind == "start":
                found.setdefault(doc["uid"], WholeRun(doc))
            elif run is not None and run not in found:
                owners.setdefault(("start", run), None)
                run = None
            identity = kind, doc["uid"]
            if identity in owners:  # it comes again, or after what refers to it
                broken |= {run, owners[identity]}
            owners[identity] = run
        runs_of.append(run)
        if run is not None:
            found[run].take(kind, doc)
    return {uid: run for uid, run in found.items() if uid not in broken}, runs_of


def new_runs(connection: Connection, runs: Iterable[WholeRun]) -> dict[str, WholeRun]:
    """Return those of some runs of which nothing is stored, and whose place is free."""
    found = {run.start["uid"]: run for run in runs}
    if found:
        for uid in _known(connection, found):
            del found[uid]
    return found


def apart(runs: Sequence[WholeRun]) -> list[WholeRun]:
    """Return those of some runs that share no time and no document with another one of them."""
    keys = Counter(run.key for run in runs)
    documents = [_identities(run) for run in runs]
    uids = Counter(chain.from_iterable(documents))
    several = {uid for uid, times in uids.items() if times > 1}
    return [
        run
        for run, its_own in zip(runs, documents, strict=True)
        if keys[run.key] == 1 and several.isdisjoint(its_own)
    ]


def _identities(run: WholeRun) -> list[tuple[str, str]]:
    stops = [("stop", stop["uid"]) for stop in run.stops]
    linked = [(kind, doc["uid"]) for kind, doc in run.linked]
    return [("start", run.start["uid"]), *stops, *linked]


def _known(connection: Connection, found: dict[str, WholeRun]) -> set[str]:
    """Return the runs of which something is stored, or whose place is taken."""
    starts = [(portable(uid), uid) for uid in found]
    stops = [(portable(stop["uid"]), uid) for uid, run in found.items() for stop in run.stops]
    linked = [(portable(doc["uid"]), uid) for uid, run in found.items() for _, doc in run.linked]
    keys = [(run.key, uid) for uid, run in found.items()]
    known: set[str] = set()
    for values, column in (
        (starts, "runs.uid"),
        (starts, "documents.run"),
        (stops, "runs.stop_uid"),
        (stops, "documents.uid"),
        (linked, "documents.uid"),
        (linked, "series.owner"),
        (keys, "runs.id"),
    ):
        taken = which(connection, column, [value for value, _ in values])
        known |= {uid for value, uid in values if value in taken}
    return known


def put_whole_runs(connection: Connection, found: Sequence[WholeRun], writer: Writer) -> None:
    """Store runs but for their datums, each of which must be found by its id too.

    Within a transaction.
    """
    put_documents(connection, found, writer)
    _put_series(connection, found)
    add_entries(connection, [(run.key, _entries(run)) for run in found], are_new=True)


def put_documents(connection: Connection, found: Sequence[WholeRun], writer: Writer) -> None:
    """Store the documents of runs, but no rows, and nothing in the index."""
    arrivals = count(runs.newest_arrival(connection) + 1)
    runs.insert(connection, [_run_row(run, next(arrivals), writer) for run in found])
    linked = [document_row(kind, doc) for run in found for kind, doc in run.linked]
    documents.insert(connection, linked)


def _run_row(run: WholeRun, arrival: int, writer: Writer) -> tuple[Any, ...]:
    stop = stop_columns(run.start["uid"], run.stops[0]) if run.stops else (None, None)
    return *run_row(run.key, arrival, run.start, writer), *stop


def _put_series(connection: Connection, found: Sequence[WholeRun]) -> None:
    from ...columns import from_series

    numbers = count(rows.newest_series(connection) + 1)
    series: list[tuple[Any, ...]] = []
    columns: dict[str, dict[int, list[Doc]]] = {"event": {}, "stream_datum": {}}
    numbered: list[tuple[int, pa.RecordBatch]] = []
    for run in found:
        uid = portable(run.start["uid"])
        for (kind, owner), own in run.rows.items():
            number, stored = next(numbers), [] if kind == "datum" else own
            series.append((number, kind, portable(owner), uid, len(stored)))
            if stored:
                columns[kind][number] = stored
        for (kind, owner), batch in run.batches.items():
            numbered.append((next(numbers), batch))
            series.append((numbered[-1][0], kind, portable(owner), uid, batch.num_rows))
    rows.insert_series(connection, series)
    numbered += [
        each
        for kind, several in columns.items()
        for each in zip(several, from_series(kind, list(several.values())), strict=True)
    ]
    blocks = write_segments(connection, [(0, batch) for _, batch in numbered], {})
    rows.insert_blocks(
        connection,
        [block_row(number, block) for (number, _), block in zip(numbered, blocks, strict=True)],
    )


def _entries(run: WholeRun) -> list[Entries]:
    keys = chain.from_iterable(doc["data_keys"] for kind, doc in run.linked if kind == "descriptor")
    ended = [HAS_ENDED, entries_of_stop(run.stops[0])]
    return [*entries_of_start(run.start), entries_of_data_keys(keys), *ended]
