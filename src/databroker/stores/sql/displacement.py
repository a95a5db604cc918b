"""How far runs stand behind their times, because keys were taken: one fact about a database."""

from __future__ import annotations

from ...errors import StoreDamaged
from .bodies import open_body, pack_body
from .engine.connection import Connection
from .engine.statements import meta

_KEY = "displacement"


def displacement(connection: Connection) -> int:
    """Return how far a run was ever moved on because its key was taken."""
    body = meta.fact(connection, _KEY)
    if body is None:
        return 0
    steps: int = open_body(body, (_KEY,), "order of runs")
    return steps


def raise_displacement(connection: Connection, steps: int) -> None:
    """Remember that a run was moved on by so much; within a transaction."""
    try:
        known = displacement(connection)
    except StoreDamaged:
        return  # whoever searches is told
    if steps > known:
        set_displacement(connection, steps)


def set_displacement(connection: Connection, steps: int) -> None:
    """Store how far a run was ever moved on; within a transaction."""
    meta.set_fact(connection, _KEY, pack_body(steps, _KEY))
