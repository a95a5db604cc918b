"""The rows of the table of runs: their starts and stops, and who writes them."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ..._util.portable_text import original, portable
from ...errors import StoreDamaged
from ..facts import boot_id, host
from .bodies import open_body, pack_body
from .engine.connection import Connection
from .engine.statements import before, runs

Doc = dict[str, Any]
Writer = tuple[str | None, int | None, str | None]

NOBODY: Writer = (None, None, None)
"""The writer of a run of which it is not known who writes it."""


def this_process() -> Writer:
    """Return the writer of what this process inserts."""
    return host(), os.getpid(), boot_id()


class Run(NamedTuple):
    """A run as it is stored.

    Attributes
    ----------
    id
        Its key, which carries the start time.
    arrival
        The how manieth run of this store it is.
    stop
        None where it has none, or one that is damaged.
    writer
        Host, process id and boot id of who inserted it.
    intact
        Whether the stop is as it was written.
    """

    id: int
    uid: str
    arrival: int
    time: float
    start: Doc
    stop: Doc | None
    writer: Writer
    intact: bool


def open_run(row: tuple[Any, ...]) -> Run:
    """Return a run whose row was selected as `runs.COLUMNS` says."""
    *columns, body, stop_uid, stop_body = row
    start = open_body(body, tuple(columns), "start document of run", columns[1])
    key, uid, arrival, _, *writer = columns
    intact = True
    try:
        stop = open_stop(uid, stop_uid, stop_body)
    except StoreDamaged:
        stop, intact = None, False
    # The column may be rounded; the document has the time as it was given.
    writing: Writer = tuple(writer)
    return Run(key, original(uid), arrival, start["time"], start, stop, writing, intact)


def open_stop(run_uid: Any, uid: Any, body: Any) -> Doc | None:
    """Return the stop of a run, if it has one that is as it was written."""
    if uid is None and body is None:
        return None
    stop: Doc = open_body(body, (run_uid, uid), "stop document of run", run_uid)
    return stop


def find_run(connection: Connection, column: str, value: Any) -> Run | None:
    """Return the run of which a column that is different for each has a value."""
    row = runs.by(connection, column, value)
    return None if row is None else open_run(row)


def run_before_stop(connection: Connection, uid: str, run: str) -> tuple[bool, Run | None]:
    """Tell whether there is a stop, given by its uid; and return its run, if that is there."""
    is_known, *row = before.stop(connection, portable(uid), portable(run))
    return bool(is_known), None if row[0] is None else open_run(tuple(row))


def insert_run(connection: Connection, key: int, arrival: int, doc: Doc, writer: Writer) -> None:
    """Store a start at a free key."""
    runs.insert(connection, [(*run_row(key, arrival, doc, writer), None, None)])


def run_row(key: int, arrival: int, doc: Doc, writer: Writer) -> tuple[Any, ...]:
    """Return what is stored of a run but its stop."""
    columns = (key, portable(doc["uid"]), arrival, float(doc["time"]), *writer)
    return *columns, pack_body(doc, *columns)


def stop_columns(run_uid: str, doc: Doc) -> tuple[Any, bytes]:
    """Return the uid and the body of the stop of a run as they are stored."""
    uid = portable(doc["uid"])
    return uid, pack_body(doc, portable(run_uid), uid)


def set_stop(connection: Connection, run: Run, doc: Doc) -> None:
    """Store the stop of a run, in the place of one that it has."""
    runs.set_stop(connection, run.id, *stop_columns(run.uid, doc))
