"""What NeXus files say of a run beside its data: when, who, what of, and all of its documents."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._util.signals import not_from_signal
from ..display.summary import by_people, by_programs, is_number, one_line
from ..runs.stream.fields import configuration, mapping
from .hdf5 import names_of, new_group, put_mapping, put_value, say_name

if TYPE_CHECKING:
    from ..runs.run import Run
    from ..runs.stream.stream import Stream

RESERVED = (
    *("title", "start_time", "end_time", "program_name", "entry_identifier"),
    *("entry_identifier_uuid", "experiment_identifier", "sample", "user", "plan", "metadata"),
    *("stop", "instrument", "timestamps", "documents"),
)
"""What is in an entry beside its streams."""

_IN_WORDS = {
    "sample": ("name", "chemical_formula", "description", "type", "situation"),
    "user": ("name", "role", "affiliation", "address", "email", "facility_user_id"),
}
"""What NeXus has fields of text for."""

_WHO = ("user", "operator", "experimenter", "users")
_PROPOSALS = ("proposal_id", "proposal", "proposal_number")
_PIECE = 2**20  # bytes of documents that are written at a time


def put_run(entry: Any, run: Run) -> None:
    """Put what is known of a run into its entry."""
    start, stop = run.start, run.stop
    texts = {
        "title": _title(start),
        "start_time": time_text(run, start.get("time")),
        "end_time": time_text(run, stop.get("time")),
        "program_name": "databroker",
        "entry_identifier": start.get("scan_id"),
        "entry_identifier_uuid": run.uid,
        "experiment_identifier": _first(start, _PROPOSALS),
    }
    for name, text in texts.items():
        if isinstance(text, str | int) and text != "":
            put_value(entry, name, str(text))
    _put_in_words(entry, "sample", "NXsample", start.get("sample", start.get("sample_name")))
    _put_in_words(entry, "user", "NXuser", _first(start, _WHO))
    documents = {"plan": by_programs(start), "metadata": by_people(start), "stop": stop}
    for name, values in documents.items():
        if values:
            put_mapping(new_group(entry, name, "NXcollection"), values)


def time_text(run: Run, time: object) -> str:
    """Return a time as NeXus has it, with the zone of the run's broker; nothing if it is none."""
    if not is_number(time):
        return ""
    try:
        return datetime.datetime.fromtimestamp(time, run.session.zone).isoformat()
    except not_from_signal(ValueError, OverflowError, OSError):
        return ""


def _title(start: Mapping[str, Any]) -> str:
    title = start.get("title") or start.get("purpose")
    if isinstance(title, str):
        return title
    return one_line(f"{start.get('plan_name') or 'run'} {start.get('scan_id', '')}").strip()


def _first(start: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((start[name] for name in names if start.get(name)), None)


def _put_in_words(entry: Any, name: str, nx_class: str, value: Any) -> None:
    """Put what is said of a sample or a user, as far as NeXus has words for it."""
    said = value if isinstance(value, Mapping) else {"name": value}
    texts = {word: said[word] for word in _IN_WORDS[name] if isinstance(said.get(word), str)}
    if texts:
        put_mapping(new_group(entry, name, nx_class), texts)


def put_configuration(entry: Any, streams: Iterable[Stream]) -> Iterator[str]:
    """Put the configuration of each device, as it was first; tell whether that changed."""
    devices: dict[str, dict[str, Any]] = {}
    changed = False
    for descriptor in (each for stream in streams for each in stream.descriptors):
        for device, said in configuration(descriptor).items():
            first = devices.setdefault(device, {})
            for field, value in mapping(said.get("data")).items():
                key = mapping(mapping(said.get("data_keys")).get(field))
                known, _ = first.setdefault(field, (value, key.get("units")))
                changed = changed or not _same(known, value)
    if any(devices.values()):
        _put_devices(new_group(entry, "instrument", "NXinstrument"), devices)
    if changed:
        yield "configuration after it changed, but in the documents"


def _same(one: Any, other: Any) -> bool:
    return one is other or repr(one) == repr(other)


def _put_devices(instrument: Any, devices: Mapping[str, Mapping[str, Any]]) -> None:
    names = names_of(devices)
    for device, fields in devices.items():
        group = new_group(instrument, names[device], "NXcollection")
        say_name(group, names[device], device)
        inside = names_of(fields)
        for field, (value, units) in fields.items():
            say_name(put_value(group, inside[field], value, units), inside[field], field)


def put_documents(entry: Any, lines: Iterable[bytes]) -> None:
    """Put all documents into a note, packed, a piece at a time."""
    note = new_group(entry, "documents", "NXnote")
    put_value(note, "type", "application/x-ndjson")
    put_value(note, "description", "All documents of the run: a line each, its kind and itself.")
    data = note.create_dataset(
        "data", (0,), np.uint8, maxshape=(None,), chunks=(2**18,), compression="gzip"
    )
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _PIECE:
            _append(data, waiting)
            waiting, size = [], 0
    _append(data, waiting)


def _append(data: Any, lines: Sequence[bytes]) -> None:
    piece = np.frombuffer(b"".join(lines), np.uint8)
    first = len(data)
    data.resize((first + len(piece),))
    data[first:] = piece
