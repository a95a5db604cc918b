"""Starts, stops and the other single documents of runs: storing them, once each."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

from ...documents import decode, encode, same
from ...documents.identity import conflict, is_provisional
from ..writer import boot_id, host
from .connection import execute, fetch, original, portable
from .index import index_data_keys, index_start, index_stop, unindex_stop
from .keys import key_of
from .series import find_row, load_series, series_id

Doc = dict[str, Any]


def put_start(connection: sqlite3.Connection, doc: Doc) -> None:
    """Store a start document, and link what arrived before it."""
    uid = portable(doc["uid"])
    row = connection.execute("SELECT start FROM runs WHERE uid = ?", (uid,)).fetchone()
    if row is not None:
        _check_same("start", decode(row[0]), doc)
        return
    wanted = key_of(doc["time"])
    key = _free_key(connection, wanted)
    if key != wanted:
        connection.execute(
            "INSERT INTO meta (key, value) VALUES ('displacement', ?) "
            "ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)",
            (key - wanted,),
        )
    connection.execute(
        "INSERT INTO runs (id, uid, arrival, time, start, host, pid, boot_id) "
        "VALUES (?, ?, (SELECT coalesce(max(arrival), 0) + 1 FROM runs), ?, ?, ?, ?, ?)",
        (
            key,
            uid,
            float(doc["time"]),
            encode(doc),
            host(),
            os.getpid(),
            boot_id(),
        ),
    )
    index_start(connection, key, doc)
    for document, body in fetch(
        connection, "SELECT id, body FROM documents WHERE run = ? AND kind = 'stop'", (uid,)
    ):
        connection.execute("DELETE FROM documents WHERE id = ?", (document,))
        put_stop(connection, decode(body))
    for (body,) in fetch(
        connection, "SELECT body FROM documents WHERE run = ? AND kind = 'descriptor'", (uid,)
    ):
        index_data_keys(connection, key, decode(body)["data_keys"])


def put_stop(connection: sqlite3.Connection, doc: Doc) -> None:
    """Store a stop document with its run, or by itself until the run is known."""
    known = stored_stop(connection, doc["uid"])
    if known is not None:
        _check_same("stop", known, doc)
        return
    run = portable(doc["run_start"])
    row = connection.execute("SELECT id, stop FROM runs WHERE uid = ?", (run,)).fetchone()
    if row is None:
        orphan = connection.execute(
            "SELECT id, body FROM documents WHERE run = ? AND kind = 'stop'", (run,)
        ).fetchone()
        if orphan is not None:
            _check_provisional(decode(orphan[1]), doc)
            connection.execute("DELETE FROM documents WHERE id = ?", (orphan[0],))
        _insert_document(connection, "stop", doc)
        return
    key, other = row
    if other is not None:
        _check_provisional(decode(other), doc)
        unindex_stop(connection, key, decode(other))
    connection.execute(
        "UPDATE runs SET stop = ?, stop_uid = ? WHERE id = ?",
        (encode(doc), portable(doc["uid"]), key),
    )
    index_stop(connection, key, doc)


def put_document(connection: sqlite3.Connection, kind: str, doc: Doc) -> None:
    """Store a descriptor, resource or stream resource."""
    known = stored_document(connection, kind, doc["uid"])
    if known is not None:
        _check_same(kind, known, doc)
        return
    _insert_document(connection, kind, doc)
    if kind == "descriptor":
        row = connection.execute(
            "SELECT id FROM runs WHERE uid = ?", (portable(doc["run_start"]),)
        ).fetchone()
        if row is not None:
            index_data_keys(connection, row[0], doc["data_keys"])


def stored_document(connection: sqlite3.Connection, kind: str, uid: str) -> Doc | None:
    """Return a document that is neither start, stop nor a row."""
    row = connection.execute(
        "SELECT body FROM documents WHERE uid = ? AND kind = ?", (portable(uid), kind)
    ).fetchone()
    return None if row is None else decode(row[0])


def stored_stop(connection: sqlite3.Connection, uid: str) -> Doc | None:
    """Return a stop document by its own uid."""
    row = connection.execute(
        "SELECT stop FROM runs WHERE stop_uid = ?", (portable(uid),)
    ).fetchone()
    return decode(row[0]) if row is not None else stored_document(connection, "stop", uid)


def _insert_document(connection: sqlite3.Connection, kind: str, doc: Doc) -> None:
    run = doc.get("run_start")
    connection.execute(
        "INSERT INTO documents (kind, uid, run, body) VALUES (?, ?, ?, ?)",
        (kind, portable(doc["uid"]), portable(run) if type(run) is str else None, encode(doc)),
    )


def _free_key(connection: sqlite3.Connection, key: int) -> int:
    """Return the first free key from ``key`` on."""
    while True:
        taken = [
            row[0]
            for row in fetch(
                connection, "SELECT id FROM runs WHERE id >= ? ORDER BY id LIMIT 256", (key,)
            )
        ]
        for place in taken:
            if place != key:
                return key
            key += 1
        if len(taken) < 256:
            return key


def _check_same(kind: str, known: Doc, doc: Doc) -> None:
    if not same(known, doc):
        raise conflict(kind, known, doc)


def _check_provisional(known: Doc, doc: Doc) -> None:
    if not is_provisional(known):
        raise conflict("stop", known, doc)


def stored_run(connection: sqlite3.Connection, uid: str) -> tuple[Doc, Doc | None] | None:
    """Return the start and the stop of a run."""
    row = connection.execute(
        "SELECT start, stop FROM runs WHERE uid = ?", (portable(uid),)
    ).fetchone()
    if row is None:
        return None
    return decode(row[0]), None if row[1] is None else decode(row[1])


def writer_of(
    connection: sqlite3.Connection, uid: str
) -> tuple[Doc, tuple[str | None, int | None, str | None]]:
    """Return the start of a run, and the host, pid and boot id of its writer."""
    row = connection.execute(
        "SELECT start, host, pid, boot_id FROM runs WHERE uid = ?", (portable(uid),)
    ).fetchone()
    return decode(row[0]), row[1:]


def documents_of(connection: sqlite3.Connection, uid: str) -> list[tuple[str, Doc]]:
    """Return descriptors, resources and stream resources of a run, in order of arrival."""
    rows = fetch(
        connection,
        "SELECT kind, body FROM documents WHERE run = ? AND kind != 'stop' ORDER BY id",
        (portable(uid),),
    )
    order = {"descriptor": 0, "resource": 1, "stream_resource": 2}
    return sorted(((kind, decode(body)) for kind, body in rows), key=lambda row: order[row[0]])


def resolve(connection: sqlite3.Connection, prefix: str, limit: int) -> list[str]:
    """Return the uids that begin with a prefix, sorted, at most ``limit``."""
    # Uids that SQLite cannot hold as text come after all others there, and are few.
    found: list[str] = []
    for low in (portable(prefix), prefix.encode("utf-8", "surrogatepass")):
        rows = fetch(
            connection,
            "SELECT uid FROM runs WHERE uid >= ? AND typeof(uid) = ? ORDER BY uid LIMIT ?",
            (low, "blob" if isinstance(low, bytes) else "text", limit),
        )
        uids = (original(row[0]) for row in rows)
        found += [uid for uid in uids if uid.startswith(prefix)]
    return sorted(set(found))[:limit]


def claim_datum(connection: sqlite3.Connection, datum_id: str, owner: str) -> None:
    """See to it that a datum can be found by its id, which no other resource has.

    Most ids begin with the resource; for the others, where they belong is stored.

    Raises
    ------
    ConflictingDocument
        A datum of this id belongs to another resource.
    """
    known = owner_of_datum(connection, datum_id)
    if known is not None and known != owner:
        stored = stored_datum(connection, datum_id)
        if stored is not None:
            raise conflict("datum", stored, {"datum_id": datum_id, "resource": owner})
    if known is None:
        execute(
            connection,
            "INSERT OR REPLACE INTO datum_owners (datum_id, owner) VALUES (?, ?)",
            (portable(datum_id), portable(owner)),
        )


def owner_of_datum(connection: sqlite3.Connection, datum_id: str) -> str | None:
    """Return the resource that a datum belongs to, if it is known or can be told from the id."""
    row = connection.execute(
        "SELECT owner FROM datum_owners WHERE datum_id = ?", (portable(datum_id),)
    ).fetchone()
    if row is not None:
        return original(row[0])
    owner, slash, _ = datum_id.rpartition("/")
    if slash and series_id(connection, "datum", owner) is not None:
        return owner
    return None


def stored_datum(connection: sqlite3.Connection, datum_id: str) -> Doc | None:
    """Return a datum by its id."""
    owner = owner_of_datum(connection, datum_id)
    if owner is None:
        return None
    series = load_series(connection, "datum", owner)
    return None if series is None else find_row(connection, series, datum_id)
