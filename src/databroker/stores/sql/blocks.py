"""Blocks of consecutive rows: written as segments, merged as they grow, read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterator
from typing import TYPE_CHECKING, Any

from ...columns import segments
from ...columns.assemble import assemble
from ...columns.names import SEQ_NUM, TIME
from ...columns.rows import concatenate, is_wanted, select
from ...documents import decode, encode
from ..contract import Extent
from .connection import fetch

if TYPE_CHECKING:
    import pyarrow as pa

SEGMENT_BYTES = 4 * 2**20
"""About how large a segment may grow."""

_FAN = 16  # so many blocks of one size become one of the next


def write_block(connection: sqlite3.Connection, series: int, first: int, batch: pa.RecordBatch) -> None:
    """Store a batch as the rows from ordinal ``first`` on."""
    layout: list[list[Any]] = []
    widest = 0
    for group, columns in segments.groups(batch).items():
        blob = segments.pack(batch, columns, group)
        cursor = connection.execute("INSERT INTO segments (data) VALUES (?)", (blob,))
        layout.append([cursor.lastrowid, None if group == segments.ALL else columns])
        widest = max(widest, len(blob))
    least, most = _range(batch, SEQ_NUM) or (0, 0)
    _, last_time = _range(batch, TIME) or (0, 0)
    connection.execute(
        "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            series,
            first,
            first + batch.num_rows,
            int(least),
            int(most),
            float(last_time),
            widest,
            encode(layout),
        ),
    )


def _range(batch: pa.RecordBatch, column: str) -> tuple[Any, Any] | None:
    """Return the least and the largest value of a column of numbers, if the batch has it."""
    if column not in batch.schema.names:
        return None
    values = assemble([select(batch, [column])], [column])[column]
    return (values.min(), values.max()) if values.dtype.kind in "if" else None


def pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch so that no column of a piece is much larger than a segment may be."""
    largest = max(array.nbytes for array in batch.columns)
    rows = batch.num_rows
    if largest > SEGMENT_BYTES:
        rows = max(1, int(rows * SEGMENT_BYTES / largest))
    for first in range(0, batch.num_rows, rows):
        yield batch.slice(first, rows)


def merge_blocks(connection: sqlite3.Connection, series: int) -> None:
    """Make one block of the newest sixteen, while they are of one size and small enough.

    So each row is written again a few times at most, and a stream of any
    length has few small blocks.
    """
    while True:
        newest = fetch(
            connection,
            "SELECT first, stop, widest, layout FROM blocks WHERE series = ? "
            "ORDER BY first DESC LIMIT ?",
            (series, _FAN),
        )
        sizes = {(stop - first).bit_length() // 3 for first, stop, _, _ in newest}
        if len(newest) < _FAN or len(sizes) > 1:
            return
        if sum(widest for _, _, widest, _ in newest) > SEGMENT_BYTES:
            return
        newest.reverse()
        batches = [_load(connection, decode(layout), None) for _, _, _, layout in newest]
        merged = None if None in batches else concatenate(batches)
        if merged is None:
            return
        for first, _, _, layout in newest:
            ids = [(segment,) for segment, _ in decode(layout)]
            connection.executemany("DELETE FROM segments WHERE id = ?", ids)
            connection.execute("DELETE FROM blocks WHERE series = ? AND first = ?", (series, first))
        write_block(connection, series, newest[0][0], merged)


def block_at(
    connection: sqlite3.Connection, series: int, ordinal: int, columns: Container[str] | None
) -> tuple[int, pa.RecordBatch] | None:
    """Return the block that has a row, and the ordinal of its first row; None if no block has it.

    A block may be merged away between the two looks that this takes; then it
    is looked for again.
    """
    while True:
        row = connection.execute(
            "SELECT first, stop, layout FROM blocks WHERE series = ? AND first <= ? "
            "ORDER BY first DESC LIMIT 1",
            (series, ordinal),
        ).fetchone()
        if row is None or row[1] <= ordinal:
            return None
        batch = _load(connection, decode(row[2]), columns)
        if batch is not None:
            return row[0], batch


def block_extents(connection: sqlite3.Connection, series: int) -> list[Extent]:
    """Return the extent of each block, by ordinal."""
    rows = fetch(
        connection,
        "SELECT first, stop, min_seq, max_seq FROM blocks WHERE series = ? ORDER BY first",
        (series,),
    )
    return [Extent(*row) for row in rows]


def _load(
    connection: sqlite3.Connection, layout: list[Any], columns: Container[str] | None
) -> pa.RecordBatch | None:
    wanted = [
        segment
        for segment, names in layout
        if names is None or any(is_wanted(name, columns) for name in names)
    ] or [layout[0][0]]  # a batch without columns still has its rows
    blobs = []
    for segment in wanted:
        row = connection.execute("SELECT data FROM segments WHERE id = ?", (segment,)).fetchone()
        if row is None:
            return None
        blobs.append(row[0])
    return segments.unpack(blobs, columns)
