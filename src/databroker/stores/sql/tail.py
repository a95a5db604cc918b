"""The rows of the table of tails: rows that came one by one and are in no block yet."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import StoreDamaged
from .bodies import open_body, pack_body
from .damage import damaged_rows
from .engine.connection import Connection
from .engine.statements import rows as stored
from .layouts import RowRange

Doc = dict[str, Any]


class Tail(NamedTuple):
    """Consecutive rows, and how many bytes they are."""

    rows: list[Doc]
    size: int


def append_row(connection: Connection, series: int, ordinal: int, sealed: int, row: Doc) -> int:
    """Store a row in the tail; return its bytes, or 0 if its place is taken or in a block now."""
    key, seq = stored.tail_key(series, ordinal), row.get("seq_num", 0)
    body = pack_body(row, key, seq)
    return len(body) if stored.append(connection, (key, seq, body), series, sealed) else 0


def read_tail(connection: Connection, series: int, first: int, stop: int) -> Tail:
    """Return rows from ordinal ``first`` on, as far as they are there and as they were written."""
    rows: list[Doc] = []
    size = 0
    for key, seq, body in stored.tail(connection, series, first, stop):
        if key != stored.tail_key(series, first + len(rows)):
            break
        try:
            rows.append(open_body(body, (key, seq), "row"))
        except StoreDamaged:
            break
        size += len(body)
    return Tail(rows, size)


def whole_tail(connection: Connection, series: int, sealed: int) -> Tail:
    """Return all rows of a tail, which begins where the blocks end."""
    tail = read_tail(connection, series, sealed, stored.ANY)
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
    last = stored.last_in_tail(connection, series)
    return sealed if last is None else last + 1


def tail_range(connection: Connection, series: int, sealed: int) -> RowRange | None:
    """Return where the rows of a tail are; None if it is empty."""
    end = tail_end(connection, series, sealed)
    if end <= sealed:
        return None
    least, most = stored.seq_nums_of_tail(connection, series, sealed)
    if type(least) is not int or type(most) is not int:
        least = most = 0  # damaged; to read the row will say so
    return RowRange(sealed, end, least, most)
