"""One run: its documents, and ways to load its data."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from .._util.printable import shown
from ..display.text import run_line, show_in_ipython
from ..documents.kinds import stream_name as name_of
from ..documents.readonly import ALL
from ..errors import NoSuchField, NoSuchRun
from .absent import warn_if_absent
from .files import Files, files_of
from .scan_ids import repeated_scan_id
from .stream.by_name import Streams
from .stream.fields import Fields, configuration, mapping

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ..display.summary import STREAM
    from ..external.fields.filling import Fill, OnMissing
    from ..stores.base import RunRecord
    from .comparing.compared import Compared
    from .comparing.diff import RunDiff
    from .following.documents import DocumentFollower
    from .session import Session
    from .stream.stream import Stream

Doc = dict[str, Any]
StreamName = str | type[ALL]


class Run:
    """One run: its metadata, and ways to load its data.

    Obtained from a broker: ``db[-1]``, ``db['uid prefix']``, or by looping
    over a search. Loading is a separate step, so a run costs little.
    While it goes on, each call sees what is stored.
    """

    def __init__(self, session: Session, record: RunRecord) -> None:
        self.session = session.of(record)
        self._start = self.session.transforms("start", record.start)
        self._stop = self._transformed(record.stop)

    # -- metadata --------------------------------------------------------

    @property
    def uid(self) -> str:
        """The uid of the run."""
        uid: str = self._start["uid"]
        return uid

    @property
    def source(self) -> str | None:
        """The name of the broker that the run is of; of several sources, of the one that it is in.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> db[-1].source
        'temp'
        """
        return self.session.source.name

    @property
    def start(self) -> Doc:
        """Everything that was recorded at the start of the run."""
        return self._handed_out("start", dict(self._start))

    @property
    def stop(self) -> Doc:
        """What was only known at the end; empty while the run has not ended."""
        return self._handed_out("stop", dict(self.stored_stop()))

    @property
    def descriptors(self) -> list[Doc]:
        """The descriptors of all streams, the newest first."""
        return [self._handed_out("descriptor", doc) for doc in reversed(self._descriptors())]

    @property
    def stream_names(self) -> list[str]:
        """The names of the streams, in the order in which they appeared."""
        return list(dict.fromkeys(map(name_of, self._descriptors())))

    @property
    def status(self) -> str:
        """How the run stands: 'success', 'abort', 'fail', 'running', 'waiting' or 'unknown'.

        Of a run that is 'waiting', this process has inserted documents that the
        server of the store has not got yet. 'unknown' is a run that did not end,
        and whose writer is gone or has been silent for too long;
        `Broker.close_run` ends it.
        """
        # That something waits is known without the server.
        is_waiting = self.session.store.is_waiting(self.uid)
        return self.session.status(self.uid, None if is_waiting else self.stored_stop())

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The streams by name, in the order in which they appeared.

        Raises
        ------
        NoSuchStream
            When asked for one that the run does not have.
        """
        from .stream.stream import Stream

        by_name: dict[str, list[Doc]] = {}
        for descriptor in self._descriptors():
            by_name.setdefault(name_of(descriptor), []).append(descriptor)
        stop = self.stored_stop()
        return Streams(
            {
                name: Stream(self.session, name, descriptors, self._start, stop)
                for name, descriptors in by_name.items()
            }
        )

    def fields(self, stream_name: StreamName = ALL) -> set[str]:
        """Return the names of the data keys of a stream, or of all streams."""
        return {field for stream in self._named(stream_name) for field in stream.fields}

    def devices(self, stream_name: StreamName = ALL) -> set[str]:
        """Return the names of the devices in a stream, or in all streams."""
        return {device for stream in self._named(stream_name) for device in stream.devices}

    def config_data(self, device_name: str) -> dict[str, list[Doc]]:
        """Return the configuration of a device: for each stream, one dictionary a descriptor.

        Streams without the device are left out; an unknown device gives ``{}``.
        """
        found: dict[str, list[Doc]] = {}
        for descriptor in self._descriptors():
            device = configuration(descriptor).get(device_name)
            if device is not None:
                data = dict(mapping(device.get("data")))
                found.setdefault(name_of(descriptor), []).append(data)
        if not found:
            descriptors, parts = self._descriptors(), ("configuration", "object_keys")
            known = {
                name for doc in descriptors for part in parts for name in mapping(doc.get(part))
            }
            warn_if_absent(self.uid, "device", device_name, sorted(known))
        return found

    # -- data ------------------------------------------------------------

    def table(
        self,
        stream_name: StreamName = "primary",
        fields: Fields = None,
        fill: Fill = False,
        timezone: str | datetime.tzinfo | None = None,
        convert_times: bool = True,
        *,
        on_missing: OnMissing = "raise",
    ) -> pd.DataFrame:
        """Load a stream as a table, one row an event; see `Header.table`."""
        stream = self.streams.get(stream_name) if isinstance(stream_name, str) else None
        if stream is None:
            from .stream.table import no_table

            # A table is of one stream: ALL is the name of none.
            name = getattr(stream_name, "__name__", stream_name)
            warn_if_absent(self.uid, "stream", str(name), self.stream_names)
            return no_table()
        from .stream.many import share_fields

        ((_, known),) = share_fields([stream], fields)
        return stream.table(
            known,
            fill=fill,
            on_missing=on_missing,
            convert_times=convert_times,
            timezone=timezone,
        )

    def data(
        self,
        field: str,
        stream_name: str = "primary",
        fill: Fill = True,
        *,
        on_missing: OnMissing = "raise",
    ) -> Iterator[Any]:
        """Yield the values of one field, event by event; see `Header.data`."""
        stream = self.streams.get(stream_name)
        if stream is None:
            warn_if_absent(self.uid, "stream", stream_name, self.stream_names)
            return
        try:
            stream.select([field])
        except NoSuchField:
            warn_if_absent(self.uid, "field", field, stream.fields)
            return
        yield from stream.data(field, fill, on_missing)

    def events(
        self,
        stream_name: StreamName = "primary",
        fields: Fields = None,
        fill: Fill = False,
        *,
        on_missing: OnMissing = "raise",
    ) -> Iterator[Doc]:
        """Yield the events of a stream as documents, in order (of all streams: by time).

        `fill` and `on_missing` are as in `table`.
        """
        from .stream.many import many_streams

        for event in many_streams(self._named(stream_name), fields, fill, on_missing):
            yield self._handed_out("event", event)

    def documents(
        self,
        stream_name: StreamName = ALL,
        fields: Fields = None,
        fill: Fill = False,
        *,
        on_missing: OnMissing = "raise",
    ) -> Iterator[tuple[str, Doc]]:
        """Yield (name, document) for all documents of the run, as they may be inserted again.

        Parameters
        ----------
        stream_name
            Leaves out descriptors and events of other streams.
        fields
            Leaves out other data of the events.
        fill, on_missing
            As in `events`.
        """
        for kind, document in self.stored_documents(stream_name, fields, fill, on_missing):
            yield kind, self._handed_out(kind, document)

    def xarray(
        self,
        stream_name: str = "primary",
        fields: Fields = None,
        *,
        fill: Fill = True,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
    ) -> xr.Dataset:
        """Load a stream as an xarray dataset, with its external data; see `Stream.read`.

        Raises
        ------
        NoSuchStream, NoSuchField, NoHandler, ExternalDataMissing, MissingExtra
        """
        return self.streams[stream_name].read(
            fields, fill=fill, on_missing=on_missing, convert_times=convert_times
        )

    def xarray_dask(
        self,
        stream_name: str = "primary",
        fields: Fields = None,
        *,
        fill: Fill = True,
        on_missing: OnMissing = "raise",
        convert_times: bool = True,
    ) -> xr.Dataset:
        """Return a stream as a lazy dataset of dask arrays; see `Stream.to_dask`.

        Raises
        ------
        NoSuchStream, NoSuchField, MissingExtra
        """
        return self.streams[stream_name].to_dask(
            fields, fill=fill, on_missing=on_missing, convert_times=convert_times
        )

    def align(
        self,
        on: str = "primary",
        how: str = "nearest",
        streams: Iterable[str] | None = None,
        tolerance: float | datetime.timedelta | None = None,
        fields: Fields = None,
        convert_times: bool = True,
    ) -> xr.Dataset:
        """Return several streams as one dataset, at the times of the events of one.

        The event times of the streams are compared. Where the rule gives
        nothing, a number is NaN and anything else None. External fields are
        not loaded: they hold what refers to their data. The dataset's attrs
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
        convert_times
            Whether ``time`` holds stamps (naive UTC) rather than seconds since 1970.

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
        from .stream.align import align

        return align(self.streams, on, how, streams, tolerance, fields, convert_times)

    def follow(
        self,
        stream_name: StreamName = ALL,
        fields: Fields = None,
        *,
        cursor: Any = None,
        timeout: float | None = None,
    ) -> DocumentFollower:
        """Return (name, document) for all documents of the run, those to come too, as they come.

        Parameters
        ----------
        stream_name, fields
            As in `documents`. The stream need not be there yet.
        cursor
            What the `cursor` of a follower was, in whichever process: it goes on behind that.
        timeout
            Seconds after which it ends if nothing comes; None to wait as long as the run goes on.

        Returns
        -------
        DocumentFollower
            An iterator that ends with the run, or once its writer is gone. It has a `cursor`.

        Raises
        ------
        InvalidKey
            The cursor is of another run, or none.
        NoSuchField
            When it is looped over: a plain name in `fields` that the stream does not have.
        """
        from .following.documents import DocumentFollower

        options = {"cursor": cursor, "timeout": timeout}
        return DocumentFollower(
            self.session, self._start, stream_name, fields, self._handed_out, **options
        )

    def files(self) -> Files:
        """Return the external files of the run, and whether they are there.

        Nothing is raised for a file that is missing, or that nothing can open: its
        attributes `exists` and `problem` tell. Files that the server of a remote broker has, and
        reads for it, are `at_server`.

        Returns
        -------
        Files
            A list of `databroker.external.ExternalFile`, each once, shown as a table. It has
            `missing`, `total` (bytes) and `to_frame`.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
        >>> db.insert("resource", {"uid": "r", "run_start": "b2c1", "spec": "npy",
        ...                        "root": "/nowhere", "resource_path": "a.npy",
        ...                        "resource_kwargs": {}})
        >>> db[-1].files()
        1 file, 0 there (0 B)
        exists  size  fields  path
        no                    /nowhere/a.npy
        """
        return files_of([(self.session, self.uid)])

    def diff(self, other: Run) -> RunDiff:
        """Return what is different in another run.

        Compared are the metadata, the configuration of devices, the readings of the stream
        'baseline', the fields of the streams, how the runs ended, and the versions of programs.
        That uid, scan_id and time differ is expected; they are shown apart. Of data, nothing is
        compared.

        Parameters
        ----------
        other
            A run, of this broker or another one. What it has is called new.

        Returns
        -------
        RunDiff
            The changes, each with `kind`, `key`, `old` and `new`. It is true if there are any.

        Raises
        ------
        TypeError
            `other` is no run.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> for n, sample in enumerate(["Ni", "Cu"]):
        ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "sample": sample})
        >>> for change in db["run 0"].diff(db["run 1"]):
        ...     print(change.kind, change.key, change.old, change.new)
        metadata sample Ni Cu
        """
        from .comparing.diff import compare

        (run,) = each_run(other)
        return compare(self._compared(), run._compared())

    # -- as it is stored -------------------------------------------------

    def stored_stop(self) -> Doc:
        """Return the stop document as it is stored; empty while there is none."""
        if self._stop is None:
            record = self.session.store.record(self.uid)
            self._stop = None if record is None else self._transformed(record.stop)
        return self._stop or {}

    def stored_documents(
        self,
        stream_name: StreamName = ALL,
        fields: Fields = None,
        fill: Fill = False,
        on_missing: OnMissing = "raise",
    ) -> Iterator[tuple[str, Doc]]:
        """Yield (name, document) as `documents` does, as they are stored."""
        from .stream.documents import run_documents
        from .stream.many import many_streams

        # The receiver may do with them what it likes.
        start, stop = deepcopy(self._start), deepcopy(self.stored_stop() or None)
        streams = self._streams_of(stream_name)
        descriptors = [doc["uid"] for stream in streams for doc in stream.descriptors]
        events = many_streams(streams, fields, fill, on_missing)
        for kind, document in run_documents(self.session.store, start, stop, descriptors, events):
            if kind in ("descriptor", "resource"):
                document = self.session.transforms(kind, document)
            yield kind, document

    def _handed_out(self, kind: str, document: Doc) -> Doc:
        """Return a document as users get it."""
        return document

    def _transformed(self, stop: Doc | None) -> Doc | None:
        return None if stop is None else self.session.transforms("stop", stop)

    def _descriptors(self) -> list[Doc]:
        """Return the descriptors, oldest first."""
        documents = self.session.store.documents(self.uid, ["descriptor"])
        transformed = [self.session.transforms(kind, document) for kind, document in documents]
        if not transformed:
            self._check_is_there()
        return sorted(transformed, key=_time_of)

    def _check_is_there(self) -> None:
        """Refuse to show a run as empty that was removed: the file of one may be."""
        if self.session.store.record(self.uid) is None:
            raise NoSuchRun(
                f"Run {self.uid[:8]!r} is not in {self.session.store} any more. Was its file "
                "removed, or changed?"
            )

    def _named(self, stream_name: StreamName) -> list[Stream]:
        """Return the stream of a name, or all; warn if there is none of this name."""
        chosen = self._streams_of(stream_name)
        if not chosen:
            warn_if_absent(self.uid, "stream", stream_name, self.stream_names)
        return chosen

    def _streams_of(self, stream_name: StreamName) -> list[Stream]:
        streams = self.streams.items()
        return [stream for name, stream in streams if stream_name is ALL or name == stream_name]

    # -- shown to people -------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self._start == other._start

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        from ..display.text import header_text

        return header_text(*self._summary(), source=self.session.one_of_several)

    def _repr_html_(self) -> str:
        from ..display.html import header_html

        note = repeated_scan_id(self.session.whole.view, self._start)
        return header_html(*self._summary(), note=note, source=self.session.one_of_several)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        def in_a_list() -> str:
            return run_line(type(self).__name__, self._start, self.status, self.session.zone)

        show_in_ipython(self, printer, in_a_list)

    def _compared(self) -> Compared:
        from .comparing.compared import Compared

        return Compared(
            self._start,
            self.stored_stop(),
            self._descriptors(),
            self.status,
            self.streams,
            self.session.zone,
        )

    def _summary(self) -> tuple[Doc, Doc, list[STREAM], str, datetime.tzinfo]:
        """Return what a person is shown of the run. No event is read for it."""
        streams = [
            (name, stream.num_events, stream.fields) for name, stream in self.streams.items()
        ]
        return self._start, self.stored_stop(), streams, self.status, self.session.zone


class RunFace:
    """Something else that stands for a run, and can be looked up as the run itself can."""

    header: Run


def each_run(runs: Run | Iterable[Run]) -> Iterator[Run]:
    """Yield runs, one or several, and say what else was given."""
    for run in [runs] if isinstance(runs, Run | RunFace) else runs:
        if not isinstance(run, Run):
            given = runs if isinstance(runs, str) else run
            raise TypeError(f"Give headers, such as db[-1] or db(...), not {shown(given)}.")
        yield run


def _time_of(document: Mapping[str, Any]) -> float:
    value = document.get("time")
    return value if isinstance(value, int | float) and value == value else float("-inf")
