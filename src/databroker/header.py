"""A user's handle on one run."""

from __future__ import annotations

import datetime
import time as clock
import warnings
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .documents.kinds import stream_name as name_of
from .documents.readonly import ALL
from .errors import NoSuchStream
from .hooks import external_of
from .parts import Parts
from .status import status_of
from .streams import Stream
from .streams.filling import refuse_to_fill
from .streams.several import many_streams, run_documents

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from .broker import Broker
    from .display.summary import STREAM
    from .stores.contract import RunRecord

Fields = str | Iterable[str] | None


class Header(Parts):
    """One run: its metadata, and ways to load its data.

    Obtained from a broker: ``db[-1]``, ``db['uid prefix']``, or by looping
    over a search. Loading is a separate step, so a header costs little.
    While the run goes on, a header is current: each call sees what is stored.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0, "plan_name": "count"})
    >>> header = db[-1]
    >>> header.start["plan_name"], header.stop, header.stream_names
    ('count', {}, [])
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, db: Broker, record: RunRecord) -> None:
        self.db = db
        self._start = db.transforms("start", record.start)
        self._stop = self._mended(record.stop)
        self.ext = external_of(db, self)

    # -- metadata --------------------------------------------------------

    @property
    def uid(self) -> str:
        """The uid of the run."""
        uid: str = self._start["uid"]
        return uid

    @property
    def start(self) -> dict[str, Any]:
        """Everything that was recorded at the start of the run."""
        return self._prepared("start", dict(self._start))

    @property
    def stop(self) -> dict[str, Any]:
        """What was only known at the end; empty while the run has not ended."""
        return self._prepared("stop", dict(self._stop_now()))

    @property
    def descriptors(self) -> list[dict[str, Any]]:
        """The descriptors of all streams, the newest first."""
        return [self._prepared("descriptor", doc) for doc in reversed(self._descriptors())]

    @property
    def stream_names(self) -> list[str]:
        """The names of the streams, in the order in which they appeared."""
        return list(dict.fromkeys(map(name_of, self._descriptors())))

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The streams by name, in the order in which they appeared.

        Raises
        ------
        NoSuchStream
            When asked for one that the run does not have.
        """
        by_name: dict[str, list[Any]] = {}
        for descriptor in self._descriptors():
            by_name.setdefault(name_of(descriptor), []).append(descriptor)
        stop = self._stop_now()
        return _Streams(
            {
                name: Stream(self.db.store, name, descriptors, self._start, stop)
                for name, descriptors in by_name.items()
            }
        )

    @property
    def status(self) -> str:
        """How the run stands: 'success', 'abort', 'fail', 'running' or 'unknown'.

        'unknown' is a run that did not end, and whose writer is gone or has
        been silent for too long; `Broker.close_run` ends it.
        """
        stop = self._stop_now()
        if stop:
            return str(stop.get("exit_status", "unknown"))
        activity = self.db.store.activity(self.uid)
        return status_of(activity, self.db.stale_after, clock.time())

    def fields(self, stream_name: Any = ALL) -> set[str]:
        """Return the names of the data keys of a stream, or of all streams."""
        return {
            key for descriptor in self._of_stream(stream_name) for key in descriptor["data_keys"]
        }

    def devices(self, stream_name: Any = ALL) -> set[str]:
        """Return the names of the devices in a stream, or in all streams."""
        return {
            device
            for descriptor in self._of_stream(stream_name)
            for device in descriptor.get("object_keys") or {}
        }

    def config_data(self, device_name: str) -> dict[str, list[dict[str, Any]]]:
        """Return the configuration of a device: for each stream, one dictionary a descriptor.

        Streams without the device are left out; an unknown device gives ``{}``.
        """
        found: dict[str, list[dict[str, Any]]] = {}
        for descriptor in self._descriptors():
            device = (descriptor.get("configuration") or {}).get(device_name)
            if device is not None:
                data = dict(device.get("data") or {})
                found.setdefault(name_of(descriptor), []).append(data)
        return found

    # -- data ------------------------------------------------------------

    def table(
        self,
        stream_name: Any = "primary",
        fields: Fields = None,
        fill: bool | Iterable[str] = False,
        timezone: str | datetime.tzinfo | None = None,
        convert_times: bool = True,
        localize_times: bool = True,
    ) -> pd.DataFrame:
        """Load a stream as a table.

        Parameters
        ----------
        stream_name
            Which stream. One that the run does not have gives an empty table.
        fields
            A name, or names and patterns, of the wanted columns; None for all.
            Names of values in the configuration, start or stop work too.
        fill
            Whether to load external data (not in this version).
        timezone
            Makes the column `time` aware, in this zone; by default it is naive UTC.
        convert_times
            Whether `time` holds stamps rather than seconds since 1970.
        localize_times
            With ``convert_times=False``, must be False too (as in databroker 1.x).

        Returns
        -------
        pandas.DataFrame
            One row an event; the index is ``seq_num``, the first column ``time``.

        Raises
        ------
        NoSuchField
            A plain name in `fields` that is nowhere.
        """
        stream = self.streams.get(stream_name) if isinstance(stream_name, str) else None
        if stream is None:
            from .streams.table import no_table

            return no_table()
        refuse_to_fill([stream], fields, fill)
        return stream.table(
            fields, convert_times=convert_times or localize_times, timezone=timezone
        )

    def data(self, field: str, stream_name: str = "primary", fill: Any = True) -> Iterator[Any]:
        """Yield the values of one field, event by event.

        Good for images and for long runs: little is in memory at a time.
        """
        stream = self.streams.get(stream_name)
        if stream is not None:
            refuse_to_fill([stream], field, fill)
            yield from stream.data(field)

    def events(
        self, stream_name: Any = "primary", fields: Fields = None, fill: Any = False
    ) -> Iterator[dict[str, Any]]:
        """Yield the events of a stream as documents, in order (of all streams: by time)."""
        streams = self._streams_of(stream_name)
        refuse_to_fill(streams, fields, fill)
        for event in many_streams(streams, fields):
            yield self._prepared("event", event)

    def documents(
        self, stream_name: Any = ALL, fields: Fields = None, fill: Any = False
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (name, document) for all documents of the run, as they may be inserted again.

        Parameters
        ----------
        stream_name
            Leaves out descriptors and events of other streams.
        fields
            Leaves out other data of the events.
        """
        refuse_to_fill(self._streams_of(stream_name), fields, fill)
        for kind, document in self.stored_documents(stream_name, fields):
            yield kind, self._prepared(kind, document)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what `documents` yields: its old name."""
        warnings.warn("Header.stream is now called Header.documents.", UserWarning, stacklevel=2)
        yield from self.documents(*args, **kwargs)

    def stored_documents(
        self, stream_name: Any = ALL, fields: Fields = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (name, document) as `documents` does, but past the broker's `prepare_hook`."""
        # The receiver may do with them what it likes.
        start, stop = deepcopy(self._start), deepcopy(self._stop_now() or None)
        return run_documents(self.db.store, start, stop, self._streams_of(stream_name), fields)

    def xarray(self, stream_name: str = "primary", fields: Fields = None) -> xr.Dataset:
        """Load a stream as an xarray dataset; see `Stream.read`.

        Raises
        ------
        NoSuchStream, NoSuchField, MissingExtra
        """
        return self.streams[stream_name].read(fields)

    def xarray_dask(self, stream_name: str = "primary", fields: Fields = None) -> xr.Dataset:
        """Return a stream as a lazy dataset of dask arrays; see `Stream.to_dask`.

        Raises
        ------
        NoSuchStream, NoSuchField, MissingExtra
        """
        return self.streams[stream_name].to_dask(fields)

    def align(
        self,
        on: str = "primary",
        how: str = "nearest",
        streams: Iterable[str] | None = None,
        tolerance: float | datetime.timedelta | None = None,
        fields: Fields = None,
    ) -> xr.Dataset:
        """Return several streams as one dataset, at the times of the events of one.

        The event times of the streams are compared. Where the rule gives
        nothing, a number is NaN and anything else None. The dataset's attrs
        say the rule, and those of each joined variable by which it was found.

        Parameters
        ----------
        on
            The stream whose events make the rows.
        how
            'previous': the last reading at or before the event. 'nearest':
            the one nearest in time (of two equally near, the earlier).
            'linear': on the line between the readings before and after, never
            beyond the first or last; what is no single number is found by
            'previous', and says so.
        streams
            Which others are joined; None for all.
        tolerance
            How many seconds a reading may be away from the event (for
            'linear': each of the two).
        fields
            Which fields, of whichever stream; None for all.

        Returns
        -------
        xarray.Dataset
            Variables are called as their fields; those of a joined stream have
            its name before them (``baseline_motor``) where two would clash.
            ``.to_dataframe()`` makes a table of it.

        Raises
        ------
        NoSuchStream, NoSuchField, MissingExtra
        InvalidQuery
            Another `how`, or a negative tolerance.
        """
        from .streams.align import align

        return align(self.streams, on, how, streams, tolerance, fields)

    # -- the rest --------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Header) and self._start == other._start

    def __str__(self) -> str:
        from .display import header_text

        return header_text(*self._summary())

    def _repr_html_(self) -> str:
        from .display import header_html

        return header_html(*self._summary())

    def _summary(self) -> tuple[Any, Any, list[STREAM], str, datetime.tzinfo]:
        """Return what a person is shown of the run. No event is read for it."""
        streams = [
            (name, stream.num_events, stream.fields) for name, stream in self.streams.items()
        ]
        return self._start, self._stop_now(), streams, self.status, self.db.zone

    def _prepared(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        handed_out: dict[str, Any] = self.db.prepare_hook(kind, document)
        return handed_out

    def _stop_now(self) -> dict[str, Any]:
        if self._stop is None:
            record = self.db.store.record(self.uid)
            self._stop = None if record is None else self._mended(record.stop)
        return self._stop or {}

    def _mended(self, stop: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if stop is None else self.db.transforms("stop", stop)

    def _descriptors(self) -> list[dict[str, Any]]:
        """Return the descriptors, oldest first."""
        found = [
            self.db.transforms(kind, doc)
            for kind, doc in self.db.store.documents(self.uid)
            if kind == "descriptor"
        ]
        return sorted(found, key=_time_of)

    def _of_stream(self, stream_name: Any) -> list[dict[str, Any]]:
        return [
            doc for doc in self._descriptors() if stream_name is ALL or name_of(doc) == stream_name
        ]

    def _streams_of(self, stream_name: Any) -> list[Stream]:
        return [
            stream
            for name, stream in self.streams.items()
            if stream_name is ALL or name == stream_name
        ]


class _Streams(dict[str, Stream]):
    """Streams by name, with an error that says which there are."""

    def __missing__(self, name: str) -> Stream:
        there = ", ".join(map(repr, self)) or "none"
        raise NoSuchStream(f"This run has no stream {name!r}; it has: {there}.")


def _time_of(document: Mapping[str, Any]) -> float:
    value = document.get("time")
    return value if isinstance(value, int | float) and value == value else float("-inf")


# Users and their tools know the class under this name.
Header.__module__ = "databroker.v1"
