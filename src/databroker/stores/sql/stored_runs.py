"""Some hundred runs at once: what each consists of, and the rows of those that are small.

A run of which anything is not as it should be is left to be read by itself, which says what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._util.garbage import collecting_later
from ..._util.lazy import lazy_module
from ..._util.portable_text import original, portable
from ...errors import StoreDamaged
from ..contents import Outline, Owner, StoredRun, owners_of
from ..rows import Extent
from .engine.connection import Connection, snapshot
from .engine.statements import many as stored
from .engine.statements import runs as stored_runs
from .layouts import Block, RowRange, Segment, ranges_of
from .single import in_order, open_document
from .small_series import Blobs, blocks_of, chain_of, intact_blobs, size_of
from .starts import Run, open_run
from .tail import tail_range

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import segments
else:
    segments = lazy_module("databroker.columns.segments")

_SMALL = 2**16  # bytes of a run whose rows are read with all the rest

Doc = dict[str, Any]


class _Series(NamedTuple):
    """A series of rows: its number, whose it is, and how many rows are in blocks and tail."""

    number: int
    owner: Owner
    sealed: int
    tail: int


class _Found(NamedTuple):
    """What the tables have of a run."""

    run: Run
    linked: list[tuple[Any, ...]]
    series: list[_Series]
    ranges: dict[int, list[RowRange]]
    small: dict[int, list[Segment]] | None
    """The segments of each series, of a run that is small."""


def outlines(connection: Connection, uids: Sequence[str]) -> dict[str, Outline]:
    """Return what some runs consist of; see `Store.outlines`."""
    found: dict[str, Outline] = {}
    most = connection.limits.values
    for first in range(0, len(uids), most):
        some = uids[first : first + most]
        with snapshot(connection):
            runs, series = _runs(connection, some), _series(connection, some)
        for uid, run in runs.items():
            rows = {each.owner: each.sealed + each.tail for each in series.get(uid, ())}
            found[uid] = Outline(run.start, run.stop, rows)
    return found


def read_runs(connection: Connection, uids: Sequence[str]) -> list[tuple[str, StoredRun | None]]:
    """Return some runs, in this order; None for one that is to be read by itself."""
    with collecting_later():
        with snapshot(connection):  # blocks may be merged away, and their segments with them
            found = _found(connection, uids)
            small = [chains for each in found.values() for chains in (each.small or {}).values()]
            blobs = intact_blobs(connection, chain.from_iterable(small))
        return [(uid, _stored(found[uid], blobs)) for uid in uids if uid in found]


def _runs(connection: Connection, uids: Sequence[str]) -> dict[str, Run]:
    rows = stored_runs.by_uids(connection, list(map(portable, uids)))
    runs = {run.uid: run for run in map(open_run, rows)}
    for run in runs.values():
        if not run.intact:
            raise StoreDamaged(f"The stop document of run {run.uid!r} is damaged.")
    return runs


def _series(connection: Connection, uids: Sequence[str]) -> dict[str, list[_Series]]:
    found: dict[str, list[_Series]] = {}
    for number, kind, owner, run, sealed, tail in stored.series(
        connection, list(map(portable, uids))
    ):
        series = _Series(number, (kind, original(owner)), sealed, tail)
        found.setdefault(original(run), []).append(series)
    return found


def _found(connection: Connection, uids: Sequence[str]) -> dict[str, _Found]:
    runs, series = _runs(connection, uids), _series(connection, uids)
    linked: dict[str, list[tuple[Any, ...]]] = {}
    for row in stored.linked(connection, list(map(portable, uids))):
        linked.setdefault(original(row[2]), []).append(row)
    sealed = [each.number for several in series.values() for each in several if each.sealed]
    blocks = blocks_of(connection, sealed)
    return {
        uid: _of_run(connection, run, linked.get(uid, []), series.get(uid, []), blocks)
        for uid, run in runs.items()
    }


def _of_run(
    connection: Connection,
    run: Run,
    linked: list[tuple[Any, ...]],
    series: list[_Series],
    blocks: dict[int, list[Block]],
) -> _Found:
    ranges: dict[int, list[RowRange]] = {}
    chains: dict[int, list[Segment]] | None = {}
    for each in series:
        its_own = blocks.get(each.number, [])
        ranges[each.number] = ranges_of(its_own, each.sealed)
        if each.tail:
            tail = tail_range(connection, each.number, each.sealed)
            ranges[each.number] += [] if tail is None else [tail]
        one = None if each.tail else chain_of(its_own, each.sealed)
        if one is None or chains is None:
            chains = None
        else:
            chains[each.number] = one
    if chains is not None and size_of(chain.from_iterable(chains.values())) > _SMALL:
        chains = None
    return _Found(run, linked, series, ranges, chains)


def _stored(found: _Found, blobs: Blobs) -> StoredRun | None:
    """Return a run as the tables have it; None if something is damaged or missing."""
    try:
        linked = in_order([(row[0], open_document(row)) for row in found.linked])
        batches = None if found.small is None else dict(_batches(found, found.small, blobs))
    except (StoreDamaged, KeyError):
        return None
    owners = {each.owner: each.number for each in found.series}
    if set(owners_of(linked)) != owners.keys():
        return None
    extents = {
        owner: [_extent(each, owner[1], owners[owner]) for each in found.ranges[owners[owner]]]
        for owner in owners_of(linked)
    }
    return StoredRun(found.run.start, found.run.stop, linked, extents, batches)


def _batches(
    found: _Found, small: dict[int, list[Segment]], blobs: Blobs
) -> Iterator[tuple[Owner, list[pa.RecordBatch]]]:
    for each in found.series:
        parts = [segments.unpack(blobs[segment], None) for segment in small[each.number]]
        yield each.owner, parts


def _extent(rows: RowRange, owner: str, series: int) -> Extent:
    return Extent(rows.stop - rows.first, rows.min_seq, rows.max_seq, (rows.first, owner, series))
