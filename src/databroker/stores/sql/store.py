"""The contract of stores, answered from the tables of a database."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from ..._util.polling import wait_until
from ...documents.identity import last_time
from ...documents.kinds import OWNER
from ...errors import StoreIsReadOnly
from ...query.nodes import TimeBounds
from ..activity import Activity
from ..base import LINKED, RunRecord, Store
from ..facts import run_fact
from ..rows import Extent
from . import runs, series_rows
from .damage import warn_of_damage
from .engine.connection import Connections
from .reader import SeriesReader, following
from .search.index import known_paths
from .search.search import Search, as_record, few_runs
from .single import documents_of_run, run_of_owner, stored_document
from .writing import Writer, get_ready

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node
    from ...query.nodes import Path as DocumentPath
    from ..checking import CheckProgress, CheckReport
    from ..contents import Outline, StoredRun
    from ..many import RunsPage
    from .integrity.base import Check
    from .search.project import Projection

Doc = dict[str, Any]
T = TypeVar("T")

_READ_AT_ONCE = 256  # runs


class SQLStore(Store):
    """Documents in the tables of a database, to which the engine room has connections."""

    _connections: Connections
    _writer: Writer

    # -- writing ---------------------------------------------------------

    def prepare(self) -> None:
        get_ready()

    def write_for_others(self) -> None:
        self._writer.is_for_others = True

    def put(self, kind: str, doc: Doc) -> None:
        self._write(lambda: self._writer.put(kind, doc), {kind})

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        """Keep documents in one transaction, all or none."""
        self._write(lambda: self._writer.put_together(documents), {kind for kind, _ in documents})

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        """Keep a batch as segments, in one transaction, all of it or nothing."""
        self._write(lambda: self._writer.put_batch(kind, owner, batch), {kind})

    def insert_runs(self, runs: Sequence[StoredRun]) -> None:
        """Keep runs: those that are new and whole a table at a time, in one transaction."""
        from .whole_runs import apart, whole_run

        whole = apart([run for run in map(whole_run, runs) if run is not None])
        stored: set[str] = set()

        def put() -> bool:
            stored.update(self._writer.put_runs(whole))
            return False

        self._write(put, {"stop"})
        super().insert_runs([run for run in runs if run.uid not in stored])

    def _write(self, put: Callable[[], bool], kinds: set[str]) -> None:
        """Put documents of some kinds; what puts them tells whether it ended a large run."""
        if self._connections.read_only:
            raise self._read_only()
        self._wrote(kinds, put())

    def _wrote(self, kinds: set[str], ended_large: bool) -> None:
        """See to what must follow when documents were put."""

    @abstractmethod
    def _read_only(self) -> StoreIsReadOnly:
        """Return the error for an attempt to write."""

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        if after is not None:
            older = self._search(query & TimeBounds(None, after[0]))
            yield from islice((run for run in older if run.cursor < tuple(after)), limit)
            return
        few = None if limit is None else few_runs(self._connections.get(), query, limit)
        yield from islice(self._search(query), limit) if few is None else map(as_record, few)

    def count(self, query: Node) -> int:
        return self._search(query).count()

    def _search(self, query: Node) -> Search:
        return Search(
            self._connections.get, query, self._data_keys, functools.partial(run_fact, self)
        )

    def _data_keys(self, uid: str) -> set[str]:
        return {key for _, doc in self.documents(uid, ["descriptor"]) for key in doc["data_keys"]}

    def record(self, uid: str) -> RunRecord | None:
        run = self._ask(runs.stored_run, uid)
        if run is None:
            return None
        if not run.intact:
            warn_of_damage(f"The stop document of run {uid!r} is damaged, and taken as missing.")
        return as_record(run)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        return self._ask(runs.resolve, prefix, limit)

    def newest_mark(self) -> Any:
        return self._ask(runs.newest_mark)

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        return self._ask(runs.uids_since, mark)

    def distinct(self, path: DocumentPath, query: Node) -> list[tuple[Any, int]]:
        from ...query.projection import ranked

        return ranked(self._projection(query).counts(path))

    def keys(self, most: int) -> list[str]:
        return self._ask(known_paths, most)

    def select(
        self, query: Node, paths: Sequence[DocumentPath], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        yield from self._projection(query).rows(paths, limit)

    def _projection(self, query: Node) -> Projection:
        from .search.project import Projection

        return Projection(self._connections.get, self._search(query))

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        found, damaged = self._ask(documents_of_run, uid, kinds)
        if damaged:
            warn_of_damage(
                f"Run {uid!r}: {damaged} of its descriptors and resources "
                f"{'is' if damaged == 1 else 'are'} damaged and left out; what belongs to them "
                "cannot be read."
            )
        return iter(found)

    def activity(self, uid: str) -> Activity:
        connection = self._connections.get()
        run = runs.stored_run(connection, uid)
        descriptors = [doc for _, doc in self.documents(uid, ["descriptor"])]
        rows = series_rows.newest_rows(connection, uid)
        newest = last_time([*([run.start] if run else []), *descriptors, *rows])
        return Activity(newest, *(run.writer if run else ()))

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where the rows of one owner are; a token is the first ordinal, and the series."""
        connection = self._connections.get()
        number = series_rows.series_id(connection, kind, owner)
        ranges = [] if number is None else series_rows.series_ranges(connection, number)
        return [
            Extent(stop - first, min_seq, max_seq, (first, owner, number))
            for first, stop, min_seq, max_seq in ranges
        ]

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows of one owner as batches, one for each block and one for the tail."""
        begin, *_ = extent.token
        low, high = rows or (0, extent.rows)
        reader = self._reader(kind, extent, begin + high, selection)
        yield from reader.rows(begin + low, begin + high)

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        for some in following(extents):
            first, *_ = some[0].token
            reader = self._reader(kind, some[0], first + sum(each.rows for each in some), selection)
            for each in some:
                yield list(reader.rows(first, first + each.rows))
                first += each.rows

    def _reader(self, kind: str, extent: Extent, stop: int, selection: Selection) -> SeriesReader:
        """Return what reads the series of an extent, up to an ordinal."""
        _, owner, number = extent.token
        columns = None if selection.is_all else selection
        return SeriesReader(self._connections.get, (kind, owner, number), stop, columns)

    def read_many(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        from .many_runs import read_many

        return read_many(self._connections.get, runs, stream, selection)

    def outlines(self, uids: Iterable[str]) -> dict[str, Outline]:
        from .stored_runs import outlines

        return self._ask(outlines, list(uids))

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        from .stored_runs import read_runs

        left = iter(uids)
        while some := list(islice(left, _READ_AT_ONCE)):
            for uid, run in self._ask(read_runs, some):
                yield from super().read_runs([uid]) if run is None else [run]

    def datum(self, datum_id: str) -> Doc | None:
        return self._ask(runs.stored_datum, datum_id)

    def resource(self, uid: str) -> Doc | None:
        return self._ask(stored_document, "resource", uid)

    def run_of(self, kind: str, owner: str) -> str | None:
        return self._ask(run_of_owner, OWNER[kind], owner)

    def close(self) -> None:
        self._connections.close()

    def state(self) -> Hashable:
        return self._connections.get().state()

    def wait_for_changes(self, state: Hashable, timeout: float) -> bool:
        if self.state() != state:  # who is behind need not begin to listen
            return True
        if timeout <= 0:
            return False
        with self._connections.get().listening() as pause:
            return wait_until(lambda: self.state() != state, timeout, pause)

    def check(self, progress: CheckProgress | None = None, mend_index: bool = False) -> CheckReport:
        if mend_index and self._connections.read_only:
            raise self._read_only()
        from .integrity.check import check_database

        structure = self._check_of_structure()
        return check_database(self._connections, progress, mend_index, structure)

    def _check_of_structure(self) -> Callable[[Check], None] | None:
        """Return what checks the database itself, if it can be asked to."""
        return None

    def _ask(self, question: Callable[..., T], *values: Any) -> T:
        return question(self._connections.get(), *values)
