"""How far runs stand behind their times, because keys were taken: one fact about a database."""

from __future__ import annotations

from ...errors import StoreDamaged
from .bodies import open_body, pack_body
from .engine.connection import Connection, fetch

_KEY = "displacement"


def displacement(connection: Connection) -> int:
    """Return how far a run was ever moved on because its key was taken."""
    rows = fetch(connection, "SELECT value FROM meta WHERE key = ?", (_KEY,))
    if not rows:
        return 0
    places: int = open_body(rows[0][0], (_KEY,), "order of runs")
    return places


def raise_displacement(connection: Connection, places: int) -> None:
    """Remember that a run was moved on by so much; within a transaction."""
    try:
        known = displacement(connection)
    except StoreDamaged:
        return  # whoever searches is told
    if places > known:
        set_displacement(connection, places)


def set_displacement(connection: Connection, places: int) -> None:
    """Store how far a run was ever moved on; within a transaction."""
    connection.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (_KEY, pack_body(places, _KEY))
    )
