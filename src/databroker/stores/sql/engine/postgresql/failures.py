"""What goes wrong in psycopg and in the server, as exceptions of ours."""

from __future__ import annotations

from psycopg import Error, InterfaceError, OperationalError, errors

from ....._util.secrets import hide_passwords
from .....errors import InvalidDocument, StoreDamaged, StoreIsReadOnly, StoreUnavailable
from ..failures import PATIENCE

_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)
_REFUSED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)
_AWAY = (OperationalError, InterfaceError)  # or short of something, or told to stop


def translate(error: Error, name: str) -> Exception:
    """Return our exception for one of psycopg's, about the database of that name.

    `StoreUnavailable` says that the same can be done later. All others stay as they are: the
    document, the tables or the rights are not as they must be.
    """
    text = hide_passwords(" ".join(str(error).split())).rstrip(".?")
    if isinstance(error, _REFUSED):
        return StoreIsReadOnly(
            f"{name} can be read, but not written to: {text}. Ask for the right to write, or open "
            "it with `read_only`."
        )
    if isinstance(error, errors.ProgramLimitExceeded):
        return InvalidDocument(
            f"A document is not stored, as {name} cannot look it up: {text}. The uid, or a key, "
            "is too long; PostgreSQL takes some 2 600 bytes."
        )
    if not isinstance(error, _AWAY):
        return StoreDamaged(
            f"{name} is damaged ({text}). Ask its administrator to look at the server's log."
        )
    return StoreUnavailable(_why_not_now(error, text, name))


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
