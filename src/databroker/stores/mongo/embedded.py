"""The store in the other layout of databroker 1.x, which is only read: a run in one document.

A header has the start, the stop, and all descriptors and resources of a run; events and datums
come in pages, which grow as long as the run does.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from bson import ObjectId

from ..._util.portable_text import original, portable
from ...documents.kinds import LISTS, OWNER
from ...documents.pages import unpack
from ...documents.repair import repair
from ...errors import NotSupported
from ...query.evaluate import RunView, compile
from ..base import LINKED, Capabilities, RunRecord, Store
from ..facts import run_fact
from ..rows import Extent, rows_are_gone
from .database import Database, reached_or_closed
from .documents import Doc, unpack_document
from .layout import check_layout
from .rows import fields_of

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node

_PAGE = 200  # headers that are fetched at once
_SECTIONS = {"descriptor": "descriptors", "resource": "resources"}
_ADDED = ("_id", "size", "first_index", "last_index")
"""What pages have besides the keys of the event model."""


class MongoEmbeddedStore(Store):
    """Runs that databroker 1.x wrote with its embedded layout; they are read, and never changed.

    Parameters
    ----------
    uri
        Where the database is: ``mongodb://user@host:27017/name``. A password is best kept in the
        environment (``DATABROKER_MONGO_PASSWORD``): what is pickled, for another process, has none.

    Raises
    ------
    InvalidConfiguration
        ``uri`` is no address of a database.
    StoreAway
        The server cannot be reached.
    StoreUnavailable
        It refuses, or there is no host of this name.
    ForeignStore
        The database has runs, but only in the other layout of databroker 1.x.
    """

    capabilities = Capabilities(writable=False, shared=True, exact="json", live=True)
    database = Database

    def __init__(self, uri: str) -> None:
        super().__init__()
        self._database = self.database(uri)
        reached_or_closed(self)

    def __str__(self) -> str:
        return f"mongo-embedded: {self._database.name}"

    def __reduce__(self) -> Any:
        return type(self), (self._database.address.public,), {"stale_after": self.stale_after}

    def reach(self) -> None:
        self._database.reach()
        check_layout(self._database, "embedded")

    def close(self) -> None:
        self._database.close()

    def put(self, kind: str, doc: Doc) -> None:
        raise NotSupported(
            f"{self} is in the embedded layout of databroker 1.x, which is only read. Insert into "
            "another store; to take its runs there, copy them with `databroker.copy`."
        )

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        return islice(self._matching(query, after), limit)

    def _matching(self, query: Node, after: Any) -> Iterator[RunRecord]:
        matches = compile(query)
        headers = self._database.find("header", {}, fields={"start.time": 1})
        keys = sorted((_key(header) for header in headers), reverse=True)
        if after is not None:
            keys = [key for key in keys if key < (after[0], ObjectId(after[1]))]
        for first in range(0, len(keys), _PAGE):
            wanted = {"_id": {"$in": [last for _, last in keys[first : first + _PAGE]]}}
            page = sorted(self._database.find("header", wanted), key=_key, reverse=True)
            for header in page:
                record = _record(header)
                if matches(self._view(record, header)):
                    yield record

    def record(self, uid: str) -> RunRecord | None:
        header = self._header(uid)
        return None if header is None else _record(header)

    def _header(self, uid: str) -> Doc | None:
        return self._database.first("header", {"run_id": portable(uid)})

    def _view(self, record: RunRecord, header: Doc) -> RunView:
        def data_keys() -> set[str]:
            descriptors = header.get("descriptors", [])
            return {original(key) for each in descriptors for key in each.get("data_keys", {})}

        fact = functools.partial(run_fact, self, record.uid, record.stop)
        return RunView(record.start, record.stop, data_keys, fact)

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        header = self._header(uid) or {}
        for kind, section in _SECTIONS.items():
            if kind in kinds:
                for document in header.get(section, []):
                    yield kind, unpack_document(document)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return an extent for each page, of so many rows as it has now."""
        if kind not in ("event", "datum"):
            return []
        fields = {LISTS[f"{kind}_page"][0]: 1, "seq_num": 1}
        pages = self._database.find(
            kind, {OWNER[kind]: portable(owner)}, fields=fields, order=[("_id", 1)]
        )
        return [extent for page in pages if (extent := _extent(kind, owner, page)).rows]

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        from ...columns import select
        from ...columns.batches import from_page

        first, stop = rows or (0, extent.rows)
        stop = min(stop, extent.rows)
        owner, page = extent.token
        if first >= stop:
            return
        stored = self._database.first(
            kind, {"_id": ObjectId(page)}, fields=_fields_of(kind, selection)
        )
        whole = None if stored is None else from_page(kind, _page(kind, stored))
        if whole is None or whole.num_rows < stop:
            raise rows_are_gone(kind, owner, "the database")
        yield select(whole, None if selection.is_all else selection).slice(first, stop - first)

    def datum(self, datum_id: str) -> Doc | None:
        stored = self._database.first("datum", {"datum_id": portable(datum_id)})
        if stored is None:
            return None
        rows = unpack("datum_page", _page("datum", stored))
        return next((row for row in rows if row["datum_id"] == datum_id), None)

    def resource(self, uid: str) -> Doc | None:
        header = self._database.first("header", {"resources.uid": portable(uid)})
        resources = map(unpack_document, (header or {}).get("resources", []))
        return next((each for each in resources if each.get("uid") == uid), None)

    def run_of(self, kind: str, owner: str) -> str | None:
        section = _SECTIONS.get(OWNER[kind])
        if section is None:
            return None
        header = self._database.first("header", {f"{section}.uid": portable(owner)})
        return None if header is None else _record(header).uid


def _key(header: Mapping[str, Any]) -> tuple[float, Any]:
    return header["start"][0]["time"], header["_id"]


def _record(header: Doc) -> RunRecord:
    """Return the run of a header, which may have ended without a stop."""
    start = unpack_document(header["start"][0])
    stop = next(filter(None, header.get("stop") or []), None)
    time, last = _key(header)
    cursor = [time, str(last)]
    return RunRecord(start["uid"], start, None if stop is None else unpack_document(stop), cursor)


def _extent(kind: str, owner: str, page: Doc) -> Extent:
    rows = len(page.get(LISTS[f"{kind}_page"][0], []))
    numbers = [int(number) for number in page.get("seq_num", [])] or [0]
    return Extent(rows, min(numbers), max(numbers), [owner, str(page["_id"])])


def _fields_of(kind: str, selection: Selection) -> Doc:
    """Return which fields of a page the server is to send; one tells how many rows it has."""
    fields = fields_of(kind, selection)
    return fields if selection.others else {**fields, LISTS[f"{kind}_page"][0]: 1}


def _page(kind: str, stored: Doc) -> Doc:
    page = unpack_document({key: item for key, item in stored.items() if key not in _ADDED})
    repair(f"{kind}_page", page, [])
    return page
