"""The SQLite store: the contract, answered from one file."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ...documents import unpack
from ...documents.identity import last_time, unknown_descriptor
from ...documents.kinds import IDENTITY, OWNER, PAGES, Document
from ...documents.pages import owner_of
from ...errors import StoreIsReadOnly, StoreUnavailable
from ...query.distinct import ranked
from ..contract import Ability, Activity, Extent, RunRecord, Store
from ..facts import run_fact
from . import runs, series
from .blocks import Unpacked
from .checkpoint import tidy
from .connection import Connections, DriverError, transaction, translate, translated
from .damage import warn_of_damage
from .projection import Projection
from .search import Search
from .series import Series
from .single import documents_of_run, stored_document

if TYPE_CHECKING:
    import pyarrow as pa

    from ...query.nodes import Node
    from ...query.nodes import Path as DocumentPath

Doc = dict[str, Any]
T = TypeVar("T")

_REMEMBERED = 512  # series of which this process knows the state
_LARGE = 2**20  # bytes of events from which the log is moved into the file at the stop


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
    ) -> None:
        super().__init__()
        self._options: dict[str, Any] = {"durability": durability, "read_only": read_only}
        self.path = Path(path).expanduser().absolute()
        if not (create or self.path.exists()):
            raise StoreUnavailable(
                f"There is no file {self.path} on this machine. What was pickled here refers to "
                "the file; it must be reachable under the same path."
            )
        self._connections = Connections(self.path, durability, read_only)
        self._series: dict[tuple[str, str], Series] = {}
        self._pid = os.getpid()

    @property
    def abilities(self) -> frozenset[Ability]:  # type: ignore[override]
        """What this store can do; a file without write permission is only read."""
        if self._connections.read_only:
            return frozenset({Ability.SHARED})
        return frozenset({Ability.SHARED, Ability.WRITE})

    def __str__(self) -> str:
        return f"sqlite: {self.path}"

    def __reduce__(self) -> Any:
        make = functools.partial(SQLiteStore, **self._options, create=False)
        return make, (str(self.path),), {"stale_after": self.stale_after}

    # -- writing ---------------------------------------------------------

    def _put(self, kind: str, doc: Doc) -> None:
        if self._connections.read_only:
            raise StoreIsReadOnly(
                f"{self.path} is open for reading only. Check the permissions of the file and of "
                "its folder, and the `read_only` option."
            )
        with self._connections.lock:
            try:
                if kind in OWNER:
                    self._put_row(kind, doc)
                elif kind in PAGES:
                    self._put_page(kind, doc)
                else:
                    self._put_document(kind, doc)
            except BaseException as error:
                # What a transaction that failed had told us about series is not so.
                self._series.clear()
                if isinstance(error, DriverError):
                    raise translate(error, self.path) from error
                raise

    def _put_row(self, kind: str, row: Doc) -> None:
        rows = self._writable_series(kind, row[OWNER[kind]])
        connection = self._connections.get()
        if kind == "datum":
            runs.claim_datum(connection, row["datum_id"], row["resource"])
        series.append(connection, rows, row)
        if series.is_full(rows):
            with transaction(connection):
                series.seal(connection, rows)

    def _put_page(self, kind: str, page: Doc) -> None:
        """Store a page: as a block if all its rows are new, else row by row; all or nothing."""
        single = PAGES[kind]
        connection = self._connections.get()
        if kind in ("event_page", "datum_page") and self._put_new_rows(single, page):
            return
        documents = list(unpack(kind, page))
        for row in documents:
            self._writable_series(single, row[OWNER[single]])
        with transaction(connection):
            for row in documents:
                if single == "datum":
                    runs.claim_datum(connection, row["datum_id"], row["resource"])
                rows = self._writable_series(single, row[OWNER[single]])
                series.append(connection, rows, row)
                if series.is_full(rows):
                    series.seal(connection, rows)

    def _put_new_rows(self, kind: str, page: Doc) -> bool:
        """Store a page as a block; tell whether all its rows were new, so that it could be."""
        from ...columns import from_page

        identities = page[IDENTITY[kind]]
        hashes = set(map(hash, identities))
        if not identities or len(hashes) < len(identities):
            return False
        connection = self._connections.get()
        rows = self._writable_series(kind, page[OWNER[kind]])
        batch = from_page(kind, page)
        with transaction(connection):
            series.refresh_if_stale(connection, rows)
            if series.any_known(connection, rows, hashes):
                return False
            if kind == "datum":
                for datum_id in identities:
                    runs.claim_datum(connection, datum_id, page["resource"])
            series.append_block(connection, rows, batch, hashes)
            return True

    def _put_document(self, kind: str, doc: Doc) -> None:
        connection = self._connections.get()
        if kind == "descriptor":
            # Events will follow. What they need is imported now, not between two of them.
            from ...columns.values import prepare

            prepare()
        large = False
        with transaction(connection):
            if kind == "start":
                runs.put_start(connection, doc)
            elif kind == "stop":
                runs.put_stop(connection, doc)
                large = self._seal_run(doc["run_start"])
            else:
                runs.put_document(connection, kind, doc)
        if large:
            tidy(connection)

    def _writable_series(self, kind: str, owner: str) -> Series:
        """Return the state of a series, making it where there is none."""
        if self._pid != os.getpid():
            self._pid, self._series = os.getpid(), {}
        rows = self._series.get((kind, owner))
        if rows is None:
            connection = self._connections.get()
            rows = series.load_series(connection, kind, owner)
            if rows is None:
                document = stored_document(connection, OWNER[kind], owner)
                if document is None and kind == "event":
                    raise unknown_descriptor({"descriptor": owner})
                run = document.get("run_start") if document else None
                rows = series.create_series(connection, kind, owner, run)
            if len(self._series) >= _REMEMBERED:
                self._series.pop(next(iter(self._series)))
            self._series[kind, owner] = rows
        return rows

    def _seal_run(self, run: str) -> bool:
        """Move all tails of a run into blocks; tell whether the run is a large one."""
        connection = self._connections.get()
        large = False
        for kind, owner in series.series_of_run(connection, run):
            rows = self._writable_series(kind, owner)
            large |= rows.sealed > 0 or rows.tail_bytes > _LARGE
            series.seal(connection, rows)
            self._series.pop((kind, owner))
        return large

    def run_of(self, kind: str, doc: Document) -> str | None:
        """Return the uid of the run that a document belongs to, if that is known."""
        if kind == "start":
            return str(doc["uid"])
        owner_kind = OWNER.get(PAGES.get(kind, kind))
        if owner_kind is None:
            return doc.get("run_start")
        uid = owner_of(kind, doc) or ""
        owner = self._ask(stored_document, owner_kind, uid)
        return owner.get("run_start") if owner else None

    # -- finding runs ----------------------------------------------------

    def find(self, query: Node) -> Iterator[RunRecord]:
        """Yield the runs that match, newest first."""
        with translated(self.path):
            yield from self._search(query)

    def count(self, query: Node) -> int:
        """Return how many runs match."""
        with translated(self.path):
            return self._search(query).count()

    def _search(self, query: Node) -> Search:
        return Search(
            self._connections.get, query, self._data_keys, functools.partial(run_fact, self)
        )

    def _data_keys(self, uid: str) -> set[str]:
        return {
            key
            for kind, doc in self.documents(uid)
            if kind == "descriptor"
            for key in doc["data_keys"]
        }

    def record(self, uid: str) -> RunRecord | None:
        """Return the run of this full uid as it is now, or None."""
        run = self._ask(runs.stored_run, uid)
        if run is None:
            return None
        if not run.intact:
            warn_of_damage(f"The stop document of run {uid!r} is damaged, and taken as missing.")
        return RunRecord(uid, run.start, run.stop)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        """Return the uids that begin with ``prefix``, sorted, at most ``limit``."""
        return self._ask(runs.resolve, prefix, limit)

    def distinct(self, path: DocumentPath, query: Node) -> list[tuple[Any, int]]:
        """Return each value at a path, and how many of the matching runs have it."""
        with translated(self.path):
            return ranked(self._projection(query).counts(path))

    def select(
        self, query: Node, paths: Sequence[DocumentPath], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the values at some paths of the runs that match, newest first."""
        with translated(self.path):
            yield from self._projection(query).rows(paths, limit)

    def _projection(self, query: Node) -> Projection:
        return Projection(self._connections.get, self._search(query))

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str) -> list[tuple[str, Doc]]:
        """Return the run's descriptors, resources and stream resources."""
        found, damaged = self._ask(documents_of_run, uid)
        if damaged:
            warn_of_damage(
                f"Run {uid!r}: {damaged} of its descriptors and resources "
                f"{'is' if damaged == 1 else 'are'} damaged and left out; what belongs to them "
                "cannot be read."
            )
        return found

    def activity(self, uid: str) -> Activity:
        """Return who writes this run and when it last did."""
        with translated(self.path):
            connection = self._connections.get()
            run = runs.stored_run(connection, uid)
            if run is None:
                return Activity(float("-inf"))
            descriptors = [doc for kind, doc in self.documents(uid) if kind == "descriptor"]
            rows = series.newest_rows(connection, uid)
            newest = last_time([run.start, *descriptors, *rows])
            return Activity(newest, *run.writer)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return the stretches of rows of one owner, by ordinal."""
        with translated(self.path):
            connection = self._connections.get()
            number = series.series_id(connection, kind, owner)
            return [] if number is None else series.series_extents(connection, number)

    def read(
        self, kind: str, owner: str, first: int, stop: int, columns: Container[str] | None
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows of one owner as batches, one for each block and one for the tail."""
        with translated(self.path):
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
        """Return one datum document by its id, or None."""
        return self._ask(runs.stored_datum, datum_id)

    def resource(self, uid: str) -> Doc | None:
        """Return one resource document by its uid, or None."""
        return self._ask(stored_document, "resource", uid)

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        self._connections.close()

    def _ask(self, question: Callable[..., T], *values: Any) -> T:
        with translated(self.path):
            return question(self._connections.get(), *values)
