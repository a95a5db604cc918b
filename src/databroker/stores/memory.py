"""Documents in the memory of this process: the simplest store, and the oracle.

It keeps what it is given in dictionaries and lists and answers questions by
looking at everything. Every other store must give the same answers.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from .._util.forks import tell_of_forks
from .._util.waiters import Waiters
from ..documents.encode import same
from ..documents.identity import conflict, is_provisional, same_row, unknown_descriptor
from ..documents.kinds import IDENTITY, OWNER, PAGES
from ..documents.pages import unpack
from ..query.evaluate import RunView, compile
from .activity import Activity
from .base import LINKED, Capabilities, RunRecord, Store
from .facts import run_fact, writer_here
from .rows import Extent

if TYPE_CHECKING:
    import pyarrow as pa

    from ..columns import Selection
    from ..query.nodes import Node

Doc = dict[str, Any]


@dataclass(slots=True)
class _Series:
    """The rows of one owner, in order of arrival."""

    identity: str
    rows: list[Doc] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def find(self, identity: str) -> Doc | None:
        place = self.places.get(identity, len(self.rows))
        row = self.rows[place] if place < len(self.rows) else None
        return row if row is not None and row[self.identity] == identity else None

    def put(self, first: int, rows: list[Doc]) -> None:
        """Let rows stand from a place on; to do so again changes nothing."""
        self.places.update((row[self.identity], first + n) for n, row in enumerate(rows))
        self.rows[first:] = rows


class MemoryStore(Store):
    """Keeps documents in this process, for as long as it lives.

    A forked process has a copy of its own. An interrupt leaves what is inserted whole or not
    there: what leads to a document is noted before it, and counts only where it is there; rows
    are put down as begun, all at once, and whoever looks next brings that to its end.

    Examples
    --------
    >>> store = MemoryStore()
    >>> store.insert("start", {"uid": "a", "time": 1.0})
    >>> store.record("a").start
    {'uid': 'a', 'time': 1.0}
    """

    capabilities = Capabilities(writable=True, exact="exact", live=True)

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._waiters = Waiters()
        self._insertions = 0
        self._documents: dict[str, dict[str, Doc]] = {kind: {} for kind in IDENTITY}
        self._arrivals: dict[str, int] = {}  # of the uid of a start, which one it was
        self._stops: dict[str, Doc] = {}
        self._stopped: dict[str, str] = {}  # of the uid of a stop, its run
        self._series: dict[tuple[str, str], _Series] = {}
        self._datums: dict[str, str] = {}  # of the id of a datum, its resource
        self._begun: list[tuple[_Series, int, list[Doc]]] = []
        tell_of_forks(self)

    def __str__(self) -> str:
        return "memory of this process"

    def __reduce__(self) -> Any:
        raise TypeError(
            "A memory store lives in one process and cannot be pickled: another process would "
            "not see its runs. Use an SQLite store, for example databroker.temp()."
        )

    # -- writing ---------------------------------------------------------

    def put(self, kind: str, doc: Doc) -> None:
        with self._lock:
            self._insertions += 1  # before: nobody sees it until it is done, or was interrupted
            self._waiters.wake()
            if kind in PAGES:
                self._put_rows(PAGES[kind], list(unpack(kind, doc)))
            elif kind in OWNER:
                self._put_rows(kind, [doc])
            else:
                self._put_document(kind, doc)

    def _put_document(self, kind: str, doc: Doc) -> None:
        known = self._known_document(kind, doc)
        if known is not None:
            if not same(known, doc):
                raise conflict(kind, known, doc)
        elif kind == "stop":
            self._stopped[doc["uid"]] = doc["run_start"]
            self._stops[doc["run_start"]] = doc
        else:
            if kind == "start":
                self._arrivals[doc["uid"]] = len(self._documents["start"])
            self._documents[kind][doc["uid"]] = doc

    def _known_document(self, kind: str, doc: Doc) -> Doc | None:
        """Return the document that is there in place of another one."""
        if kind != "stop":
            return self._documents[kind].get(doc["uid"])
        named = self._stops.get(self._stopped.get(doc["uid"], ""))
        if named is not None and named["uid"] == doc["uid"]:
            return named
        other = self._stops.get(doc["run_start"])
        return None if other is None or is_provisional(other) else other

    def _put_rows(self, kind: str, rows: list[Doc]) -> None:
        fresh: dict[tuple[str, str], Doc] = {}
        for row in rows:
            if kind == "event" and row["descriptor"] not in self._documents["descriptor"]:
                raise unknown_descriptor(row["descriptor"])
            identity = row[IDENTITY[kind]]
            key = ("" if kind == "datum" else row[OWNER[kind]], identity)
            known = fresh.get(key) or self._known_row(kind, row)
            if known is None:
                fresh[key] = row
            elif not same_row(known, row):
                raise conflict(kind, known, row)
        by_owner: dict[str, list[Doc]] = {}
        for row in fresh.values():
            by_owner.setdefault(row[OWNER[kind]], []).append(row)
            if kind == "datum":
                self._datums[row["datum_id"]] = row["resource"]
        begun = []
        for owner, more in by_owner.items():
            series = self._series.setdefault((kind, owner), _Series(IDENTITY[kind]))
            begun.append((series, len(series.rows), more))
        self._begun = begun
        self._finish()

    def _finish(self) -> None:
        for series, first, rows in self._begun:
            series.put(first, rows)
        self._begun = []

    def _series_of(self, kind: str, owner: str) -> _Series | None:
        if self._begun:
            self._finish()
        return self._series.get((kind, owner))

    def _known_row(self, kind: str, row: Doc) -> Doc | None:
        if kind == "datum":
            return self._datum(row["datum_id"])
        series = self._series_of(kind, row[OWNER[kind]])
        return series.find(row[IDENTITY[kind]]) if series else None

    def _datum(self, datum_id: str) -> Doc | None:
        series = self._series_of("datum", self._datums.get(datum_id, ""))
        return series.find(datum_id) if series else None

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        predicate = compile(query)
        with self._lock:
            starts = sorted(self._documents["start"].values(), key=self._cursor, reverse=True)
        if after is not None:
            starts = [start for start in starts if self._cursor(start) < tuple(after)]
        matches = (start for start in starts if predicate(self._view(start)))
        yield from map(self._record, islice(matches, limit))

    def count(self, query: Node) -> int:
        predicate = compile(query)
        with self._lock:
            return sum(predicate(self._view(s)) for s in self._documents["start"].values())

    def record(self, uid: str) -> RunRecord | None:
        with self._lock:
            start = self._documents["start"].get(uid)
            return self._record(start) if start is not None else None

    def _view(self, start: Doc) -> RunView:
        uid = start["uid"]
        stop = self._stops.get(uid)
        fact = lambda name: run_fact(self, uid, stop, name)  # noqa: E731
        return RunView(start, stop, lambda: self._data_keys(uid), fact)

    def _data_keys(self, uid: str) -> set[str]:
        return {
            key
            for descriptor in self._documents["descriptor"].values()
            if descriptor["run_start"] == uid
            for key in descriptor["data_keys"]
        }

    def _record(self, start: Doc) -> RunRecord:
        stop = self._stops.get(start["uid"])
        documents = copy.deepcopy(start), copy.deepcopy(stop)
        return RunRecord(start["uid"], *documents, self._cursor(start))

    def _cursor(self, start: Doc) -> tuple[float, int]:
        return start["time"], self._arrivals[start["uid"]]

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        with self._lock:
            documents = [
                (kind, copy.deepcopy(doc))
                for kind in LINKED
                if kind in kinds
                for doc in self._documents[kind].values()
                if doc.get("run_start") == uid
            ]
        return iter(documents)

    def activity(self, uid: str) -> Activity:
        """Return when the run was last written; the writer is this process."""
        return writer_here(super().activity(uid).last_time)

    def _rows(self, kind: str, owner: str) -> list[Doc]:
        series = self._series_of(kind, owner)
        return series.rows if series else []

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return one extent that covers all rows."""
        with self._lock:
            rows = self._rows(kind, owner)
            if not rows:
                return []
            numbers = [row["seq_num"] for row in rows] if kind == "event" else [0]
            return [Extent(len(rows), min(numbers), max(numbers), owner)]

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as one batch."""
        from ..columns import from_rows

        first, stop = rows or (0, extent.rows)
        with self._lock:
            wanted = self._rows(kind, extent.token)[first:stop]
        if wanted:
            yield from_rows(kind, wanted, selection)

    def datum(self, datum_id: str) -> Doc | None:
        with self._lock:
            return copy.deepcopy(self._datum(datum_id))

    def resource(self, uid: str) -> Doc | None:
        with self._lock:
            return copy.deepcopy(self._documents["resource"].get(uid))

    def run_of(self, kind: str, owner: str) -> str | None:
        with self._lock:
            return self._documents[OWNER[kind]].get(owner, {}).get("run_start")

    # -- noticing what is new ----------------------------------------------

    def state(self) -> Hashable:
        """Return how often something was inserted."""
        with self._lock:
            return self._insertions

    def wait_for_changes(self, state: Hashable, timeout: float) -> bool:
        return self._waiters.wait_for(lambda: self._insertions != state, timeout)

    def newest_mark(self) -> Any:
        with self._lock:
            starts = self._documents["start"]
            return [len(starts), next(reversed(starts))] if starts else None

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        """Return the uids that came since a mark: how many there were, and the last of them."""
        with self._lock:
            starts = self._documents["start"]
            number, last = mark if _is_mark(mark) else (0, None)
            came = list(islice(reversed(starts), max(0, len(starts) - number) + 1))[::-1]
            if mark is not None and (number > len(starts) or came[:1] != [last]):
                return None
            return came[mark is not None :], [len(starts), came[-1]] if came else None

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def before_fork(self) -> None:
        """Let no other thread be in the middle of something."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Go on, with a copy of all that is there."""
        self._lock = threading.RLock()
        self._waiters = Waiters()


def _is_mark(mark: Any) -> bool:
    return isinstance(mark, list | tuple) and len(mark) == 2 and isinstance(mark[0], int)
