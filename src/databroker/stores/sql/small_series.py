"""Series of few rows, of which many are read by a few statements.

Such a series is a chain of segments, each with all columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .bodies import checksum
from .engine.connection import Connection
from .engine.statements import many as stored
from .layouts import Block, Segment, readable_blocks

Blobs = dict[Segment, Any]
"""The bytes of segments, or views of these."""


def blocks_of(connection: Connection, series: Iterable[int]) -> dict[int, list[Block]]:
    """Return the blocks of some series that can be read, in their order."""
    rows: dict[int, list[tuple[Any, ...]]] = {number: [] for number in series}
    for some in _in_parts(connection, list(rows)):
        for number, *row in stored.blocks(connection, some):
            rows[number].append(tuple(row))
    return {number: list(readable_blocks(number, several)) for number, several in rows.items()}


def chain_of(blocks: Sequence[Block], sealed: int) -> list[Segment] | None:
    """Return the segments of a series; None if a block is missing, or has columns apart."""
    firsts, stops = [block.first for block in blocks], [block.stop for block in blocks]
    if [0, *stops] != [*firsts, sealed]:
        return None
    if any([names for names, _ in block.layout] != [None] for block in blocks):
        return None
    return [segment for block in blocks for _, chain in block.layout for segment in chain]


def size_of(chain: Iterable[Segment]) -> int:
    """Return how many bytes some segments have."""
    return sum(segment.size for segment in chain)


def intact_blobs(
    connection: Connection, segments: Iterable[Segment], as_views: bool = False
) -> Blobs:
    """Return the bytes of those segments that are as they were written."""
    wanted = {segment.number: segment for segment in segments}
    found: Blobs = {}
    for some in _in_parts(connection, list(wanted)):
        for number, blob in stored.segments(connection, some, as_views):
            segment = wanted[number]
            if isinstance(blob, bytes | memoryview) and checksum(blob) == segment.checksum:
                found[segment] = blob
    return found


def _in_parts(connection: Connection, numbers: list[int]) -> Iterator[list[int]]:
    """Yield so many numbers at a time as a statement takes."""
    most = connection.limits.values
    for first in range(0, len(numbers), most):
        yield numbers[first : first + most]
