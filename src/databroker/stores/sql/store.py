"""The SQLite store: the contract, answered from one file."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...documents.identity import last_time
from ...errors import StoreIsReadOnly, StoreUnavailable
from ...query.nodes import TimeBounds
from ...query.projection import ranked
from ..base import LINKED, Activity, Capabilities, RunRecord, Store
from ..checking import CheckProgress, CheckReport
from ..facts import run_fact
from ..rows import Extent
from . import runs, series
from .blocks import Unpacked
from .damage import warn_of_damage
from .engine.checkpoint import Tidier, tidy
from .engine.connections import Connections
from .engine.file import located
from .engine.limits import DEFAULT, Limits
from .search.index import known_paths
from .search.project import Projection
from .search.search import Search, as_record, few_runs
from .single import documents_of_run, stored_document
from .writing import Writer

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node
    from ...query.nodes import Path as DocumentPath
    from .engine.backup import Progress

Doc = dict[str, Any]
T = TypeVar("T")


class SQLiteStore(Store):
    """Documents in one SQLite file.

    Parameters
    ----------
    path
        The file; it is made where there is none.
    durability
        'normal': what was inserted survives a crash of the process. 'full':
        it survives a loss of power too, and inserting is slower.
    read_only
        Refuse to write.
    create
        Whether to make the file where there is none.
    limits
        How much is done at once: others than these are for tests.

    Raises
    ------
    StoreUnavailable
        The file cannot be opened.
    ForeignStore
        It belongs to another program or to a newer databroker.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = SQLiteStore(folder.name + "/runs.db")
    >>> store.insert("start", {"uid": "a", "time": 1.0})
    >>> store.record("a").start
    {'uid': 'a', 'time': 1.0}
    >>> store.close(); folder.cleanup()
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: str = "normal",
        read_only: bool = False,
        create: bool = True,
        limits: Limits = DEFAULT,
    ) -> None:
        super().__init__()
        self._options: dict[str, Any] = {
            "durability": durability,
            "read_only": read_only,
            "limits": limits,
        }
        self.path = located(path)
        if not (create or os.path.exists(self.path)):
            raise StoreUnavailable(
                f"There is no file {self.path} on this machine. What was pickled here refers to "
                "the file; it must be reachable under the same path."
            )
        self._connections = Connections(self.path, durability, read_only, limits)
        self._writer = Writer(self._connections)
        self._tidier = Tidier(self._connections)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What this store can do; a file without write permission is only read."""
        writable = not self._connections.read_only
        return Capabilities(writable, shared=True, exact="exact", live=True, backup=True)

    def __str__(self) -> str:
        return f"sqlite: {self.path}"

    def __reduce__(self) -> Any:
        make = functools.partial(SQLiteStore, **self._options, create=False)
        return make, (str(self.path),), {"stale_after": self.stale_after}

    # -- writing ---------------------------------------------------------

    def put(self, kind: str, doc: Doc) -> None:
        self._write(lambda: self._writer.put(kind, doc), {kind})

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        """Keep documents in one transaction, all or none."""
        self._write(lambda: self._writer.put_together(documents), {kind for kind, _ in documents})

    def _write(self, put: Callable[[], bool], kinds: set[str]) -> None:
        if self._connections.read_only:
            raise self._read_only()
        if put():
            self._connections.write(tidy)
        self._tidier.wrote("stop" if "stop" in kinds else next(iter(kinds)))

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

    def distinct(self, path: DocumentPath, query: Node) -> list[tuple[Any, int]]:
        return ranked(Projection(self._connections.get, self._search(query)).counts(path))

    def keys(self, most: int) -> list[str]:
        return self._ask(known_paths, most)

    def select(
        self, query: Node, paths: Sequence[DocumentPath], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        projection = Projection(self._connections.get, self._search(query))
        yield from projection.rows(paths, limit)

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
        rows = series.newest_rows(connection, uid)
        newest = last_time([*([run.start] if run else []), *descriptors, *rows])
        return Activity(newest, *(run.writer if run else ()))

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where the rows of one owner are; a token is the first ordinal, and the owner."""
        connection = self._connections.get()
        number = series.series_id(connection, kind, owner)
        ranges = [] if number is None else series.series_ranges(connection, number)
        return [
            Extent(stop - first, min_seq, max_seq, (first, owner))
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
        begin, owner = extent.token
        low, high = rows or (0, extent.rows)
        first, stop = begin + low, begin + high
        columns = None if selection.is_all else selection
        number = series.series_id(self._connections.get(), kind, owner)
        if number is None:
            return
        unpacked: Unpacked = {}
        while first < stop:
            batch = series.next_rows(
                self._connections.get(), (number, kind), first, stop, columns, unpacked
            )
            if batch is None:
                return
            yield batch
            first += batch.num_rows

    def datum(self, datum_id: str) -> Doc | None:
        return self._ask(runs.stored_datum, datum_id)

    def resource(self, uid: str) -> Doc | None:
        return self._ask(stored_document, "resource", uid)

    def close(self) -> None:
        self._tidier.close()
        self._connections.close()

    def backup(self, path: Path, progress: Progress | None) -> None:
        from .engine.backup import copy_database

        file = self._connections.file
        self._connections.alone(lambda one: copy_database(one, file, path, progress))

    def check(self, progress: CheckProgress | None = None, mend_index: bool = False) -> CheckReport:
        if mend_index and self._connections.read_only:
            raise self._read_only()
        from .integrity.check import check_database

        return check_database(self._connections, progress, mend_index)

    def _read_only(self) -> StoreIsReadOnly:
        return StoreIsReadOnly(
            f"{self.path} is open for reading only. Check the permissions of the file and of "
            "its folder, and the `read_only` option."
        )

    def _ask(self, question: Callable[..., T], *values: Any) -> T:
        return question(self._connections.get(), *values)
