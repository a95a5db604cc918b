"""The contract of stores, answered of those runs of another store that match a query."""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from ...documents.encode import same
from ...query.evaluate import RunView, compile
from ...query.nodes import Everything, In, Path
from ...query.wire import to_json
from ..activity import Activity
from ..arrays import elsewhere
from ..base import LINKED, Capabilities, RunRecord, Store
from ..facts import run_fact
from ..many import in_pages
from ..wrapper import StoreWrapper
from .extents import own_extents, read_spans
from .external import check_is_seen
from .fingerprint import fingerprint
from .pages import in_order
from .patterns import split
from .writing import Admission, admitted

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ...columns import Selection
    from ...documents.kinds import Document
    from ...query.nodes import Node
    from ..contents import Outline, StoredRun
    from ..external import Buffer, ExternalFile, ExternalValues, Head, Part, Seen
    from ..many import RunsPage
    from ..rows import Extent

Doc = dict[str, Any]

_UID = Path("uid")

_FEW = 10
"""So many runs are looked up one by one: a search begins with a look at the indexes."""


class NarrowedStore(StoreWrapper):
    """Answers as a store would that has only the runs of another one that match a query.

    A run that does not match is as one that is not there, and so are its documents, its rows and
    its data. So are documents of which no run is known.

    Parameters
    ----------
    behind
        The store that has all runs.
    query
        What the runs must match.

    Examples
    --------
    >>> from databroker.query.nodes import Equals, Everything
    >>> from databroker.stores.memory import MemoryStore
    >>> behind = MemoryStore()
    >>> for n, proposal in enumerate(["1234", "5678"]):
    ...     behind.insert("start", {"uid": f"run {n}", "time": float(n), "proposal": proposal})
    >>> store = NarrowedStore(behind, Equals(Path("proposal"), "1234"))
    >>> store.count(Everything()), store.resolve("run", 5), store.record("run 1")
    (1, ['run 0'], None)
    """

    def __init__(self, behind: Store, query: Node) -> None:
        super().__init__(behind)
        self._query = query
        self._predicate = compile(query)
        self._admission = Admission(query, self._sees, self._hides, behind.run_of)

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]
        """What the store behind can do, but to be copied as a whole."""
        return replace(self.behind.capabilities, backup=False)

    @property
    def members(self) -> Mapping[str, Store]:  # type: ignore[override]
        """The stores that the one behind asks, each with as few runs."""
        members = self.behind.members.items()
        return {name: NarrowedStore(member, self._query) for name, member in members}

    def __str__(self) -> str:
        return f"{self.behind}, of which {self._query!r}"

    def __reduce__(self) -> Any:
        return NarrowedStore, (self.behind, self._query)

    def _sees(self, uid: Any) -> bool:
        """Tell whether a run is there and matches."""
        return isinstance(uid, str) and self.record(uid) is not None

    def _hides(self, uid: str) -> bool:
        """Tell whether a run is there and does not match."""
        run = self.behind.record(uid)
        return run is not None and not self._predicate(self._view(run))

    def _visible(self, uids: Sequence[str]) -> list[str]:
        """Return those runs that are there and match, in this order."""
        if len(uids) <= _FEW:
            return [uid for uid in uids if self._sees(uid)]
        asked = self._query & In(_UID, tuple(uids))
        seen = {uid for (uid,) in self.behind.select(asked, [_UID])}
        return [uid for uid in uids if uid in seen]

    # -- writing ---------------------------------------------------------

    def write_for_others(self) -> None:
        self.behind.write_for_others()

    def put(self, kind: str, doc: Doc) -> None:
        self.put_many([(kind, doc)])

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        self._admission.check(documents)
        with admitted():
            self.behind.put_many(documents)

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        self._admission.check_owner(kind, owner)
        with admitted():
            self.behind.put_batch(kind, owner, batch)

    def prepare(self) -> None:
        self.behind.prepare()

    # -- finding runs ----------------------------------------------------

    # The query comes first everywhere, and patterns are tried here: nothing that is asked is tried
    # on runs that are not to be seen, so that no error tells of these, nor how long it takes.

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        asked, own = split(query)
        if own == Everything():
            return self.behind.find(self._query & asked, limit=limit, after=after)
        fits = compile(own)
        found = self.behind.find(self._query & asked, after=after)
        return islice((run for run in found if fits(self._view(run))), limit)

    def record(self, uid: str) -> RunRecord | None:
        run = self.behind.record(uid)
        return run if run is not None and self._predicate(self._view(run)) else None

    def count(self, query: Node) -> int:
        is_asked = split(query)[0] == query
        return self.behind.count(self._query & query) if is_asked else super().count(query)

    def select(
        self, query: Node, paths: Sequence[Path], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        if split(query)[0] == query:
            return self.behind.select(self._query & query, paths, limit)
        return super().select(query, paths, limit)

    def distinct(self, path: Path, query: Node) -> list[tuple[Any, int]]:
        if split(query)[0] == query:
            return self.behind.distinct(path, self._query & query)
        return super().distinct(path, query)

    def _view(self, run: RunRecord) -> RunView:
        """Return a run as questions see it."""

        def data_keys() -> set[str]:
            descriptors = self.behind.documents(run.uid, ["descriptor"])
            return {key for _, doc in descriptors for key in doc["data_keys"]}

        fact = partial(run_fact, self.behind, run.uid, run.stop)
        return RunView(run.start, run.stop, data_keys, fact)

    # -- reading a run ---------------------------------------------------

    def documents(self, uid: str, kinds: Collection[str] = LINKED) -> Iterator[tuple[str, Doc]]:
        return self.behind.documents(uid, kinds) if self._sees(uid) else iter(())

    def activity(self, uid: str) -> Activity:
        return self.behind.activity(uid) if self._sees(uid) else super().activity(uid)

    def run_of(self, kind: str, owner: str) -> str | None:
        run = self.behind.run_of(kind, owner)
        return run if self._sees(run) else None

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where rows are; a token says whose they are, and how many come before them."""
        return own_extents(owner, self._extents(kind, owner))

    def _extents(self, kind: str, owner: Any) -> list[Extent]:
        """Return the extents of the store behind, of an owner in a run that is to be seen."""
        is_seen = isinstance(owner, str) and self.run_of(kind, owner) is not None
        return self.behind.extents(kind, owner) if is_seen else []

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        owner, first = extent.token
        low, high = rows or (0, extent.rows)
        wanted = [(first + low, first + min(high, extent.rows))]
        for batches in read_spans(self.behind, kind, self._extents(kind, owner), wanted, selection):
            yield from batches

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        for owner, some in groupby(extents, key=lambda extent: extent.token[0]):
            wanted = [(each.token[1], each.token[1] + each.rows) for each in some]
            there = self._extents(kind, owner)
            yield from read_spans(self.behind, kind, there, wanted, selection)

    def read_many(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        for some in in_pages(runs):
            pages = self.behind.read_many(self._visible(some), stream, selection)
            yield from in_order(some, pages)

    def outlines(self, uids: Iterable[str]) -> dict[str, Outline]:
        return self.behind.outlines(self._visible(list(uids)))

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        for some in in_pages(uids):
            for run in self.behind.read_runs(self._visible(some)):
                extents = {
                    (kind, uid): own_extents(uid, found)
                    for (kind, uid), found in run.extents.items()
                }
                yield replace(run, extents=extents)

    def datum(self, datum_id: str) -> Doc | None:
        datum = self.behind.datum(datum_id)
        return datum if datum and self.run_of("datum", datum["resource"]) is not None else None

    def resource(self, uid: str) -> Doc | None:
        resource = self.behind.resource(uid)
        return resource if resource and self.run_of("datum", uid) is not None else None

    def read_array(self, document: Document, place: Sequence[slice]) -> np.ndarray[Any, Any]:
        """Return a part of the data of a stream resource, if just that is one of a run's here."""
        kept = self.documents(document.get("run_start", ""), ["stream_resource"])
        if not any(same(doc, dict(document)) for _, doc in kept):
            raise elsewhere(document)
        return self.behind.read_array(document, place)

    def see_external(self, values: ExternalValues, cheaply: bool = False) -> Seen | None:
        check_is_seen(self, values)
        return self.behind.see_external(values, cheaply)

    def count_external(self, values: ExternalValues) -> int:
        check_is_seen(self, values)
        return self.behind.count_external(values)

    def read_external(
        self, values: ExternalValues, part: Part | None = None
    ) -> Iterator[Head | Buffer]:
        check_is_seen(self, values)
        return self.behind.read_external(values, part)

    def list_external(self, uid: str) -> Iterator[ExternalFile]:
        return self.behind.list_external(uid) if self._sees(uid) else iter(())

    # -- noticing what is new ----------------------------------------------

    def state(self) -> Hashable:
        """Return what is another value once more is stored in the runs that one may look for.

        These are the newest runs and those that go on. What comes late to another one is there,
        but not told. That other runs were written is not told either.
        """
        return fingerprint(self, str(to_json(self._query)))

    def wait_for_changes(self, state: Hashable, timeout: float) -> bool:
        """Wait until there is more here: looked at whenever the store behind has something new."""
        end = time.monotonic() + timeout
        while True:
            behind = self.behind.state()
            if self.state() != state:
                return True
            if not self.behind.wait_for_changes(behind, max(0.0, end - time.monotonic())):
                return False

    def is_waiting(self, uid: str) -> bool:
        return self._sees(uid) and self.behind.is_waiting(uid)

    def reach(self) -> None:
        self.behind.reach()

    def close(self) -> None:
        """Do nothing: who has the store behind closes it."""
