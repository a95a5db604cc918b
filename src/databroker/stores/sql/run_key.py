"""Integer keys that carry the start time of runs, and the exact order of runs.

Where a key is taken, a run moves on. How far one ever did is a fact about the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...errors import StoreDamaged
from .bodies import open_body, pack_body
from .engine.connection import Connection
from .engine.statements import meta
from .starts import Run

_DISPLACEMENT = "displacement"
_LARGEST = 2**63 - 2**32  # room for ties to be moved on
_SMALLEST = -(2**63)


def key_of(time: float) -> int:
    """Return the key at which a run of this time is placed, if it is free.

    The key is the time in whole nanoseconds, exactly rounded down, so that
    two different times of our century have two different keys.
    """
    numerator, denominator = time.as_integer_ratio()
    return min(max(numerator * 10**9 // denominator, _SMALLEST), _LARGEST)


def newest_first(runs: Iterable[Run]) -> Iterator[Run]:
    """Put runs that come by descending key into the order (time, arrival), both descending.

    The two differ only where keys were taken and runs had to be moved on. A
    run never has a smaller key than its time, so once the next key is smaller
    than the times of all runs in hand, these can go.
    """
    held: list[Run] = []
    floor = 0
    for run in runs:
        if held and run.id < floor:
            yield from _settled(held)
            held = []
        place = key_of(run.time)
        floor = min(floor, place) if held else place
        held.append(run)
        if floor >= run.id:
            yield from _settled(held)
            held = []
    yield from _settled(held)


def _settled(held: list[Run]) -> list[Run]:
    if len(held) > 1:
        held.sort(key=lambda run: (run.time, run.arrival), reverse=True)
    return held


def displacement(connection: Connection) -> int:
    """Return how far a run was ever moved on because its key was taken."""
    body = meta.fact(connection, _DISPLACEMENT)
    if body is None:
        return 0
    steps: int = open_body(body, (_DISPLACEMENT,), "order of runs")
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
    meta.set_fact(connection, _DISPLACEMENT, pack_body(steps, _DISPLACEMENT))
