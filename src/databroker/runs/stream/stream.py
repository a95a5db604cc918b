"""A stream: the events of all descriptors of a run that share a name."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..._util.printable import printable
from ...columns import ALL, Selection
from ...external.fields.filling import external_fields
from .fields import (
    EVERY,
    Doc,
    Fields,
    FieldSelection,
    checked_fill,
    data_keys,
    mapping,
    no_such_field,
    select,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ...external.fields.filling import Fill, OnMissing
    from ...external.fields.lazy_array import LazyArray
    from ...stores.rows import Extent
    from ..following.tables import TableFollower
    from ..session import Session
    from .external_fields import ExternalFields
    from .layout import EventSource
    from .schema import Constant, Request, Variable
    from .table import TableReader
    from .views import Configuration, View


class Stream:
    """One of the concurrent streams of a run.

    Obtained as ``header.streams['primary']``. It is current: while the run
    goes on, each call sees the events stored so far. ``stream['det']`` is one
    field, read when it is sliced.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        descriptors: Sequence[Doc],
        start: Doc,
        stop: Doc,
    ) -> None:
        self._session = session
        self.name = name
        self._descriptors = descriptors
        self._start = start
        self._stop = stop
        # By field and on_missing, with the rows that they were made for.
        self._arrays: dict[tuple[str, str], tuple[LazyArray, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": {}}

    def __repr__(self) -> str:
        return printable(
            f"<Stream {self.name!r} of run {str(self._start['uid'])[:8]}>", lines=False
        )

    @property
    def descriptors(self) -> list[Doc]:
        """The stream's descriptors, oldest first."""
        return list(self._descriptors)

    @property
    def fields(self) -> list[str]:
        """The names of the data keys, in the order of the descriptors."""
        return data_keys(self._descriptors)

    @property
    def devices(self) -> list[str]:
        """The names of the devices that were read, in the order of the descriptors."""
        found = (mapping(doc.get("object_keys")) for doc in self._descriptors)
        return list(dict.fromkeys(name for keys in found for name in keys))

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __contains__(self, field: object) -> bool:
        return field in self.fields

    def _ipython_key_completions_(self) -> list[str]:
        return self.fields

    def select(self, fields: Fields) -> FieldSelection:
        """Return what `fields` means in this stream."""
        return select(fields, self._descriptors, self._start, self._stop)

    def _repr_html_(self) -> str:
        from ...display.html import stream_html

        uid = str(self._start["uid"])
        return stream_html(self.name, uid, self.num_events, self._descriptors, self._session.zone)

    @property
    def num_events(self) -> int:
        """How many events are stored now; of a stream without events, how many values are."""
        return sum(extent.rows for extent in self.extents())

    def extents(self) -> list[Extent]:
        """Return where its events are, and the range of seq_nums of each stretch of them."""
        rows = self._rows()
        found = (rows.extents("event", doc["uid"]) for doc in self._descriptors)
        return [extent for extents in found for extent in extents]

    def table(
        self,
        fields: Fields = None,
        *,
        fill: Fill = False,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
        rows: slice = EVERY,
    ) -> pd.DataFrame:
        """Return the stream as a table, one row an event; see `Header.table`.

        Parameters
        ----------
        fields, fill, on_missing, convert_times, timezone
            As `Header.table` has them.
        rows
            Which rows, counted from 0: ``slice(-5, None)`` for the last five. No others are read.

        Raises
        ------
        NoSuchField
            A plain name that neither the events nor configuration, start or stop have; or a
            name in `fill` that no field has.
        ExternalDataMissing, NoHandler
            What is to be filled cannot be had; the message says how to mend it.
        """
        rows = self._counted(rows)
        outside = self._external(fill, on_missing)
        table = self._reader(outside, fields, convert_times, timezone).table(rows)
        return outside.fill_table(table, rows.start or 0)

    def records(self, fields: Fields = None, rows: slice = EVERY) -> Iterator[dict[str, Any]]:
        """Yield each row as a dictionary: `seq_num`, `time`, and the fields, exactly as stored.

        A few MB of them are in memory at a time. What refers to external data is given as it is.

        Parameters
        ----------
        fields, rows
            As in `table`.

        Raises
        ------
        NoSuchField
            As `table` says.
        """
        from .records import records

        if "stream" not in external_fields(self._descriptors).values():
            store = self._session.store
            return records(store, self._descriptors, self.select(fields), rows)
        # No event has such a field: what it refers to is found for all rows together.
        table = self.table(fields, convert_times=False, rows=rows).reset_index()
        names = list(map(str, table))
        return (
            dict(zip(names, row, strict=True)) for row in table.itertuples(index=False, name=None)
        )

    def _counted(self, rows: slice) -> slice:
        """Return the same rows by numbers that stay theirs while more come."""
        return rows if rows == EVERY else slice(*rows.indices(self.num_events)[:2])

    def pages(
        self,
        fields: Fields = None,
        *,
        fill: Fill = False,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> Iterator[pd.DataFrame]:
        """Yield the rows of `table`, which takes the same arguments, some at a time.

        What type a column has is said by the values of these rows alone. A stream without events
        has one table, which is empty.

        Raises
        ------
        NoSuchField, ExternalDataMissing, NoHandler
            As `table` says.
        """
        outside = self._external(fill, on_missing)
        before = 0
        for page in self._reader(outside, fields, convert_times, timezone).pages():
            yield outside.fill_table(page, before)
            before += len(page)

    def _reader(
        self,
        outside: ExternalFields,
        fields: Fields,
        convert_times: bool,
        timezone: str | datetime.tzinfo | None,
    ) -> TableReader:
        from .table import TableReader

        selection = self.select(fields)
        return TableReader(outside.rows, self._descriptors, selection, convert_times, timezone)

    def read(
        self,
        fields: Fields = None,
        *,
        fill: Fill = True,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
    ) -> xr.Dataset:
        """Return the stream as a dataset in memory.

        Along ``time`` (naive UTC, with ``seq_num`` beside it) there is a
        variable for each field, in the order of the descriptors. Arrays of one
        shape become further dimensions; what is ragged, mixed or text is an
        object for each event. Missing numbers are NaN, other missing values
        None.

        Parameters
        ----------
        fields
            As in `table`.
        fill
            Which external fields are loaded, as in `table`; the others hold what refers to
            their data. With 'delayed', external fields are dask arrays.
        on_missing
            Where such data cannot be had: 'raise' the error, or 'mask' (or 'skip') it with
            NaN, which makes integers floats.
        convert_times
            Whether ``time`` holds stamps (datetime64) rather than seconds since 1970.

        Raises
        ------
        NoSuchField
            As in `table`.
        ExternalDataMissing, NoHandler
            External data cannot be had; the message says how to mend it.
        MissingExtra
            xarray is not installed.

        Warns
        -----
        UserWarning
            Once, naming the fields whose shape is not as declared; they are
            given as they are.
        """
        from .dataset import read

        return read(self.request(fields, fill, on_missing), convert_times)

    def to_dask(
        self,
        fields: Fields = None,
        *,
        fill: Fill = True,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
    ) -> xr.Dataset:
        """Return the stream as a lazy dataset: as `read`, of dask arrays.

        The arrays know where the data are and hold none of them; they can be
        computed in threads, processes or on a cluster. Chunks follow what is
        stored together, at most some 16 MB of the largest field; those of
        external fields follow their files. Times are read at once; of the data,
        as much as tells their types. External data that cannot be had raise
        when they are computed.

        Parameters
        ----------
        fields, fill, on_missing, convert_times
            As in `read`.

        Raises
        ------
        NoSuchField, MissingExtra
            As in `read`.
        """
        from .dataset import lazy

        return lazy(self.request(fields, fill, on_missing), convert_times)

    @property
    def timestamps(self) -> View:
        """When each value was read: with `read`, `to_dask` and `table` of its own."""
        from .schema import variables
        from .views import View

        stamps = variables(self._descriptors, self.fields, "timestamps")
        return View(f"Timestamps of {self.name}", self._request(stamps))

    @property
    def config(self) -> Configuration:
        """The configuration of each device: ``stream.config['motor'].read()``."""
        from .views import Configuration

        return Configuration(self._request(), self._descriptors)

    def config_changes(self) -> pd.DataFrame:
        """Return what changed in the configuration of devices while events came.

        Returns
        -------
        pandas.DataFrame
            A row for each change: ``seq_num`` and ``time`` (naive UTC) of the
            first event with the new value, ``device``, ``field``, ``before``
            and ``after``. None stands for a value that was not there.
        """
        from .views import changes

        return changes(self._external().rows, self._descriptors)

    def documents(self, fields: Fields = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (name, document) for the run with only this stream's descriptors and events."""
        from .documents import run_documents

        if fields is not None and not isinstance(fields, str):
            fields = list(fields)
        self.select(fields)  # or there is an error
        start, stop = dict(self._start), dict(self._stop) or None
        uids = [descriptor["uid"] for descriptor in self._descriptors]
        return run_documents(self._session.store, start, stop, uids, self.events(fields))

    def follow(
        self,
        fields: Fields = None,
        *,
        cursor: Any = None,
        timeout: float | None = None,
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> TableFollower:
        """Return the events of the stream, those to come too, as a small table each time some came.

        Parameters
        ----------
        fields, convert_times, timezone
            As in `table`. What refers to external data is given as it is stored.
        cursor, timeout
            As in `Header.follow`.

        Returns
        -------
        TableFollower
            An iterator of tables that ends with the run. It has a `cursor`.

        Raises
        ------
        InvalidKey
            The cursor is of another run, or none.
        NoSuchField
            When it is looped over: as `table` says.
        """
        from ..following.tables import TableFollower

        options = {"cursor": cursor, "timeout": timeout}
        return TableFollower(
            self._session, self._start, self.name, fields, convert_times, timezone, **options
        )

    def __getitem__(self, field: str) -> LazyArray:
        """Return a field as an array that is read when it is sliced; see `array`."""
        return self.array(field)

    def array(self, field: str, on_missing: OnMissing = "raise") -> LazyArray:
        """Return a field as an array that is read when it is sliced, as ``stream[field]`` does.

        Parameters
        ----------
        field
            A data key.
        on_missing
            As in `read`.

        Raises
        ------
        NoSuchField
            The stream has no such data key.
        """
        from .dataset import LazyFields
        from .layout import Layout
        from .schema import variables

        if field not in self.fields:
            raise no_such_field(field, self.fields)
        (variable,) = variables(self._descriptors, [field], "data")
        request = self._request([variable], on_missing=on_missing)
        layout = Layout.of(request.store, request.owners)
        array, clusters = self._arrays.get((field, on_missing), (None, None))
        # Of a streamed field, more may be there without more events.
        if array is None or clusters != layout.clusters or self._external().is_streamed(field):
            array = LazyFields(request, layout).array(variable)
            self._arrays[field, on_missing] = (array, layout.clusters)
        return array

    def events(
        self, fields: Fields = None, fill: Fill = False, on_missing: OnMissing = "raise"
    ) -> Iterator[dict[str, Any]]:
        """Yield the events in order, as documents; a few MB of them are in memory at a time.

        With `fields`, each has only the data and timestamps asked for, and
        events that have none of them are left out. `fill` and `on_missing` are
        as in `table`; what a stream resource holds is in filled events only.
        """
        from .layout import Layout

        selection = self.select(fields)
        wanted = None if selection.data is None else frozenset(selection.data)
        if wanted is not None and not wanted and not selection.extras:
            return
        outside = self._external(fill, on_missing)
        names = [name for name in outside.filled if wanted is None or name in wanted]
        filler = outside.filler if names else None
        columns = ALL if wanted is None else Selection(wanted, wanted, others=True)
        owners = [descriptor["uid"] for descriptor in self._descriptors]
        rows = outside.events if names else self._session.store
        chunks = Layout.of(rows, owners).pieces(rows, columns)
        events = (event for chunk in chunks for event in outside.referring(chunk, names))
        for event in events if filler is None else filler.events(events, names):
            for name, source in selection.extras.items():
                source.add_to(event, name)
            if wanted is None or event["data"]:
                yield event

    def data(self, field: str, fill: Fill = True, on_missing: OnMissing = "raise") -> Iterator[Any]:
        """Yield the values of one field, event by event; see `Header.data`."""
        outside = self._external(fill, on_missing)
        if outside.is_streamed(field):
            values = outside.references(field)
        elif field in self.fields:
            values = self._stored(field)
        else:
            events = self.events([field])
            values = (event["data"][field] for event in events if field in event["data"])
        return outside.filler.values(values, field) if field in outside.filled else values

    def _stored(self, field: str) -> Iterator[Any]:
        """Yield what the events hold of a field."""
        from .layout import Layout

        owners = [doc["uid"] for doc in self._descriptors if field in doc["data_keys"]]
        store = self._session.store
        for chunk in Layout.of(store, owners).pieces(store, Selection(frozenset([field]))):
            yield from chunk.values(field)

    def request(
        self, fields: Fields, fill: Fill = True, on_missing: OnMissing = "raise"
    ) -> Request:
        """Return what a dataset of these fields is made of; the arguments are as in `read`."""
        from .schema import Constant, variables

        selection = self.select(fields)
        names = self.fields if selection.data is None else selection.data
        constants = [Constant(name, each.values) for name, each in selection.extras.items()]
        stored = variables(self._descriptors, names, "data")
        return self._request(stored, constants, fill, on_missing)

    def _rows(self) -> EventSource:
        """Return the rows of this stream; without NumPy and Arrow, where events have it all."""
        is_streamed = "stream" in external_fields(self._descriptors).values()
        return self._external().rows if is_streamed else self._session.store

    def _external(self, fill: Fill = True, on_missing: OnMissing = "raise") -> ExternalFields:
        """Return what loads the external fields of this stream."""
        from .external_fields import ExternalFields

        uid = str(self._start["uid"])
        filling = checked_fill(fill, self.fields)
        return ExternalFields(
            self._session, uid, self._descriptors, filling, on_missing, bool(self._stop)
        )

    def _request(
        self,
        variables: Sequence[Variable] = (),
        constants: Sequence[Constant] = (),
        fill: Fill = True,
        on_missing: OnMissing = "raise",
    ) -> Request:
        from .schema import Request, attributes_of_run

        outside = self._external(fill, on_missing)
        owners = [doc["uid"] for doc in self._descriptors]
        attrs = attributes_of_run(self._start, self._stop, self.name)
        return Request(outside.rows, owners, variables, constants, attrs, outside)
