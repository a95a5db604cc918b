"""What goes wrong in psycopg and in the server, as exceptions of ours."""

from __future__ import annotations

from psycopg import Error, OperationalError, errors

from ....._util.secrets import hide_passwords
from .....errors import InvalidDocument, StoreDamaged, StoreIsReadOnly, StoreUnavailable
from ..failures import PATIENCE

_DAMAGE = (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable)
_BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)
_REFUSED = (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)


def translate(error: Error, name: str) -> Exception:
    """Return our exception for one of psycopg's, about the database of that name."""
    text = hide_passwords(str(error).strip().replace("\n", " "))
    if isinstance(error, _REFUSED):
        return StoreIsReadOnly(
            f"{name} can be read, but not written to: {text}. Ask for the right to write, or open "
            "it with `read_only`."
        )
    if isinstance(error, _DAMAGE):
        return StoreDamaged(
            f"{name} is damaged ({text}). Ask its administrator to look at the server's log."
        )
    if isinstance(error, _BUSY):
        return StoreUnavailable(
            f"{name} has been locked by another program for {PATIENCE:.0f} s; nothing was stored. "
            "Close what holds it, then try again."
        )
    if isinstance(error, errors.ProgramLimitExceeded):
        return InvalidDocument(
            f"A document is not stored, as {name} cannot look it up: {text}. The uid, or a key, "
            "is too long; PostgreSQL takes some 2 600 bytes."
        )
    if isinstance(error, errors.DiskFull):
        return StoreUnavailable(
            f"{name} cannot be written to: {text}. The disk of the server is full. This document "
            "was not stored; what was stored before can be read. Make room, then insert it again."
        )
    hint = " Is the server running and reachable?" if isinstance(error, OperationalError) else ""
    return StoreUnavailable(f"{name} cannot be used: {text}.{hint}")
