"""The tables of the runs of a search: one by one, in pages, or as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import InvalidQuery
from .pipeline import UID, Column, Row, RunQuery, frame_of
from .run import Run
from .stream.many import Wanted
from .stream.run_tables import Options, RunTables, TablePage, in_one
from .stream.table import with_runs

if TYPE_CHECKING:
    import os

    import pandas as pd
    import pyarrow as pa

    from ..external.fields.filling import Fill
    from ..stores.base import RunRecord
    from .dask_tables import TableSource
    from .session import Session
    from .stream.fields import Fields
    from .stream.layout import Array

RunType = TypeVar("RunType", bound=Run, covariant=True)

_IN_PARTITION = 500


@dataclass(frozen=True)
class Request:
    """What is wanted of each run: fields of a stream; `columns` are those of the runs."""

    fields: Fields
    fill: Fill
    options: Options
    columns: Sequence[Column]
    index: bool


class Tables(Generic[RunType]):
    """The tables of the runs of a search, which are read as a loop asks for them.

    Obtained from `Results.tables`. Looping over it gives pairs of a run and its table, of those
    runs that have the stream. Each loop is a fresh search, and has in memory a page of runs:
    some hundreds of small ones.
    """

    def __init__(
        self,
        session: Session,
        runs: RunQuery,
        make_run: Callable[[RunRecord], RunType],
        request: Request,
    ) -> None:
        self._session = session
        self._runs = runs
        self._make_run = make_run
        self._request = request

    def __iter__(self) -> Iterator[tuple[RunType, pd.DataFrame]]:
        known: dict[str, RunRecord] = {}

        def uids() -> Iterator[str]:
            for record in self._runs.records():
                known[record.uid] = record
                yield record.uid

        reader = self._reader(lambda uid: self._make_run(known[uid]))
        done: list[str] = []
        for page in reader.pages(uids()):
            for uid in done:
                del known[uid]
            for uid, table in page.in_order():
                yield self._make_run(known[uid]), table
            done = page.runs
        reader.check()

    def pages(self) -> Iterator[pd.DataFrame]:
        """Yield the tables of some runs at a time, one below the other, as `table` has them.

        What type a column has is said by the values of these runs alone.

        Raises
        ------
        NoSuchField
            As `Results.table` says, when all have been read.
        """
        return self._pages()

    def _pages(self, progress: Callable[[int], None] | None = None) -> Iterator[pd.DataFrame]:
        for page, rows in self._read():
            table, owners = in_one([page])
            if len(table):
                yield self._with_columns(table, owners - page.first, rows)
            if progress is not None:
                progress(page.first + len(page.runs))

    def table(self) -> pd.DataFrame:
        """Return all tables as one; see `Results.table`."""
        pages: list[TablePage] = []
        rows: list[Row] = []
        for page, more in self._read():
            pages.append(page)
            rows += more
        return self._with_columns(*in_one(pages), rows)

    def to_arrow(self) -> pa.Table:
        """Return all tables as one Arrow table.

        Returns
        -------
        pyarrow.Table
            What stands in the index of `table` comes first. What is missing is null, arrays are
            lists, and a column of values that no Arrow type holds together is text.
        """
        return self.reader().read_all()

    def reader(self, progress: Callable[[int], None] | None = None) -> pa.RecordBatchReader:
        """Return all tables as a stream of Arrow batches, for what does not fit into memory.

        The runs are read now, into a temporary file that goes with the reader: the types of
        columns are known when all runs are.

        Parameters
        ----------
        progress
            Called after some runs with how many were read.

        Returns
        -------
        pyarrow.RecordBatchReader
            A batch holds some hundreds of runs, or a part of a large one.
        """
        from .arrow_tables import reader_of

        return reader_of(self._pages(progress))

    def to_parquet(self, path: str | os.PathLike[str]) -> None:
        """Write all tables into one Parquet file; a file of this name is replaced.

        Parameters
        ----------
        path
            Where the file is to be. It is there when it is whole.

        Raises
        ------
        OSError
            It cannot be written.
        """
        from .._util.whole_files import whole_file
        from .arrow_tables import write_parquet

        with whole_file(path, overwrite=True) as begun:
            write_parquet(self.reader(), begun)

    def to_dask(self, runs_per_partition: int = _IN_PARTITION) -> Any:
        """Return all tables as one dask dataframe; see `Results.to_dask`."""
        from .dask_tables import dataframe

        request, rows = self._request, list(self._rows())
        if request.index:
            raise InvalidQuery("A dask dataframe has no index of several levels: index=False.")
        runs = self._about([tuple(row) for _, *row in rows])
        return dataframe(self._table_source(), [row[0] for row in rows], runs, runs_per_partition)

    def to_bag(self, runs_per_partition: int = _IN_PARTITION) -> Any:
        """Return a dask bag of pairs: the uid of a run that has the stream, and its table.

        Parameters
        ----------
        runs_per_partition
            So many runs are read by one task.

        Raises
        ------
        MissingExtra
            dask is not installed.
        """
        from .dask_tables import bag

        return bag(self._table_source().tables, list(self._runs.uids()), runs_per_partition)

    def _table_source(self) -> TableSource:
        from .dask_tables import Source, TableSource

        request = self._request
        return TableSource(Source(self._session), request.fields, request.fill, request.options)

    def _rows(self) -> Iterator[Row]:
        """Yield of each run its uid, and what its columns are made of."""
        return self._runs.values([UID, *self._request.columns])

    def _read(self) -> Iterator[tuple[TablePage, list[Row]]]:
        """Yield the tables of some runs, and of each run what its columns are made of."""
        known: dict[str, Row] = {}

        def uids() -> Iterator[str]:
            for uid, *row in self._rows():
                known[uid] = tuple(row)
                yield uid

        reader = self._reader(self._run_of)
        for page in reader.pages(uids()):
            yield page, [known.pop(uid) for uid in page.runs]
        reader.check()

    def _reader(self, run_of: Callable[[str], Run]) -> RunTables:
        request = self._request
        wanted = Wanted(request.fields, request.fill)
        return RunTables(self._session, run_of, wanted, request.options)

    def _run_of(self, uid: str) -> RunType:
        record = self._session.store.record(uid)
        assert record is not None  # as it was found
        return self._make_run(record)

    def _with_columns(self, table: pd.DataFrame, owners: Array, rows: list[Row]) -> pd.DataFrame:
        return with_runs(table, self._about(rows).take(owners), self._request.index)

    def _about(self, rows: Sequence[Row]) -> pd.DataFrame:
        """Return a row for each run; times are shown as those of events are."""
        options = self._request.options
        return frame_of(self._request.columns, rows, options.timezone, options.convert_times)
