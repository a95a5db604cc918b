"""The rows of the table of documents: single ones, which are neither starts nor rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ...documents.kinds import OWNER
from ...errors import StoreDamaged
from ..base import LINKED
from .bodies import open_body, pack_body
from .engine.connection import Connection, fetch, portable
from .engine.snapshot import snapshot

Doc = dict[str, Any]

_ORDER = {"descriptor": 0, "resource": 1, "stream_resource": 2}
_SELECT = "SELECT kind, uid, run, body FROM documents"


def insert_document(connection: Connection, kind: str, doc: Doc) -> None:
    """Store a document."""
    run = doc.get("run_start")
    columns = (kind, portable(doc["uid"]), portable(run) if type(run) is str else None)
    connection.execute(
        "INSERT INTO documents (kind, uid, run, body) VALUES (?, ?, ?, ?)",
        (*columns, pack_body(doc, *columns)),
    )


def stored_document(connection: Connection, kind: str, uid: str) -> Doc | None:
    """Return a document by its uid."""
    rows = fetch(connection, f"{_SELECT} WHERE uid = ? AND kind = ?", (portable(uid), kind))
    return open_document(rows[0]) if rows else None


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
        rows = fetch(
            connection,
            f"{_SELECT} WHERE run = ? AND kind IN ({', '.join('?' * len(kinds))}) ORDER BY id",
            (portable(run), *kinds),
        )
        # There may be a resource for each event: those of other kinds are left where they are.
        others = [rows for rows, owner in OWNER.items() if owner not in kinds]
        series = fetch(
            connection,
            "SELECT kind, owner FROM series WHERE run = ? "
            f"AND kind NOT IN ({', '.join('?' * len(others))})",
            (portable(run), *others),
        )
    for row in rows:
        try:
            found.append((row[0], open_document(row)))
        except StoreDamaged:
            damaged += 1
    owners = {(OWNER.get(kind), uid) for kind, uid in series}
    missing = {each for each in owners if each[0] in {*kinds, None}} - {row[:2] for row in rows}
    return sorted(found, key=lambda each: _ORDER[each[0]]), damaged + len(missing)


def orphans(connection: Connection, kind: str, run: str) -> Iterator[Doc]:
    """Yield the documents of one kind that arrived before the start of their run."""
    for row in fetch(connection, f"{_SELECT} WHERE run = ? AND kind = ?", (portable(run), kind)):
        yield open_document(row)


def drop_document(connection: Connection, kind: str, uid: str) -> None:
    """Take a document out."""
    connection.execute("DELETE FROM documents WHERE uid = ? AND kind = ?", (portable(uid), kind))


def open_document(row: tuple[Any, ...]) -> Doc:
    """Return a document whose kind, uid, run and body were selected.

    Raises
    ------
    StoreDamaged
        It is not as it was written.
    """
    *columns, body = row
    kind, uid, _ = columns
    document: Doc = open_body(body, tuple(columns), str(kind).replace("_", " "), uid)
    return document
