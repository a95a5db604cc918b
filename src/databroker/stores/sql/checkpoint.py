"""Tidying after a large run: what was written goes from the log into the file."""

from __future__ import annotations

import sqlite3


def tidy(connection: sqlite3.Connection) -> None:
    """Move the write-ahead log into the database and give back what it no longer needs.

    Reading large blobs from the log is many times slower than from the file.
    Nobody is waited for: what readers still need is moved another time.
    """
    before = connection.execute("PRAGMA busy_timeout").fetchone()[0]
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA incremental_vacuum").fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError:
        return  # another process is writing; the log is kept until later
    finally:
        connection.execute(f"PRAGMA busy_timeout = {before}")
