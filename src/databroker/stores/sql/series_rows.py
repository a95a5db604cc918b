"""Rows of one owner as they are read: where they are, in blocks and the tail, and what is there."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator
from typing import TYPE_CHECKING, Any

from ..._util.portable_text import original, portable
from ...documents.kinds import OWNER
from ...errors import StoreDamaged
from .blocks import Unpacked, intact_count, read_block, sealed_rows
from .engine.connection import Connection, snapshot
from .engine.statements import rows as stored
from .layouts import RowRange, all_blocks, block_ranges
from .single import stored_document
from .tail import damaged_tail, read_tail, tail_end, tail_range

if TYPE_CHECKING:
    import pyarrow as pa

Doc = dict[str, Any]


def series_id(connection: Connection, kind: str, owner: str) -> int | None:
    """Return the number of a series, or None if there is none, nor a document that has one."""
    number = _number(connection, kind, owner)
    if number is None:
        with snapshot(connection):  # another process may just now bring both
            number = _number(connection, kind, owner)
            if number is None and stored_document(connection, OWNER[kind], owner) is not None:
                raise StoreDamaged(
                    f"The {OWNER[kind].replace('_', ' ')} {owner!r} is there, but which rows "
                    "belong to it is not known any more. Other streams and other runs can still "
                    "be read."
                )
    return number


def series_ranges(connection: Connection, series: int) -> list[RowRange]:
    """Return where the rows of blocks and tail are."""
    with snapshot(connection):  # the tail may become a block
        sealed = sealed_rows(connection, series)
        ranges = block_ranges(connection, series, sealed)
        if ranges:
            sealed = ranges[-1].stop
        tail = tail_range(connection, series, sealed)
    return ranges if tail is None else [*ranges, tail]


def next_rows(
    connection: Connection,
    series: tuple[int, str],
    first: int,
    stop: int,
    columns: Container[str] | None,
    unpacked: Unpacked,
) -> pa.RecordBatch | None:
    """Return rows of a series (its id and kind) from ordinal ``first``, ``stop`` at most.

    They are those of one block, or of the tail; None when there are none. For
    `unpacked` see `read_block`.
    """
    from ...columns import from_rows

    number, kind = series
    with snapshot(connection):  # the tail may become a block
        batch = read_block(connection, number, first, stop, columns, unpacked)
        if batch is not None:
            return batch
        tail = read_tail(connection, number, first, stop)
        end = tail_end(connection, number, first)
    if tail.rows:
        return from_rows(kind, tail.rows, columns)
    if first < end:
        raise damaged_tail(connection, number, first, end)
    return None


def rows_in_blocks(
    connection: Connection, series: int, columns: Collection[str]
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the rows in blocks; those that cannot be read are an error after all others."""
    damage: StoreDamaged | None = None
    for part in block_ranges(connection, series, sealed_rows(connection, series)):
        first = part.first
        while first < part.stop:
            try:
                batch = read_block(connection, series, first, part.stop, columns)
            except StoreDamaged as error:
                damage = damage or error
                break
            if batch is None:
                break
            yield first, batch
            first += batch.num_rows
    if damage is not None:
        raise damage


def lengths_of_run(connection: Connection, run: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield kind and owner of each series of a run, its rows in blocks, and all its rows."""
    for number, kind, owner, count, last in stored.lengths_of_run(connection, portable(run)):
        sealed = intact_count(connection, number, count)
        yield kind, original(owner), sealed, sealed if last is None else max(sealed, last + 1)


def newest_rows(connection: Connection, run: str) -> list[Doc]:
    """Return something with the time of the newest events of each descriptor of a run."""
    found: list[Doc] = []
    for series, kind, _ in stored.series_of_run(connection, portable(run)):
        if kind != "event":
            continue
        with snapshot(connection):
            times = [block.last_time for block in all_blocks(connection, series)]
            tail = read_tail(connection, series, sealed_rows(connection, series), stored.ANY)
        found += [{"time": time} for time in times] + tail.rows
    return found


def _number(connection: Connection, kind: str, owner: str) -> int | None:
    row = stored.series_of(connection, kind, portable(owner))
    return None if row is None else row[0]
