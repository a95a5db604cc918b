"""What a run's streams have: how many events, and which fields of which kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..display.summary import one_line
from ..documents.kinds import Document

if TYPE_CHECKING:
    from ..runs.run import Run
    from ..runs.stream.stream import Stream

ABOUT_FIELDS = ("field", "dtype", "shape", "units", "source", "external")
"""What is said of each field, as data keys have it."""

COLUMNS = ("stream", "num_events", *ABOUT_FIELDS)
"""What is said in a row for each field."""


def streams_of(run: Run) -> list[dict[str, Any]]:
    """Return what there is to say of each stream; of its fields, what the newest descriptor says.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
    >>> keys = {"T": {"dtype": "number", "shape": [], "source": "PV:T", "units": "K"}}
    >>> db.insert("descriptor", {"uid": "d", "run_start": "b2c1", "time": 1.0, "name": "primary",
    ...                          "data_keys": keys})
    >>> streams_of(db[-1])
    [{'stream': 'primary', 'num_events': 0, 'fields': [{'field': 'T', 'dtype': 'number',
      'shape': [], 'units': 'K', 'source': 'PV:T', 'external': None}]}]
    """
    return [
        {"stream": name, "num_events": stream.num_events, "fields": list(_fields(stream))}
        for name, stream in run.streams.items()
    ]


def by_field(streams: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a record for each field of some streams, or for a stream without any."""
    for stream in streams:
        for field in stream["fields"] or [{}]:
            yield {**stream, **field}


def fields_table(streams: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return columns of text with a row for each field; a stream is named once."""
    columns: dict[str, list[str]] = {name: [] for name in COLUMNS}
    named = None
    for row in by_field(streams):
        shape = " x ".join(map(str, row.get("shape") or ()))
        is_new, named = row["stream"] != named, row["stream"]
        first = {"stream": row["stream"], "num_events": f"{row['num_events']:,}"} if is_new else {}
        for name in COLUMNS[:2]:
            columns[name].append(one_line(first.get(name, "")))
        for name in ABOUT_FIELDS:
            value = shape if name == "shape" else row.get(name)
            columns[name].append("" if value is None else one_line(value))
    return {name: texts for name, texts in columns.items() if any(texts) or name in COLUMNS[:3]}


def _fields(stream: Stream) -> Iterator[dict[str, Any]]:
    data_keys: dict[str, Document] = {}
    for descriptor in stream.descriptors:
        data_keys.update(descriptor["data_keys"])
    for name in stream.fields:
        data_key = data_keys[name]
        yield {"field": name, **{key: data_key.get(key) for key in ABOUT_FIELDS[1:]}}
