"""One stream of many runs at once: runs that are alike together, as one batch of rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from ..columns.batches import concatenate
from ..columns.names import SEQ_NUM, TIME
from ..documents.encode import encode
from ..documents.kinds import stream_name
from ..errors import StoreDamaged
from .rows import RowSource

if TYPE_CHECKING:
    import pyarrow as pa

    from ..columns import Selection

PAGE_RUNS = 500
"""So many runs are looked at together."""

MOST_ROWS = 1_000
"""A run of more is one that is read by itself."""

_PAGE_BYTES = 8 * 2**20

Doc = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Alike:
    """One stream of several runs in which it has one descriptor, and the same columns.

    Attributes
    ----------
    runs
        The uids of the runs.
    data_keys
        What the descriptor of each says of its fields, in their order.
    sizes
        How many rows of each are here.
    batch
        The rows of one run after the other, each in order of arrival; None if there are none, or
        none were wanted.
    """

    runs: list[str]
    data_keys: Doc
    sizes: list[int]
    batch: pa.RecordBatch | None


@dataclass(frozen=True, slots=True)
class RunsPage:
    """Some of the runs that were asked for, in the order in which they were.

    A run that is in neither list does not have the stream.

    Attributes
    ----------
    runs
        The uids of these runs.
    alike
        Runs of which the rows are here.
    apart
        Runs that are to be read one by one: their stream has several descriptors or many rows;
        or is damaged, which to read it will say; or a name that is wanted is none of its data
        keys, but stands elsewhere in the descriptor, perhaps as that of a configured value.
    """

    runs: list[str]
    alike: list[Alike]
    apart: list[str]


class RunSource(RowSource, Protocol):
    """What runs are read from: a store."""

    def documents(self, uid: str, kinds: Collection[str]) -> Iterator[tuple[str, Doc]]:
        """Yield documents of a run; see `Store.documents`."""
        ...


def pages(
    store: RunSource, runs: Iterable[str], stream: str, selection: Selection | None
) -> Iterator[RunsPage]:
    """Yield what `Store.read_many` does, from what is asked of each run."""
    page = PageOfRuns()
    for run in runs:
        _add(page, store, run, stream, selection)
        if len(page.runs) == PAGE_RUNS or page.size > _PAGE_BYTES:
            yield page.done()
            page = PageOfRuns()
    if page.runs:
        yield page.done()


@dataclass
class PageOfRuns:
    """A page in the making: the runs of each kind, with their rows."""

    runs: list[str] = field(default_factory=list)
    apart: list[str] = field(default_factory=list)
    size: int = 0
    _alike: dict[Any, list[tuple[str, Doc, pa.RecordBatch | None]]] = field(default_factory=dict)

    def put(self, run: str, data_keys: Doc, batch: pa.RecordBatch | None) -> None:
        """Put in the stream of a run, with its rows if it has some."""
        kind = encode(data_keys), None if batch is None else batch.schema.serialize().to_pybytes()
        self._alike.setdefault(kind, []).append((run, data_keys, batch))
        self.size += 0 if batch is None else batch.nbytes

    def done(self) -> RunsPage:
        """Return the page."""
        return RunsPage(self.runs, [_together(rows) for rows in self._alike.values()], self.apart)


def _add(
    page: PageOfRuns, store: RunSource, run: str, stream: str, selection: Selection | None
) -> None:
    """Read one more run."""
    page.runs.append(run)
    documents = store.documents(run, ["descriptor"])
    descriptors = [doc for _, doc in documents if stream_name(doc) == stream]
    if not descriptors:
        return
    batches = _rows_of(store, descriptors, selection)
    if batches is None:
        page.apart.append(run)
    else:
        page.put(run, descriptors[0]["data_keys"], batches[0] if batches else None)


def _rows_of(
    store: RunSource, descriptors: list[Doc], selection: Selection | None
) -> list[pa.RecordBatch] | None:
    """Return the one batch of rows of a stream, or none; None where it is read by itself."""
    if len(descriptors) > 1:
        return None
    if selection is None:
        return []
    if names_more(selection, descriptors[0]["data_keys"], encode(descriptors[0])):
        return None
    try:
        extents = store.extents("event", descriptors[0]["uid"])
        if len(extents) > 1 or sum(each.rows for each in extents) > MOST_ROWS:
            return None
        batches = [batch for each in extents for batch in store.read("event", each, selection)]
    except StoreDamaged:
        return None
    return None if len(batches) != len(extents) else batches


def _together(rows: list[tuple[str, Doc, pa.RecordBatch | None]]) -> Alike:
    runs = [run for run, _, _ in rows]
    batches = [batch for _, _, batch in rows if batch is not None]
    sizes = [batch.num_rows for batch in batches] or [0] * len(runs)
    return Alike(runs, rows[0][1], sizes, concatenate(batches) if batches else None)


def names_more(selection: Selection, data_keys: Doc, descriptor: bytes) -> bool:
    """Tell whether an encoded descriptor has a wanted name that is none of its data keys."""
    return any(
        name not in data_keys
        and name not in (TIME, SEQ_NUM)
        and name.encode(errors="surrogatepass") in descriptor
        for name in selection.data or ()
    )


def in_pages(runs: Iterable[str]) -> Iterator[list[str]]:
    """Yield so many runs at a time as are looked at together."""
    left = iter(runs)
    while page := list(islice(left, PAGE_RUNS)):
        yield page
