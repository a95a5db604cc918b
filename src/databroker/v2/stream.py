"""One stream of a run, as the second face of databroker 1.x gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from .._util.printable import printable
from ..errors import NoSuchField

if TYPE_CHECKING:
    import xarray as xr

    from ..runs.stream.stream import Stream


class HasMetadata(Protocol):
    """A run, as far as its streams know it."""

    @property
    def metadata(self) -> dict[str, Any]:
        """Its start document, and its stop document."""
        ...


class BlueskyEventStream:
    """A stream as a source of datasets; obtained as ``run.primary`` or ``run['primary']``.

    Called with `include` or `exclude`, it gives a source of some of its fields.

    Parameters
    ----------
    run
        The run that it belongs to.
    stream
        The same stream as `Header.streams` gives it.
    include, exclude
        Which fields, or which not; one of them, or neither. A name to exclude need not be
        there.
    sub_dict
        'data', or 'timestamps' of the same fields.
    configuration_for
        A device, whose configuration is given instead.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> keys = {"det": {"dtype": "number", "shape": [], "source": "sim"}}
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
    >>> db.insert("descriptor", {"uid": "d", "run_start": "b2c1", "time": 1.0,
    ...                          "name": "primary", "data_keys": keys})
    >>> db.v2["b2c1"].primary
    <BlueskyEventStream 'primary' from Run b2c1...>
    """

    def __init__(
        self,
        run: HasMetadata,
        stream: Stream,
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        sub_dict: str = "data",
        configuration_for: str | None = None,
    ) -> None:
        self._run = run
        self._stream = stream
        self._include = _names(include)
        self._exclude = _names(exclude)
        self._sub_dict = sub_dict
        self._configuration_for = configuration_for

    def __call__(
        self,
        *,
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        sub_dict: str | None = None,
        configuration_for: str | None = None,
    ) -> BlueskyEventStream:
        """Return the same stream with other settings; what is not given stays as it is."""
        return BlueskyEventStream(
            self._run,
            self._stream,
            self._include if include is None else include,
            self._exclude if exclude is None else exclude,
            self._sub_dict if sub_dict is None else sub_dict,
            self._configuration_for if configuration_for is None else configuration_for,
        )

    def get(self) -> BlueskyEventStream:
        """Return the stream itself."""
        return self

    @property
    def metadata(self) -> dict[str, Any]:
        """The start and the stop document of the run, and the stream's descriptors."""
        return {**self._run.metadata, "descriptors": self._stream.descriptors}

    @property
    def name(self) -> str:
        """The name of the stream."""
        return self._stream.name

    @property
    def descriptors(self) -> list[dict[str, Any]]:
        """The descriptors of the stream, the oldest first."""
        return [dict(descriptor) for descriptor in self._stream.descriptors]

    @property
    def _descriptors(self) -> list[dict[str, Any]]:
        # The name by which programs reached for them before there was a public one.
        return self.descriptors

    def describe(self) -> dict[str, Any]:
        """Return what the stream is, in the words of a catalog's entry."""
        kind = "bluesky-event-stream"
        return description(self.name, kind, kind, type(self), self.metadata)

    def read(self) -> xr.Dataset:
        """Load the stream as a dataset.

        Raises
        ------
        ValueError
            Both `include` and `exclude` were given, or `sub_dict` has no meaning.
        NoSuchField
            One of the names to include is no field of the stream.
        """
        return _by_time(self._source().read(self._fields(), convert_times=False))

    def to_dask(self) -> xr.Dataset:
        """Return the stream as a dataset whose arrays are loaded piece by piece, when computed.

        Raises
        ------
        ValueError, NoSuchField
            As in `read`.
        """
        return _by_time(self._source().to_dask(self._fields(), convert_times=False))

    @property
    def timestamps(self) -> BlueskyEventStream:
        """The times at which each value was taken, instead of the values."""
        return self(sub_dict="timestamps")

    @property
    def config(self) -> Mapping[str, BlueskyEventStream]:
        """The configuration of each device, one value an event."""
        return self._devices("data")

    @property
    def config_timestamps(self) -> Mapping[str, BlueskyEventStream]:
        """The times at which the configuration of each device was read."""
        return self._devices("timestamps")

    def __repr__(self) -> str:
        uid = str(self._run.metadata["start"]["uid"])
        return printable(f"<BlueskyEventStream {self._stream.name!r} from Run {uid[:8]}...>")

    def _repr_html_(self) -> str:
        return self._stream._repr_html_()

    def _devices(self, sub_dict: str) -> _Devices:
        devices = {
            device: self(sub_dict=sub_dict, configuration_for=device)
            for device in self._stream.config
        }
        return _Devices(devices)

    def _source(self) -> Any:
        """Return what is read: values or times, of fields or of a device's configuration."""
        if self._sub_dict not in ("data", "timestamps"):
            raise ValueError(f"sub_dict must be 'data' or 'timestamps', not {self._sub_dict!r}.")
        device = self._configuration_for
        source: Any = self._stream if device is None else self._stream.config[device]
        return source.timestamps if self._sub_dict == "timestamps" else source

    def _fields(self) -> list[str] | None:
        if self._include is not None and self._exclude is not None:
            raise ValueError("Give include or exclude, not both.")
        if self._include is None and self._exclude is None:
            return None
        known = dict.fromkeys(self._source().fields)
        if self._exclude is not None:
            excluded = set(self._exclude)
            return [name for name in known if name not in excluded]
        for name in self._include or ():
            if name not in known:
                raise NoSuchField(f"There is no field {name!r} here; there are: {list(known)}.")
        return self._include


class _Devices(dict[str, BlueskyEventStream]):
    """The configuration of each device, as items and as attributes."""

    def __missing__(self, device: str) -> BlueskyEventStream:
        raise NoSuchField(f"There is no device {device!r} here; there are: {list(self)}.")

    def __getattr__(self, device: str) -> BlueskyEventStream:
        if device not in self:
            raise AttributeError(f"There is no device {device!r} here.")
        return self[device]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *filter(str.isidentifier, self)})

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def _by_time(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose only coordinate is the time, as databroker 1.x gave it."""
    return dataset.drop_vars("seq_num", errors="ignore")


def _names(names: Iterable[str] | None) -> list[str] | None:
    return None if names is None else [names] if isinstance(names, str) else list(names)


def description(
    name: str | None, container: str, plugin: str, kind: type, metadata: dict[str, Any]
) -> dict[str, Any]:
    """Return what a thing is, in the words that entries of catalogs had in databroker 1.x."""
    return {
        "name": name,
        "container": container,
        "plugin": [plugin],
        "driver": [f"{kind.__module__}.{kind.__qualname__}"],
        "description": "",
        "direct_access": "forbid",
        "user_parameters": [],
        "metadata": metadata,
        "args": {},
    }
