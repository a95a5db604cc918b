"""Descriptors, resources, and stops that wait for their start."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from ..connection import Connection, fetch
from ..render import marks
from .insert import insert_rows

Row = tuple[Any, ...]

_SELECT = "SELECT kind, uid, run, body FROM documents"


def insert(connection: Connection, rows: Iterable[Row]) -> None:
    """Store kind, uid, run and body of documents."""
    insert_rows(connection, "documents (kind, uid, run, body)", rows)


def one(connection: Connection, kind: str, uid: Any) -> Row | None:
    """Return a document by its uid."""
    rows = fetch(connection, f"{_SELECT} WHERE uid = ? AND kind = ?", (uid, kind))
    return rows[0] if rows else None


def of_run(connection: Connection, run: Any, kinds: Collection[str]) -> list[Row]:
    """Return the documents of some kinds of a run, in the order in which they arrived."""
    return fetch(
        connection,
        f"{_SELECT} WHERE run = ? AND kind IN ({marks(kinds)}) ORDER BY id",
        (run, *kinds),
    )


def drop(connection: Connection, kind: str, uid: Any) -> None:
    """Take a document out."""
    connection.change("DELETE FROM documents WHERE uid = ? AND kind = ?", (uid, kind))
