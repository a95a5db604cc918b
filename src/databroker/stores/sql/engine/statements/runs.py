"""Runs: their starts and stops, and who writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..connection import Connection, fetch
from ..render import OPERATORS, marks
from .insert import insert_rows

Row = tuple[Any, ...]

COLUMNS = "id, uid, arrival, time, host, pid, boot_id, start, stop_uid, stop"
"""What a run is made from."""


def by(connection: Connection, column: str, value: Any) -> Row | None:
    """Return the run of which a column that is different for each has a value."""
    rows = fetch(connection, f"SELECT {COLUMNS} FROM runs WHERE {column} = ?", (value,))
    return rows[0] if rows else None


def by_uids(connection: Connection, uids: Sequence[Any]) -> list[Row]:
    """Return runs by their uids."""
    return fetch(connection, f"SELECT {COLUMNS} FROM runs WHERE uid IN ({marks(uids)})", uids)


def by_keys(connection: Connection, keys: Sequence[int]) -> list[Row]:
    """Return runs by their keys, the newest first."""
    sql = f"SELECT {COLUMNS} FROM runs WHERE id IN ({marks(keys)}) ORDER BY id DESC"
    return fetch(connection, sql, keys)


def newest(connection: Connection, most: int) -> list[Row]:
    """Return the runs of the largest keys, the newest first."""
    return fetch(connection, f"SELECT {COLUMNS} FROM runs ORDER BY id DESC LIMIT ?", (most,))


def newest_with(
    connection: Connection,
    path: tuple[int, Any, int],
    value: tuple[str, Any],
    marks_at: tuple[int, Sequence[Any]],
    most: int,
) -> list[Row]:
    """Return the newest runs with a value at a path, given as document, path and kind.

    None, if there is a mark of some kind at some other paths.
    """
    (document, _, _), (index, held), (mark, paths) = path, value, marks_at
    return fetch(
        connection,
        f"SELECT {COLUMNS} FROM runs WHERE id IN (SELECT run FROM {index} WHERE path = "
        "(SELECT id FROM paths WHERE document = ? AND path = ? AND kind = ?) AND value = ? "
        "ORDER BY run DESC LIMIT ?) AND NOT EXISTS (SELECT 1 FROM paths WHERE document = ? "
        f"AND path IN ({marks(paths)}) AND kind = ?) ORDER BY id DESC",
        (*path, held, most, document, *paths, mark),
    )


def between_uids(connection: Connection, low: str, high: str, most: int) -> list[Row]:
    """Return the runs of uids between two texts."""
    sql = f"SELECT {COLUMNS} FROM runs WHERE uid >= ? AND uid < ? ORDER BY uid LIMIT ?"
    return fetch(connection, sql, (low, high, most))


def without_starts(connection: Connection, keys: Sequence[int]) -> list[Row]:
    """Return key, time, arrival, uid, and the stop's uid and body of runs, the newest first."""
    return fetch(
        connection,
        "SELECT id, time, arrival, uid, stop_uid, stop FROM runs "
        f"WHERE id IN ({marks(keys)}) ORDER BY id DESC",
        keys,
    )


def keys_from(connection: Connection, key: int, most: int) -> list[int]:
    """Return keys that are taken, from one on."""
    sql = "SELECT id FROM runs WHERE id >= ? ORDER BY id LIMIT ?"
    return [row[0] for row in fetch(connection, sql, (key, most))]


def uids_from(connection: Connection, low: str, most: int) -> list[Any]:
    """Return uids from one on."""
    sql = "SELECT uid FROM runs WHERE uid >= ? ORDER BY uid LIMIT ?"
    return [row[0] for row in fetch(connection, sql, (low, most))]


def newest_arrival(connection: Connection) -> int:
    """Return the number of the run that arrived last; 0 if there is none."""
    return fetch(connection, "SELECT coalesce(max(arrival), 0) FROM runs")[0][0]  # type: ignore[no-any-return]


def arrived_from(connection: Connection, number: int) -> list[Row]:
    """Return the number and uid of the runs that arrived from one on, in this order."""
    sql = "SELECT arrival, uid FROM runs WHERE arrival >= ? ORDER BY arrival"
    return fetch(connection, sql, (number,))


def count_and_newest(connection: Connection) -> Row:
    """Return how many runs there are, and the number of the one that arrived last."""
    return fetch(connection, "SELECT count(*), max(arrival) FROM runs")[0]


def any_beyond(connection: Connection, keys: tuple[int, int], op: str, time: Any) -> bool:
    """Tell whether a run between two keys has a time of which a comparison is not true."""
    sql = f"SELECT 1 FROM runs WHERE id BETWEEN ? AND ? AND NOT time {OPERATORS[op]} ? LIMIT 1"
    return bool(fetch(connection, sql, (*keys, time)))


def insert(connection: Connection, rows: Iterable[Row]) -> None:
    """Store runs, given by the columns from which they are made."""
    insert_rows(connection, f"runs ({COLUMNS})", rows)


def set_stop(connection: Connection, key: int, uid: Any, body: bytes) -> None:
    """Store the stop of a run, in the place of one that it has."""
    connection.change("UPDATE runs SET stop = ?, stop_uid = ? WHERE id = ?", (body, uid, key))
