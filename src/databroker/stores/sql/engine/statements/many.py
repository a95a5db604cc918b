"""What is asked of several runs, or series, in one statement."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..connection import Connection, fetch
from ..render import marks

Row = tuple[Any, ...]


def documents(connection: Connection, kind: str, runs: Collection[Any]) -> list[Row]:
    """Return kind, uid, run and body of the documents of a kind, in the order of arrival."""
    return fetch(
        connection,
        "SELECT kind, uid, run, body FROM documents "
        f"WHERE run IN ({marks(runs)}) AND kind = ? ORDER BY id",
        (*runs, kind),
    )


def linked(connection: Connection, runs: Collection[Any]) -> list[Row]:
    """Return kind, uid, run and body of the documents of runs but stops, in order of arrival."""
    return fetch(
        connection,
        "SELECT kind, uid, run, body FROM documents "
        f"WHERE run IN ({marks(runs)}) AND kind <> 'stop' ORDER BY id",
        tuple(runs),
    )


def series(connection: Connection, runs: Collection[Any]) -> list[Row]:
    """Return number, kind, owner, run, sealed rows and rows in the tail of the series of runs."""
    return fetch(
        connection,
        "SELECT id, kind, owner, run, sealed, (SELECT count(*) FROM tail WHERE tail.id "
        "BETWEEN series.id << 32 AND (series.id << 32) + 4294967295) FROM series "
        f"WHERE run IN ({marks(runs)}) ORDER BY id",
        tuple(runs),
    )


def blocks(connection: Connection, numbers: Collection[int]) -> list[Row]:
    """Return series, bounds, seq_nums, time and layout of the blocks of some series, in order."""
    return fetch(
        connection,
        "SELECT series, first, stop, min_seq, max_seq, last_time, layout FROM blocks "
        f"WHERE series IN ({marks(numbers)}) ORDER BY series, first",
        tuple(numbers),
    )


def segments(connection: Connection, numbers: Collection[int], as_views: bool) -> list[Row]:
    """Return number and data of segments, as bytes or perhaps as views of what was received."""
    ask = connection.views if as_views else connection.execute
    return ask(f"SELECT id, data FROM segments WHERE id IN ({marks(numbers)})", tuple(numbers))
