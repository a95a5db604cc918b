"""What SQLite says of the pages and the indexes of a file, and how these are set right."""

from __future__ import annotations

import contextlib
import re

from .....errors import StoreDamaged
from ..connection import Connection, fetch
from .schema import CREATE

DERIVED = ("numbers", "texts")
"""Tables that can be made anew from the documents."""

OF_AN_INDEX = re.compile(r"(?:index|order for) (\w+)$")
"""What a message ends with that is about an index."""

_MOST = 100  # so many messages are asked for


def messages(connection: Connection, table: str = "") -> list[str]:
    """Return what SQLite says of the pages of the file, or of one table."""
    rows = fetch(connection, f"PRAGMA integrity_check({table or _MOST})")
    return [text.rstrip(".") for (text,) in rows if text != "ok"]


def sort_again(name: str, connection: Connection) -> None:
    """Make an index of SQLite's own anew."""
    connection.execute(f"REINDEX {name}")


def copy_in_order(table: str, connection: Connection) -> None:
    """Put a table in order; what is lost of it is found, and mended, when it is compared."""
    statement = next(
        each for each in CREATE.split(";\n") if each.startswith(f"CREATE TABLE {table} ")
    )
    columns = ", ".join(row[1] for row in fetch(connection, f"PRAGMA table_info({table})"))
    connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    connection.execute(statement)
    with contextlib.suppress(StoreDamaged):
        # Without an order SQLite would copy pages as they are.
        connection.execute(
            f"INSERT INTO {table} SELECT {columns} FROM old_{table} WHERE 1 "
            f"ORDER BY {columns} ON CONFLICT DO NOTHING"
        )
    connection.execute(f"DROP TABLE old_{table}")
