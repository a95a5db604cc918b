"""One stream of many runs, read with a few statements for all of them.

Small runs are read here: those whose rows are one series, in blocks of few bytes. Of descriptors,
the name and the data keys are looked at, and decoded once where they are the same. A run of which
anything is not as it should be is left to be read by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from ..._util.garbage import collecting_later
from ..._util.portable_text import portable
from ...columns.segments import head_of, unpack_together
from ...documents.encode import decode, members
from ...documents.kinds import stream_name
from ...errors import StoreDamaged
from ..many import Alike, RunsPage, in_pages, names_more
from .bodies import intact_body
from .engine.connection import Connection, snapshot
from .engine.statements import many as stored
from .layouts import Segment
from .small_series import Blobs, blocks_of, chain_of, intact_blobs, size_of

if TYPE_CHECKING:
    from ...columns import Selection

Row = tuple[Any, ...]

_MOST_BYTES = 2**17  # of a run that is read together with others
_LOOKED_AT = frozenset({"name", "data_keys"})


class _Descriptor(NamedTuple):
    """What is looked at of a descriptor."""

    uid: Any
    stream: str
    data_keys: bytes
    names_more: bool


class _Stream(NamedTuple):
    """A stream of a run that is one series."""

    run: str
    series: int
    sealed: int
    tail: int
    data_keys: bytes


Chains = dict[int, list[Segment]]
"""The segments of small series."""


def read_many(
    connect: Callable[[], Connection], runs: Iterable[str], stream: str, selection: Selection | None
) -> Iterator[RunsPage]:
    """Yield the rows of one stream of many runs; see `Store.read_many`."""
    for page in in_pages(runs):
        try:
            yield _read_page(connect(), page, stream, selection)
        except StoreDamaged:  # a part of the file itself, which only some of these runs need
            yield RunsPage(page, [], page)


def _read_page(
    connection: Connection, runs: list[str], stream: str, selection: Selection | None
) -> RunsPage:
    with collecting_later():
        with snapshot(connection):  # blocks may be merged away, and their segments with them
            streams = _streams(connection, runs, stream, selection)
            simple = [each for each in streams.values() if each is not None]
            chains = _no_chains(simple) if selection is None else _chains(connection, simple)
            blobs = intact_blobs(connection, chain.from_iterable(chains.values()))
        alike: dict[Any, list[_Stream]] = {}
        for each in simple:
            if (head := _head(chains.get(each.series), blobs)) is not None:
                alike.setdefault((each.data_keys, head), []).append(each)
        found = [_alike(group, chains, blobs, selection) for group in alike.values()]
    together = [each for each in found if each is not None]
    read = {run for each in together for run in each.runs}
    return RunsPage(runs, together, [run for run in streams if run not in read])


def _streams(
    connection: Connection, runs: Sequence[str], stream: str, selection: Selection | None
) -> dict[str, _Stream | None]:
    """Return a stream of those runs that have it; None where it is not one series."""
    uids = {portable(run): run for run in runs}
    descriptors: dict[str, list[_Descriptor | None]] = {}
    known: dict[bytes, dict[str, Any]] = {}
    for row in stored.documents(connection, "descriptor", uids):
        descriptors.setdefault(uids[row[2]], []).append(_descriptor(row, selection, known))
    series: dict[str, dict[Any, Row]] = {}
    for number, kind, owner, run, sealed, tail in stored.series(connection, uids):
        if kind == "event":
            series.setdefault(uids[run], {})[owner] = (number, sealed, tail)
    found: dict[str, _Stream | None] = {}
    for run in filter(lambda run: run in descriptors or run in series, runs):
        mine, owned = descriptors.get(run, []), series.get(run, {})
        intact = [each for each in mine if each is not None]
        wanted = [each for each in intact if each.stream == stream]
        if (
            {each.uid for each in intact} != owned.keys()
            or len(wanted) > 1
            or any(each.names_more for each in wanted)
        ):
            found[run] = None
        elif wanted:
            number, sealed, tail = owned[wanted[0].uid]
            found[run] = _Stream(run, number, sealed, tail, wanted[0].data_keys)
    return found


def _descriptor(
    row: Row, selection: Selection | None, known: dict[bytes, dict[str, Any]]
) -> _Descriptor | None:
    """Return what is looked at of a descriptor; None if it is damaged."""
    *columns, body = row
    try:
        found = members(intact_body(body, tuple(columns), "descriptor"), _LOOKED_AT)
    except StoreDamaged:
        return None
    name = {"name": decode(found["name"])} if "name" in found else {}
    keys = found["data_keys"]
    if keys not in known:
        known[keys] = decode(keys)
    more = selection is not None and names_more(selection, known[keys], body)
    return _Descriptor(row[1], stream_name(name), keys, more)


def _chains(connection: Connection, streams: Sequence[_Stream]) -> Chains:
    """Return the segments of those streams that are small, and all in blocks."""
    whole = [each for each in streams if not each.tail]
    blocks = blocks_of(connection, [each.series for each in whole])
    chains: Chains = {}
    for each in whole:
        segments = chain_of(blocks[each.series], each.sealed)
        if segments is not None and size_of(segments) <= _MOST_BYTES:
            chains[each.series] = segments
    return chains


def _no_chains(streams: Sequence[_Stream]) -> Chains:
    """Return what there is to read of streams of which no rows are wanted."""
    return {each.series: [] for each in streams}


def _head(segments: list[Segment] | None, blobs: Blobs) -> bytes | None:
    """Return what the blobs of a series begin with, b'' if it has none; None if they differ."""
    if segments is None or not all(segment in blobs for segment in segments):
        return None
    heads = {head_of(blobs[segment]) for segment in segments} or {b""}
    return heads.pop() if len(heads) == 1 else None


def _alike(
    streams: Sequence[_Stream],
    chains: Chains,
    blobs: Blobs,
    selection: Selection | None,
) -> Alike | None:
    """Return streams of the same columns; None if their rows are not what was written."""
    segments = [segment for each in streams for segment in chains[each.series]]
    runs, sizes = [each.run for each in streams], [each.sealed for each in streams]
    data_keys = decode(streams[0].data_keys)
    if not segments or selection is None:
        return Alike(runs, data_keys, [0] * len(runs), None)
    columns = None if selection.is_all else selection
    try:
        batch = unpack_together([blobs[segment] for segment in segments], columns)
    except StoreDamaged:
        return None
    return Alike(runs, data_keys, sizes, batch) if batch.num_rows == sum(sizes) else None
