"""A copy of a database as it is at one moment, while others write to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .connection import SQLiteConnection
from .failures import translated
from .file import File
from .mark import REMOVE, lacks_log

Progress = Callable[[int, int], None]
"""Called with how many bytes are copied, and how many there are."""

_PAGES = 1024  # at once


def copy_database(
    connection: SQLiteConnection, file: File, target: Path, progress: Progress | None
) -> None:
    """Copy a database, with what is in its log, into a new file."""
    size = connection.execute("PRAGMA page_size").fetchone()[0]

    def tell(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress((total - remaining) * size, total * size)

    with connection.guard, translated(target), closing(sqlite3.connect(target)) as new:
        # While this transaction lasts, what others write does not make the copy begin again.
        connection.begin(to_write=False)
        lacks = lacks_log(connection, file.path, file.log_size)
        assert connection.driver is not None
        connection.driver.backup(new, pages=_PAGES, progress=tell, sleep=0)
        connection.end(commit=False)
        if lacks is None:
            new.execute(REMOVE)
            new.commit()
