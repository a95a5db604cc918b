"""Keeping an index as the files are: what is new in them is looked for before each answer."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ..._util.garbage import collecting_later
from ..._util.signals import not_from_signal
from ...documents.files.formats import Format
from ...errors import StoreDamaged, StoreUnavailable
from ...query.time_limit import without_limit
from ..base import Store
from ..sql.file_index import FileIndex, FileNews, FileState
from .findings import is_awaited, is_given_up, look_into, stamp_of_state
from .home import Home
from .places import Places, Stamp
from .reading import OpenFile, Position
from .telling import FaultNotices
from .watching import Watch, stamps_at

_AT_ONCE, _BYTES_AT_ONCE = 1_000, 2**28
"""Files, and bytes of files, whose documents are kept in one transaction."""


class Follower:
    """The index of some files, brought up to date before it is asked.

    Attributes
    ----------
    index
        The index, as it was when `refresh` returned.
    lock
        Held while it is changed.
    """

    def __init__(
        self,
        source: Store,
        format: Format,
        places: Places,
        notices: FaultNotices,
        index: bool | str | os.PathLike[str] = True,
    ) -> None:
        self._source = source
        self._format = format
        self._places = places
        self._notices = notices
        self._home = Home(format.name, places.paths, index)
        self._is_closed = False
        self.begin_anew()

    def begin_anew(self) -> None:
        """Take nothing as known, as in a process that was forked."""
        self.lock = threading.RLock()
        self._home.begin_anew()
        self.changes = 0  # that were seen
        self._forget_all()

    def _forget_all(self) -> None:
        self.changes += 1
        self._watch = Watch(self._places)
        self._ahead: dict[str, FileState] = {}  # of the index, by rows alone
        self._index: FileIndex | None = None

    @property
    def index(self) -> FileIndex:
        """The index."""
        if self._index is None:
            self.refresh()
        assert self._index is not None
        return self._index

    @without_limit()
    def refresh(self) -> FileIndex:
        """Bring the index up to date, and return it."""
        with self.lock:
            if self._is_closed:
                raise StoreUnavailable(f"The store of {self._source} is closed.")
            self._opened()
            changed, gone = self._watch.look()
            self._notices.cannot_list(self._places.unreadable)
            if changed or gone:
                self._bring_up_to_date(changed, gone)
            return self._opened()

    @without_limit()
    def read_on(self, paths: Iterable[str]) -> None:
        """Take in what was written into some files, whatever became of others."""
        with self.lock:
            self._bring_up_to_date(stamps_at(paths), ())

    def _bring_up_to_date(self, changed: Mapping[str, Stamp], gone: Collection[str]) -> None:
        while changed or gone:
            with self._home.locked(), collecting_later():
                again = self._take_in(self._opened(), changed, gone)
            changed, gone = stamps_at(again), ()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[FileIndex]:
        """Have the index up to date, and nobody else change it or write into the files."""
        with self.lock:
            self._opened()
            with self._home.locked():
                yield self.refresh()

    def state(self, path: str) -> FileState | None:
        """Return how far a file was read, which is to its end as it is now."""
        found = stamps_at([path])
        state = self._states(self.index, [path]).get(path)
        # What is beyond is cut off, so the state itself is asked which file it is of.
        if state is None or found != {path: stamp_of_state(state)}:
            self.read_on(found)
            state = self._states(self.index, [path]).get(path)
        return state

    def remake(self) -> None:
        """Make the index anew."""
        with self.lock, self._home.locked():
            self._begin_again(self._opened())
            self.refresh()

    def close(self) -> None:
        """Close the index."""
        with self.lock:
            self._is_closed = True
            if self._index is not None:
                self._index.close()
            self._home.close()

    # -- the index -----------------------------------------------------------

    def _opened(self) -> FileIndex:
        """Return the index; if it was removed, a new one, of which nothing is known."""
        if self._index is not None and not self._index.is_there():
            self._drop(self._index)
        if self._index is None:
            with self._home.locked():  # others may be making it
                self._index = self._open()
        return self._index

    def _drop(self, index: FileIndex) -> None:
        self._forget_all()  # first: one that is closed must not be kept after an interrupt
        index.close()

    def _open(self) -> FileIndex:
        index = self._home.open(self._source)
        try:
            states = index.states()
        except (StoreDamaged, StoreUnavailable):
            index.close()
            self._home.remove()
            index, states = self._home.open(self._source), {}
        self._watch.known = {path: stamp_of_state(state) for path, state in states.items()}
        self._watch.awaited = {path for path, state in states.items() if is_awaited(state)}
        self._notices.saw((path, state.faults) for path, state in states.items())
        return index

    # -- taking it in ----------------------------------------------------------

    def _take_in(
        self, index: FileIndex, changed: Mapping[str, Stamp], gone: Collection[str]
    ) -> set[str]:
        """Take in what changed; return the files that must be read again for that."""
        known = self._states(index, [*changed, *gone])
        forgotten = [known[path] for path in gone if path in known]
        again: set[str] = set()
        news: list[FileNews]
        for paths in [*_groups(self._ordered(changed), changed)] or [[]]:
            news = []
            for path in paths:
                self._look_into(index, path, known.get(path), news, forgotten)
            if any(not state.plain for state in forgotten):
                return self._begin_again(index)
            if forgotten or any(map(_is_worth_keeping, news)):
                again.update(index.take_in(news, forgotten))
            forgotten = []
            self._note(news)
        self._watch.forget({*gone, *again})
        for path in again:
            self._ahead.pop(path, None)
        return again

    def _look_into(
        self,
        index: FileIndex,
        path: str,
        known: FileState | None,
        news: list[FileNews],
        forgotten: list[FileState],
    ) -> None:
        try:
            file = OpenFile(path)
        except FileNotFoundError:
            return
        except not_from_signal(OSError) as error:
            self._cannot_read(path, error)
            return
        with file:
            if known is not None and not self._goes_on(file, known):
                forgotten.append(known)
                known = None
            is_overdue = path in self._watch.awaited and is_given_up(file.stamp)
            if known is not None and file.stamp == stamp_of_state(known) and not is_overdue:
                self._watch.note(path, file.stamp, is_awaited=is_awaited(known))
                return  # another process took it in
            run = None if known is None else known.run

            def knows(kind: str, uid: str) -> bool:
                document = None if run is None else index.document(kind, uid)
                return document is not None and document.get("run_start") == run

            news.append(look_into(self._format, file, known, knows, self._is_loose(path)))

    def _cannot_read(self, path: str, error: OSError) -> None:
        self._watch.known.update(stamps_at([path]))
        self._notices.cannot_open(path, error)

    def _goes_on(self, file: OpenFile, known: FileState) -> bool:
        position = Position(known.read_to, known.last, known.mark)
        return file.goes_on(stamp_of_state(known), position)

    def _is_loose(self, path: str) -> bool:
        return path.endswith(self._places.loose)

    def _ordered(self, stamps: Mapping[str, Stamp]) -> list[str]:
        """Return files in the order in which what is in them came, as far as that can be known."""
        order = [(not self._is_loose(path), s.mtime_ns, path) for path, s in stamps.items()]
        return [path for _, _, path in sorted(order)]

    def _states(self, index: FileIndex, paths: Sequence[str]) -> dict[str, FileState]:
        found = index.states(paths)
        for path in paths:
            ahead, kept = self._ahead.get(path), found.get(path)
            if ahead is not None and kept is not None and kept.inode == ahead.inode:
                found[path] = max(kept, ahead, key=lambda state: state.read_to)
        return found

    def _note(self, news: Sequence[FileNews]) -> None:
        self.changes += 1
        for each in news:
            path = each.state.path
            if _is_worth_keeping(each):
                self._ahead.pop(path, None)
            else:
                self._ahead[path] = each.state
            # Last, as a file that is known is not read again, also after an interrupt.
            stamp = stamp_of_state(each.state)
            self._watch.note(path, stamp, is_awaited=is_awaited(each.state))
        self._notices.saw((each.state.path, each.state.faults) for each in news)

    def _begin_again(self, index: FileIndex) -> set[str]:
        """Make a new index: what a file gave that is not of one run cannot be told apart."""
        self._drop(index)
        self._home.remove()
        self._opened()
        return set(self._places.look())


def _is_worth_keeping(news: FileNews) -> bool:
    """Tell whether the index has to know: rows alone are found again in a moment."""
    found = news.documents or news.strays or news.datum_owners or news.state.faults
    return news.is_new or bool(found)


def _groups(paths: Iterable[str], stamps: Mapping[str, Stamp]) -> Iterator[list[str]]:
    """Yield files in their order, not too many, nor too large ones, at once."""
    some: list[str] = []
    size = 0
    for path in paths:
        some.append(path)
        size += stamps[path].size
        if len(some) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some
