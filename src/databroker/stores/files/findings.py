"""What is in a file beyond what is known of it: documents, and rows of owners elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...documents.accept import accept
from ...documents.files.formats import CUT_SHORT, EVENTS, Doc, Format, Item
from ...documents.identity import is_provisional
from ...documents.kinds import IDENTITY, OWNER, PAGES, ROWS
from ...documents.pages import unpack
from ...documents.repair import repair
from ...documents.validate import check
from ...errors import InvalidDocument
from ..sql.file_index import FileNews, FileState
from .places import Stamp
from .reading import OpenFile, Position

KnownOwner = Callable[[str, str], bool]
"""Tells of a kind and a uid whether a document of the run of a file has them."""

_PATIENCE = 60.0
"""Seconds after which half a document at the end of a file is not awaited any more."""

NO_START = "the file does not begin with a start document"


def stamp_of_state(state: FileState) -> Stamp:
    """Return how a file was when it was read."""
    return Stamp(state.size, state.mtime_ns, state.inode)


def look_into(
    format: Format, file: OpenFile, known: FileState | None, knows: KnownOwner, is_loose: bool
) -> FileNews:
    """Return what is new in a file.

    Parameters
    ----------
    format
        What it is written in.
    file
        The file.
    known
        How far it was read, and as what; None if from its beginning.
    knows
        What is known of the part that was read.
    is_loose
        Whether the file has documents without a run, which do not begin with a start.
    """
    news = FileNews(known or FileState(file.path, 0, 0, 0), is_new=known is None)
    position = Position(news.state.read_to, news.state.last, news.state.mark)
    collector = _Collector(news, knows, is_loose)
    for parsed in file.parse(format, position, EVENTS):
        for item in parsed.items:
            collector.take(item)
        collector.faults += parsed.faults
    news.state = collector.state(file.stamp, position)
    if is_awaited(news.state) and is_given_up(file.stamp):
        fault = position.last + 1, CUT_SHORT
        news.state = news.state._replace(faults=(*news.state.faults, fault))
    return news


def is_awaited(state: FileState) -> bool:
    """Tell whether a file ends in the middle of a document, and nothing is said of that yet."""
    return state.read_to < state.size and all(number <= state.last for number, _ in state.faults)


def is_given_up(stamp: Stamp) -> bool:
    """Tell whether a file changed so long ago that nobody is writing the end of it."""
    return time.time() - stamp.mtime_ns / 1e9 > _PATIENCE


class _Collector:
    """Sorts the documents of a file."""

    def __init__(self, news: FileNews, knows: KnownOwner, is_loose: bool) -> None:
        state = news.state
        self.news = news
        # What could not be read at the end may be there now.
        self.faults = [fault for fault in state.faults if fault[0] <= state.last]
        self._knows = knows
        self._is_loose = is_loose
        self._run, self._ended, self._plain = state.run, state.ended, state.plain
        self._is_first = state.last == 0
        self._own: set[tuple[str, str]] = set()
        self._owners: dict[tuple[str, str], None] = {}

    def take(self, item: Item) -> None:
        """Take a document."""
        number, kind, document, is_plain = item
        try:
            document = vetted(kind, document, is_plain)
        except InvalidDocument as error:
            self.faults.append((number, str(error)))
            return
        if self._is_first and kind != "start" and not self._is_loose:
            self.faults.append((number, NO_START))
        if kind in OWNER:
            self._take_row(kind, document)
        elif kind in PAGES:
            for row in unpack(kind, document):
                self._take_row(PAGES[kind], row)
        else:
            self._take_document(number, kind, document)
        self._is_first = False

    def _take_document(self, number: int, kind: str, document: Doc) -> None:
        self.news.documents.append((number, kind, document))
        if kind == "start":
            if self._is_first:
                self._run = document["uid"]
            elif document["uid"] != self._run:
                self._stray("start", document["uid"])
            return
        is_own = self._run is not None and document.get("run_start") == self._run
        if kind == "stop":
            self._ended |= is_own and not is_provisional(document)
            self._plain &= is_own
        elif is_own:
            self._own.add((kind, document["uid"]))
        else:
            self._stray(ROWS[kind], document["uid"])

    def _stray(self, kind: str, owner: str) -> None:
        self._plain = False
        self.news.strays.add((kind, owner))

    def _take_row(self, kind: str, row: Doc) -> None:
        owner = row[OWNER[kind]]
        self._owners[kind, owner] = None
        if kind == "datum" and row["datum_id"].rpartition("/")[0] != owner:
            self.news.datum_owners[row[IDENTITY[kind]]] = owner

    def state(self, stamp: Stamp, position: Position) -> FileState:
        """Tell rows of owners elsewhere; return what the file is."""
        for kind, owner in self._owners:
            document = OWNER[kind], owner
            if document not in self._own and not self._knows(*document):
                self._stray(kind, owner)
        self._plain &= not self.news.datum_owners and (self._run is not None or self._is_first)
        return FileState(
            self.news.state.path,
            *stamp,
            position.read_to,
            position.last,
            position.mark,
            self._run,
            self._ended,
            self._plain,
            tuple(self.faults),
        )


def vetted(kind: str, document: Doc, is_plain: bool) -> Doc:
    """Return a document of a file as `accept` does; one of plain values needs no copy.

    Raises
    ------
    InvalidDocument
        A required key is missing or has an impossible value.
    """
    if is_plain and kind not in PAGES:
        repair(kind, document, [])
        check(kind, document)
        return document
    return accept(kind, document)[0]
