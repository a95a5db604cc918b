"""What of a run is compared with another one, by kinds."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...external.fields.filling import external_fields
from ..stream.fields import Doc, configuration, mapping
from .changes import in_order

if TYPE_CHECKING:
    from ..stream.stream import Stream

EXPECTED = ("uid", "scan_id", "time")
"""What two runs never have in common, and is shown apart."""

_ENDS_WITH = ("uid", "run_start", "time", "exit_status")
_BASELINE = "baseline"


@dataclass(frozen=True)
class Compared:
    """A run, as it is compared: its documents (descriptors oldest first), status and streams."""

    start: Doc
    stop: Doc
    descriptors: Sequence[Doc]
    status: str
    streams: Mapping[str, Stream]
    zone: datetime.tzinfo

    def identity(self) -> dict[str, Any]:
        """Return what tells the run from all others."""
        return {key: self.start[key] for key in EXPECTED if key in self.start}

    def kinds(self) -> dict[str, dict[str, Any]]:
        """Return what is compared, by kinds in the order in which people look at them."""
        known = ("versions", *EXPECTED)
        return {
            "metadata": {key: self.start[key] for key in self.start if key not in known},
            "configuration": _configuration(self.descriptors),
            "baseline": _readings(self.streams.get(_BASELINE)),
            "fields": {name: _data_keys(stream) for name, stream in self.streams.items()},
            "end": {"status": self.status, **_without(self.stop, _ENDS_WITH)},
            "versions": dict(mapping(self.start.get("versions"))),
        }


def _without(document: Doc, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: document[key] for key in document if key not in keys}


def _data_keys(stream: Stream) -> dict[str, Any]:
    """Return the data keys of a stream, as the newest descriptors have them."""
    return {name: doc for each in stream.descriptors for name, doc in each["data_keys"].items()}


def _configuration(descriptors: Iterable[Doc]) -> dict[str, Any]:
    """Return the configuration of each device, whichever streams it is in."""
    found: dict[str, dict[str, list[Any]]] = {}
    for descriptor in descriptors:
        for name, device in configuration(descriptor).items():
            for field, value in mapping(device.get("data")).items():
                found.setdefault(name, {}).setdefault(field, []).append(value)
    return {
        name: {field: in_order(values) for field, values in device.items()}
        for name, device in found.items()
    }


def _readings(baseline: Stream | None) -> dict[str, Any]:
    """Return what was read before the run and after it, but for what is in files."""
    if baseline is None:
        return {}
    outside = external_fields(baseline.descriptors)
    fields = [name for name in baseline.fields if name not in outside]
    first: dict[str, Any] = {}
    last: dict[str, Any] = {}
    for data in _data(baseline, fields):
        first = {**data, **first}
        last |= data
    return {name: in_order([first[name], last[name]]) for name in fields if name in first}


def _data(stream: Stream, fields: list[str]) -> Iterator[dict[str, Any]]:
    return (event["data"] for event in stream.events(fields))
