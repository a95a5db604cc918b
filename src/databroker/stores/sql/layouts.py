"""The rows of the table of blocks: which rows of a series each has, and where its segments are.

A *layout* is a list of groups: the names of the columns (None for all), and
for each segment its number, its rows, its bytes and its checksum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..._util.portable_text import portable
from ...errors import StoreDamaged
from .bodies import open_body, pack_body
from .engine.connection import Connection
from .engine.statements import rows as stored


class Segment(NamedTuple):
    """Where some columns of some rows are stored."""

    number: int
    rows: int
    size: int
    checksum: int


Group = tuple[list[str] | None, list[Segment]]


class RowRange(NamedTuple):
    """Consecutive rows of a series, by ordinal, and the range of their seq_nums."""

    first: int
    stop: int
    min_seq: int
    max_seq: int


class Block(NamedTuple):
    """Consecutive rows of a series."""

    first: int
    stop: int
    min_seq: int
    max_seq: int
    last_time: float
    layout: list[Group]

    @property
    def range(self) -> RowRange:
        """Its rows, and the range of their seq_nums."""
        return RowRange(self.first, self.stop, self.min_seq, self.max_seq)


def insert_block(connection: Connection, series: int, block: Block) -> None:
    """Store a block."""
    stored.insert_blocks(connection, [block_row(series, block)])


def block_row(series: int, block: Block) -> tuple[Any, ...]:
    """Return what is stored of a block."""
    *columns, layout = block
    return series, *columns, pack_body(layout, series, *columns)


def block_at(connection: Connection, series: int, ordinal: int) -> Block | None:
    """Return the block that has a row; None if there is none that can be read."""
    rows = stored.newest_blocks(connection, series, 1, ordinal)
    block = next(readable_blocks(series, rows), None)
    return block if block is not None and ordinal < block.stop else None


def owned_blocks(
    connection: Connection, kind: str, owner: str, series: int, first: int, stop: int
) -> list[Block]:
    """Return the blocks with some rows that can be read, if the series is that of an owner."""
    rows = stored.owned_blocks(connection, kind, portable(owner), series, first, stop)
    return list(readable_blocks(series, rows))


def newest_blocks(connection: Connection, series: int, most: int) -> list[Block]:
    """Return the last blocks of a series, as far as they can be read, the newest first."""
    return list(readable_blocks(series, stored.newest_blocks(connection, series, most)))


def newest_sizes(connection: Connection, series: int, most: int) -> list[int]:
    """Return how many rows the last blocks of a series have, the newest first."""
    sizes = stored.newest_sizes(connection, series, most)
    return [size if type(size) is int else 0 for size in sizes]


def all_blocks(connection: Connection, series: int) -> list[Block]:
    """Return the blocks of a series that can be read, by ordinal."""
    return list(readable_blocks(series, stored.blocks(connection, series)))


def block_ranges(connection: Connection, series: int, sealed: int) -> list[RowRange]:
    """Return the blocks of the first ``sealed`` rows of a series."""
    return ranges_of(all_blocks(connection, series), sealed)


def ranges_of(blocks: Iterable[Block], sealed: int) -> list[RowRange]:
    """Return where the first ``sealed`` rows of a series are, from the blocks that can be read.

    Where a block is missing or damaged a range stands for it: reading its
    rows is refused, and the others are where they were.
    """
    ranges: list[RowRange] = []
    reached = newest = 0
    for block in blocks:
        if block.first > reached:
            ranges.append(RowRange(reached, block.first, newest, block.min_seq))
        if block.first >= reached:
            ranges.append(block.range)
            reached, newest = block.stop, block.max_seq
    if reached < sealed:
        ranges.append(RowRange(reached, sealed, newest, newest))
    return ranges


def first_after(connection: Connection, series: int, ordinal: int) -> int | None:
    """Return where the next block that can be read begins, if there is one."""
    rows = stored.blocks(connection, series, ordinal)
    return next((block.first for block in readable_blocks(series, rows)), None)


def readable_blocks(series: int, rows: Iterable[tuple[Any, ...]]) -> Iterator[Block]:
    """Yield the blocks of a series that are as they were written, from their rows without it."""
    for row in rows:
        try:
            layout = open_body(row[-1], (series, *row[:-1]), "block")
        except StoreDamaged:
            continue
        first, stop, min_seq, max_seq, last_time, _ = row
        groups = [(names, [Segment(*each) for each in chain]) for names, chain in layout]
        yield Block(first, stop, min_seq, max_seq, last_time, groups)
