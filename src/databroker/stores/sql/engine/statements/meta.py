"""Facts about the database."""

from __future__ import annotations

from typing import Any

from ..connection import Connection, fetch


def fact(connection: Connection, key: str) -> Any:
    """Return a fact, or None."""
    rows = fetch(connection, "SELECT value FROM meta WHERE key = ?", (key,))
    return rows[0][0] if rows else None


def set_fact(connection: Connection, key: str, value: Any) -> None:
    """Store a fact, in the place of an older one."""
    connection.change(
        "INSERT INTO meta (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
