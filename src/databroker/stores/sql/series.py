"""Rows of one owner as they are written: single ones into the tail, many at once into blocks.

Each row has an ordinal. A single row is one statement, committed by itself:
its key in the tail is the series and the ordinal together, so two processes
that write the same series cannot both have it, and the statement does nothing
once somebody has moved the tail into a block. In both cases the writer looks
at the series again and decides anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..._util.garbage import collecting_later
from ..._util.portable_text import portable
from ...documents.identity import conflict, same_row
from ...documents.kinds import IDENTITY
from .blocks import (
    Fresh,
    merge_blocks,
    read_block,
    sealed_rows,
    write_block,
)
from .damage import damaged_rows
from .engine.connection import Connection, snapshot, transaction
from .engine.statements import rows as stored
from .series_rows import rows_in_blocks
from .tail import (
    append_row,
    tail_end,
    whole_tail,
)
from .uid_filter import UidFilter, hashes_of

if TYPE_CHECKING:
    import pyarrow as pa

    from .uid_filter import Hashes

Doc = dict[str, Any]

TAIL_ROWS = 2048
TAIL_BYTES = 2 * 2**20
"""When the tail has grown to one of these, it becomes a block."""

_AHEAD = 256  # rows that are read with one that came again: those after it may come again, too


@dataclass(slots=True)
class Series:
    """What this process knows of the rows of one owner.

    Attributes
    ----------
    sealed
        How many rows are in blocks; their ordinals come before the tail's.
    tail
        The rows in the tail by their identities, in order. They are also in the database, and
        kept here so that they need not be read again to become a block.
    tail_bytes
        How large those rows are.
    known
        The identities of the rows in blocks; None until needed.
    fresh
        Small segments that this process wrote, until they are merged with others.
    again
        Rows in blocks, by their identities: the last that was found as it came again, and those
        after it.
    """

    id: int
    kind: str
    owner: str
    sealed: int = 0
    tail: dict[str, Doc] = field(default_factory=dict)
    tail_bytes: int = 0
    known: UidFilter | None = None
    fresh: Fresh = field(default_factory=dict)
    again: dict[str, Doc] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How many rows there are."""
        return self.sealed + len(self.tail)


def load_series(connection: Connection, kind: str, owner: str) -> Series | None:
    """Look at a series; None if it has no rows yet."""
    row = stored.series_of(connection, kind, portable(owner))
    if row is None:
        return None
    series = Series(row[0], kind, owner, row[1])
    refresh(connection, series)
    return series


def create_series(connection: Connection, kind: str, owner: str, run: str | None) -> Series:
    """Make the series of an owner, unless another process just did."""
    with transaction(connection):
        stored.add_series(connection, kind, portable(owner), None if run is None else portable(run))
    series = load_series(connection, kind, owner)
    assert series is not None
    return series


def refresh(connection: Connection, series: Series) -> None:
    """Look at a series again: another process may have written to it."""
    with snapshot(connection):
        sealed = sealed_rows(connection, series.id)
        if stored.newest_stop(connection, series.id) != sealed:
            why = "a block is missing, or what is known of it is damaged"
            raise damaged_rows(connection, series.id, 0, sealed, why)
        tail = whole_tail(connection, series.id, sealed)
    if sealed != series.sealed:
        series.sealed, series.known, series.fresh = sealed, None, {}
    key = IDENTITY[series.kind]
    series.tail = {row[key]: row for row in tail.rows}
    series.tail_bytes = tail.size


def append(connection: Connection, series: Series, row: Doc) -> None:
    """Store one row durably, unless it is there already."""
    identity = row[IDENTITY[series.kind]]
    while not is_known(connection, series, row):
        seen = series.sealed, series.length
        size = append_row(connection, series.id, series.length, series.sealed, row)
        if size:
            series.tail[identity] = row
            series.tail_bytes += size
            return
        refresh(connection, series)
        if (series.sealed, series.length) == seen:
            why = "its place is taken, though nothing is known of what is there"
            raise damaged_rows(connection, series.id, series.length, series.length + 1, why)


def append_alone(connection: Connection, series: Series, row: Doc) -> None:
    """Store one large row as a block, unless it is there already; within a transaction."""
    from ...columns import from_rows

    refresh_if_stale(connection, series)
    if not is_known(connection, series, row):
        hashes = hashes_of([row[IDENTITY[series.kind]]])
        append_block(connection, series, from_rows(series.kind, [row]), hashes)


def append_block(
    connection: Connection,
    series: Series,
    batch: pa.RecordBatch,
    hashes: Hashes,
) -> None:
    """Store many new rows as blocks, after what is in the tail; within a transaction."""
    move_tail(connection, series)
    _put_block(connection, series, batch, hashes)


def is_full(series: Series) -> bool:
    """Tell whether it is time to move the tail into a block."""
    return len(series.tail) >= TAIL_ROWS or series.tail_bytes >= TAIL_BYTES


def seal(connection: Connection, series: Series) -> None:
    """Move the tail into blocks, as it is now; within a transaction."""
    refresh_if_stale(connection, series)
    move_tail(connection, series)


def move_tail(connection: Connection, series: Series) -> None:
    """Move the tail into blocks, of a series that was looked at; within that transaction."""
    from ...columns import from_rows

    if series.tail:
        with collecting_later():
            batch = from_rows(series.kind, list(series.tail.values()))
            _put_block(connection, series, batch, hashes_of(series.tail))


def refresh_if_stale(connection: Connection, series: Series) -> None:
    """Look again if another process has written to a series since we looked."""
    sealed = sealed_rows(connection, series.id)
    end = tail_end(connection, series.id, sealed)
    if (sealed, end) != (series.sealed, series.length):
        refresh(connection, series)


def is_known(connection: Connection, series: Series, row: Doc) -> bool:
    """Tell whether a row is stored already; another one of its identity is an error."""
    identity = row[IDENTITY[series.kind]]
    if identity not in series.tail and not (
        series.sealed and _known(connection, series).might_contain(identity)
    ):
        return False
    known = series.tail.get(identity) or series.again.get(identity)
    if known is None:
        series.again = _rows_from(connection, series, identity, _AHEAD)
        known = series.again.get(identity)
    if known is None:
        return False
    if not same_row(known, row):
        raise conflict(series.kind, known, row)
    return True


def any_known(
    connection: Connection, series: Series, identities: Iterable[str], hashes: Hashes
) -> bool:
    """Tell whether one of many rows, given by their identities, may be stored already."""
    if series.tail and not series.tail.keys().isdisjoint(identities):
        return True
    return series.sealed > 0 and _known(connection, series).might_contain_any(hashes)


def find_row(connection: Connection, series: Series, identity: str) -> Doc | None:
    """Return a row by its identity."""
    known = series.tail.get(identity)
    return known or _rows_from(connection, series, identity, 1).get(identity)


def _rows_from(connection: Connection, series: Series, identity: str, count: int) -> dict[str, Doc]:
    """Return a row in a block and those after it, so many at most, by their identities."""
    from ...columns.batches import to_rows, values_of

    key = IDENTITY[series.kind]
    for first, batch in rows_in_blocks(connection, series.id, [key]):
        identities = values_of(batch, key)
        if identity in identities:
            place = first + identities.index(identity)
            whole = read_block(connection, series.id, place, place + count, None)
            if whole is not None:
                return {row[key]: row for row in to_rows(series.kind, series.owner, whole)}
    return {}


def without_known(connection: Connection, series: Series, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return those rows of a batch that are not stored; one that is and differs is an error."""
    import pyarrow as pa

    from ...columns.batches import to_rows

    key = IDENTITY[series.kind]
    rows = {row[key]: row for row in to_rows(series.kind, series.owner, batch)}
    known = {identity: series.tail[identity] for identity in rows if identity in series.tail}
    known.update(_in_blocks(connection, series, rows.keys() - known.keys()))
    for identity, row in known.items():
        if not same_row(row, rows[identity]):
            raise conflict(series.kind, row, rows[identity])
    return batch.filter(pa.array([identity not in known for identity in rows]))


def _in_blocks(
    connection: Connection, series: Series, identities: Collection[str]
) -> Iterator[tuple[str, Doc]]:
    """Yield those of some rows that are in blocks, by their identities."""
    from ...columns.batches import to_rows, values_of

    key, known = IDENTITY[series.kind], _known(connection, series)
    wanted = set(filter(known.might_contain, identities))
    if not wanted:
        return
    for first, batch in rows_in_blocks(connection, series.id, [key]):
        places = [n for n, each in enumerate(values_of(batch, key), first) if each in wanted]
        place, stop = (places[0], places[-1] + 1) if places else (0, 0)
        while place < stop:
            whole = read_block(connection, series.id, place, stop, None)
            if whole is None:
                return
            for row in to_rows(series.kind, series.owner, whole):
                if row[key] in wanted:
                    yield row[key], row
            place += whole.num_rows


def _put_block(
    connection: Connection, series: Series, batch: pa.RecordBatch, hashes: Hashes
) -> None:
    """Store rows as a block, in the place of the tail if that has any."""
    with connection.together():
        write_block(connection, series.id, series.sealed, batch, series.fresh)
        if series.tail:
            stored.clear_tail(connection, series.id)
        _set_sealed(connection, series, series.sealed + batch.num_rows, hashes)
    merge_blocks(connection, series.id, series.sealed, series.fresh)


def _set_sealed(connection: Connection, series: Series, sealed: int, moved: Hashes) -> None:
    stored.set_sealed(connection, series.id, sealed)
    if not series.sealed and series.known is None:
        series.known = UidFilter()
    if series.known is not None:
        series.known.add(moved)
    series.sealed, series.tail, series.tail_bytes = sealed, {}, 0


def _known(connection: Connection, series: Series) -> UidFilter:
    """Return the identities of the rows in blocks, which are read only once."""
    if series.known is None:
        from ...columns.batches import values_of

        key = IDENTITY[series.kind]
        known = UidFilter()
        if series.sealed:
            for _, batch in rows_in_blocks(connection, series.id, [key]):
                known.add(hashes_of(values_of(batch, key)))
        series.known = known
    return series.known
