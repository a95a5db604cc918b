"""Which columns a user means by ``fields=...``.

A string is one field. In a list, each entry is first taken as the literal
name of a data key, of a value in the devices' configuration, or of a key of
the start or stop document; else as a pattern that must match the whole name
of a data key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._util.suggestions import did_you_mean
from ...errors import InvalidQuery, NoSuchField

if TYPE_CHECKING:
    from ...external.fields.filling import Fill, Filling

Doc = Mapping[str, Any]
Fields = str | Iterable[str] | None

ALWAYS = ("time", "seq_num")
"""What each table and each event has."""

EVERY = slice(None)
"""All rows, where some may be meant."""


@dataclass(frozen=True)
class Source:
    """Where a value that stands beside the events comes from: one for each descriptor."""

    # The value and its timestamp, by the uid of the descriptor.
    values: dict[str, Any]
    times: dict[str, Any]

    def add_to(self, event: dict[str, Any], name: str) -> None:
        """Put the value into an event, under a name, if its descriptor has one."""
        uid = event["descriptor"]
        if uid in self.values:
            event["data"][name] = self.values[uid]
            event["timestamps"][name] = self.times[uid]


@dataclass(frozen=True)
class FieldSelection:
    """The columns that a user asked for."""

    data: list[str] | None  # names of data keys, in the order of the descriptors; None for all
    # Values of configuration, start or stop, to be repeated for each event.
    extras: dict[str, Source]


def data_keys(descriptors: Iterable[Doc]) -> list[str]:
    """Return the data keys of descriptors, in order, each once."""
    return list(dict.fromkeys(key for doc in descriptors for key in doc["data_keys"]))


def mapping(value: Any) -> Doc:
    """Return a part of a document, or an empty one if it is no dictionary, as nobody checks."""
    return value if isinstance(value, Mapping) else {}


def configuration(descriptor: Doc) -> dict[str, Doc]:
    """Return the configuration of each device, with 'data', 'timestamps' and 'data_keys'.

    Some programs recorded what a device gives, ``{field: {'value': ..., 'timestamp': ...}}``,
    or only values; these are put in their places.

    Examples
    --------
    >>> configuration({"configuration": {"cam": {"gain": {"value": 2, "timestamp": 5.0}}}})
    {'cam': {'data': {'gain': 2}, 'timestamps': {'gain': 5.0}}}
    """
    found = mapping(descriptor.get("configuration"))
    devices = {name: device for name, device in found.items() if isinstance(device, Mapping)}
    return {name: _in_place(device) for name, device in devices.items()}


def _in_place(device: Doc) -> Doc:
    if not device or {"data", "timestamps", "data_keys"} & set(device):
        return device
    readings = {
        name: each if isinstance(each, Mapping) and "value" in each else {"value": each}
        for name, each in device.items()
    }
    return {
        "data": {name: each["value"] for name, each in readings.items()},
        "timestamps": {name: each.get("timestamp") for name, each in readings.items()},
    }


def select(fields: Fields, descriptors: Sequence[Doc], start: Doc, stop: Doc) -> FieldSelection:
    """Find the columns of one stream that a user means."""
    if fields is None:
        return FieldSelection(None, {})
    known = dict.fromkeys(data_keys(descriptors))
    wanted: set[str] = set()
    extras: dict[str, Source] = {}
    for name in [fields] if isinstance(fields, str) else fields:
        if name in known:
            wanted.add(name)
        elif name in ALWAYS:
            continue
        elif (source := _extra(name, descriptors, start, stop)) is not None:
            extras[name] = source
        elif is_plain(name):
            raise no_such_field(name, list(known))
        else:
            wanted.update(filter(_pattern(name), known))
    return FieldSelection([name for name in known if name in wanted], extras)


def is_plain(name: str) -> bool:
    """Tell whether a name is no pattern."""
    return re.escape(name) == name or name.isidentifier()


def _extra(name: str, descriptors: Sequence[Doc], start: Doc, stop: Doc) -> Source | None:
    values: dict[str, Any] = {}
    times: dict[str, Any] = {}
    for descriptor in descriptors:
        for device in configuration(descriptor).values():
            if name in mapping(device.get("data")):
                values[descriptor["uid"]] = device["data"][name]
                times[descriptor["uid"]] = mapping(device.get("timestamps")).get(name)
    if values:
        return Source(values, times)
    for document in (start, stop):
        if name in document:
            uids = [descriptor["uid"] for descriptor in descriptors]
            return Source(
                dict.fromkeys(uids, document[name]), dict.fromkeys(uids, document.get("time"))
            )
    return None


def checked_fill(fill: Fill, known: Sequence[str]) -> Filling:
    """Return what ``fill=...`` asks of some fields."""
    from ...external.fields.filling import Filling

    filling = Filling.of(fill)
    for name in filling.names or ():
        # What was checked before may have been so among more fields.
        if name not in known and not isinstance(fill, Filling):
            raise no_field_to_fill(name, known)
    return filling


def no_field_to_fill(name: object, known: Sequence[str]) -> NoSuchField:
    """Return the error for a name in ``fill=...`` that no field has."""
    from ...external.fields.filling import WORDS

    words = ", ".join(map(repr, WORDS))
    return NoSuchField(
        f"{no_such_field(name, known)} fill takes a boolean, {words}, or names of fields."
    )


def _pattern(text: str) -> Any:
    try:
        return re.compile(text).fullmatch
    except re.error as error:
        raise InvalidQuery(
            f"{text!r} is neither a field nor a regular expression ({error})."
        ) from error


def no_such_field(name: object, known: Sequence[str]) -> NoSuchField:
    """Return the error that says which fields there are."""
    return NoSuchField(absent_fields([name], known))


def absent_fields(names: Iterable[object], known: Sequence[str]) -> str:
    """Say that some fields are not there, what may be meant, and which fields there are."""
    each = " ".join(f"There is no field {name!r}.{did_you_mean(name, known)}" for name in names)
    shown = ", ".join(map(repr, known[:12])) + (", ..." if len(known) > 12 else "")
    return f"{each} The fields here are: {shown or 'none'}."
