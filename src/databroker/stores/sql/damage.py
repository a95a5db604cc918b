"""Saying where damage is: in which run, which stream, which rows."""

from __future__ import annotations

import contextlib

from ..._util.portable_text import original
from ..._util.user_warnings import warn_user
from ...documents.kinds import OWNER, stream_name
from ...errors import DamageWarning, StoreDamaged
from .engine.connection import Connection
from .engine.failures import FAILURES
from .engine.statements.rows import series_numbered
from .single import stored_document


def damaged_rows(
    connection: Connection, series: int, first: int, stop: int, why: str
) -> StoreDamaged:
    """Return the error for rows of a series, by ordinal, that cannot be read."""
    rows = f"row {first}" if stop == first + 1 else f"rows {first} to {stop - 1}"
    return StoreDamaged(
        f"{_whereabouts(connection, series)}, {rows}: {why}. Other rows, other fields and other "
        "runs can still be read."
    )


def _whereabouts(connection: Connection, series: int) -> str:
    """Say what rows belong to, as far as that can still be read."""
    run = owner = what = "?"
    with contextlib.suppress(*FAILURES, TypeError, KeyError, UnicodeError):
        row = series_numbered(connection, series)
        kind, key, run_key, _ = row or ("?", "?", None, None)
        run, owner = original(run_key or "?"), original(key)
        what = OWNER[kind].replace("_", " ")
        if kind == "event":
            descriptor = stored_document(connection, OWNER[kind], owner)
            if descriptor is not None:
                return f"Run {run!r}, stream {stream_name(descriptor)!r}"
    return f"Run {run!r}, {what} {owner!r}"


def warn_of_damage(text: str) -> None:
    """Say what was left out."""
    warn_user(f"{text} See 'Damage' in the documentation.", DamageWarning)
