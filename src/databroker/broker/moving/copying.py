"""Runs on their way from one store to another, and what becomes of each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from ...columns.digest import RowsDigest
from ...errors import (
    CopyDiffers,
    DatabrokerError,
    InvalidDocument,
    StoreDamaged,
    StoreIsReadOnly,
    StoreUnavailable,
)
from ...stores.contents import Outline, Owner, StoredRun
from .comparing import Digests, difference, has_all, rows_digests, run_digest
from .external import Files, with_adopted
from .known import Known
from .progress import Meter, Report
from .report import CopiedRun, CopyReport, Outcome
from .sending import documents_of, is_small, send_large, size_of

if TYPE_CHECKING:
    import pyarrow as pa

    from ...stores.base import Store

_LOOKED_AT = 256  # runs that are looked at together
_FATAL = (StoreUnavailable, StoreIsReadOnly)  # which no other run would escape


class Copying:
    """One copy: what is on its way, and what became of each run."""

    def __init__(
        self,
        source: Store,
        target: Store,
        files: Files | None = None,
        verify: bool = True,
        progress: Report | None = None,
    ) -> None:
        self._source, self._target, self._files, self._verify = source, target, files, verify
        self._progress, self._meter = progress, Meter()
        self._waiting: list[StoredRun] = []  # small runs, to be sent together
        self._wanted: Mapping[str, Outline] = {}  # of the runs looked at now, at the source
        self._present: Mapping[str, Outline] = {}  # and at the target
        self._whole: set[str] = set()  # those of them that are there already
        self._became: dict[str, CopiedRun] = {}

    def all(self, uids: Sequence[str]) -> CopyReport:
        """Copy runs, in this order."""
        self._meter = Meter(self._progress, len(uids))
        left = iter(uids)
        while some := list(islice(left, _LOOKED_AT)):
            for run in self._runs(self._source, self._missing(some)):
                with self._failing(run.uid):
                    self._send(run)
            self._flush()
        self._meter.end()
        return CopyReport(
            [self._became[uid] for uid in uids if uid in self._became],
            self._meter.rows,
            self._meter.bytes,
            self._meter.seconds,
            self._verify,
            () if self._files is None else self._files.copied,
        )

    # -- what there is to do ---------------------------------------------

    def _missing(self, uids: Sequence[str]) -> list[str]:
        """Return those of some runs of which something is not there, or that may have files."""
        self._wanted, self._present = self._outlines(uids), self._target.outlines(uids)
        missing, self._whole = [], set()
        for uid in filter(self._wanted.__contains__, uids):
            with self._failing(uid):
                outline, there = self._wanted[uid], self._present.get(uid)
                if there is not None and has_all(there, outline):
                    self._whole.add(uid)
                if uid not in self._whole or (self._files is not None and outline.rows):
                    missing.append(uid)
                else:
                    self._tell(uid, "there", outline)
        return missing

    def _outlines(self, uids: Sequence[str]) -> dict[str, Outline]:
        try:
            return self._source.outlines(uids)
        except StoreDamaged:
            found: dict[str, Outline] = {}
            for uid in uids:
                with self._failing(uid):
                    found |= self._source.outlines([uid])
            return found

    def _runs(self, store: Store, uids: Sequence[str]) -> Iterator[StoredRun]:
        """Yield runs of a store; where one is damaged, the others are read without it."""
        left = dict.fromkeys(uids)
        try:
            for run in store.read_runs(uids):
                del left[run.uid]
                yield run
        except StoreDamaged:
            for uid in left:
                with self._failing(uid):
                    yield from store.read_runs([uid])

    # -- sending ---------------------------------------------------------

    def _send(self, run: StoredRun) -> None:
        if lost := self._wanted[run.uid].rows.keys() - run.extents.keys():
            raise StoreDamaged(f"Some of its documents are damaged: {sorted(lost)}.")
        run = with_adopted(self._source, run)
        if self._files is not None:
            run = self._files.carry(run)
        if run.uid in self._whole:
            self._tell(run.uid, "there", run.outline)
            return
        if is_small(run):
            self._waiting.append(run)
            return
        self._flush()  # runs arrive in their order
        self._meter.begin_run(sum(run.outline.rows.values()))
        digests = {owner: RowsDigest() for owner in run.extents}
        known = Known(self._target, self._present.get(run.uid))

        def look(owner: Owner, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                if self._verify:
                    digests[owner].add(batch)
                yield known.without(owner, batch)
                self._meter.sent(batch.num_rows, batch.nbytes)

        send_large(self._source, run, self._target, look)
        self._check([run], {run.uid: digests})

    def _flush(self) -> None:
        """Send the small runs that wait."""
        runs, self._waiting = self._waiting, []
        if not runs:
            return
        try:
            self._insert(runs)
        except (InvalidDocument, StoreDamaged):
            runs = list(chain.from_iterable(map(self._alone, runs)))
        digests: dict[str, Digests] = {}
        for run in runs if self._verify else ():
            with self._failing(run.uid):
                digests[run.uid] = rows_digests(self._source, run)
        self._check(runs, digests)

    def _alone(self, run: StoredRun) -> Iterator[StoredRun]:
        with self._failing(run.uid):
            self._insert([run])
            yield run

    def _insert(self, runs: Sequence[StoredRun]) -> None:
        if any(run.batches is None for run in runs):
            self._target.insert_many(chain.from_iterable(map(self._documents, runs)))
            return
        self._target.insert_runs(runs)
        for run in runs:
            self._meter.sent(sum(run.outline.rows.values()), size_of(run))

    def _documents(self, run: StoredRun) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from documents_of(self._source, run)
        self._meter.sent(sum(run.outline.rows.values()), size_of(run))

    # -- afterwards ------------------------------------------------------

    def _check(self, runs: Sequence[StoredRun], digests: Mapping[str, Digests]) -> None:
        """Read what was written, compare it, and say what became of each run."""
        uids = [run.uid for run in runs if self._verify]
        written = {run.uid: run for run in self._runs(self._target, uids)}
        for run in runs:
            if run.uid in self._became:
                continue  # it cannot be read
            with self._failing(run.uid):
                digest = None
                if self._verify:
                    digest = self._compared(run, digests[run.uid], written.get(run.uid))
                done: Outcome = "continued" if run.uid in self._present else "copied"
                self._tell(run.uid, done, run.outline, digest)

    def _compared(self, run: StoredRun, rows: Digests, there: StoredRun | None) -> str:
        """Return the digest of a run that is at the target as at the source; raise if it is not."""
        digest = run_digest(run, rows)
        problem: str | None = "it is not there"
        if there is not None:
            there = with_adopted(self._target, there, run)
            if run_digest(there, rows_digests(self._target, there, (run, rows))) == digest:
                return digest
            problem = difference(self._source, run, self._target, there)
        if problem is not None:
            raise CopyDiffers(f"What is at the target is not what was sent: {problem}.")
        return digest

    def _tell(
        self, uid: str, outcome: Outcome, outline: Outline, digest: str | None = None
    ) -> None:
        rows = sum(outline.rows.values())
        self._became[uid] = CopiedRun(uid, outcome, rows, digest)
        self._meter.done(sent=outcome != "there")

    @contextlib.contextmanager
    def _failing(self, uid: str) -> Iterator[None]:
        """Take note of what stands in the way of one run; what stands in that of all is raised."""
        try:
            yield
        except _FATAL:
            raise
        except DatabrokerError as error:
            self._became[uid] = CopiedRun(uid, "failed", problem=str(error))
            self._meter.done()
