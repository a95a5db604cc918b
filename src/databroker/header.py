"""A user's handle on one run."""

from __future__ import annotations

import datetime
import time as clock
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .documents.kinds import stream_name as name_of
from .documents.readonly import ALL, ReadOnly, wrapped
from .errors import NoSuchStream
from .status import status_of
from .streams import Stream
from .streams.several import many_streams, run_documents

if TYPE_CHECKING:
    import pandas as pd

    from .broker import Broker
    from .stores.contract import RunRecord

Fields = str | Iterable[str] | None


class Header:
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
        self._start = record.start
        self._stop = record.stop

    # -- metadata --------------------------------------------------------

    @property
    def uid(self) -> str:
        """The uid of the run."""
        uid: str = self._start["uid"]
        return uid

    @property
    def start(self) -> ReadOnly:
        """Everything that was recorded at the start of the run."""
        return wrapped("start", self._start)

    @property
    def stop(self) -> ReadOnly:
        """What was only known at the end; empty while the run has not ended."""
        if self._stop is None:
            record = self.db.store.record(self.uid)
            self._stop = None if record is None else record.stop
        return wrapped("stop", self._stop or {})

    @property
    def descriptors(self) -> list[ReadOnly]:
        """The descriptors of all streams, the newest first."""
        return [wrapped("descriptor", doc) for doc in reversed(self._descriptors())]

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
        stop = self.stop
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
        stop = self.stop
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
        self._no_filling(fill)
        stream = self.streams.get(stream_name) if isinstance(stream_name, str) else None
        if stream is None:
            from .streams.table import no_table

            return no_table()
        return stream.table(
            fields, convert_times=convert_times or localize_times, timezone=timezone
        )

    def data(self, field: str, stream_name: str = "primary", fill: Any = True) -> Iterator[Any]:
        """Yield the values of one field, event by event.

        Good for images and for long runs: little is in memory at a time.
        """
        stream = self.streams.get(stream_name)
        if stream is not None:
            yield from stream.data(field)

    def events(
        self, stream_name: Any = "primary", fields: Fields = None, fill: Any = False
    ) -> Iterator[ReadOnly]:
        """Yield the events of a stream as documents, in order (of all streams: by time)."""
        self._no_filling(fill)
        for event in many_streams(self._streams_of(stream_name), fields):
            yield wrapped("event", event)

    def documents(
        self, stream_name: Any = ALL, fields: Fields = None, fill: Any = False
    ) -> Iterator[tuple[str, ReadOnly]]:
        """Yield (name, document) for all documents of the run, as they may be inserted again.

        Parameters
        ----------
        stream_name
            Leaves out descriptors and events of other streams.
        fields
            Leaves out other data of the events.
        """
        self._no_filling(fill)
        streams = self._streams_of(stream_name)
        for kind, document in run_documents(
            self.db.store, self._start, self.stop or None, streams, fields
        ):
            yield kind, wrapped(kind, document)

    # -- the rest --------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Header) and self._start == other._start

    def __iter__(self) -> Iterator[str]:
        return iter(("start", "descriptors", "stop"))

    def __getitem__(self, name: str) -> Any:
        if name not in tuple(self):
            raise KeyError(name)
        return getattr(self, name)

    def keys(self) -> list[str]:
        """Return the names of the parts of a header."""
        return list(self)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute by its name."""
        return getattr(self, name, default)

    def _repr_html_(self) -> str:
        from .display.html import header_html

        streams = [
            (name, stream.num_events, stream.fields) for name, stream in self.streams.items()
        ]
        return header_html(self._start, self.stop, streams, self.status, self.db.zone)

    def _descriptors(self) -> list[dict[str, Any]]:
        """Return the descriptors, oldest first."""
        found = [doc for kind, doc in self.db.store.documents(self.uid) if kind == "descriptor"]
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

    def _no_filling(self, fill: Any) -> None:
        if fill is not False and fill != []:
            raise NotImplementedError(
                "Loading external data (fill) comes with a later version; without it, such "
                "fields hold the ids of their datum documents."
            )


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
