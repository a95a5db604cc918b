"""A store that signs whatever clients bring back: cursors of runs, marks and extents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...documents.kinds import Document
from ...stores.base import RunRecord, Store
from ...stores.contents import StoredRun
from ...stores.delegating import DelegatingStore
from ...stores.rows import Extent
from ...stores.wrapper import StoreWrapper
from .signer import Signer

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node


class SignedStore(StoreWrapper, DelegatingStore):
    """Passes everything on to a store, and signs what that takes on trust.

    Parameters
    ----------
    behind
        The store.
    signer
        What signs.
    """

    def __init__(self, behind: Store, signer: Signer) -> None:
        super().__init__(behind)
        self._signer = signer

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Return what a method of the store behind gives."""
        return getattr(self.behind, method)(*args, **kwargs)

    # -- writing: the store behind checks what it keeps --------------------

    def insert(self, kind: str, doc: Document) -> None:
        self.behind.insert(kind, doc)

    def insert_many(self, documents: Iterable[tuple[str, Document]]) -> None:
        self.behind.insert_many(documents)

    def insert_batches(self, kind: str, owner: str, batches: Iterable[pa.RecordBatch]) -> None:
        self.behind.insert_batches(kind, owner, batches)

    def insert_runs(self, runs: Sequence[StoredRun]) -> None:
        self.behind.insert_runs(runs)

    def put(self, kind: str, doc: dict[str, Any]) -> None:
        self.behind.put(kind, doc)

    # -- finding runs ------------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        place = None if after is None else self._signer.unsign("cursor", after)
        return map(self._record, self.behind.find(query, limit=limit, after=place))

    def record(self, uid: str) -> RunRecord | None:
        run = self.behind.record(uid)
        return run and self._record(run)

    def _record(self, run: RunRecord) -> RunRecord:
        return replace(run, cursor=self._signer.sign("cursor", run.cursor))

    def newest_mark(self) -> Any:
        mark = self.behind.newest_mark()
        return None if mark is None else self._signer.sign("mark", mark)

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        found = self.behind.uids_since(None if mark is None else self._signer.unsign("mark", mark))
        if found is None:
            return None
        uids, new = found
        return uids, None if new is None else self._signer.sign("mark", new)

    # -- reading a run -----------------------------------------------------

    def extents(self, kind: str, owner: str) -> list[Extent]:
        return self._signed(kind, self.behind.extents(kind, owner))

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        return self.behind.read(kind, self._unsigned(kind, extent), selection, rows)

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        unsigned = [self._unsigned(kind, extent) for extent in extents]
        return self.behind.read_extents(kind, unsigned, selection)

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        for run in self.behind.read_runs(uids):
            signed = {owner: self._signed(owner[0], found) for owner, found in run.extents.items()}
            yield replace(run, extents=signed)

    def _signed(self, kind: str, extents: Iterable[Extent]) -> list[Extent]:
        what = _extent_of(kind)
        return [replace(each, token=self._signer.sign(what, _parts(each))) for each in extents]

    def _unsigned(self, kind: str, extent: Extent) -> Extent:
        """Return the extent that was signed, whatever else the client says of it."""
        return Extent(*self._signer.unsign(_extent_of(kind), extent.token))

    def close(self) -> None:
        """Do nothing: who has the store behind closes it."""


def _extent_of(kind: str) -> str:
    return f"extent of {kind}s"


def _parts(extent: Extent) -> list[Any]:
    return [extent.rows, extent.min_seq, extent.max_seq, extent.token]
