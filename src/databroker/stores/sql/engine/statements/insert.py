"""Many rows into a table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from ..connection import Connection
from ..render import marks

_VALUES = 900  # in one statement: databases have limits


def insert_rows(
    connection: Connection, table: str, rows: Iterable[tuple[Any, ...]], otherwise: str = ""
) -> None:
    """Store rows in a table, given with its columns; ``otherwise`` says what if one is there."""
    left = list(rows)
    if not left:
        return
    row = f"({marks(left[0])})"
    statement = f"INSERT INTO {table} VALUES {{}} {otherwise}".format
    # Several rows in one statement are stored twice as fast as one by one.
    size = _VALUES // len(left[0])
    several = statement(", ".join([row] * size))
    while len(left) >= size:
        connection.execute(several, tuple(chain.from_iterable(left[:size])))
        del left[:size]
    connection.executemany(statement(row), left)
