"""The configuration of devices during a stream: one value an event, and what changed when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..._util.printable import printable
from ...columns import Selection, assemble
from ...columns.names import SEQ_NUM, TIME
from ...documents.encode import same
from ...errors import NoSuchField
from .event_reader import codes_of
from .fields import configuration, mapping
from .gather import Constant, Request
from .layout import Layout
from .rows import EventSource
from .schema import Doc, attributes
from .times import SECONDS, clock, to_datetime64
from .views import View

if TYPE_CHECKING:
    import pandas as pd


class Configuration(Mapping[str, View]):
    """The configuration of each device of a stream: ``stream.config['motor'].read()``.

    Each event has the values of its own descriptor, so that a table or dataset
    is right across changes.
    """

    def __init__(self, request: Request, descriptors: Sequence[Doc]) -> None:
        self._request = request
        self._descriptors = descriptors

    def __getitem__(self, device: str) -> View:
        if device not in self._devices():
            there = ", ".join(map(repr, self._devices())) or "none"
            raise NoSuchField(f"There is no device {device!r} in this stream. There are: {there}.")
        data, times = (
            replace(self._request, constants=constants(self._descriptors, device, section))
            for section in ("data", "timestamps")
        )
        return View(f"Configuration of {device}", data, times)

    def __iter__(self) -> Iterator[str]:
        return iter(self._devices())

    def __len__(self) -> int:
        return len(self._devices())

    def __repr__(self) -> str:
        return printable(f"<Configuration of {', '.join(self) or 'no devices'}>", lines=False)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _devices(self) -> list[str]:
        return devices(self._descriptors)


def devices(descriptors: Sequence[Doc]) -> list[str]:
    """Return the devices that have a configuration, in the order of the descriptors."""
    return list(dict.fromkeys(name for doc in descriptors for name in configuration(doc)))


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
    frame = pd.DataFrame(
        {
            name: pd.Series([row[place] for row in rows], dtype=dtype)
            for place, (name, dtype) in enumerate(_COLUMNS.items())
        }
    )
    frame["time"] = to_datetime64(frame["time"].to_numpy(np.float64))
    frame.attrs["time"] = clock(convert=True)
    return frame


_COLUMNS = {
    "seq_num": np.int64,
    "time": np.float64,
    "device": object,
    "field": object,
    "before": object,
    "after": object,
}


def _switches(store: EventSource, owners: list[str]) -> Iterator[tuple[int, float, str, str]]:
    """Yield seq_num and time of each event with another descriptor than the one before it."""
    layout = Layout.of(store, owners)
    present = layout.owners
    if len(present) < 2:
        return
    numbers = {owner: number for number, owner in enumerate(present)}
    last: int | None = None
    for window in layout.windows():
        chunk = layout.read(store, window, Selection())
        index = assemble(chunk.batches, [SEQ_NUM, TIME])
        if chunk.order is not None:
            index = {name: values[chunk.order] for name, values in index.items()}
        codes = codes_of(chunk, numbers)
        before = np.concatenate([[codes[0] if last is None else last], codes[:-1]])
        for row in np.flatnonzero(before != codes):
            seq_num, time = int(index[SEQ_NUM][row]), float(index[TIME][row])
            yield seq_num, time, present[before[row]], present[codes[row]]
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
