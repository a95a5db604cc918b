"""Checking the structure of the file, as SQLite does; what it derives itself can be made anew."""

from __future__ import annotations

import contextlib
import re
from functools import partial

from ..engine.connection import Connection, fetch, transaction
from ..engine.connections import Connections
from ..engine.failures import DatabaseError
from ..schema import CREATE
from .log import Log

_MOST = 100
"""So many messages are asked for."""

_OF_AN_INDEX = re.compile(r"(?:index|order for) (\w+)$")

_DERIVED = ("leaves", "words")
"""Tables that can be made anew from the documents."""


def check_structure(connections: Connections, log: Log, mend: bool) -> None:
    """Let SQLite check its pages and its own indexes.

    Parameters
    ----------
    connections
        To the file.
    log
        Where it is taken down.
    mend
        Whether to make indexes anew.
    """
    with log.reading("The file"):
        found = _messages(connections.get())
        in_index = [name for text in found for name in _OF_AN_INDEX.findall(text)]
        left = found
        if mend and found:
            _make_anew(connections, in_index)
            left = _messages(connections.get())
        for text in found:
            log.found(
                f"SQLite says of the file: {text}.",
                in_index=_OF_AN_INDEX.search(text) is not None,
                mended=text not in left,
            )


def _messages(connection: Connection, table: str = "") -> list[str]:
    which = table or _MOST
    rows = fetch(connection, f"PRAGMA integrity_check({which})")
    return [text.rstrip(".") for (text,) in rows if text != "ok"]


def _make_anew(connections: Connections, names: list[str]) -> None:
    """Sort indexes again, and the tables that are indexes of ours; leave what cannot be."""
    jobs = [partial(_reindex, name) for name in dict.fromkeys(names) if name not in _DERIVED]
    jobs += [partial(_copy, name) for name in _DERIVED if _messages(connections.get(), name)]
    for job in jobs:
        with contextlib.suppress(DatabaseError):
            connections.write(job)


def _reindex(name: str, connection: Connection) -> None:
    with transaction(connection):
        connection.execute(f"REINDEX {name}")


def _copy(table: str, connection: Connection) -> None:
    """Put a table in order; what is lost of it is found, and mended, when it is compared."""
    statement = next(
        each for each in CREATE.split(";\n") if each.startswith(f"CREATE TABLE {table} ")
    )
    columns = ", ".join(row[1] for row in fetch(connection, f"PRAGMA table_info({table})"))
    with transaction(connection):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
        connection.execute(statement)
        with contextlib.suppress(DatabaseError):
            # Without an order SQLite would copy pages as they are.
            connection.execute(
                f"INSERT OR IGNORE INTO {table} SELECT {columns} FROM old_{table} "
                f"ORDER BY {columns}"
            )
        connection.execute(f"DROP TABLE old_{table}")
