"""The rows of the table of documents: single ones, which are neither starts nor rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from ..._util.portable_text import original, portable
from ...documents.kinds import OWNER
from ...errors import StoreDamaged
from ..base import LINKED
from .bodies import open_body, pack_body
from .engine.connection import Connection, snapshot
from .engine.statements import documents, rows

Doc = dict[str, Any]

_ORDER = {"descriptor": 0, "resource": 1, "stream_resource": 2}


def insert_document(connection: Connection, kind: str, doc: Doc) -> None:
    """Store a document."""
    documents.insert(connection, [document_row(kind, doc)])


def document_row(kind: str, doc: Doc) -> tuple[Any, ...]:
    """Return what is stored of a document."""
    columns = (kind, portable(doc["uid"]), run_of(doc))
    return *columns, pack_body(doc, *columns)


def run_of(doc: Doc) -> str | None:
    """Return the run that a document says it belongs to, as it is stored."""
    run = doc.get("run_start")
    return portable(run) if type(run) is str else None


def stored_document(connection: Connection, kind: str, uid: str) -> Doc | None:
    """Return a document by its uid."""
    row = documents.one(connection, kind, portable(uid))
    return None if row is None else open_document(row)


def run_of_owner(connection: Connection, kind: str, uid: str) -> str | None:
    """Return the run that a document belongs to, though it may be damaged otherwise."""
    row = documents.one(connection, kind, portable(uid))
    return None if row is None or row[2] is None else original(row[2])


def documents_of_run(
    connection: Connection, run: str, kinds: Collection[str] = LINKED
) -> tuple[list[tuple[str, Doc]], int]:
    """Return documents of a run but its stop, and how many more are damaged or missing.

    One kind after the other, each in order of arrival. Which there were is also
    known from the series of their rows.
    """
    found: list[tuple[str, Doc]] = []
    damaged = 0
    with snapshot(connection):
        stored = documents.of_run(connection, portable(run), kinds)
        # There may be a resource for each event: those of other kinds are left where they are.
        others = [kind for kind, owner in OWNER.items() if owner not in kinds]
        series = rows.series_of_run(connection, portable(run), others)
    for row in stored:
        try:
            found.append((row[0], open_document(row)))
        except StoreDamaged:
            damaged += 1
    owners = {(OWNER.get(kind), uid) for _, kind, uid in series}
    missing = {each for each in owners if each[0] in {*kinds, None}} - {row[:2] for row in stored}
    return in_order(found), damaged + len(missing)


def in_order(documents: Iterable[tuple[str, Doc]]) -> list[tuple[str, Doc]]:
    """Return documents of a run, given in the order of arrival, one kind after the other."""
    return sorted(documents, key=lambda each: _ORDER[each[0]])


def orphans(connection: Connection, kinds: Collection[str], run: str) -> Iterator[tuple[str, Doc]]:
    """Yield the documents of some kinds that arrived before the start of their run."""
    for row in documents.of_run(connection, portable(run), kinds):
        yield row[0], open_document(row)


def drop_document(connection: Connection, kind: str, uid: str) -> None:
    """Take a document out."""
    documents.drop(connection, kind, portable(uid))


def open_document(row: tuple[Any, ...]) -> Doc:
    """Return a document whose kind, uid, run and body were selected."""
    *columns, body = row
    kind, uid, _ = columns
    document: Doc = open_body(body, tuple(columns), str(kind).replace("_", " "), uid)
    return document
