"""One stream of many runs, read with three questions for some hundred of them.

Runs of which several questions would have to be asked are left to be read by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...columns import from_series, select
from ...documents.encode import encode
from ...documents.kinds import stream_name
from ..many import MOST_ROWS, PageOfRuns, RunsPage, in_pages, names_more
from .documents import Doc, unpack_document
from .linked import Linked
from .rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ..rows import Extent

_MOST_BYTES = 2**25  # of the rows of a page
_LOOKED_AT = {"_id": 0, "uid": 1, "run_start": 1, "name": 1, "data_keys": 1}


class _Stream(NamedTuple):
    """A stream of a run that has one descriptor."""

    owner: str
    data_keys: Doc


class ManyRuns:
    """Reads a stream of many runs."""

    def __init__(self, linked: Linked, rows: Rows) -> None:
        self._linked, self._rows = linked, rows

    def pages(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        """Yield the rows of many runs; see `Store.read_many`."""
        for some in in_pages(runs):
            streams = self._streams(some, stream, selection)
            owners = [each.owner for each in streams.values() if each is not None]
            extents = {} if selection is None else self._rows.extents("event", owners)
            batches = {} if selection is None else self._batches(extents, selection)
            page = PageOfRuns(some)
            for run, found in streams.items():
                if found is None or (found.owner in extents and found.owner not in batches):
                    page.apart.append(run)
                else:
                    page.put(run, found.data_keys, batches.get(found.owner))
            yield page.done()

    def _streams(
        self, runs: Sequence[str], stream: str, selection: Selection | None
    ) -> dict[str, _Stream | None]:
        """Return the stream of those runs that have it; None where it is to be read by itself."""
        found: dict[str, _Stream | None] = {}
        named = selection is not None and bool(selection.data)
        fields = None if named else _LOOKED_AT
        for run, stored in self._linked.of_runs("descriptor", runs, fields):
            descriptor = unpack_document(stored)
            if stream_name(descriptor) == stream:
                simple = run not in found and not _names_more(selection, descriptor)
                one = _Stream(descriptor["uid"], descriptor["data_keys"])
                found[run] = one if simple else None
        return {run: found[run] for run in runs if run in found}

    def _batches(
        self, extents: dict[str, Extent], selection: Selection
    ) -> dict[str, pa.RecordBatch]:
        few = {owner: extent for owner, extent in extents.items() if extent.rows <= MOST_ROWS}
        rows = self._rows.of_several("event", few, selection, _MOST_BYTES)
        columns = None if selection.is_all else selection
        made = [select(batch, columns) for batch in from_series("event", list(rows.values()))]
        return dict(zip(rows, made, strict=True))


def _names_more(selection: Selection | None, descriptor: dict[str, Any]) -> bool:
    if selection is None or not selection.data:
        return False
    return names_more(selection, descriptor["data_keys"], encode(descriptor))
