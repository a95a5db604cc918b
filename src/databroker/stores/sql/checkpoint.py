"""Tidying after a large run: what was written goes from the log into the file."""

from __future__ import annotations

import contextlib
import sqlite3

from .connection import Connection


def tidy(connection: Connection) -> None:
    """Move the write-ahead log into the database and give back what it no longer needs.

    Reading large blobs from the log is many times slower than from the file.
    Nobody is waited for: what readers still need is moved another time.
    """
    with contextlib.suppress(sqlite3.OperationalError):  # another process is writing, say
        connection.execute("PRAGMA incremental_vacuum")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
