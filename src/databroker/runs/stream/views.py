"""What each event of a stream has beside its data: timestamps, and the configuration of devices."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._util.printable import printable
from ...columns import Selection
from ...documents.encode import same
from ...errors import NoSuchField
from .dataset import LazyFields, lazy, read
from .fields import Doc, Fields, configuration, mapping, no_such_field, select
from .layout import EventSource, Layout, index_of
from .schema import Constant, Request, attributes
from .times import SECONDS, clock, to_datetime64

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from ...external.fields.lazy_array import LazyArray


class View:
    """Timestamps, or the configuration of a device, with one value an event.

    Obtained as ``stream.timestamps`` and ``stream.config['motor']``.
    """

    def __init__(self, title: str, request: Request, times: Request | None = None) -> None:
        self._title = title
        self._request = request
        self._times = times

    def __repr__(self) -> str:
        return printable(f"<{self._title}: {', '.join(self.fields) or 'no fields'}>", lines=False)

    @property
    def fields(self) -> list[str]:
        """The names of the fields."""
        return self._request.names

    @property
    def timestamps(self) -> View:
        """When the values were read, in seconds since 1970."""
        if self._times is None:
            raise AttributeError("Timestamps have no timestamps.")
        return View(f"Timestamps of {self._title.lower()}", self._times)

    def read(self, fields: Fields = None, *, convert_times: bool = True) -> xr.Dataset:
        """Return a dataset in memory; see `Stream.read`. Values that are times stay seconds."""
        return read(self._chosen(fields), convert_times)

    def to_dask(self, fields: Fields = None, *, convert_times: bool = True) -> xr.Dataset:
        """Return a lazy dataset; see `Stream.to_dask`. Values that are times stay seconds."""
        return lazy(self._chosen(fields), convert_times)

    def table(
        self,
        fields: Fields = None,
        *,
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> pd.DataFrame:
        """Return a table; see `Stream.table`. Timestamps are converted as `time` is."""
        from .table import frame_of

        return frame_of(self._chosen(fields), convert_times=convert_times, timezone=timezone)

    def __getitem__(self, field: str) -> LazyArray:
        if field not in self.fields:
            raise no_such_field(field, self.fields)
        request = narrowed(self._request, [field])
        (only,) = request.fields
        return LazyFields(request, Layout.of(request.store, request.owners)).array(only)

    def arrays(self) -> dict[str, LazyArray]:
        """Return all fields as arrays, each as ``view[field]`` gives it.

        What is stored together is read together.
        """
        lazy = LazyFields(self._request, Layout.of(self._request.store, self._request.owners))
        return {field.name: lazy.array(field) for field in self._request.fields}

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __contains__(self, field: object) -> bool:
        return field in self.fields

    def _ipython_key_completions_(self) -> list[str]:
        return self.fields

    def _chosen(self, fields: Fields) -> Request:
        if fields is None:
            return self._request
        names = self.fields
        holder = {"uid": "", "data_keys": dict.fromkeys(names)}
        wanted = set(select(fields, [holder], {}, {}).data or ())
        return narrowed(self._request, wanted)


def narrowed(request: Request, names: Iterable[str]) -> Request:
    """Return a request for only some of its fields."""
    wanted = set(names)
    return replace(
        request,
        variables=[each for each in request.variables if each.name in wanted],
        constants=[each for each in request.constants if each.name in wanted],
    )


class Configuration(Mapping[str, View]):
    """The configuration of each device of a stream: ``stream.config['motor'].read()``.

    Each event has the values of its own descriptor, so that a table or dataset
    is right across changes.
    """

    def __init__(self, request: Request, descriptors: Sequence[Doc]) -> None:
        self._request = request
        self._descriptors = descriptors
        self._names = dict.fromkeys(name for doc in descriptors for name in configuration(doc))

    def __getitem__(self, device: str) -> View:
        if device not in self._names:
            there = ", ".join(map(repr, self)) or "none"
            raise NoSuchField(f"There is no device {device!r} in this stream. There are: {there}.")
        data, times = (
            replace(self._request, constants=constants(self._descriptors, device, section))
            for section in ("data", "timestamps")
        )
        return View(f"Configuration of {device}", data, times)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return printable(f"<Configuration of {', '.join(self) or 'no devices'}>", lines=False)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)


def constants(descriptors: Sequence[Doc], device: str, section: str) -> list[Constant]:
    """Return the values (or 'timestamps') of a device's configuration, by descriptor."""
    stamps = section == "timestamps"
    attrs = ({"units": SECONDS} if stamps else {}) | {"object": device}
    values: dict[str, dict[str, Any]] = {}
    keys: dict[str, list[Doc]] = {}
    for descriptor in descriptors:
        mine = configuration(descriptor).get(device, {})
        for name, value in mapping(mine.get(section)).items():
            values.setdefault(name, {})[descriptor["uid"]] = value
            key = mapping(mapping(mine.get("data_keys")).get(name))
            keys.setdefault(name, []).extend([key] if key and section == "data" else [])
    return [
        Constant(name, those, tuple(keys[name]), attrs | attributes(keys[name]), stamps)
        for name, those in values.items()
    ]


def changes(store: EventSource, descriptors: Sequence[Doc]) -> pd.DataFrame:
    """Return what changed in the configuration from one event to the next."""
    import pandas as pd

    by_uid = {descriptor["uid"]: descriptor for descriptor in descriptors}
    rows = [
        (seq_num, time, *change)
        for seq_num, time, before, after in _switches(store, list(by_uid))
        for change in _differences(by_uid[before], by_uid[after])
    ]
    columns = ["seq_num", "time", "device", "field", "before", "after"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object).astype({"seq_num": np.int64})
    frame["time"] = to_datetime64(frame["time"].to_numpy(np.float64))
    frame.attrs["time"] = clock(convert=True)
    return frame


def _switches(store: EventSource, owners: list[str]) -> Iterator[tuple[int, float, str, str]]:
    """Yield seq_num and time of each event with another descriptor than the one before it."""
    layout = Layout.of(store, owners)
    present = layout.owners
    if len(present) < 2:
        return
    numbers = {owner: number for number, owner in enumerate(present)}
    last: int | None = None
    for chunk in layout.whole(store, Selection()):
        time, seq_num = index_of([chunk])
        codes = chunk.codes(numbers)
        before = np.concatenate([[codes[0] if last is None else last], codes[:-1]])
        for row in np.flatnonzero(before != codes):
            old, new = present[before[row]], present[codes[row]]
            yield int(seq_num[row]), float(time[row]), old, new
        last = int(codes[-1])


def _differences(before: Doc, after: Doc) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield device, field, old and new value; None stands for one that was not there."""
    old, new = _values(before), _values(after)
    for device, field in dict.fromkeys([*old, *new]):
        one, other = old.get((device, field)), new.get((device, field))
        if not same(one, other):
            yield device, field, one, other


def _values(descriptor: Doc) -> dict[tuple[str, str], Any]:
    return {
        (device, field): value
        for device, each in configuration(descriptor).items()
        for field, value in mapping(each.get("data")).items()
    }
