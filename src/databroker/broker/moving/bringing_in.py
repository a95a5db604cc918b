"""Documents from files on their way into a store, and what becomes of each run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...documents.files.formats import Fault
from ...documents.kinds import OWNER, PAGES
from ...errors import InvalidDocument, StoreDamaged
from ...stores.sizes import bytes_of
from .import_report import ImportReport, Refusal
from .known import KnownRows
from .progress import counted

if TYPE_CHECKING:
    from ...documents.files.flowing import Found
    from ...stores.base import Store
    from ...stores.contents import Outline
    from .progress import Meter

_DOCUMENTS = 4000  # that are saved together
_BYTES = 2**23  # of these, at most
_PARTS = 20  # in which they are saved if one of them is refused
_RUNS = 256  # that are looked at together

_ABOVE = ("run_start", "descriptor", "resource", "stream_resource")
"""The keys that name what a document belongs to."""

_ROWS = (*OWNER, *PAGES)

Place = tuple[str, str]
"""A file, and a place in it."""

Waiting = tuple[Place, str, dict[str, Any]]


class BringingIn:
    """Saves the documents of files; what is refused does not hold up the rest."""

    def __init__(self, store: Store, meter: Meter, report: ImportReport) -> None:
        self._store, self._meter, self._report = store, meter, report
        self._known = KnownRows(store)
        self._before: dict[str, object] = {}  # what was known of each run
        self._refused: set[str] = set()  # uids
        self._waiting: list[Waiting] = []
        self._size = 0  # of these, in bytes

    def add(self, file: str, found: Iterable[Found]) -> None:
        """Take the documents of one file; those of many small ones are saved together."""
        for place, what in found:
            where = file, f"{place} {what.number}"
            if isinstance(what, Fault):
                self._report.refuse(Refusal(*where, what.text))
                continue
            self._waiting.append((where, what.kind, what.document))
            self._size += bytes_of(what.document)
            if len(self._waiting) >= _DOCUMENTS or self._size >= _BYTES:
                self._save()

    def end(self) -> None:
        """Save what waits yet, and say what became of each run."""
        self._save()
        for some in _sliced(list(self._before), _RUNS):
            outlines = self._outlines(some)
            for uid in some:
                before, after = self._before[uid], _signature(outlines.get(uid))
                if uid in self._refused or after is None:
                    continue
                if before is None:
                    self._report.new.append(uid)
                elif before != after:
                    self._report.continued.append(uid)
                else:
                    self._report.known.append(uid)

    # -- saving ----------------------------------------------------------

    def _save(self) -> None:
        batch, self._waiting, self._size = self._waiting, [], 0
        self._look(batch)
        self._insert([each for each in batch if not self._is_known(each)])

    def _insert(self, batch: Sequence[Waiting]) -> None:
        batch = [each for each in batch if not self._is_left_out(each)]
        try:
            documents = ((kind, document) for _, kind, document in batch)
            self._store.insert_many(documents)
        except InvalidDocument as error:
            if len(batch) == 1:
                self._refuse(batch[0], error)
                return
            # Those before it are saved, which it does not harm to do again.
            for part in _sliced(batch, -(-len(batch) // _PARTS)):
                self._insert(part)
            return
        self._count(batch)

    def _is_known(self, waiting: Waiting) -> bool:
        """Tell whether a row is there already, as it is; the store itself would say so later."""
        known = self._known.has(*waiting[1:])
        if known:
            self._count([waiting])
        return known

    def _count(self, batch: Sequence[Waiting]) -> None:
        for _ in counted((each[1:] for each in batch), self._meter):
            pass

    def _refuse(self, waiting: Waiting, error: InvalidDocument) -> None:
        self._report.refuse(Refusal(*waiting[0], str(error)))
        self._mark(waiting)

    def _is_left_out(self, waiting: Waiting) -> bool:
        """Tell whether a document belongs to one that was refused: to save it would mix runs."""
        if not self._refused.intersection(_owners(*waiting[1:])):
            return False
        self._mark(waiting)
        self._report.left_out += 1
        return True

    def _mark(self, waiting: Waiting) -> None:
        """Take note of a document that is not saved, so that nothing is that belongs to it."""
        _, kind, document = waiting
        if kind not in _ROWS and isinstance(uid := document.get("uid"), str):
            self._refused.add(uid)

    # -- what became of runs ---------------------------------------------

    def _look(self, batch: Iterable[Waiting]) -> None:
        """Take note of what is known of runs before something of them is saved."""
        uids = {
            uid: None
            for _, kind, document in batch
            if isinstance(uid := document.get("uid" if kind == "start" else "run_start"), str)
        }
        new = [uid for uid in uids if uid not in self._before]
        for some in _sliced(new, _RUNS):
            outlines = self._outlines(some)
            for outline in outlines.values():
                self._known.look(outline)
            self._before |= {uid: _signature(outlines.get(uid)) for uid in some}

    def _outlines(self, uids: Sequence[str]) -> Mapping[str, Outline]:
        """Return the outlines of runs that are there, and are not damaged."""
        try:
            return self._store.outlines(uids)
        except StoreDamaged:
            if len(uids) == 1:
                return {}
            return {uid: one for each in uids for uid, one in self._outlines([each]).items()}


def _owners(kind: str, document: dict[str, Any]) -> Iterator[str]:
    """Yield the uids of what a document says that it belongs to."""
    documents = [document]
    if kind == "bulk_events":
        documents = [event for events in document.values() for event in events[:1]]
    for each in documents:
        for key in _ABOVE:
            if isinstance(uid := each.get(key), str):
                yield uid


def _signature(outline: Outline | None) -> object:
    """Return what tells whether something was added to a run; None if it is not there."""
    if outline is None:
        return None
    return outline.stop and outline.stop.get("uid"), len(outline.rows), sum(outline.rows.values())


def _sliced(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]
