"""What there is before a document is stored: all that must be known, in one look each."""

from __future__ import annotations

from typing import Any

from ..connection import Connection, fetch
from .runs import COLUMNS

Row = tuple[Any, ...]


def start(connection: Connection, uid: Any, key: int) -> Row:
    """Return whether there is the run; its key; what waits for it; and the newest arrival."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM runs WHERE uid = ?), "
        "EXISTS (SELECT 1 FROM runs WHERE id = ?), "
        "EXISTS (SELECT 1 FROM documents WHERE run = ? AND kind IN ('stop', 'descriptor')), "
        "(SELECT coalesce(max(arrival), 0) FROM runs)"
    )
    return fetch(connection, sql, (uid, key, uid))[0]


def stop(connection: Connection, uid: Any, run: Any) -> Row:
    """Return whether there is the stop, and its run: nothing but NULL where that is not there."""
    sql = (
        "SELECT EXISTS (SELECT 1 FROM runs WHERE stop_uid = ?) "
        "OR EXISTS (SELECT 1 FROM documents WHERE uid = ? AND kind = 'stop'), "
        f"{COLUMNS} FROM (SELECT 1 AS row) AS one LEFT JOIN runs ON uid = ?"
    )
    return fetch(connection, sql, (uid, uid, run))[0]


def linked(connection: Connection, document: tuple[str, Any], rows: str, run: Any) -> Row:
    """Return whether there is a document, given by kind and uid; and the numbers around it.

    These are that of the series of its rows, the largest of any series, and the key of its run.
    """
    kind, uid = document
    sql = (
        "SELECT EXISTS (SELECT 1 FROM documents WHERE uid = ? AND kind = ?), "
        "(SELECT id FROM series WHERE owner = ? AND kind = ?), "
        "(SELECT coalesce(max(id), 0) FROM series), "
        "(SELECT id FROM runs WHERE uid = ?)"
    )
    return fetch(connection, sql, (uid, kind, uid, rows, run))[0]
