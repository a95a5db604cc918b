"""Starts, stops and the other single documents of runs: storing them, once each."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, repeat, takewhile
from typing import Any

from ..._util.portable_text import original, portable
from ...documents.encode import same
from ...documents.identity import conflict, is_provisional
from ...documents.kinds import ROWS
from ..base import EVERY
from .engine.connection import Connection
from .engine.statements import before, rows
from .engine.statements import runs as stored
from .engine.statements.which import which
from .run_key import key_of, raise_displacement
from .search.index import index_data_keys, index_start, index_stop, unindex_stop
from .series import Series, find_row, load_series
from .series_rows import series_id
from .single import drop_document, insert_document, orphans, run_of, stored_document
from .starts import Run, Writer, find_run, insert_run, run_before_stop, set_stop

Doc = dict[str, Any]

_PAGES = (2, 256)  # keys looked at at once: most are free, and few are taken many times


def put_start(connection: Connection, doc: Doc, writer: Writer) -> None:
    """Store a start document, and link what arrived before it."""
    uid, key = doc["uid"], key_of(doc["time"])
    is_known, is_taken, is_awaited, newest = before.start(connection, portable(uid), key)
    known = stored_run(connection, uid) if is_known else None
    if known is not None:
        _check_same("start", known.start, doc)
        return
    if is_taken:
        wanted, key = key, _free_key(connection, key)
        raise_displacement(connection, key - wanted)
    with connection.together():
        insert_run(connection, key, newest + 1, doc, writer)
        index_start(connection, key, doc)
    if is_awaited:
        _link_orphans(connection, key, uid)


def _link_orphans(connection: Connection, key: int, uid: str) -> None:
    """Link what arrived before the start of its run."""
    for kind, orphan in list(orphans(connection, ["stop", "descriptor"], uid)):
        if kind == "descriptor":
            index_data_keys(connection, key, orphan["data_keys"])
        else:
            drop_document(connection, "stop", orphan["uid"])
            put_stop(connection, orphan)


def put_stop(connection: Connection, doc: Doc) -> None:
    """Store a stop document with its run, or by itself until the run is known."""
    is_known, run = run_before_stop(connection, doc["uid"], doc["run_start"])
    known = stored_stop(connection, doc["uid"]) if is_known else None
    if known is not None:
        _check_same("stop", known, doc)
        return
    if run is None:
        for _, orphan in orphans(connection, ["stop"], doc["run_start"]):
            _check_provisional(orphan, doc)
            drop_document(connection, "stop", orphan["uid"])
        insert_document(connection, "stop", doc)
        return
    if run.stop is not None:
        _check_provisional(run.stop, doc)
        unindex_stop(connection, run.id, run.stop)
    with connection.together():
        set_stop(connection, run, doc)
        index_stop(connection, run.id, doc)


def put_document(connection: Connection, kind: str, doc: Doc) -> Series | None:
    """Store a descriptor, resource or stream resource; return its series, if that is new."""
    uid, run = doc["uid"], run_of(doc)
    identity = kind, portable(uid)
    is_known, number, newest, key = before.linked(connection, identity, ROWS[kind], run)
    known = stored_document(connection, kind, uid) if is_known else None
    if known is not None:
        _check_same(kind, known, doc)
        return None
    with connection.together():
        insert_document(connection, kind, doc)
        # That it has no rows yet is known, and not only that none are found.
        if number is None:
            rows.insert_series(connection, [(newest + 1, ROWS[kind], portable(uid), run, 0)])
        else:
            rows.add_series(connection, ROWS[kind], portable(uid), run)
        if kind == "descriptor" and key is not None:
            index_data_keys(connection, key, doc["data_keys"])
    return Series(newest + 1, ROWS[kind], uid) if number is None else None


def stored_stop(connection: Connection, uid: str) -> Doc | None:
    """Return a stop document by its own uid."""
    run = find_run(connection, "stop_uid", portable(uid))
    return stored_document(connection, "stop", uid) if run is None else run.stop


def _free_key(connection: Connection, key: int) -> int:
    """Return the first free key from ``key`` on."""
    for page in chain(_PAGES, repeat(_PAGES[-1])):
        taken = stored.keys_from(connection, key, page)
        for each in taken:
            if each != key:
                return key
            key += 1
        if len(taken) < page:
            break
    return key


def _check_same(kind: str, known: Doc, doc: Doc) -> None:
    if not same(known, doc):
        raise conflict(kind, known, doc)


def _check_provisional(known: Doc, doc: Doc) -> None:
    if not is_provisional(known):
        raise conflict("stop", known, doc)


def stored_run(connection: Connection, uid: str) -> Run | None:
    """Return a run by its uid."""
    return find_run(connection, "uid", portable(uid))


def resolve(connection: Connection, prefix: str, limit: int) -> list[str]:
    """Return the uids that begin with a prefix, sorted, at most ``limit``."""
    uids = map(original, stored.uids_from(connection, portable(prefix), limit))
    return list(takewhile(lambda uid: uid.startswith(prefix), uids))


def newest_mark(connection: Connection) -> tuple[int, str] | None:
    """Return the number of the run that arrived last, and its uid; None if there is none."""
    newest = stored.arrived_from(connection, stored.newest_arrival(connection))
    return next(((number, original(uid)) for number, uid in newest), None)


def uids_since(connection: Connection, mark: Any) -> tuple[list[str], Any] | None:
    """Return the uids of the runs that came since a mark, and a new one; all if that is None.

    Arrivals are numbered in the order in which they are committed. The uid beside the number
    tells another database in this place.
    """
    if mark is None:
        mark = newest_mark(connection)
        return resolve(connection, "", EVERY), mark
    if not (isinstance(mark, list | tuple) and list(map(type, mark)) == [int, str]):
        return None
    came = [(number, original(uid)) for number, uid in stored.arrived_from(connection, mark[0])]
    if came[:1] != [tuple(mark)]:
        return None
    return [uid for _, uid in came[1:]], came[-1]


def claim_datum(connection: Connection, datum_id: str, owner: str) -> None:
    """See to it that a datum can be found by its id, which no other resource has.

    Most ids are the resource and a word, with a slash between them; for the others, where
    they belong is stored.
    """
    known = owner_of_datum(connection, datum_id)
    if known == owner:
        return
    datum = None if known is None else _datum_of(connection, known, datum_id)
    if datum is not None:
        raise conflict("datum", datum, {"datum_id": datum_id, "resource": owner})
    rows.set_datum_owner(connection, portable(datum_id), portable(owner))


def claim_datums(connection: Connection, datum_ids: Collection[str], owner: str) -> None:
    """See to it that many datums of one resource, of which none is stored, can be found."""
    taken = which(connection, "datum_owners.datum_id", map(portable, datum_ids))
    for datum_id in datum_ids:
        if datum_id.rpartition("/")[0] != owner or portable(datum_id) in taken:
            claim_datum(connection, datum_id, owner)


def owner_of_datum(connection: Connection, datum_id: str) -> str | None:
    """Return the resource that a datum belongs to, if it is in the store at all.

    What is stored of it comes first: the id may begin with the uid of another resource too.
    """
    known = rows.datum_owner(connection, portable(datum_id))
    if known is not None:
        return original(known)
    owner, slash, _ = datum_id.rpartition("/")
    if slash and series_id(connection, "datum", owner) is not None:
        return owner
    return None


def stored_datum(connection: Connection, datum_id: str) -> Doc | None:
    """Return a datum by its id."""
    owner = owner_of_datum(connection, datum_id)
    return None if owner is None else _datum_of(connection, owner, datum_id)


def _datum_of(connection: Connection, owner: str, datum_id: str) -> Doc | None:
    series = load_series(connection, "datum", owner)
    return None if series is None else find_row(connection, series, datum_id)
