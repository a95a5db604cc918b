"""How documents get into the tables: rows, pages, and all the others."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from ..._util.garbage import collecting_later
from ..._util.signals import without_signals
from ...documents.identity import unknown_descriptor
from ...documents.kinds import IDENTITY, OWNER, PAGES
from ...documents.pages import unpack
from ..sizes import is_large
from . import runs, series, starts
from .engine.connection import Connection, Connections, transaction
from .series import Series
from .series_rows import lengths_of_run
from .single import stored_document
from .uid_filter import hashes_of
from .whole_runs import WholeRun, divide, new_runs, put_whole_runs

if TYPE_CHECKING:
    import pyarrow as pa

Doc = dict[str, Any]
KnownSeries = dict[tuple[str, str], Series]

_REMEMBERED = 512  # series of which this process knows the state
_BLOCK = 64  # rows that are worth a block though their run goes on
_LARGE = 2**20  # bytes of events from which the log is moved into the file at the stop


class Writer:
    """Puts documents into a database.

    What it knows of series mirrors the tables. It is put aside for the time of a write, and
    taken up again when that has come to its end. So it never says more, or less, than what is
    stored, whatever is raised and wherever.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.is_for_others = False
        self._known: KnownSeries = {}
        self._pid = os.getpid()

    def put(self, kind: str, doc: Doc) -> bool:
        """Store a document; tell whether it ended a large run."""
        return self._connections.write(partial(self._put, kind, doc))

    def put_together(self, documents: Sequence[tuple[str, Doc]]) -> bool:
        """Store documents in one transaction, all or none; tell whether one ended a large run."""
        return self._connections.write(partial(self._put_together, documents))

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> bool:
        """Store rows of one owner that come as columns, all or none; no run ends with them."""
        return self._connections.write(partial(self._put_batch, kind, owner, batch))

    def put_runs(self, runs: Sequence[WholeRun]) -> set[str]:
        """Store those of some runs of which nothing is stored, all or none; return their uids."""
        return self._connections.write(partial(self._put_runs, runs))

    def _put_runs(self, found: Sequence[WholeRun], connection: Connection) -> set[str]:
        get_ready()
        with collecting_later(), connection.storing_much():
            write = self._begin(connection)
            with transaction(connection):
                stored = write.put_runs(found)
            self._end(write)
        return stored

    def _put(self, kind: str, doc: Doc, connection: Connection) -> bool:
        write = self._begin(connection)
        write.put(kind, doc)
        return self._end(write)

    def _put_together(self, documents: Sequence[tuple[str, Doc]], connection: Connection) -> bool:
        get_ready()
        with collecting_later(), connection.storing_much():
            write = self._begin(connection)
            with transaction(connection):
                write.put_many(documents)
            return self._end(write)

    def _put_batch(
        self, kind: str, owner: str, batch: pa.RecordBatch, connection: Connection
    ) -> bool:
        with collecting_later():
            write = self._begin(connection)
            write.put_batch(kind, owner, batch)
            return self._end(write)

    def _begin(self, connection: Connection) -> _Write:
        known = self._known if self._pid == os.getpid() else {}
        self._known, self._pid = {}, os.getpid()
        writer = starts.NOBODY if self.is_for_others else starts.this_process()
        return _Write(connection, known, writer)

    def _end(self, write: _Write) -> bool:
        """Take up again what is known, once all is stored; tell whether a large run ended."""
        self._known = write.known
        return write.ended_large


@functools.cache
def get_ready() -> None:
    """Import what events need, before they come."""
    without_signals(_import)


def _import() -> None:
    from ...columns import assemble, batches, segments  # noqa: F401
    from ...columns.arrow import prepare

    prepare()


@dataclass
class _Write:
    """One write."""

    connection: Connection
    known: KnownSeries
    writer: starts.Writer
    ended_large: bool = field(default=False, init=False)
    _current: set[int] | None = field(default=None, init=False)
    """The series looked at in a transaction that goes on: nobody else has changed them."""

    def put(self, kind: str, doc: Doc) -> None:
        if kind != "start":
            get_ready()
        if kind in OWNER:
            self._put_row(kind, doc)
        elif kind in PAGES:
            self._put_page(kind, doc)
        else:
            self._put_document(kind, doc)

    def put_many(self, documents: Sequence[tuple[str, Doc]]) -> None:
        """Store documents: whole runs at once, and rows of one owner that come together."""
        self._current = set()
        whole, others = divide(self.connection, documents)
        self._put_whole(whole)
        waiting: dict[tuple[str, str], list[Doc]] = {}
        for kind, doc in others:
            if kind in OWNER:
                owner = kind, doc[OWNER[kind]]
                if owner not in waiting:
                    self._series(*owner)  # which must be known by now
                waiting.setdefault(owner, []).append(doc)
                continue
            if kind in PAGES or kind == "stop":
                self._put_rows(waiting, 1 if kind == "stop" else _BLOCK)
                waiting = {}
            self.put(kind, doc)
        self._put_rows(waiting, _BLOCK)

    def put_runs(self, found: Sequence[WholeRun]) -> set[str]:
        """Store whole runs of which nothing is stored; return the uids of these."""
        self._current = set()
        new = new_runs(self.connection, found)
        self._put_whole(list(new.values()))
        return set(new)

    def _put_whole(self, found: Sequence[WholeRun]) -> None:
        put_whole_runs(self.connection, found, self.writer)
        for run in found:
            self._put_rows({key: own for key, own in run.rows.items() if key[0] == "datum"}, 1)

    def _put_rows(self, waiting: dict[tuple[str, str], list[Doc]], least: int) -> None:
        """Store rows by their owners: so many of one as a block, without those that are known."""
        from ...columns import from_rows

        for (kind, owner), rows in waiting.items():
            identities = [row[IDENTITY[kind]] for row in rows]
            make = partial(from_rows, kind, rows)
            if len(rows) < least or not self._put_columns(kind, owner, identities, make):
                for row in rows:
                    self._put_row(kind, row)

    def _put_row(self, kind: str, row: Doc) -> None:
        rows = self._series(kind, row[OWNER[kind]])
        if kind == "datum":
            runs.claim_datum(self.connection, row["datum_id"], row["resource"])
        if is_large(row):
            with transaction(self.connection):
                series.append_alone(self.connection, rows, row)
            return
        series.append(self.connection, rows, row)
        if series.is_full(rows):
            with transaction(self.connection):
                series.seal(self.connection, rows)

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        """Store those rows of some that come as columns that are new; all or nothing."""
        from ...columns.batches import to_rows, values_of

        identities = values_of(batch, IDENTITY[kind])
        if not self._put_columns(kind, owner, identities, lambda: batch):
            self._put_each(kind, to_rows(kind, owner, batch))

    def _put_page(self, kind: str, page: Doc) -> None:
        """Store those rows of a page that are new, as a block if that can be; all or nothing."""
        single = PAGES[kind]
        if kind in ("event_page", "datum_page"):
            from ...columns import from_page

            make = partial(from_page, single, page)
            if self._put_columns(single, page[OWNER[single]], page[IDENTITY[single]], make):
                return
        self._put_each(single, list(unpack(kind, page)))

    def _put_each(self, kind: str, documents: Sequence[Doc]) -> None:
        """Store rows one by one, but all or none."""
        for row in documents:
            self._series(kind, row[OWNER[kind]])
        with transaction(self.connection):
            for row in documents:
                if kind == "datum":
                    runs.claim_datum(self.connection, row["datum_id"], row["resource"])
                rows = self._series(kind, row[OWNER[kind]])
                series.append(self.connection, rows, row)
                if series.is_full(rows):
                    series.seal(self.connection, rows)

    def _put_columns(
        self, kind: str, owner: str, identities: list[str], make: Callable[[], pa.RecordBatch]
    ) -> bool:
        """Store the rows that are new as a block; tell whether it could be."""
        if self._put_new_rows(kind, owner, identities, make):
            return True
        if not identities or len(set(identities)) < len(identities):
            return False
        from ...columns.batches import values_of

        with transaction(self.connection):
            rows = self._series(kind, owner)
            series.refresh_if_stale(self.connection, rows)
            left = series.without_known(self.connection, rows, make())
            if not left.num_rows:
                return True
            return self._put_new_rows(kind, owner, values_of(left, IDENTITY[kind]), lambda: left)

    def _put_new_rows(
        self, kind: str, owner: str, identities: list[str], make: Callable[[], pa.RecordBatch]
    ) -> bool:
        """Store rows as a block; tell whether all were new, so that it could be."""
        hashes = hashes_of(identities)
        if not identities or (hashes[1:] == hashes[:-1]).any():
            return False
        rows = self._series(kind, owner)
        batch = make()
        with transaction(self.connection):
            if not self._is_current(rows):
                series.refresh_if_stale(self.connection, rows)
            if series.any_known(self.connection, rows, identities, hashes):
                return False
            if kind == "datum":
                runs.claim_datums(self.connection, identities, owner)
            series.append_block(self.connection, rows, batch, hashes)
            return True

    def _put_document(self, kind: str, doc: Doc) -> None:
        with transaction(self.connection):
            if kind == "start":
                runs.put_start(self.connection, doc, self.writer)
            elif kind == "stop":
                runs.put_stop(self.connection, doc)
                self._seal_run(doc["run_start"])
            else:
                rows = runs.put_document(self.connection, kind, doc)
                if rows is not None:
                    self._remember(rows)

    def _series(self, kind: str, owner: str) -> Series:
        """Return the state of a series, making it where there is none."""
        rows = self.known.get((kind, owner))
        if rows is None:
            rows = series.load_series(self.connection, kind, owner)
            if rows is None:
                document = stored_document(self.connection, OWNER[kind], owner)
                if document is None and kind == "event":
                    raise unknown_descriptor(owner)
                run = document.get("run_start") if document else None
                rows = series.create_series(self.connection, kind, owner, run)
            self._remember(rows)
        return rows

    def _remember(self, rows: Series) -> None:
        """Keep the state of a series that was looked at."""
        if len(self.known) >= _REMEMBERED:
            self.known.pop(next(iter(self.known)))
        self.known[rows.kind, rows.owner] = rows
        self._is_current(rows)

    def _is_current(self, rows: Series) -> bool:
        """Tell whether a series was looked at in this transaction; from now on, it was."""
        if self._current is None:
            return False
        was_seen = rows.id in self._current
        self._current.add(rows.id)
        return was_seen

    def _seal_run(self, run: str) -> None:
        """Move all tails of a run into blocks."""
        for kind, owner, sealed, length in lengths_of_run(self.connection, run):
            self.ended_large |= sealed > 0
            if length > sealed:
                rows = self._series(kind, owner)
                if (rows.sealed, rows.length) != (sealed, length):
                    series.refresh(self.connection, rows)
                self.ended_large |= rows.tail_bytes > _LARGE
                series.move_tail(self.connection, rows)
            self.known.pop((kind, owner), None)
