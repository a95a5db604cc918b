"""Series of rows, their tails and blocks, and the segments of these.

The key of a row in a tail is its series and its ordinal in one integer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from ..connection import Connection, fetch
from ..render import VALUES, marks
from .insert import insert_rows

Row = tuple[Any, ...]

_SHIFT = 32  # bits for the ordinal
ANY = 1 << _SHIFT
"""More rows than a series may have."""

_BLOCK = "SELECT first, stop, min_seq, max_seq, last_time, layout FROM blocks WHERE series = ?"
_BETWEEN = "FROM tail WHERE id BETWEEN ? AND ?"


# -- series ------------------------------------------------------------------


def add_series(connection: Connection, kind: str, owner: Any, run: Any) -> None:
    """See to it that an owner has a series, and that its run is known there.

    Within a transaction: each series has the number after the largest.
    """
    connection.change(
        "INSERT INTO series (id, kind, owner, run) "
        "VALUES ((SELECT coalesce(max(id), 0) + 1 FROM series), ?, ?, ?) "
        "ON CONFLICT (owner, kind) DO UPDATE SET run = coalesce(series.run, excluded.run)",
        (kind, owner, run),
    )


def insert_series(connection: Connection, series: Iterable[Row]) -> None:
    """Store number, kind, owner, run and sealed rows of new series."""
    insert_rows(connection, "series (id, kind, owner, run, sealed)", series)


def newest_series(connection: Connection) -> int:
    """Return the largest number of a series; 0 if there is none."""
    return fetch(connection, "SELECT coalesce(max(id), 0) FROM series")[0][0]  # type: ignore[no-any-return]


def series_of(connection: Connection, kind: str, owner: Any) -> Row | None:
    """Return number, sealed rows and run of a series."""
    sql = "SELECT id, sealed, run FROM series WHERE owner = ? AND kind = ?"
    rows = fetch(connection, sql, (owner, kind))
    return rows[0] if rows else None


def series_numbered(connection: Connection, series: int) -> Row | None:
    """Return kind, owner, run and sealed rows of a series."""
    sql = "SELECT kind, owner, run, sealed FROM series WHERE id = ?"
    rows = fetch(connection, sql, (series,))
    return rows[0] if rows else None


def series_of_run(connection: Connection, run: Any, without: Collection[str] = ()) -> list[Row]:
    """Return number, kind and owner of the series of a run, but those of some kinds."""
    return fetch(
        connection,
        "SELECT id, kind, owner FROM series WHERE run = ? "
        f"AND kind NOT IN ({marks(['', *without])}) ORDER BY id",
        (run, "", *without),
    )


def lengths_of_run(connection: Connection, run: Any) -> list[Row]:
    """Return number, kind, owner, sealed rows of the series of a run, and the tail's last row."""
    last = f"SELECT max(id) & {ANY - 1} FROM tail WHERE id BETWEEN "
    last += f"series.id << {_SHIFT} AND (series.id << {_SHIFT}) + {ANY - 1}"
    sql = f"SELECT id, kind, owner, sealed, ({last}) FROM series WHERE run = ? ORDER BY id"
    return fetch(connection, sql, (run,))


def set_sealed(connection: Connection, series: int, sealed: int) -> None:
    """Store how many rows of a series are in blocks."""
    connection.change("UPDATE series SET sealed = ? WHERE id = ?", (sealed, series))


def set_run(connection: Connection, kind: str, owner: Any, run: Any) -> None:
    """Store which run a series belongs to."""
    connection.change("UPDATE series SET run = ? WHERE owner = ? AND kind = ?", (run, owner, kind))


# -- the tail ----------------------------------------------------------------


def tail_key(series: int, ordinal: int) -> int:
    """Return the key of a row."""
    return (series << _SHIFT) | ordinal


def append(connection: Connection, row: Row, series: int, sealed: int) -> bool:
    """Store key, seq_num and body of a row; tell whether its place was free and in no block."""
    return connection.append(row, series, sealed)


def tail(connection: Connection, series: int, first: int, stop: int) -> list[Row]:
    """Return key, seq_num and body of rows, by ordinal."""
    sql = f"SELECT id, seq, body {_BETWEEN} ORDER BY id"
    return fetch(connection, sql, _keys(series, first, stop))


def last_in_tail(connection: Connection, series: int) -> int | None:
    """Return the ordinal of the last row of a tail."""
    return _ordinal(connection, "max", _keys(series, 0))


def first_in_tail(connection: Connection, series: int, ordinal: int) -> int | None:
    """Return the first ordinal of a tail from one on."""
    return _ordinal(connection, "min", _keys(series, ordinal))


def seq_nums_of_tail(connection: Connection, series: int, first: int) -> Row:
    """Return the least and the largest seq_num of a tail from an ordinal on."""
    return fetch(connection, f"SELECT min(seq), max(seq) {_BETWEEN}", _keys(series, first))[0]


def clear_tail(connection: Connection, series: int) -> None:
    """Drop the rows of a tail."""
    connection.change(f"DELETE {_BETWEEN}", _keys(series, 0))


def _ordinal(connection: Connection, which: str, keys: tuple[int, int]) -> int | None:
    key = fetch(connection, f"SELECT {which}(id) {_BETWEEN}", keys)[0][0]
    return None if key is None else key & (ANY - 1)


def _keys(series: int, first: int, stop: int = ANY) -> tuple[int, int]:
    base = series << _SHIFT
    return base + first, base + stop - 1


# -- blocks ------------------------------------------------------------------


def insert_blocks(connection: Connection, blocks: Iterable[Row]) -> None:
    """Store series, bounds, seq_nums, time and layout of blocks."""
    columns = "series, first, stop, min_seq, max_seq, last_time, layout"
    insert_rows(connection, f"blocks ({columns})", blocks)


def blocks(connection: Connection, series: int, after: int = -1) -> list[Row]:
    """Return the blocks of a series that begin after an ordinal, by ordinal."""
    return fetch(connection, f"{_BLOCK} AND first > ? ORDER BY first", (series, after))


def newest_blocks(connection: Connection, series: int, most: int, first: int = ANY) -> list[Row]:
    """Return the last blocks of a series that begin at an ordinal or before, newest first."""
    sql = f"{_BLOCK} AND first <= ? ORDER BY first DESC LIMIT ?"
    return fetch(connection, sql, (series, first, most))


def owned_blocks(
    connection: Connection, kind: str, owner: Any, series: int, first: int, stop: int
) -> list[Row]:
    """Return the blocks with rows between two ordinals, if the series is an owner's, in order."""
    sql = (
        f"{_BLOCK} AND first < ? AND stop > ? "
        "AND EXISTS (SELECT 1 FROM series WHERE id = ? AND owner = ? AND kind = ?) ORDER BY first"
    )
    return fetch(connection, sql, (series, stop, first, series, owner, kind))


def newest_sizes(connection: Connection, series: int, most: int) -> list[Any]:
    """Return how many rows the last blocks of a series have, the newest first."""
    sql = "SELECT stop - first FROM blocks WHERE series = ? ORDER BY first DESC LIMIT ?"
    return [row[0] for row in fetch(connection, sql, (series, most))]


def newest_stop(connection: Connection, series: int) -> Any:
    """Return how many rows the blocks of a series have, as the newest of them says."""
    sql = "SELECT stop FROM blocks WHERE series = ? ORDER BY first DESC LIMIT 1"
    rows = fetch(connection, sql, (series,))
    return rows[0][0] if rows else 0


def drop_blocks(connection: Connection, series: int, first: int, stop: int) -> None:
    """Take the blocks between two ordinals out."""
    sql = "DELETE FROM blocks WHERE series = ? AND first >= ? AND first < ?"
    connection.change(sql, (series, first, stop))


# -- segments ----------------------------------------------------------------


def insert_segments(connection: Connection, blobs: Sequence[bytes | memoryview]) -> list[int]:
    """Store segments, and return their numbers."""
    return connection.insert("segments (data)", [(blob,) for blob in blobs]) if blobs else []


def segment(connection: Connection, number: int) -> Row | None:
    """Return the row of a segment."""
    rows = fetch(connection, "SELECT data FROM segments WHERE id = ?", (number,))
    return rows[0] if rows else None


def drop_segments(connection: Connection, numbers: Iterable[int]) -> None:
    """Take segments out."""
    several = list(numbers)
    for first in range(0, len(several), VALUES):
        some = several[first : first + VALUES]
        connection.change(f"DELETE FROM segments WHERE id IN ({marks(some)})", some)


# -- datums ------------------------------------------------------------------


def set_datum_owner(connection: Connection, datum_id: Any, owner: Any) -> None:
    """Store which resource a datum belongs to."""
    connection.change(
        "INSERT INTO datum_owners (datum_id, owner) VALUES (?, ?) "
        "ON CONFLICT (datum_id) DO UPDATE SET owner = excluded.owner",
        (datum_id, owner),
    )


def drop_datum_owner(connection: Connection, datum_id: Any) -> None:
    """Forget which resource a datum belongs to."""
    connection.change("DELETE FROM datum_owners WHERE datum_id = ?", (datum_id,))


def datum_owner(connection: Connection, datum_id: Any) -> Any:
    """Return the resource that a datum is said to belong to, or None."""
    rows = fetch(connection, "SELECT owner FROM datum_owners WHERE datum_id = ?", (datum_id,))
    return rows[0][0] if rows else None


def datum_owners(connection: Connection, datum_ids: Collection[Any]) -> list[Row]:
    """Return datum ids, and the bytes of the resources that they are said to belong to."""
    owner = connection.dialect.as_bytes.format("owner")
    sql = f"SELECT datum_id, {owner} FROM datum_owners WHERE datum_id IN ({marks(datum_ids)})"
    return fetch(connection, sql, list(datum_ids))
