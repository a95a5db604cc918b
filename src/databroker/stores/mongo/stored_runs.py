"""Some hundred runs at once: what each consists of, and the rows of those that are small.

A run whose rows are many, or not as they were counted, comes without them, to be read by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from ...documents.kinds import ROWS
from ..base import LINKED
from ..contents import Owner, StoredRun, owners_of
from ..rows import Extent
from .database import Filter
from .documents import Doc, unpack_document
from .linked import Linked
from .rows import Rows
from .searching import Search

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE = 256  # runs
_SMALL = 1000  # rows of a run that are read with those of others
_MOST_BYTES = 2**25  # of the rows of one kind, read for some runs at once

_NAMES: Filter = {"_id": 0, "uid": 1, "run_start": 1}

Documents = list[tuple[str, Doc]]


class StoredRuns:
    """Reads several runs with a handful of questions."""

    def __init__(self, search: Search, linked: Linked, rows: Rows) -> None:
        self._search, self._linked, self._rows = search, linked, rows

    def outlined(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        """Yield runs of whose documents only the names are read; see `Store.outlines`."""
        for some in _parts(uids):
            yield from self._found(some, _NAMES)

    def read(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        """Yield runs; see `Store.read_runs`."""
        for some in _parts(uids):
            yield from self._with_rows(self._found(some, None))

    def _found(self, uids: Sequence[str], fields: Filter | None) -> list[StoredRun]:
        records = self._search.records(uids)
        linked: dict[str, Documents] = {uid: [] for uid in records}
        for kind in LINKED:
            for uid, stored in self._linked.of_runs(kind, list(records), fields):
                linked[uid].append((kind, unpack_document(stored)))
        extents = self._extents(owner for some in linked.values() for owner in owners_of(some))
        return [
            StoredRun(
                records[uid].start,
                records[uid].stop,
                linked[uid],
                {owner: extents.get(owner, []) for owner in owners_of(linked[uid])},
            )
            for uid in uids
            if uid in records
        ]

    def _extents(self, owners: Iterable[Owner]) -> dict[Owner, list[Extent]]:
        return {
            (kind, uid): [extent]
            for kind, uids in _by_kind(owners).items()
            for uid, extent in self._rows.extents(kind, uids).items()
        }

    def _with_rows(self, runs: Sequence[StoredRun]) -> Iterator[StoredRun]:
        small = [run for run in runs if sum(run.outline.rows.values()) <= _SMALL]
        batches = self._batches(
            {owner: extents for run in small for owner, extents in run.extents.items()}
        )
        for run in runs:
            if run.extents.keys() <= batches.keys():
                its_own = {owner: batches[owner] for owner in run.extents}
                yield StoredRun(run.start, run.stop, run.linked, run.extents, its_own)
            else:
                yield run

    def _batches(
        self, extents: Mapping[Owner, Sequence[Extent]]
    ) -> dict[Owner, list[pa.RecordBatch]]:
        """Return the rows of owners, as far as they are few and as they were counted."""
        from ...columns import ALL, from_series

        batches: dict[Owner, list[pa.RecordBatch]] = {
            owner: [] for owner, found in extents.items() if not found
        }
        for kind, uids in _by_kind(owner for owner, found in extents.items() if found).items():
            some = {uid: extents[kind, uid][0] for uid in uids}
            rows = self._rows.of_several(kind, some, ALL, _MOST_BYTES)
            made = from_series(kind, list(rows.values()))
            batches |= {(kind, uid): [batch] for uid, batch in zip(rows, made, strict=True)}
        return batches


def _parts(uids: Iterable[str]) -> Iterator[list[str]]:
    left = iter(uids)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _by_kind(owners: Iterable[Owner]) -> dict[str, list[str]]:
    uids: dict[str, list[str]] = {kind: [] for kind in ROWS.values()}
    for kind, uid in owners:
        uids[kind].append(uid)
    return uids
