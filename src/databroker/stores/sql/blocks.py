"""Blocks of consecutive rows: written as segments, merged as they grow, read back.

A block holds its columns in groups (see `databroker.columns.segments`), and
each group is a chain of segments of a few megabytes at most. So a group of
narrow columns is one segment for all rows of the block, while a column of
images is many; to read some columns of some rows is to read the segments of
their groups that have these rows.

The layout of a block is a list of groups: the names of the columns (None for
all), and for each segment its number, its rows and its bytes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

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

Segment = list[int]  # its number, its rows, its bytes
Group = tuple[list[str] | None, list[Segment]]
Unpacked = dict[int, "pa.RecordBatch"]


def write_block(
    connection: sqlite3.Connection, series: int, first: int, batch: pa.RecordBatch
) -> None:
    """Store a batch as the rows from ordinal ``first`` on."""
    layout = [
        (None if group == segments.ALL else columns, _write(connection, batch, columns, group))
        for group, columns in segments.groups(batch).items()
    ]
    least, most = _range(batch, SEQ_NUM) or (0, 0)
    _, last_time = _range(batch, TIME) or (0, 0)
    bounds = (first, first + batch.num_rows, int(least), int(most), float(last_time))
    _insert(connection, series, bounds, layout)


def merge_blocks(connection: sqlite3.Connection, series: int) -> None:
    """Make one block of the newest sixteen, while they are of one size and it is worth it.

    So each row is written again once or twice, and a stream of any length has
    few small blocks. Where a group would grow beyond a segment, its segments
    are handed to the new block as they are.
    """
    while True:
        newest = fetch(
            connection,
            "SELECT first, stop, min_seq, max_seq, last_time, layout FROM blocks "
            "WHERE series = ? ORDER BY first DESC LIMIT ?",
            (series, _FAN),
        )
        sizes = {(stop - first).bit_length() // 3 for first, stop, *_ in newest}
        if len(newest) < _FAN or len(sizes) > 1:
            return
        newest.reverse()
        layouts: list[list[Group]] = [decode(row[-1]) for row in newest]
        bounds = (
            newest[0][0],
            newest[-1][1],
            min(row[2] for row in newest),
            max(row[3] for row in newest),
            max(row[4] for row in newest),
        )
        if not _merge(connection, series, bounds, layouts):
            return


def read_block(
    connection: sqlite3.Connection,
    series: int,
    ordinal: int,
    stop: int,
    columns: Container[str] | None,
    unpacked: Unpacked | None = None,
) -> pa.RecordBatch | None:
    """Return rows from ``ordinal`` on, ``stop`` at most, as far as their segments reach.

    None if no block has the row. A block may be merged away between the two
    looks that this takes; then it is looked for again.

    A segment of narrow columns goes on where one of wide columns ends. What a
    caller that reads on gives as `unpacked` keeps it for the next rows.
    """
    kept: Unpacked = {} if unpacked is None else unpacked
    while True:
        row = connection.execute(
            "SELECT first, stop, layout FROM blocks WHERE series = ? AND first <= ? "
            "ORDER BY first DESC LIMIT 1",
            (series, ordinal),
        ).fetchone()
        if row is None or row[1] <= ordinal:
            return None
        first, end, layout = row
        bounds = (ordinal - first, min(end, stop) - first)
        batch = _read(connection, decode(layout), bounds, columns, kept)
        if batch is not None:
            return batch


def has_block(connection: sqlite3.Connection, series: int, ordinal: int) -> bool:
    """Tell whether a block has a row."""
    row = connection.execute(
        "SELECT stop FROM blocks WHERE series = ? AND first <= ? ORDER BY first DESC LIMIT 1",
        (series, ordinal),
    ).fetchone()
    return row is not None and row[0] > ordinal


def block_extents(connection: sqlite3.Connection, series: int) -> list[Extent]:
    """Return the extent of each block, by ordinal."""
    rows = fetch(
        connection,
        "SELECT first, stop, min_seq, max_seq FROM blocks WHERE series = ? ORDER BY first",
        (series,),
    )
    return [Extent(*row) for row in rows]


def _insert(
    connection: sqlite3.Connection,
    series: int,
    bounds: tuple[int, int, int, int, float],
    layout: list[Group],
) -> None:
    connection.execute(
        "INSERT INTO blocks (series, first, stop, min_seq, max_seq, last_time, layout) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (series, *bounds, encode(layout)),
    )


def _write(
    connection: sqlite3.Connection, batch: pa.RecordBatch, columns: list[str], group: str
) -> list[Segment]:
    """Store the columns of a group as one segment, or as several where they are wide."""
    size = sum(batch.column(name).nbytes for name in columns)
    rows = max(1, batch.num_rows // -(-size // SEGMENT_BYTES)) if size else batch.num_rows
    chain: list[Segment] = []
    for start in range(0, batch.num_rows, rows):
        part = batch if rows == batch.num_rows else batch.slice(start, rows)
        blob = segments.pack(part, columns, group)
        cursor = connection.execute("INSERT INTO segments (data) VALUES (?)", (blob,))
        chain.append([cursor.lastrowid or 0, part.num_rows, len(blob)])
    return chain


def _merge(
    connection: sqlite3.Connection,
    series: int,
    bounds: tuple[int, int, int, int, float],
    layouts: list[list[Group]],
) -> bool:
    """Put one block in the place of several; False where nothing would be gained."""
    columns = [names for names, _ in layouts[0]]
    if any([names for names, _ in layout] != columns for layout in layouts[1:]):
        return False
    chains = [[part for layout in layouts for part in layout[n][1]] for n in range(len(columns))]
    joined = [_joined(connection, chain) for chain in chains]
    if all(batch is None for batch in joined):
        return False
    connection.execute(
        "DELETE FROM blocks WHERE series = ? AND first >= ? AND first < ?", (series, *bounds[:2])
    )
    for chain, batch in zip(chains, joined, strict=True):
        if batch is not None:
            gone = [(number,) for number, _, _ in chain]
            connection.executemany("DELETE FROM segments WHERE id = ?", gone)
    if columns == [None]:
        write_block(connection, series, bounds[0], joined[0])
        return True
    layout: list[Group] = []
    for names, chain, batch in zip(columns, chains, joined, strict=True):
        if batch is not None and names is not None:
            chain = _write(connection, batch, names, segments.group_of(batch, names))
        layout.append((names, chain))
    _insert(connection, series, bounds, layout)
    return True


def _joined(connection: sqlite3.Connection, chain: list[Segment]) -> pa.RecordBatch | None:
    """Return the rows of a chain as one batch; None if they are too many, or not alike."""
    if sum(size for _, _, size in chain) > SEGMENT_BYTES:
        return None
    blobs = [_blob(connection, number) for number, _, _ in chain]
    if None in blobs:
        return None
    return concatenate([segments.unpack(blob, None) for blob in blobs if blob is not None])


def _read(
    connection: sqlite3.Connection,
    layout: list[Group],
    bounds: tuple[int, int],
    columns: Container[str] | None,
    unpacked: Unpacked,
) -> pa.RecordBatch | None:
    """Return rows of a block within bounds, as far as one segment of each wanted group goes."""
    first, stop = bounds
    wanted = [
        chain
        for names, chain in layout
        if names is None or any(is_wanted(name, columns) for name in names)
    ] or [layout[0][1]]  # a batch without columns still has its rows
    found: list[tuple[int, int]] = []
    for chain in wanted:
        ends = list(accumulate(rows for _, rows, _ in chain))
        place = next(place for place, end in enumerate(ends) if end > first)
        found.append((chain[place][0], ends[place] - chain[place][1]))
        stop = min(stop, ends[place])
    for gone in unpacked.keys() - {number for number, _ in found}:
        del unpacked[gone]
    parts = []
    for number, start in found:
        if number not in unpacked:
            blob = _blob(connection, number)
            if blob is None:
                return None
            unpacked[number] = segments.unpack(blob, columns)
        parts.append(unpacked[number].slice(first - start, stop - first))
    return segments.beside(parts)


def _blob(connection: sqlite3.Connection, segment: int) -> bytes | None:
    row = connection.execute("SELECT data FROM segments WHERE id = ?", (segment,)).fetchone()
    return None if row is None else row[0]


def _range(batch: pa.RecordBatch, column: str) -> tuple[Any, Any] | None:
    """Return the least and the largest value of a column of numbers, if the batch has it."""
    if column not in batch.schema.names:
        return None
    values = assemble([select(batch, [column])], [column])[column]
    if values.dtype == object:
        try:
            values = values.astype(np.float64)  # integers beyond 64 bits among them
        except (TypeError, ValueError):
            return None
    return values.min(), values.max()
