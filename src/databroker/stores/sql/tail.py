"""The rows of the table of tails: rows that came one by one and are in no block yet.

The key of a row is its series and its ordinal in one integer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import StoreDamaged
from .bodies import open_body, pack_body
from .damage import damaged_rows
from .engine.connection import Connection, fetch
from .engine.failures import IntegrityError
from .layouts import RowRange

Doc = dict[str, Any]

_SHIFT = 32  # bits for the ordinal

_APPEND = (
    "INSERT INTO tail (id, seq, body) "
    "SELECT ?, ?, ? WHERE (SELECT sealed FROM series WHERE id = ?) = ?"
)


class Tail(NamedTuple):
    """Consecutive rows, and how many bytes they are."""

    rows: list[Doc]
    size: int


def append_row(connection: Connection, series: int, ordinal: int, sealed: int, row: Doc) -> int:
    """Store a row in the tail; return its bytes, or 0 if its place is taken or in a block now."""
    key, seq = (series << _SHIFT) | ordinal, row.get("seq_num", 0)
    body = pack_body(row, key, seq)
    try:
        stored = connection.execute(_APPEND, (key, seq, body, series, sealed)).rowcount
    except IntegrityError:
        return 0
    return len(body) if stored else 0


def read_tail(connection: Connection, series: int, first: int, stop: int) -> Tail:
    """Return rows from ordinal ``first`` on, as far as they are there and as they were written."""
    rows: list[Doc] = []
    size = 0
    for key, seq, body in fetch(
        connection,
        "SELECT id, seq, body FROM tail WHERE id BETWEEN ? AND ? ORDER BY id",
        _keys(series, first, stop),
    ):
        if key != (series << _SHIFT) + first + len(rows):
            break
        try:
            rows.append(open_body(body, (key, seq), "row"))
        except StoreDamaged:
            break
        size += len(body)
    return Tail(rows, size)


def whole_tail(connection: Connection, series: int, sealed: int) -> Tail:
    """Return all rows of a tail, which begins where the blocks end.

    Raises
    ------
    StoreDamaged
        Some cannot be read.
    """
    tail = read_tail(connection, series, sealed, 1 << _SHIFT)
    reached, end = sealed + len(tail.rows), tail_end(connection, series, sealed)
    if reached < end:
        raise damaged_tail(connection, series, reached, end)
    return tail


def damaged_tail(connection: Connection, series: int, first: int, end: int) -> StoreDamaged:
    """Return the error for a row that is not there though later ones are, or is damaged."""
    why = "it is missing, or not as it was written (its checksum does not fit)"
    return damaged_rows(connection, series, first, min(first + 1, end), why)


def tail_end(connection: Connection, series: int, sealed: int) -> int:
    """Return the ordinal after the last row of a tail, which begins where the blocks end."""
    row = connection.execute(
        "SELECT max(id) FROM tail WHERE id BETWEEN ? AND ?", _keys(series, 0)
    ).fetchone()
    return sealed if row[0] is None else (row[0] & ((1 << _SHIFT) - 1)) + 1


def next_in_tail(connection: Connection, series: int, ordinal: int) -> int | None:
    """Return the ordinal of the first row of a tail after one, if there is any."""
    row = connection.execute(
        "SELECT min(id) FROM tail WHERE id BETWEEN ? AND ?", _keys(series, ordinal + 1)
    ).fetchone()
    return None if row[0] is None else row[0] & ((1 << _SHIFT) - 1)


def tail_range(connection: Connection, series: int, sealed: int) -> RowRange | None:
    """Return where the rows of a tail are; None if it is empty."""
    end = tail_end(connection, series, sealed)
    if end <= sealed:
        return None
    least, most = connection.execute(
        "SELECT min(seq), max(seq) FROM tail WHERE id BETWEEN ? AND ?", _keys(series, sealed)
    ).fetchone()
    if type(least) is not int or type(most) is not int:
        least = most = 0  # damaged; to read the row will say so
    return RowRange(sealed, end, least, most)


def clear_tail(connection: Connection, series: int) -> None:
    """Drop the rows of a tail."""
    connection.execute("DELETE FROM tail WHERE id BETWEEN ? AND ?", _keys(series, 0))


def _keys(series: int, first: int, stop: int = 1 << _SHIFT) -> tuple[int, int]:
    base = series << _SHIFT
    return base + first, base + stop - 1
