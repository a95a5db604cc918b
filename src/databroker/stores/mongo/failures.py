"""What goes wrong in pymongo and in the server, as exceptions of ours."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)

from ..._util.secrets import hide_passwords
from ..._util.signals import interrupt_behind
from ...errors import (
    InvalidConfiguration,
    InvalidDocument,
    StoreAway,
    StoreIsReadOnly,
    StoreUnavailable,
)

DUPLICATE = 11000
_UNAUTHORISED = 13
_WRONG_PASSWORD = (18, 8000, 11)
_TOO_LARGE = (10334, 17280, 17419, 17420)
_BUSY = (6, 7, 43, 50, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436)
"""Codes of what passes: the host is not there, the server stops, another one becomes primary."""


@contextlib.contextmanager
def translating(name: str) -> Iterator[None]:
    """Turn what pymongo raises within, about the database of a name, into exceptions of ours."""
    around = sys.exception()  # which is being handled, by whoever asks
    try:
        yield
    except (PyMongoError, BSONError, OverflowError) as error:
        interrupt = interrupt_behind(error, around)
        if interrupt is not None:
            raise interrupt from None
        raise translate(error, name) from error


def translate(error: Exception, name: str) -> Exception:
    """Return our exception for one of pymongo's, about the database of that name.

    `StoreAway` says that the same can be done later.
    """
    code, said = _answer(error)
    text = hide_passwords(" ".join(said.split()))
    for mark in (", Topology Description", ", full error", " (configured timeouts"):
        text = text.partition(mark)[0].rstrip(".")
    if isinstance(error, DocumentTooLarge | BSONError | OverflowError) or code in _TOO_LARGE:
        return InvalidDocument(
            f"A document is not stored, as {name} does not take it: {text}. MongoDB takes "
            "documents of 16 MB. Keep what is large in a file, to which a resource refers."
        )
    if code in _WRONG_PASSWORD or "uthentication failed" in text:
        return StoreUnavailable(
            f"{name} refuses this user: {text}. Are the user, the password and `authSource` right "
            "(a password may be in the environment, as DATABROKER_MONGO_PASSWORD)?"
        )
    if code == _UNAUTHORISED:
        return StoreIsReadOnly(
            f"{name} does not let this user do that: {text}. Ask its administrator for the right, "
            "or only read."
        )
    if isinstance(error, ConfigurationError):
        return InvalidConfiguration(
            f"{name} cannot be reached as it is configured: {text}. Give an address like "
            "mongodb://host:27017/name, with the user before the host where one is needed; the "
            "password may be in the environment, as DATABROKER_MONGO_PASSWORD."
        )
    if isinstance(error, ConnectionFailure | ExecutionTimeout) or code in _BUSY:
        return StoreAway(
            f"{name} cannot be reached: {text}. If the server runs, are its name and port right?"
        )
    return StoreUnavailable(f"{name} cannot do what was asked of it: {text}.")


def _answer(error: Exception) -> tuple[int | None, str]:
    """Return the server's number for what went wrong, and its words."""
    if not isinstance(error, OperationFailure):
        return None, str(error)
    details = error.details or {}
    failed: dict[str, Any] = next(iter(details.get("writeErrors") or ()), {})
    return failed.get("code", error.code), failed.get("errmsg", str(error))
