"""The rows of files, as columns in memory: those of the files that were asked for last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..._util.garbage import collecting_later
from ..._util.signals import not_from_signal
from ...documents.files.formats import Doc, Format
from ...documents.identity import conflict, same_row
from ...documents.kinds import IDENTITY, LISTS, OWNER, PAGES
from ...documents.pages import unpack
from ...errors import InvalidDocument
from .findings import vetted
from .places import Stamp
from .reading import OpenFile, Position
from .telling import FaultNotices

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection

_OTHERS = frozenset({"start", "stop", "descriptor", "resource", "stream_resource"})
_WAITING = 1024  # rows that are made columns together
_PAGE = 64  # rows of a page that is made columns alone
_MOST_BYTES = 2**27  # of files whose rows are kept


@dataclass(slots=True)
class Series:
    """The rows of one owner in one file, each once, in their order."""

    kind: str
    batches: list[pa.RecordBatch] = field(default_factory=list)
    waiting: list[Doc] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    numbers: tuple[int, int] | None = None
    """The smallest and the largest seq_num."""

    def add(self, row: Doc) -> None:
        """Add a row that is new."""
        self.places[row[IDENTITY[self.kind]]] = len(self.places)
        self._count([row["seq_num"]] if self.kind == "event" else [0])
        self.waiting.append(row)
        if len(self.waiting) >= _WAITING:
            self._seal()

    def add_page(self, page: Doc) -> None:
        """Add a page of rows that are new."""
        from ...columns import from_page

        self._seal()
        first = len(self.places)
        names = page[LISTS[f"{self.kind}_page"][0]] if self.kind != "datum" else page["datum_id"]
        self.places.update((name, first + n) for n, name in enumerate(names))
        self._count(page["seq_num"] if self.kind == "event" else [0])
        self.batches.append(from_page(self.kind, page))

    def _count(self, numbers: Sequence[int]) -> None:
        low, high = self.numbers or (numbers[0], numbers[0])
        self.numbers = min(low, *numbers), max(high, *numbers)

    def _seal(self) -> None:
        from ...columns import from_rows

        if self.waiting:
            self.batches.append(from_rows(self.kind, self.waiting))
            self.waiting = []

    def part(self, first: int, stop: int, selection: Selection | None) -> Iterator[pa.RecordBatch]:
        """Yield rows by their places."""
        from ...columns import from_rows, select

        for batch in list(self.batches):
            low, high = max(first, 0), min(stop, batch.num_rows)
            if low < high:
                yield select(batch.slice(low, high - low), selection)
            first, stop = first - batch.num_rows, stop - batch.num_rows
        rows = self.waiting[max(first, 0) : max(stop, 0)]
        if rows:
            yield from_rows(self.kind, rows, selection)

    def row(self, owner: str, identity: str) -> Doc | None:
        """Return a row by its identity."""
        from ...columns import to_rows

        place = self.places.get(identity)
        if place is None:
            return None
        batch = next(self.part(place, place + 1, None), None)  # None: it has come since
        return None if batch is None else to_rows(self.kind, owner, batch)[0]


@dataclass
class FileRows:
    """The rows of one file, as far as it was read.

    Attributes
    ----------
    series
        The rows of each owner, by their kind and the owner.
    faults
        What could not be read: numbers and texts.
    """

    stamp: Stamp
    position: Position = field(default_factory=Position)
    series: dict[tuple[str, str], Series] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def read_on(self, format: Format, file: OpenFile) -> None:
        """Take in what the file has beyond that."""
        for parsed in file.parse(format, self.position, _OTHERS):
            for number, kind, document, is_plain in parsed.items:
                try:
                    self._take(kind, vetted(kind, document, is_plain))
                except InvalidDocument as error:
                    self.faults.append((number, str(error)))
            self.faults += parsed.faults
        self.stamp = file.stamp

    def _take(self, kind: str, document: Doc) -> None:
        single = PAGES.get(kind, kind)
        if single not in OWNER:
            return
        if kind in LISTS and self._take_page(single, document):
            return
        for row in unpack(kind, document) if kind in PAGES else [document]:
            self._take_row(single, row)

    def _take_page(self, kind: str, page: Doc) -> bool:
        """Take a page of new rows as it is; tell whether it could be."""
        names = page[IDENTITY[kind]]
        series = self._series(kind, page[OWNER[kind]])
        is_new = len(set(names)) == len(names) and series.places.keys().isdisjoint(names)
        if len(names) < _PAGE or not is_new:
            return False
        series.add_page(page)
        return True

    def _take_row(self, kind: str, row: Doc) -> None:
        owner = row[OWNER[kind]]
        series = self._series(kind, owner)
        known = series.row(owner, row[IDENTITY[kind]])
        if known is None:
            series.add(row)
        elif not same_row(known, row):
            raise conflict(kind, known, row)

    def _series(self, kind: str, owner: str) -> Series:
        return self.series.setdefault((kind, owner), Series(kind))


class RowCache:
    """The rows of the files that were asked for last; not many more bytes than a limit."""

    def __init__(self, format: Format, notices: FaultNotices) -> None:
        self._format = format
        self._notices = notices
        self.begin_anew()

    def begin_anew(self) -> None:
        """Take nothing as known."""
        self._lock = threading.RLock()
        self._files: OrderedDict[str, FileRows] = OrderedDict()

    def rows_of(self, path: str) -> FileRows | None:
        """Return the rows of a file as it is now; None if it is not there."""
        with self._lock, collecting_later():
            try:
                file = OpenFile(path)
            except not_from_signal(OSError):
                self._files.pop(path, None)
                return None
            with file:
                known = self._files.pop(path, None)
                if known is None or not file.goes_on(known.stamp, known.position):
                    known = FileRows(file.stamp)
                    known.read_on(self._format, file)
                elif known.stamp != file.stamp:
                    known.read_on(self._format, file)
            self._files[path] = known
            self._make_room()
            self._notices.saw([(path, known.faults)])
            return known

    def series(self, path: str, kind: str, owner: str) -> Series | None:
        """Return the rows of an owner in a file, as they are now."""
        with self._lock:
            rows = self.rows_of(path)
            found = None if rows is None else rows.series.get((kind, owner))
            if found is None or not found.places:
                return None
            # What comes later must not move what is read now.
            return Series(
                kind, list(found.batches), list(found.waiting), found.places, found.numbers
            )

    def _make_room(self) -> None:
        sizes = sum(rows.stamp.size for rows in self._files.values())
        while sizes > _MOST_BYTES and len(self._files) > 1:
            _, dropped = self._files.popitem(last=False)
            sizes -= dropped.stamp.size
