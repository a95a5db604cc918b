"""Many rows into a table."""

from __future__ import annotations

from collections.abc import Iterable

from ..connection import Connection, Row


def insert_rows(
    connection: Connection, table: str, rows: Iterable[Row], are_new: bool = True
) -> None:
    """Store rows in a table, given with its columns; those that are there need not be new."""
    several = list(rows)
    if several:
        connection.insert_rows(table, several, are_new)
