"""What goes wrong in psycopg and in the server, as exceptions of ours."""

from __future__ import annotations

import re

from psycopg import DataError, Error, InterfaceError, OperationalError, errors

from ....._util.secrets import hide_passwords
from .....errors import (
    InvalidDocument,
    StoreAway,
    StoreDamaged,
    StoreIsReadOnly,
    StoreUnavailable,
)
from ..failures import PATIENCE

_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)
# Or short of something, or told to stop, or made read-only as one does with a copy.
_AWAY = (OperationalError, InterfaceError, errors.ReadOnlySqlTransaction)
_ABSENT = re.compile(
    "refused|time(d )?out|No such file|[Nn]o route|unreachable|is down|closed the connection|reset "
    "by peer|Temporary failure|starting up|shutting down|recovery|not accepting|too many|"
    "connection slots|terminating|EOF"
)
"""What is said of a server that may be there later; such errors have no code."""


def translate_opening(error: Error, name: str) -> Exception:
    """Return our exception for one of psycopg's that kept a database from being opened.

    A mistake in its address, name, user or password is told from a server that is away.
    """
    found = translate(error, name)
    if type(found) is StoreAway and error.sqlstate is None and not _ABSENT.search(str(error)):
        return StoreUnavailable(*found.args)
    return found


def translate(error: Error, name: str) -> Exception:
    """Return our exception for one of psycopg's, about the database of that name.

    `StoreAway` says that the same can be done later. All others stay as they are: the
    document, the tables or the rights are not as they must be.
    """
    text = hide_passwords(" ".join(str(error).split())).rstrip(".?")
    if isinstance(error, errors.InsufficientPrivilege):
        return StoreIsReadOnly(
            f"{name} can be read, but not written to: {text}. Ask for the right to write, or open "
            "it with `read_only`."
        )
    if isinstance(error, DataError):
        return InvalidDocument(f"A document is not stored, as {name} does not take it: {text}.")
    if isinstance(error, errors.ProgramLimitExceeded):
        return InvalidDocument(
            f"A document is not stored, as {name} cannot look it up: {text}. The uid, or a key, "
            "is too long; PostgreSQL takes some 2 600 bytes."
        )
    if not isinstance(error, _AWAY):
        return StoreDamaged(
            f"{name} is damaged ({text}). Ask its administrator to look at the server's log."
        )
    return StoreAway(_why_not_now(error, text, name))


def _why_not_now(error: Error, text: str, name: str) -> str:
    if isinstance(error, _BUSY):
        return (
            f"{name} has been locked by another program for {PATIENCE:.0f} s; nothing was stored. "
            "Close what holds it, then try again."
        )
    if isinstance(error, errors.DiskFull):
        return (
            f"{name} cannot be written to: {text}. The disk of the server is full. This document "
            "was not stored; what was stored before can be read. Make room, then insert it again."
        )
    if error.sqlstate is not None:
        return f"{name} cannot be used now: {text}."
    return (
        f"{name} cannot be reached: {text}. If the server runs, are its name, the database, the "
        "user and the password right (the last in ~/.pgpass or PGPASSWORD)?"
    )
