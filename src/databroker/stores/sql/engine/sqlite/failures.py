"""What goes wrong in sqlite3 and in the file system, as exceptions of ours."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ....._util.signals import from_signal
from .....errors import ForeignStore, StoreDamaged, StoreIsReadOnly, StoreUnavailable
from ..failures import PATIENCE, RowExists


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the exceptions of sqlite3, and of the system about a file, into ours."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error
    except OSError as error:
        if error.filename is None or from_signal(error):
            raise  # it is ours already, or says nothing about the file
        raise StoreUnavailable(f"{path} cannot be opened: {error}.") from error


def translate(error: sqlite3.Error, path: Path) -> BaseException:
    """Return our exception for one of sqlite3's."""
    text, code = str(error), primary_code(error)
    if code == sqlite3.SQLITE_READONLY:
        return StoreIsReadOnly(
            f"{path} can be read, but not written to. Check the permissions of the file and of "
            "its folder."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return ForeignStore(f"{path} is not an SQLite database, so it is not one of databroker's.")
    if is_damage(error):
        return StoreDamaged(
            f"{path} is damaged ({text}). Copy the file, then try `sqlite3 FILE .recover`."
        )
    if is_busy(error):
        return StoreUnavailable(
            f"{path} has been locked by another program for {PATIENCE:.0f} s; nothing was stored. "
            "Close what holds it, then try again."
        )
    if code == sqlite3.SQLITE_CANTOPEN and not path.exists():
        return StoreUnavailable(
            f"{path} cannot be made: {text}. Look whether its folder may be written into, and "
            "whether the disk is full."
        )
    if code == sqlite3.SQLITE_FULL or lacks_room(error):
        return StoreUnavailable(
            f"{path} cannot be written to: {text}. Is the disk full? This document was not "
            "stored; what was stored before can be read. Make room, then insert it again."
        )
    kind = RowExists if code == sqlite3.SQLITE_CONSTRAINT else StoreUnavailable
    return kind(f"{path} cannot be used: {text}.")


def primary_code(error: sqlite3.Error) -> int:
    """Return what kind of failure it is, without the details."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether an exception says that the file is not as SQLite wrote it."""
    code, text = primary_code(error), str(error)
    return (
        code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_TOOBIG)
        or text.startswith("Could not decode to UTF-8")
        or (code == sqlite3.SQLITE_ERROR and text.startswith("no such"))  # such a table or column
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether somebody else is in the way, for now."""
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def lacks_room(error: sqlite3.Error) -> bool:
    """Tell whether a failure may be one to make, or to let grow, what SQLite puts beside a file."""
    codes = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    return primary_code(error) in codes
