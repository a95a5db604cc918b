"""Excel: a workbook a run, with a sheet for each stream and one for the metadata."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._util.signals import not_from_signal
from ..errors import NotSupported
from ..extras import require
from .excel_cells import ExcelCells
from .format import Choice, Losses, Part
from .tabular import StreamTable, Tabular, flat

if TYPE_CHECKING:
    import pyarrow as pa

    from ..runs.run import Run

_ROWS, _COLUMNS = 2**20, 2**14
_NAME = 31  # letters in the name of a sheet
_WIDTH = 24  # of a column, so that a time is no row of hashes
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "use_zip64": True,
    "default_date_format": "yyyy-mm-dd hh:mm:ss.000",
}

Row = Sequence[Any]


class Excel(Tabular):
    """A workbook for each run.

    Parameters
    ----------
    units
        Whether the second row of each sheet has the units of the columns.
    **options
        Those of `Tabular`.
    """

    suffix = ".xlsx"
    about = "an Excel workbook for each run: sheets of its streams and its metadata"

    def __init__(self, *, units: bool = False, **options: Any) -> None:
        require("xlsxwriter", "excel")
        super().__init__(**options)
        self.units = units

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return the one file of a run."""
        yield Part(partial(self._write, run, choice))

    def _write(self, run: Run, choice: Choice, path: Path) -> Losses:
        found: dict[str, None] = {}
        tables = sorted(self.tables(run, choice), key=lambda table: table.name != "primary")
        with workbook(path) as book:
            for table in tables:
                reader = table.read()
                found |= dict.fromkeys(table.losses(reader))
                second = [{**table.units, "time": self.timezone}] if self.units else []
                found |= dict.fromkeys(book.add(table.name, reader, second))
            documents = _documents(run, tables)
            documents["export"] = {"times": self.timezone}
            found |= dict.fromkeys(book.add_documents("metadata", documents))
        return list(found)


def _documents(run: Run, tables: Iterable[StreamTable]) -> dict[str, Mapping[str, Any]]:
    """Return what is said of a run, under what it is to be called."""
    found: dict[str, Mapping[str, Any]] = {"start": run.start, "stop": run.stored_stop()}
    for table in tables:
        for number, descriptor in enumerate(table.stream.descriptors, 1):
            found[f"descriptor {number} of {table.name}"] = descriptor
    return found


class _FileOfArchive(io.FileIO):
    """A file that, once it could not be written to, takes the end of the archive without a word.

    An archive that is not whole writes its end when it is collected, where nobody hears of errors.
    """

    _is_broken = False

    def write(self, data: Any) -> int:
        if self._is_broken:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except not_from_signal(OSError):
            self._is_broken = True
            raise


@contextlib.contextmanager
def workbook(path: Path) -> Iterator[Workbook]:
    """Have a workbook to be filled, of which a row is in memory."""
    xlsxwriter = require("xlsxwriter", "excel")
    with (
        tempfile.TemporaryDirectory() as folder,
        io.BufferedWriter(_FileOfArchive(path, "w")) as file,
    ):
        book = xlsxwriter.Workbook(file, {**_OPTIONS, "tmpdir": folder})
        problem = None
        try:
            yield Workbook(book)
            book.close()
        except xlsxwriter.exceptions.FileCreateError as error:
            problem = error.args[0].with_traceback(None)  # what the system said
        finally:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()  # or it stays open where the workbook is not closed
        if problem is not None:
            raise problem  # here, where nothing of the archive is left


class Workbook:
    """A workbook that is being written, row by row."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._names = {"history"}  # Excel keeps this one for itself

    def add(
        self, name: str, reader: pa.RecordBatchReader, second: Sequence[Mapping[str, str]] = ()
    ) -> Losses:
        """Write batches into a sheet, and into more of them where there are too many rows.

        Raises
        ------
        NotSupported
            There are more columns than a sheet has.
        """
        names = reader.schema.names
        if len(names) > _COLUMNS:
            raise NotSupported(
                f"A sheet of Excel has {_COLUMNS:,} columns at most, and {name!r} would have "
                f"{len(names):,}. Choose some of its fields, or another format, such as CSV."
            )
        cells = ExcelCells()
        heads = [names, *([each.get(column) for column in names] for each in second)]
        rows = (row for batch in reader for row in zip(*map(cells.of, batch.columns), strict=True))
        self._fill(name, [cells.header(head) for head in heads], rows)
        return list(cells.losses)

    def add_documents(self, name: str, documents: Mapping[str, Mapping[str, Any]]) -> Losses:
        """Write documents into a sheet, a row for each value."""
        cells = ExcelCells()
        rows = (
            [*cells.header([document, key]), cells.one(value)]
            for document, about in documents.items()
            for key, value in flat(about)
        )
        self._fill(name, [["document", "key", "value"]], rows)
        return list(cells.losses)

    def _fill(self, name: str, heads: Sequence[Row], rows: Iterator[Row]) -> None:
        for part in _parts(rows, _ROWS - len(heads)):
            sheet = self._book.add_worksheet(self._free(name))
            sheet.set_column(0, len(heads[0]) - 1, _WIDTH)
            sheet.freeze_panes(len(heads), 0)
            for place, row in enumerate(itertools.chain(heads, part)):
                _write(sheet, place, row)

    def _free(self, name: str) -> str:
        """Return a name that a sheet may have, and none has."""
        clean = re.sub(r"[\[\]:*?/\\\x00-\x1f]+", "-", name).strip("' ") or "stream"
        ends = itertools.chain([""], (f" ({number})" for number in itertools.count(2)))
        names = (clean[: _NAME - len(end)].rstrip("' ") + end for end in ends)
        free = next(each for each in names if each.lower() not in self._names)
        self._names.add(free.lower())
        return free


def _parts(rows: Iterator[Row], size: int) -> Iterator[Iterator[Row]]:
    """Yield rows so many at a time, to be looped over in turn; once, if there are none."""
    yield itertools.islice(rows, size)
    for row in rows:
        yield itertools.chain([row], itertools.islice(rows, size - 1))


def _write(sheet: Any, place: int, row: Row) -> None:
    for column, value in enumerate(row):
        if value is None:
            continue
        if isinstance(value, str):
            sheet.write_string(place, column, value)
        elif isinstance(value, bool):
            sheet.write_boolean(place, column, value)
        elif isinstance(value, int | float):
            sheet.write_number(place, column, value)
        else:
            sheet.write_datetime(place, column, value)
