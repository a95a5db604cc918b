"""An index of files in an SQLite file: what is in them but for rows, and how they were read.

It is a store of which the rows are elsewhere, so it answers every question about runs. It can be
made anew from the files at any time.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..._util.garbage import collecting_later
from ..._util.portable_text import original, portable
from ...documents.kinds import OWNER
from ...errors import ConflictingDocument
from ...query.nodes import And, Equals, Everything, Path, TimeBounds, UidPrefix
from ..base import RunRecord, Store
from ..facts import run_fact
from . import runs
from .engine.connection import Connection, transaction
from .engine.failures import RowExists
from .engine.statements import documents, files, rows
from .engine.statements import runs as stored_runs
from .file_states import FileNews, FileState, row_of_state, state_of_row
from .run_key import key_of
from .search.index import (
    EXISTS,
    HAS_ENDED,
    Entries,
    add_entries,
    entries_of_data_keys,
    entries_of_start,
    entries_of_stop,
    remove_entries,
)
from .search.search import Search
from .single import documents_of_run, open_document, stored_document
from .sqlite import SQLiteStore
from .starts import NOBODY, Run, open_run
from .whole_runs import WholeRun, apart, new_runs, put_documents

if TYPE_CHECKING:
    from ...query.nodes import Node

__all__ = ["FileIndex", "FileNews", "FileState"]

Doc = dict[str, Any]

_AT_ONCE = 20_000  # runs that are made searchable in one transaction
_IN_ONE_STATEMENT = 500
_UID = Path("uid")


class FileIndex(SQLiteStore):
    """What files hold, but for rows.

    Parameters
    ----------
    path
        Of the SQLite file; it is made where there is none.
    source
        The store that has the rows.
    """

    def __init__(self, path: str | os.PathLike[str], source: Store) -> None:
        super().__init__(path)
        self._source = source
        try:
            self._connections.write(_create)
        except BaseException:
            self.close()
            raise

    # -- answers -----------------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        """Yield the runs that match; where uid and time decide, without an index of metadata."""
        if not _needs_no_index(query):
            self.make_searchable()
        return super().find(query, limit=limit, after=after)

    def select(
        self, query: Node, paths: Sequence[Path], limit: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        self.make_searchable()
        return super().select(query, paths, limit)

    def distinct(self, path: Path, query: Node) -> list[tuple[Any, int]]:
        self.make_searchable()
        return super().distinct(path, query)

    def keys(self, most: int) -> list[str]:
        self.make_searchable()
        return super().keys(most)

    def _search(self, query: Node) -> Search:
        if not _needs_no_index(query):
            self.make_searchable()
        facts = functools.partial(run_fact, self._source)
        return Search(self._connections.get, query, self._data_keys, facts)

    def paths_of(self, kind: str, owner: str) -> list[str]:
        """Return the files that have rows of an owner, those that came first before others."""
        connection = self._connections.get()
        found = files.of_stray(connection, kind, portable(owner))
        run = files.run_of_document(connection, OWNER[kind], portable(owner))
        if run is not None:
            found += _files_of_run(connection, run)
        return [os.fsdecode(path) for path in dict.fromkeys(found)]

    def path_of_run(self, uid: str) -> str | None:
        """Return the file that a run is in."""
        found = _files_of_run(self._connections.get(), portable(uid))
        return os.fsdecode(found[0]) if found else None

    def owner_of_datum(self, datum_id: str) -> str | None:
        """Return the resource of a datum whose id does not tell it."""
        known = rows.datum_owner(self._connections.get(), portable(datum_id))
        return None if known is None else original(known)

    def document(self, kind: str, uid: str) -> Doc | None:
        """Return a descriptor, resource or stream resource, or a stop that has no run yet."""
        return self._ask(stored_document, kind, uid)

    def stop_named(self, uid: str) -> Doc | None:
        """Return a stop by its own uid."""
        return self._ask(runs.stored_stop, uid)

    def waiting_stop(self, run: str) -> Doc | None:
        """Return the stop of a run that has no start yet."""
        found, _ = self._ask(documents_of_run, run, ["stop"])
        return found[0][1] if found else None

    # -- files -------------------------------------------------------------

    def states(self, paths: Sequence[str] | None = None) -> dict[str, FileState]:
        """Return how files were when they were read: all, or some."""
        connection = self._connections.get()
        if paths is None:
            found = files.every(connection)
        else:
            several = [os.fsencode(path) for path in paths]
            parts = range(0, len(several), _IN_ONE_STATEMENT)
            pages = (several[first : first + _IN_ONE_STATEMENT] for first in parts)
            found = list(chain.from_iterable(files.some(connection, page) for page in pages))
        return {state.path: state for state in map(state_of_row, found)}

    def take_in(self, news: Sequence[FileNews], gone: Sequence[FileState] = ()) -> list[str]:
        """Keep what was found in files, in one transaction.

        Parameters
        ----------
        news
            What was found.
        gone
            Files whose documents are to be forgotten first.

        Returns
        -------
        list of str
            The files that must be read again, as they may have documents of a forgotten run too.
        """
        write = self._connections.write
        try:
            again: list[str] = write(functools.partial(_take_in, news, gone, _put_new))
        except RowExists:
            again = write(functools.partial(_take_in, news, gone, _put))
        self._wrote({"stop"}, False)
        return again

    def is_there(self) -> bool:
        """Tell whether the file is the one that was opened."""
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self._connections.file.identity

    def make_searchable(self) -> None:
        """Put into the index of metadata what it does not have yet."""
        while files.any_unsearchable(self._connections.get()):
            self._connections.write(_make_searchable)


def _needs_no_index(query: Node) -> bool:
    if isinstance(query, And):
        return all(map(_needs_no_index, query.nodes))
    if isinstance(query, Equals):
        return query.path == _UID
    return isinstance(query, Everything | UidPrefix | TimeBounds)


def files_of_index(path: str | os.PathLike[str]) -> list[str]:
    """Return the files that an index is of, without changing anything.

    Raises
    ------
    StoreDamaged, ForeignStore, StoreUnavailable
        It cannot be read.
    """
    with closing(SQLiteStore(path, read_only=True)) as store:
        return [state_of_row(row).path for row in files.every(store._connections.get())]


def _create(connection: Connection) -> None:
    with transaction(connection):
        files.create(connection)


def _files_of_run(connection: Connection, run: Any) -> list[bytes]:
    own = files.of_run(connection, run)
    return [own] if own is not None else files.of_stray(connection, "start", run)[:1]


def _take_in(
    news: Sequence[FileNews],
    gone: Sequence[FileState],
    put: Callable[[Connection, Sequence[FileNews]], None],
    connection: Connection,
) -> list[str]:
    again: list[bytes] = []
    with collecting_later(), connection.storing_much(), transaction(connection):
        for state in gone:
            again += _forget(connection, state)
        put(connection, news)
        files.add(connection, [row_of_state(each.state) for each in news if each.is_new])
        files.update(connection, [row_of_state(each.state) for each in news if not each.is_new])
        for each in news:
            _put_strays(connection, each)
    return [os.fsdecode(path) for path in again]


def _put_new(connection: Connection, news: Sequence[FileNews]) -> None:
    """Store the runs of new files without a look whether they are known.

    Where no file has anything but its run, what is known of a run comes with its start, or is a
    document of the same uid. So the tables have a row already, and RowExists is raised.
    """
    runs = [run for each in news if (run := _whole_run(each)) is not None]
    if len(runs) < len(news) or files.any_mixed(connection):
        _put(connection, news)
    else:
        _put_whole(connection, runs)


def _put(connection: Connection, news: Sequence[FileNews]) -> None:
    """Store the runs of files that have nothing else, if nothing of them is known; then others.

    Of runs that begin at one time, the order of arrival counts: they are stored one by one.
    """
    whole = {each.state.path: run for each in news if (run := _whole_run(each)) is not None}
    others = [each for each in news if each.state.path not in whole]
    starts = [doc for each in others for _, kind, doc in each.documents if kind == "start"]
    keys = {key_of(doc["time"]) for doc in starts}
    new = new_runs(connection, (run for run in apart([*whole.values()]) if run.key not in keys))
    _put_whole(connection, list(new.values()))
    for each in news:
        run = whole.get(each.state.path)
        if run is None or new.get(run.start["uid"]) is not run:
            _put_each(connection, each)


def _put_whole(connection: Connection, runs: Sequence[WholeRun]) -> None:
    put_documents(connection, runs, NOBODY)
    add_entries(connection, [(run.key, [EXISTS]) for run in runs], are_new=True)
    files.set_unsearchable(connection, [run.key for run in runs])


def _whole_run(news: FileNews) -> WholeRun | None:
    if not (news.is_new and news.state.plain and news.documents):
        return None
    (_, _, start), *others = news.documents
    run = WholeRun(start)
    for _, kind, doc in others:
        if kind == "start":
            return None
        run.take(kind, doc)
    return run if len(run.stops) <= 1 and len(run.rows) == len(run.linked) else None


def _put_each(connection: Connection, news: FileNews) -> None:
    """Store documents one by one; those that contradict others are faults of their file."""
    faults = list(news.state.faults)
    for number, kind, doc in news.documents:
        try:
            if kind == "start":
                runs.put_start(connection, doc, NOBODY)
            elif kind == "stop":
                runs.put_stop(connection, doc)
            else:
                runs.put_document(connection, kind, doc)
        except ConflictingDocument as error:
            faults.append((number, str(error)))
    if len(faults) > len(news.state.faults):
        news.state = news.state._replace(faults=tuple(faults))


def _put_strays(connection: Connection, news: FileNews) -> None:
    if news.strays:
        strays = [(kind, portable(owner)) for kind, owner in news.strays]
        files.add_strays(connection, os.fsencode(news.state.path), strays)
    for datum_id, owner in news.datum_owners.items():
        if rows.datum_owner(connection, portable(datum_id)) is None:
            rows.set_datum_owner(connection, portable(datum_id), portable(owner))


def _forget(connection: Connection, state: FileState) -> list[bytes]:
    """Forget a file and its run; return the files that must be read again."""
    path = os.fsencode(state.path)
    files.drop(connection, path)
    run = None if state.run is None else runs.stored_run(connection, state.run)
    if run is None:
        return []
    remove_entries(connection, run.id, _entries(connection, run))
    files.drop_run(connection, run.id, portable(run.uid))
    others = files.others_with(connection, portable(run.uid), path)
    for other in others:  # so that they are read from their beginning
        files.drop(connection, other)
    return others


def _entries(connection: Connection, run: Run) -> list[Entries]:
    linked = documents.of_run(connection, portable(run.uid), ["descriptor"])
    keys = chain.from_iterable(open_document(row)["data_keys"] for row in linked)
    ended = [] if run.stop is None else [HAS_ENDED, entries_of_stop(run.stop)]
    return [*entries_of_start(run.start), entries_of_data_keys(keys), *ended]


def _make_searchable(connection: Connection) -> None:
    with collecting_later(), connection.storing_much(), transaction(connection):
        keys = files.unsearchable(connection, _AT_ONCE)
        pages = (
            stored_runs.by_keys(connection, keys[first : first + _IN_ONE_STATEMENT])
            for first in range(0, len(keys), _IN_ONE_STATEMENT)
        )
        found = map(open_run, chain.from_iterable(pages))
        add_entries(connection, ((run.id, _entries(connection, run)) for run in found))
        files.set_searchable(connection, keys)
