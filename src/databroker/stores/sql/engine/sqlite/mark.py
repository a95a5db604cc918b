"""A mark in the main file while a log belongs to it, so that a copy without the log is known.

What is written goes into the log, and the main file stays as it is. So the mark is set, moved
into the main file with all that is in the log, and removed again. The main file has it then,
and who reads the file with its log does not see it. Whoever moves the rest of the log into the
main file, however that comes about, removes the mark there too.

The mark says of which file it is. Where it could not be removed, because its writer was killed
just then or the disk is full, the file has it, and is still not taken for a copy.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from ....._util.user_warnings import warn_user
from .....errors import MissingLogWarning
from ..connection import Connection
from ..failures import FAILURES
from ..statements import meta

REMOVE = "DELETE FROM meta WHERE key = 'log'"
"""Removes it."""

_TRIES = 5


def set_mark(connection: Connection, path: Path) -> None:
    """Set the mark of a file."""
    meta.set_fact(connection, "log", _mark_of(path))


def is_marked(connection: Connection) -> bool:
    """Tell whether a connection sees the mark."""
    return meta.fact(connection, "log") is not None


def _mark_of(path: Path) -> bytes:
    """Return what the mark of a file says: which file it is, and where."""
    try:
        found = os.stat(path)
    except FileNotFoundError:  # it was removed just now
        return b""
    return f"{found.st_dev}:{found.st_ino}:".encode() + os.fsencode(os.path.realpath(path))


def lacks_log(connection: Connection, path: Path, log_size: Callable[[], int]) -> bool | None:
    """Tell whether a file is a copy without its log.

    None stands for a mark beside a log, or of this very file: it is being set just now, or who
    set it came to an end before removing it.
    """
    with contextlib.suppress(*FAILURES):  # damage here is in nobody's way
        for _ in range(_TRIES):  # another process may have emptied the log between two looks
            found = meta.fact(connection, "log")
            if found is None:
                return False
            if log_size() or found == _mark_of(path):
                return None
        return True
    return False


def warn_of_missing_log(path: Path) -> None:
    """Say that something may be missing, and how to copy a file that is in use."""
    warn_user(
        f"{path} was copied while a program had it open, and without the log that was beside it "
        "(the file with -wal at the end of its name), so that what was written last may be "
        "missing. Copy that too, or let 'databroker backup' (in Python, db.backup(path)) make a "
        "copy that is whole. See "
        "'Sharing and backup' in the documentation.",
        MissingLogWarning,
    )
