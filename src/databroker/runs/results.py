"""What a search gives: runs, loaded one by one as a loop asks for them."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, SupportsIndex, TypeVar

from .._util.printable import printable, shown
from .._util.signals import not_from_signal
from ..display.text import runs_text, show_in_ipython
from ..errors import InvalidQuery
from ..query.nodes import And, Everything, Exists, Node, TimeBounds
from ..query.projection import Keyed, distinct_values, keyed_value, ranked
from ..query.time_bounds import time_bounds
from ..stores.facts import run_fact
from ..times import format_time
from .absent import explain_nothing
from .counts import Counts
from .files import Files, Progress, files_of
from .pipeline import COLUMNS, RunQuery, Sorted, Step, checked_limit, column, frame_of
from .run import Run

if TYPE_CHECKING:
    import pandas as pd

    from ..external.fields.filling import Fill, OnMissing
    from ..query.keys import Key
    from ..stores.base import RunRecord
    from ..stores.checking import CheckReport
    from .session import Session
    from .stream.fields import Fields
    from .tables import Tables

_SHOWN = 10
_OF_A_RUN = ("uid", "scan_id")

RunType = TypeVar("RunType", bound=Run, covariant=True)


class Results(Generic[RunType]):
    """The runs that match a search, newest first; each loop is a fresh search."""

    def __init__(
        self,
        session: Session,
        query: Node,
        make_run: Callable[[RunRecord], RunType],
        steps: Sequence[Step] = (),
    ) -> None:
        self._session = session
        self._query = query
        self._make_run = make_run
        self._steps = tuple(steps)

    @property
    def _run_query(self) -> RunQuery:
        return RunQuery(self._session, self._query, self._steps)

    @property
    def query(self) -> Node:
        """What was searched for, with time bounds resolved; it prints as code."""
        return self._query

    # -- time bounds -----------------------------------------------------

    @property
    def bounds(self) -> TimeBounds:
        """The bounds in time that were searched in, in seconds since 1970.

        Examples
        --------
        >>> import databroker
        >>> databroker.temp()(since="1970-01-02T00:00Z").bounds
        TimeBounds(since=86400.0, until=None)
        """
        return time_bounds(self._query)

    @property
    def since(self) -> datetime.datetime | None:
        """What ``since=`` was resolved to, in the broker's time zone."""
        return self._local(self.bounds.since)

    @property
    def until(self) -> datetime.datetime | None:
        """What ``until=`` was resolved to, in the broker's time zone."""
        return self._local(self.bounds.until)

    def _local(self, seconds: float | None) -> datetime.datetime | None:
        if seconds is None:
            return None
        try:
            return datetime.datetime.fromtimestamp(seconds, self._session.zone)
        except not_from_signal(OverflowError, ValueError, OSError):  # beyond a calendar's years
            end = datetime.datetime.max if seconds > 0 else datetime.datetime.min
            return end.replace(tzinfo=datetime.UTC)

    # -- runs ------------------------------------------------------------

    def __iter__(self) -> Iterator[RunType]:
        record = None
        for record in self._run_query.records():
            yield self._make_run(record)
        if record is None:
            self._explain_nothing()

    def __getitem__(self, key: Any) -> NoReturn:
        raise TypeError(
            "'Results' object does not support indexing. Loop over it, or use "
            f"list(results)[{shown(key)}], which may be slow if the results are many."
        )

    def first(self) -> RunType | None:
        """Return the first run, the newest unless they are sorted; None if there is none."""
        return next(iter(self.limit(1)), None)

    def count(self) -> int:
        """Return how many runs match, without loading them."""
        found = self._run_query.count()
        if not found:
            self._explain_nothing()
        return found

    def limit(self, n: SupportsIndex) -> Self:
        """Return the first `n` of these runs, or all, if they are fewer.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for n in range(3):
        ...     db.insert("start", {"uid": f"run {n}", "time": float(n)})
        >>> [header.uid for header in db().limit(2)]
        ['run 2', 'run 1']
        """
        return self._with(checked_limit(n))

    def sort(self, key: str | Key, descending: bool = False) -> Self:
        """Return these runs in the order of a key.

        Numbers come before text, text before False and True, and these before
        lists and dictionaries. Runs that do not have the key come last, in both
        directions. Of equal ones the newer run comes first.

        Parameters
        ----------
        key
            A column of `to_frame`, such as ``'scan_id'`` or ``'sample.name'``.
        descending
            Whether the greatest comes first.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for n, value in enumerate([5, None, 7.5, 5]):
        ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "T": value})
        >>> [header.uid for header in db().sort("T")]
        ['run 3', 'run 0', 'run 2', 'run 1']
        """
        return self._with(Sorted(column(key, self._fact_of), bool(descending)))

    def _with(self, step: Step) -> Self:
        return type(self)(self._session, self._query, self._make_run, (*self._steps, step))

    # -- many at once ----------------------------------------------------

    def distinct(self, key: str | Key) -> Counts:
        """Return the different values of a key, and how many of the runs have each.

        A list counts once for each different element.

        Parameters
        ----------
        key
            A key of the RunStart, such as ``'sample.name'``, or behind ``stop.``
            of the RunStop.

        Returns
        -------
        Counts
            A mapping from values to numbers of runs, the most frequent first.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for n, plan in enumerate(["scan", "count", "scan"]):
        ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "plan_name": plan})
        >>> db().distinct("plan_name")
        {'scan': 2, 'count': 1}
        """
        counts = self._distinct(key)
        if not counts:
            self._explain_nothing(*(Exists(path) for path in column(key, self._fact_of).paths))
        return counts

    def _distinct(self, key: str | Key) -> Counts:
        by = column(key, self._fact_of)
        path, run_query = by.paths[0], self._run_query
        if by.is_plain and not self._steps and not run_query.has_transforms:
            return Counts(self._session.view.distinct(path, self._query))
        counts: Counter[Keyed] = Counter()
        if by.is_plain:
            for start, stop in run_query.documents():
                counts.update(distinct_values(start, stop, path))
        else:
            values = (keyed_value(by.value(*row)) for row in run_query.values([by]))
            counts.update(value for value in values if value is not None)
        return Counts(ranked(counts))

    def to_frame(
        self,
        columns: Sequence[str | Key] | None = None,
        *,
        timezone: str | datetime.tzinfo | None = None,
        convert_times: bool = True,
    ) -> pd.DataFrame:
        """Return a table with a row for each run.

        Parameters
        ----------
        columns
            Keys of the RunStart with dots, such as ``'sample.name'``; of the
            RunStop behind ``stop.``; and ``'status'`` and ``'num_events'`` (of the
            stream 'primary', else of all). By default uid, scan_id, time,
            plan_name, status and num_events.
        timezone
            The zone of times; by default the broker's.
        convert_times
            Whether times are stamps rather than seconds since 1970.

        Returns
        -------
        pandas.DataFrame
            Its rows are in the order of the runs; times know their zone. What a
            run does not have is missing (None, NaN or <NA>).

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "sample": {"name": "Ni"}})
        >>> db().to_frame(["uid", "time", "sample.name"], timezone="UTC")
            uid                      time sample.name
        0  b2c1 1970-01-01 00:00:01+00:00          Ni
        """
        if isinstance(columns, str):
            raise InvalidQuery(f"columns is a list of keys: [{shown(columns)}]")
        wanted = [column(each, self._fact_of) for each in columns or COLUMNS]
        zone = self._session.zone if timezone is None else timezone
        frame = frame_of(wanted, self._run_query.values(wanted), zone, convert_times)
        if not len(frame):
            self._explain_nothing()
        return frame

    def table(
        self,
        fields: Fields = None,
        stream: str = "primary",
        *,
        metadata: Sequence[str | Key] = (),
        index: bool = False,
        fill: Fill = False,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> pd.DataFrame:
        """Return the events of a stream of all these runs as one table.

        Parameters
        ----------
        fields
            Which fields, as in `Run.table`; each need be in one of the runs only.
        stream
            The name of the stream. Runs that do not have it are passed over.
        metadata
            What each row says of its run besides ``uid`` and ``scan_id``: columns of `to_frame`,
            such as ``'sample.name'``.
        index
            Whether that stands in the index, before ``seq_num``, rather than in columns.
        fill, on_missing
            As in `Run.table`.
        convert_times
            Whether times are stamps rather than seconds since 1970.
        timezone
            The zone of times; by default they are naive UTC.

        Returns
        -------
        pandas.DataFrame
            The tables of the runs one below the other, as `pandas.concat` puts them, in the
            order of the runs. A column of the runs that has the name of another one, as
            ``'time'`` has, begins with ``run_``.

        Raises
        ------
        NoSuchField
            A plain name in `fields` or `fill` that is in none of the runs.
        ExternalDataMissing, NoHandler
            What is to be filled cannot be had; the message says how to mend it.

        Warns
        -----
        NothingFoundWarning
            No run has the stream, or a field; it names the nearest.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for n in (1, 2):
        ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "scan_id": n, "T": 5 * n})
        ...     db.insert("descriptor", {"uid": f"d{n}", "run_start": f"run {n}", "time": float(n),
        ...                              "name": "primary", "data_keys": {"det": {
        ...                                  "dtype": "number", "shape": [], "source": "PV"}}})
        ...     db.insert("event", {"uid": f"e{n}", "descriptor": f"d{n}", "seq_num": 1,
        ...                         "time": float(n), "data": {"det": n / 2},
        ...                         "timestamps": {"det": float(n)}})
        >>> db().table(metadata=["T"])
                   uid  scan_id   T                time  det
        seq_num
        1        run 2        2  10 1970-01-01 00:00:02  1.0
        1        run 1        1   5 1970-01-01 00:00:01  0.5
        """
        table = self._tables(
            fields, fill, metadata, index, stream, on_missing, convert_times, timezone
        ).table()
        if not len(table):
            self._explain_nothing()
        return table

    def tables(
        self,
        fields: Fields = None,
        stream: str = "primary",
        *,
        metadata: Sequence[str | Key] = (),
        index: bool = False,
        fill: Fill = False,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> Tables[RunType]:
        """Return the tables of these runs, which are read as one loops over them.

        Parameters
        ----------
        fields, stream, metadata, index, fill, on_missing, convert_times, timezone
            As in `table`.

        Returns
        -------
        Tables
            Gives pairs of a run and its table when looped over. For what does not fit into
            memory, its `pages` gives tables of some runs at a time, its `reader` Arrow batches,
            and its `to_parquet` writes a file; in these, each row says its run as in `table`.

        Examples
        --------
        >>> import databroker
        >>> for header, table in databroker.temp()().tables(["det"]):
        ...     print(header.uid, table.det.mean())
        """
        return self._tables(
            fields, fill, metadata, index, stream, on_missing, convert_times, timezone
        )

    def to_dask(
        self,
        fields: Fields = None,
        stream: str = "primary",
        *,
        metadata: Sequence[str | Key] = (),
        fill: Fill = False,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
        runs_per_partition: int = 500,
    ) -> Any:
        """Return the events of a stream of all these runs as one dask dataframe.

        Each partition holds the uids of some runs, and reads them where it is computed: in
        threads, processes or on a cluster, each of which opens the store for itself. Which runs
        there are is looked up now, as are their descriptors.

        Parameters
        ----------
        fields, stream, metadata, fill, on_missing, convert_times, timezone
            As in `table`.
        runs_per_partition
            So many runs are read by one task.

        Returns
        -------
        dask.dataframe.DataFrame
            Columns as those of `table`, but each has one type in all partitions: fields that are
            declared as single numbers are float64, all others objects.

        Raises
        ------
        MissingExtra
            dask is not installed.
        InvalidQuery
            When it is computed: a field that is declared as a number holds something else.
        StoreUnavailable
            When it is computed: the store has not all of the runs where that is done.
        """
        return self._tables(
            fields, fill, metadata, False, stream, on_missing, convert_times, timezone
        ).to_dask(runs_per_partition)

    def to_bag(self, runs_per_partition: int = 100) -> Any:
        """Return all documents of all these runs as a dask bag of pairs (name, document).

        Parameters
        ----------
        runs_per_partition
            So many runs are read by one task.

        Raises
        ------
        MissingExtra
            dask is not installed.
        """
        from .dask_tables import Source, bag

        uids = list(self._run_query.uids())
        return bag(Source(self._session).documents, uids, runs_per_partition)

    def _tables(
        self,
        fields: Fields,
        fill: Fill,
        metadata: Sequence[str | Key],
        index: bool,
        *options: Any,
    ) -> Tables[RunType]:
        from .stream.run_tables import Options
        from .tables import Request, Tables

        if isinstance(metadata, str):
            raise InvalidQuery(f"metadata is a list of keys: [{shown(metadata)}]")
        wanted = [column(each, self._fact_of) for each in (*_OF_A_RUN, *metadata)]
        columns = list({each.name: each for each in wanted}.values())
        if fields is not None and not isinstance(fields, str):
            fields = list(fields)
        request = Request(fields, fill, Options(*options), columns, index)
        return Tables(self._session, self._run_query, self._make_run, request)

    def files(self, progress: Progress | None = None) -> Files:
        """Return the external files of all these runs, and whether they are there.

        Parameters
        ----------
        progress
            Called after each run with how many are done, and its uid.

        Returns
        -------
        Files
            As `Header.files` returns it; a file of several runs is listed for each.

        Examples
        --------
        >>> import databroker
        >>> databroker.temp()().files()
        no external files
        """
        return files_of(((run.session, run.uid) for run in self), progress)

    def check(self, *, files: bool = True, progress: Progress | None = None) -> CheckReport:
        """Look whether these runs are whole, and say what is not.

        Whether there are as many events as the stop document says, whether any is left out, and
        whether external files are there. What `Broker.check` does, bytes against their
        checksums, is not repeated.

        Parameters
        ----------
        files
            Whether to look at external files.
        progress
            Called after each run with how many are done, and its uid.

        Returns
        -------
        CheckReport
            True if all is right.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
        >>> db.insert("stop", {"uid": "s", "time": 2.0, "run_start": "b2c1",
        ...                    "num_events": {"primary": 5}})
        >>> db().check()
        1 run checked. Not as it was written:
        - Run 'b2c1': its stop document names the stream 'primary', which is not there.
        """
        from .verifying import verify

        return verify(self, files=files, progress=progress)

    def _explain_nothing(self, *asked: Node) -> None:
        explain_nothing(self._session.store, And(self._query, *asked))

    def _fact_of(self, uid: str, name: str) -> Any:
        record = self._session.store.record(uid)
        if record is None:
            return run_fact(self._session.store, uid, None, name)
        return run_fact(self._session.of(record).store, uid, record.stop, name)

    # -- shown to people -------------------------------------------------

    def __str__(self) -> str:
        rows, more = self._newest()
        said = (
            f"Runs that match {self._asked() or 'any search'}. Loop over them, or use "
            ".count(), .first(), .limit(n), .sort(key), .distinct(key), .to_frame(), .table()."
        )
        shown = runs_text(rows, self._session.zone) if rows else "There are none."
        return printable("\n".join([said, shown, *(["... and more"] if more else [])]))

    def _newest(self) -> tuple[list[tuple[dict[str, Any], str]], bool]:
        """Return the start and status of the first few runs, and whether there are more."""
        newest = list(self.limit(_SHOWN + 1))
        return [(run.start, run.status) for run in newest[:_SHOWN]], len(newest) > _SHOWN

    def _asked(self) -> str:
        """Return in words what was searched for."""
        nodes = getattr(self._query, "nodes", (self._query,))
        others = [each for each in nodes if not isinstance(each, TimeBounds | Everything)]
        zone = self._session.zone
        said = [" & ".join(map(repr, others))] if others else []
        if self.bounds.since is not None:
            said.append(f"since {format_time(self.bounds.since, zone)}")
        if self.bounds.until is not None:
            said.append(f"until {format_time(self.bounds.until, zone)}")
        return ", ".join(said)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        show_in_ipython(self, printer)

    def _repr_html_(self) -> str:
        from ..display.html import results_html

        rows, more = self._newest()
        return results_html(rows, more, self._session.zone, asked=self._asked())
