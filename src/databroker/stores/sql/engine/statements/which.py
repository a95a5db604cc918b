"""Which of many values a table has."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from ..connection import Connection, fetch
from ..render import marks

_CHUNK = 500  # values in one statement: databases have limits


def which(connection: Connection, column: str, values: Iterable[Any]) -> set[Any]:
    """Return those of some values that a column, given with its table, has."""
    table, name = column.split(".")
    left, found = iter(values), set[Any]()
    while chunk := list(islice(left, _CHUNK)):
        sql = f"SELECT {name} FROM {table} WHERE {name} IN ({marks(chunk)})"
        found.update(row[0] for row in fetch(connection, sql, chunk))
    return found
