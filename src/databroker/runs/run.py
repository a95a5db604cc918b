"""A user's handle on one run."""

from __future__ import annotations

import datetime
import warnings
from abc import ABCMeta
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..documents.kinds import stream_name as name_of
from ..documents.readonly import ALL
from .absent import device_names, has_field, warn_if_absent
from .files import FiledRun
from .header_mapping import Parts
from .hooks import external_of
from .scan_id_conflicts import repeated_scan_id
from .stored import StoredRun
from .stream.documents import known_fields, many_streams
from .stream.fields import configuration, mapping

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ..broker import Broker
    from ..external.fields.filling import Fill, OnMissing
    from ..preview import Preview
    from ..stores.base import RunRecord

Fields = str | Iterable[str] | None


class Header(FiledRun, Parts, metaclass=ABCMeta):
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
        super().__init__(db, record)
        self.ext = external_of(db, self)

    # -- metadata --------------------------------------------------------

    @property
    def start(self) -> dict[str, Any]:
        """Everything that was recorded at the start of the run."""
        return self._prepared("start", dict(self._start))

    @property
    def stop(self) -> dict[str, Any]:
        """What was only known at the end; empty while the run has not ended."""
        return self._prepared("stop", dict(self.stored_stop()))

    @property
    def descriptors(self) -> list[dict[str, Any]]:
        """The descriptors of all streams, the newest first."""
        return [self._prepared("descriptor", doc) for doc in reversed(self._descriptors())]

    @property
    def stream_names(self) -> list[str]:
        """The names of the streams, in the order in which they appeared."""
        return list(dict.fromkeys(map(name_of, self._descriptors())))

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
            device = configuration(descriptor).get(device_name)
            if device is not None:
                data = dict(mapping(device.get("data")))
                found.setdefault(name_of(descriptor), []).append(data)
        if not found:
            known = {name for doc in self._descriptors() for name in device_names(doc)}
            warn_if_absent(self.uid, "device", device_name, sorted(known))
        return found

    # -- data ------------------------------------------------------------

    def table(
        self,
        stream_name: Any = "primary",
        fields: Fields = None,
        fill: Fill = False,
        timezone: str | datetime.tzinfo | None = None,
        convert_times: bool = True,
        localize_times: bool = True,
        *,
        on_missing: OnMissing = "raise",
    ) -> pd.DataFrame:
        """Load a stream as a table.

        Parameters
        ----------
        stream_name
            Which stream. One that the run does not have gives an empty table.
        fields
            A name, or names and patterns, of the wanted columns; None for all.
            Names of values in the configuration, start or stop work too. Names that are
            nowhere are left out, with a warning.
        fill
            Whether to load external data into the cells: True or 'yes', False or 'no', or the
            names of fields; 'delayed' for dask arrays, which read when they are computed.
        timezone
            Makes the column `time` aware, in this zone; by default it is naive UTC.
        convert_times
            Whether `time` holds stamps rather than seconds since 1970.
        localize_times
            With ``convert_times=False``, must be False too (as in databroker 1.x).
        on_missing
            Where what is to be filled cannot be had: 'raise' the error; 'mask' the cell with
            None; or 'skip' it, which leaves the reference.

        Returns
        -------
        pandas.DataFrame
            One row an event; the index is ``seq_num``, the first column ``time``.

        Raises
        ------
        NoSuchField
            Nothing in `fields` is there, or a name in `fill` is none of a field.
        NoHandler, ExternalDataMissing
            What is to be filled cannot be had; the message says how to mend it.
        """
        stream = self.streams.get(stream_name) if isinstance(stream_name, str) else None
        if stream is None:
            from .stream.table import no_table

            # A table is of one stream: ALL is the name of none.
            name = getattr(stream_name, "__name__", stream_name)
            warn_if_absent(self.uid, "stream", str(name), self.stream_names)
            return no_table()
        return stream.table(
            known_fields([stream], fields),
            fill=fill,
            on_missing=on_missing,
            convert_times=convert_times or localize_times,
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
        """Yield the values of one field, event by event.

        Good for images and for long runs: little is in memory at a time.

        Parameters
        ----------
        field, stream_name
            Which field of which stream; one that the run does not have yields nothing, with
            a warning.
        fill
            As in `table`; where external data are not loaded, what refers to them is yielded.
        on_missing
            Where such data cannot be had: 'raise' the error; 'mask' the value with None; or
            'skip' it. But for 'raise', there is one warning.

        Raises
        ------
        NoSuchField
            A name in `fill` that no field has.
        NoHandler, ExternalDataMissing
            A value cannot be had; the message says how to mend it.
        """
        stream = self.streams.get(stream_name)
        if stream is None:
            warn_if_absent(self.uid, "stream", stream_name, self.stream_names)
        elif has_field(self.uid, stream, field):
            yield from stream.data(field, fill, on_missing)

    def events(
        self,
        stream_name: Any = "primary",
        fields: Fields = None,
        fill: Fill = False,
        *,
        on_missing: OnMissing = "raise",
    ) -> Iterator[dict[str, Any]]:
        """Yield the events of a stream as documents, in order (of all streams: by time).

        `fill` and `on_missing` are as in `table`.
        """
        warn_if_absent(self.uid, "stream", stream_name, self.stream_names)
        for event in many_streams(self._streams_of(stream_name), fields, fill, on_missing):
            yield self._prepared("event", event)

    def documents(
        self,
        stream_name: Any = ALL,
        fields: Fields = None,
        fill: Fill = False,
        *,
        on_missing: OnMissing = "raise",
    ) -> Iterator[tuple[str, dict[str, Any]]]:
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
            yield kind, self._prepared(kind, document)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what `documents` yields: its old name."""
        warnings.warn("Header.stream is now called Header.documents.", UserWarning, stacklevel=2)
        yield from self.documents(*args, **kwargs)

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

    def preview(self, fields: Fields = None, streams: Fields = None, frames: int = 5) -> Preview:
        """Return pictures of the data, which a notebook shows.

        Numbers are drawn against what was scanned, as the run's hints say, or
        against the time; of images and waveforms, a few are read.

        Parameters
        ----------
        fields
            A name, or names and patterns, as in `table`; None for those that
            the devices hint at, and for images and waveforms.
        streams
            A name or names; None for all but the baseline.
        frames
            How many images or waveforms of a field are read.

        Raises
        ------
        NoSuchStream, NoSuchField
        MissingExtra
            matplotlib is not installed.
        """
        from ..preview import make_preview

        return make_preview(self, fields, streams, frames)

    # -- the rest --------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredRun) and self._start == other._start

    def __str__(self) -> str:
        from ..display.text import header_text

        return header_text(*self._summary())

    def _repr_html_(self) -> str:
        from ..display.html import header_html

        note = repeated_scan_id(self.db.view, self._start)
        return header_html(*self._summary(), note=note)

    def _prepared(self, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        handed_out: dict[str, Any] = self.db.prepare_hook(kind, document)
        return handed_out

    def _of_stream(self, stream_name: Any) -> list[dict[str, Any]]:
        known = self._descriptors()
        found = [doc for doc in known if stream_name is ALL or name_of(doc) == stream_name]
        if not found:
            warn_if_absent(self.uid, "stream", stream_name, map(name_of, known))
        return found


# Users and their tools know the class under this name.
Header.__module__ = "databroker.v1"
