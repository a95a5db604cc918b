"""Blocks of consecutive rows: written as segments, merged as they grow, read back.

A block holds its columns in groups (see `databroker.columns.segments`), and
each group is a chain of segments of a few megabytes at most. So a group of
narrow columns is one segment for all rows of the block, while a column of
images is many; to read some columns of some rows is to read the segments of
their groups that have these rows.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._util.lazy import lazy_module
from ...errors import StoreDamaged
from .bodies import checksum
from .damage import damaged_rows
from .engine.connection import Connection, snapshot
from .engine.statements import rows as stored
from .layouts import (
    Block,
    Group,
    Segment,
    block_at,
    first_after,
    insert_block,
    newest_blocks,
    newest_sizes,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import batches, segments
else:
    # They load NumPy and Arrow, which a search does not need.
    batches = lazy_module("databroker.columns.batches")
    segments = lazy_module("databroker.columns.segments")

SEGMENT_BYTES = 4 * 2**20
"""About how large a segment may grow."""

_FAN = 16  # so many blocks of one size become one of the next
_KEPT = 256  # segments of a series that are kept as they were, until they are merged
_KEPT_BYTES = 2**17  # the largest of these

Unpacked = dict[Segment, "pa.RecordBatch"]
"""Columns of segments, for who reads on."""

Span = tuple[int, Segment]
"""A segment, after the ordinal of its first row."""

Fresh = dict[Segment, "pa.RecordBatch"]
"""Small segments that this process wrote, until they are merged."""


def write_block(
    connection: Connection, series: int, first: int, batch: pa.RecordBatch, fresh: Fresh
) -> None:
    """Store a batch as the rows from ordinal ``first`` on."""
    (block,) = write_segments(connection, [(first, batch)], fresh)
    insert_block(connection, series, block)


def write_segments(
    connection: Connection, batches: Sequence[tuple[int, pa.RecordBatch]], fresh: Fresh
) -> list[Block]:
    """Store the segments of batches, given after their first ordinals; return their blocks.

    Of small ones, the columns are put into `fresh`, as they will be merged.
    """
    packed = [
        [
            (
                None if group == segments.ALL else columns,
                _packed(segments.part(batch, columns, group), group),
            )
            for group, columns in segments.groups(batch).items()
        ]
        for _, batch in batches
    ]
    every = [one for groups in packed for _, several in groups for one in several]
    left = iter(_store(connection, every, fresh))  # all at once, however many batches there are
    blocks = []
    for (first, batch), groups in zip(batches, packed, strict=True):
        layout = [(names, list(islice(left, len(several)))) for names, several in groups]
        blocks.append(_block(first, batch, layout))
    return blocks


def _block(first: int, batch: pa.RecordBatch, layout: list[Group]) -> Block:
    from ...columns.assemble import value_range
    from ...columns.names import SEQ_NUM, TIME

    least, most = value_range(batch, SEQ_NUM) or (0, 0)
    _, last_time = value_range(batch, TIME) or (0, 0)
    stop = first + batch.num_rows
    return Block(first, stop, int(least), int(most), float(last_time), layout)


def merge_blocks(connection: Connection, series: int, sealed: int, fresh: Fresh) -> None:
    """Make one block of the newest sixteen, while they are of one size and it is worth it.

    So each row is written again once or twice, and a stream of any length has
    few small blocks. Where a group would grow beyond a segment, its segments
    are handed to the new block as they are.
    """
    while sealed >= _FAN:  # fewer rows are not in so many blocks
        sizes = newest_sizes(connection, series, _FAN)
        if len(sizes) < _FAN or len({size.bit_length() // 3 for size in sizes}) > 1:
            return
        blocks = newest_blocks(connection, series, _FAN)[::-1]
        if len(blocks) < _FAN or not _merge(connection, series, blocks, fresh):
            return


def read_block(
    connection: Connection,
    series: int,
    ordinal: int,
    stop: int,
    columns: Container[str] | None,
    unpacked: Unpacked | None = None,
) -> pa.RecordBatch | None:
    """Return rows from ``ordinal`` on, ``stop`` at most, as far as their segments reach.

    None if they are in no block.

    A segment of narrow columns goes on where one of wide columns ends. What a
    caller that reads on gives as `unpacked` keeps it for the next rows.
    """
    with snapshot(connection):  # a block may be merged away, and its segments with it
        block = block_at(connection, series, ordinal)
        if block is not None:
            kept: Unpacked = {} if unpacked is None else unpacked
            for gone in kept.keys() - {segment for _, segment in spans_at(block, ordinal, columns)}:
                del kept[gone]
            return rows_of_block(connection, series, block, (ordinal, stop), columns, kept)
        sealed = sealed_rows(connection, series)
        if ordinal >= sealed:
            return None
        end = min(first_after(connection, series, ordinal) or sealed, stop)
        why = "their block is missing, or not as it was written"
        raise damaged_rows(connection, series, ordinal, end, why)


def sealed_rows(connection: Connection, series: int) -> int:
    """Return how many rows of a series are in blocks."""
    row = stored.series_numbered(connection, series)
    return intact_count(connection, series, None if row is None else row[-1])


def intact_count(connection: Connection, series: int, sealed: Any) -> int:
    """Return how many rows of a series are in blocks, which was read, if it is a number."""
    if type(sealed) is not int:
        raise damaged_rows(connection, series, 0, 1, "how many there are is not known any more")
    return sealed


class _Packed(NamedTuple):
    """Columns of a group, as a segment will have them; `small` ones are to be merged."""

    columns: pa.RecordBatch
    blob: memoryview
    small: bool


def _packed(batch: pa.RecordBatch, group: str) -> list[_Packed]:
    """Return the columns of a group as one segment, or as several where they are wide."""
    size = batch.get_total_buffer_size()
    if size > SEGMENT_BYTES:  # which may be that of rows around these
        size = batch.nbytes
    rows = max(1, batch.num_rows // -(-size // SEGMENT_BYTES)) if size else batch.num_rows
    parts = [
        batch if rows == batch.num_rows else batch.slice(start, rows)
        for start in range(0, batch.num_rows, rows)
    ]
    return [_Packed(part, segments.pack(part, group), size <= _KEPT_BYTES) for part in parts]


def _store(connection: Connection, packed: Sequence[_Packed], fresh: Fresh) -> list[Segment]:
    numbers = stored.insert_segments(connection, [each.blob for each in packed])
    found: list[Segment] = []
    for number, (columns, blob, small) in zip(numbers, packed, strict=True):
        segment = Segment(number, columns.num_rows, len(blob), checksum(blob))
        if small and len(fresh) < _KEPT:
            fresh[segment] = columns
        found.append(segment)
    return found


def _merge(connection: Connection, series: int, blocks: Sequence[Block], fresh: Fresh) -> bool:
    """Put one block in the place of several; False where nothing would be gained."""
    columns = [names for names, _ in blocks[0].layout]
    if any([names for names, _ in block.layout] != columns for block in blocks[1:]):
        return False
    if any(one.stop != other.first for one, other in pairwise(blocks)):
        return False  # the one between them is damaged
    chains = [
        [part for block in blocks for part in block.layout[n][1]] for n in range(len(columns))
    ]
    joined = [_joined(connection, chain, fresh) for chain in chains]
    if all(batch is None for batch in joined):
        return False
    first, stop = blocks[0].first, blocks[-1].stop
    fresh.clear()
    stored.drop_blocks(connection, series, first, stop)
    for chain, batch in zip(chains, joined, strict=True):
        if batch is not None:
            stored.drop_segments(connection, (segment.number for segment in chain))
    if columns == [None]:
        write_block(connection, series, first, joined[0], fresh)
        return True
    layout: list[Group] = []
    for names, chain, batch in zip(columns, chains, joined, strict=True):
        if batch is not None and names is not None:
            packed = _packed(batch, segments.group_of(batch, names))
            chain = _store(connection, packed, fresh)
        layout.append((names, chain))
    least = min(block.min_seq for block in blocks)
    most = max(block.max_seq for block in blocks)
    last_time = max(block.last_time for block in blocks)
    insert_block(connection, series, Block(first, stop, least, most, last_time, layout))
    return True


def _joined(connection: Connection, chain: list[Segment], fresh: Fresh) -> pa.RecordBatch | None:
    """Return the rows of a chain as one batch; None if they are too many, not alike or damaged.

    To read a few segments is as fast as one, but to write them again is not.
    """
    if sum(segment.size for segment in chain) > SEGMENT_BYTES // 2:
        return None
    try:
        return batches.concatenate(
            [fresh.get(segment) or _unpack(connection, segment, None) for segment in chain]
        )
    except StoreDamaged:
        return None


def spans(block: Block, columns: Container[str] | None) -> list[list[Span]]:
    """Return the segments of each group of a block that has wanted columns."""
    chains = [
        chain
        for names, chain in block.layout
        if names is None or any(batches.is_wanted(name, columns) for name in names)
    ] or [block.layout[0][1]]  # a batch without columns still has its rows
    return [list(zip(_firsts(chain, block.first), chain, strict=True)) for chain in chains]


def _firsts(chain: list[Segment], first: int) -> list[int]:
    """Return the ordinals of the first rows of consecutive segments."""
    return list(accumulate((segment.rows for segment in chain[:-1]), initial=first))


def spans_at(block: Block, ordinal: int, columns: Container[str] | None) -> list[Span]:
    """Return those segments of a block that have a row."""
    return [
        next((start, segment) for start, segment in chain if ordinal < start + segment.rows)
        for chain in spans(block, columns)
    ]


def rows_of_block(
    connection: Connection,
    series: int,
    block: Block,
    bounds: tuple[int, int],
    columns: Container[str] | None,
    unpacked: Unpacked,
) -> pa.RecordBatch:
    """Return rows of a block within bounds, as far as one segment of each wanted group goes.

    Segments that are not among the `unpacked` ones are read, and become some of them.
    """
    first, stop = bounds
    found = spans_at(block, first, columns)
    stop = min(stop, *(start + segment.rows for start, segment in found))
    parts = []
    for start, segment in found:
        if segment not in unpacked:
            try:
                unpacked[segment] = _unpack(connection, segment, columns)
            except StoreDamaged as error:
                raise damaged_rows(
                    connection, series, start, start + segment.rows, str(error)
                ) from error
        parts.append(unpacked[segment].slice(first - start, stop - first))
    return segments.beside(parts)


def intact_segment(connection: Connection, segment: Segment) -> bytes:
    """Return the bytes of a segment."""
    try:
        row = stored.segment(connection, segment.number)
    except StoreDamaged:
        row = ("",)
    if row is None:
        raise StoreDamaged("a segment is missing")
    (blob,) = row
    if type(blob) is not bytes or checksum(blob) != segment.checksum:
        raise StoreDamaged("a segment is not as it was written (its checksum does not fit)")
    return blob


def _unpack(
    connection: Connection, segment: Segment, columns: Container[str] | None
) -> pa.RecordBatch:
    """Return the columns of a segment, if it is as it was written."""
    return segments.unpack(intact_segment(connection, segment), columns)
