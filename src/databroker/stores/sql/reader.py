"""Rows of a series in their order, those of several blocks with two statements.

One says where blocks are, the other has their segments, as far as they are not too large. What
does not come like this is read as of one moment: a block that was merged with others between the
two, the tail, what is damaged, a series that has another number in this database.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Iterator
from typing import TYPE_CHECKING

from ..._util.lazy import lazy_module
from ...errors import StoreDamaged
from ..rows import Extent
from .blocks import Unpacked, rows_of_block, spans, spans_at
from .engine.connection import Connection
from .layouts import Block, Segment, owned_blocks
from .series_rows import next_rows, series_id
from .small_series import intact_blobs

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import segments
else:
    segments = lazy_module("databroker.columns.segments")

AHEAD_BYTES = 4 * 2**20
"""Bytes of segments that are read together; where single ones are larger, those of one row."""


class SeriesReader:
    """Reads rows of a series, given by kind, owner and number, up to ordinal ``stop``.

    The number spares a look. In the database of another machine it may be another one.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        series: tuple[str, str, int],
        stop: int,
        columns: Container[str] | None,
    ) -> None:
        self._connect = connect
        self._series = series
        self._stop = stop
        self._columns = columns
        self._blocks: list[Block] = []
        self._unpacked: Unpacked = {}

    def rows(self, first: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Yield rows between two ordinals: those of one block at most, or of the tail."""
        while first < stop:
            batch = self._settled(first, stop)
            if batch is None:
                batch = self._at_one_moment(first, stop)
            if batch is None:
                return
            yield batch
            first += batch.num_rows

    def _settled(self, first: int, stop: int) -> pa.RecordBatch | None:
        connection = self._connect()
        *_, number = self._series
        with contextlib.suppress(StoreDamaged):
            block = self._block_with(connection, first)
            if block is None:
                return None
            if any(each not in self._unpacked for _, each in spans_at(block, first, self._columns)):
                self._read_ahead(connection, first)
            bounds = first, stop
            return rows_of_block(connection, number, block, bounds, self._columns, self._unpacked)
        self._blocks = []  # they may be others by now
        return None

    def _at_one_moment(self, first: int, stop: int) -> pa.RecordBatch | None:
        connection = self._connect()
        kind, owner, _ = self._series
        number = series_id(connection, kind, owner)
        if number is None:
            return None
        return next_rows(connection, (number, kind), first, stop, self._columns, self._unpacked)

    def _block_with(self, connection: Connection, ordinal: int) -> Block | None:
        for look in (False, True):
            if look:
                self._blocks = owned_blocks(connection, *self._series, ordinal, self._stop)
            for block in self._blocks:
                if block.first <= ordinal < block.stop:
                    return block
        return None

    def _read_ahead(self, connection: Connection, ordinal: int) -> None:
        """Read the segments with a row, and some that are needed soon; forget all others."""
        wanted = list(self._wanted(ordinal))
        self._unpacked = {each: self._unpacked[each] for each in wanted if each in self._unpacked}
        missing = [each for each in wanted if each not in self._unpacked]
        for segment, blob in intact_blobs(connection, missing, as_views=True).items():
            self._unpacked[segment] = segments.unpack(blob, self._columns)

    def _wanted(self, ordinal: int) -> Iterator[Segment]:
        left = [
            (start, segment)
            for block in self._blocks
            for chain in spans(block, self._columns)
            for start, segment in chain
            if ordinal < start + segment.rows and start < self._stop
        ]
        size = 0
        for start, segment in sorted(left, key=lambda span: span[0]):
            size += segment.size
            if start > ordinal and size > AHEAD_BYTES:
                return
            yield segment


def following(extents: Iterable[Extent]) -> Iterator[list[Extent]]:
    """Yield those together of which each begins where the one before it ends."""
    some: list[Extent] = []
    for extent in extents:
        if some and tuple(extent.token) != _after(some[-1]):
            yield some
            some = []
        some.append(extent)
    if some:
        yield some


def _after(extent: Extent) -> tuple[int, str, int]:
    first, owner, number = extent.token
    return first + extent.rows, owner, number
