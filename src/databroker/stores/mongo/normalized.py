"""The store in the layout that databroker 1.x writes: a document of MongoDB for each of ours."""

from __future__ import annotations

import functools
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ..._util.portable_text import portable
from ...documents.identity import last_time
from ...documents.kinds import OWNER
from ...errors import StoreIsReadOnly
from ...query.nodes import UidPrefix
from ..activity import Activity
from ..base import EVERY, LINKED, Capabilities, RunRecord, Store
from ..rows import Extent
from .arrivals import newest_mark, uids_since
from .compile import compile_node
from .database import Database, reached_or_closed
from .databases import Databases
from .documents import Doc, unpack_document, unpack_row
from .indexes import OTHERS, UNIQUE, Index, make_indexes
from .layout import PLACES, check_layout
from .linked import Linked
from .rows import Rows
from .searching import Search
from .stored_runs import StoredRuns
from .writing import Writer

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node
    from ..contents import Outline, StoredRun
    from ..many import RunsPage


class MongoNormalizedStore(Store):
    """Documents in one or two MongoDB databases, which databroker 1.x can use, too.

    Parameters
    ----------
    uri
        Where the database is: ``mongodb://user@host:27017/name``. A password is best kept in the
        environment (``DATABROKER_MONGO_PASSWORD``): what is pickled, for another process, has none.
    metadatastore_db, asset_registry_db
        In place of it, where starts, stops, descriptors and events are, and where all else is.
    read_only
        Refuse to write.
    connect
        Whether to reach the server at once; otherwise that is done when it is first asked.

    Raises
    ------
    InvalidConfiguration
        What is given is no address of a database.
    StoreAway
        The server cannot be reached.
    StoreUnavailable
        It refuses, or there is no host of this name.
    ForeignStore
        The database has runs, but only in the other layout of databroker 1.x.
    """

    database = Database

    def __init__(
        self,
        uri: str | None = None,
        *,
        metadatastore_db: str | None = None,
        asset_registry_db: str | None = None,
        read_only: bool = False,
        connect: bool = True,
    ) -> None:
        super().__init__()
        metadata = self.database(uri or metadatastore_db or "")
        others = uri is None and asset_registry_db not in (None, metadatastore_db)
        assets = self.database(asset_registry_db or "") if others else metadata
        self.databases = Databases(metadata, assets)
        self._options: dict[str, Any] = {"read_only": read_only, "connect": connect}
        self._writer = Writer(self.databases)
        self._search = Search(self, self.databases)
        self._rows, self._linked = Rows(self.databases), Linked(self.databases)
        self._stored_runs = StoredRuns(self._search, self._linked, self._rows)
        if connect:
            reached_or_closed(self)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What this store can do."""
        return Capabilities(
            not self._options["read_only"], shared=True, exact="json", live=True, backup=False
        )

    def __str__(self) -> str:
        return f"mongo-normalized: {self.databases.metadata.name}"

    def __reduce__(self) -> Any:
        make = functools.partial(
            type(self),
            metadatastore_db=self.databases.metadata.address.public,
            asset_registry_db=self.databases.assets.address.public,
            **self._options,
        )
        return make, (), {"stale_after": self.stale_after}

    def reach(self) -> None:
        for database in self.databases.all():
            database.reach()
        check_layout(self.databases.metadata, "normalized")

    def close(self) -> None:
        for database in self.databases.all():
            database.close()

    def create_indexes(self, indexes: Sequence[Index] = UNIQUE + OTHERS) -> list[str]:
        """Make the indexes that are not there; return the names of all.

        Raises
        ------
        StoreUnavailable
            Documents are there twice, so that a unique index cannot be made.
        StoreIsReadOnly
            The user may not make indexes.
        """
        return make_indexes(self.databases, indexes)

    # -- writing ---------------------------------------------------------

    def put(self, kind: str, doc: Doc) -> None:
        self.put_many([(kind, doc)])

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        """Keep documents, or none of them if one is refused."""
        if self._options["read_only"]:
            raise StoreIsReadOnly(f"{self.databases.metadata.name} is open for reading only.")
        self._writer.put(documents)

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        return self._search.find(query, limit, after)

    def count(self, query: Node) -> int:
        return self._search.count(query)

    def record(self, uid: str) -> RunRecord | None:
        return self._search.record(uid)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        return self._search.uids(compile_node(UidPrefix(prefix), []).filter or {}, limit)

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        for kind in LINKED:
            if kind in kinds:
                for _, stored in self._linked.of_runs(kind, [uid]):
                    yield kind, unpack_document(stored)

    def activity(self, uid: str) -> Activity:
        """Return when the run was last written; who writes it is not known."""
        run = self.record(uid)
        descriptors = [doc for _, doc in self.documents(uid, ["descriptor"])]
        newest = ({"time": self._rows.newest_time(doc["uid"])} for doc in descriptors)
        return Activity(last_time([*([run.start] if run else []), *descriptors, *newest]))

    def extents(self, kind: str, owner: str) -> list[Extent]:
        return list(self._rows.extents(kind, [owner]).values())

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        return self._rows.read(kind, extent, selection, rows)

    # -- reading several runs ----------------------------------------------

    def read_many(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        from .many_runs import ManyRuns

        return ManyRuns(self._linked, self._rows).pages(runs, stream, selection)

    def outlines(self, uids: Iterable[str]) -> dict[str, Outline]:
        return {run.uid: run.outline for run in self._stored_runs.outlined(uids)}

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        return self._stored_runs.read(uids)

    # -- looking documents up ----------------------------------------------

    def datum(self, datum_id: str) -> Doc | None:
        stored = next(self._stored("datum", {"datum_id": portable(datum_id)}), None)
        return None if stored is None else unpack_row("datum", stored)

    def resource(self, uid: str) -> Doc | None:
        """Return a resource; in old times the server's own id of it was its uid."""
        stored = next(self._stored("resource", {"uid": portable(uid)}), None)
        if stored is None and ObjectId.is_valid(uid):
            stored = next(self._stored("resource", {"_id": ObjectId(uid)}), None)
            stored = None if stored is None or "uid" in stored else {**stored, "uid": uid}
        return None if stored is None else unpack_document(stored)

    def run_of(self, kind: str, owner: str) -> str | None:
        if kind == "datum":
            return (self.resource(owner) or {}).get("run_start")
        stored = next(self._stored(OWNER[kind], {"uid": portable(owner)}), {})
        return unpack_document(stored).get("run_start")

    def size(self) -> int:
        """Return how many bytes the databases take, with their indexes."""
        return sum(database.size() for database in self.databases.all())

    def state(self) -> Hashable:
        """Return how many documents there are, and their bytes."""
        return tuple(database.state() for database in self.databases.all())

    def newest_mark(self) -> Any:
        place = PLACES["start"]
        return newest_mark(self.databases.of(place), place.collection)

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        place = PLACES["start"]
        database = self.databases.of(place)
        return uids_since(database, place.collection, lambda: self.resolve("", EVERY), mark)

    def _stored(self, kind: str, query: Doc) -> Iterator[Doc]:
        place = PLACES[kind]
        return self.databases.of(place).find(place.collection, query, order=[("_id", 1)])
