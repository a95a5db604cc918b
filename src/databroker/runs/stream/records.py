"""The rows of a stream as records: what each holds, exactly, a few in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...columns import Selection
from .fields import Doc, FieldSelection, data_keys
from .layout import EventSource, Layout

FIRST = ("seq_num", "time")
"""What each record begins with."""


def records(
    store: EventSource, descriptors: Sequence[Doc], selection: FieldSelection, rows: slice
) -> Iterator[dict[str, Any]]:
    """Yield a record of each event among some rows."""
    names = data_keys(descriptors) if selection.data is None else selection.data
    columns = Selection(frozenset(names))
    layout = Layout.of(store, [descriptor["uid"] for descriptor in descriptors])
    for chunk in layout.pieces(store, columns, rows):
        for event in chunk.documents():
            owner, record = event["descriptor"], record_of(event)
            for name, source in selection.extras.items():
                if owner in source.values:
                    record[name] = source.values[owner]
            yield record


def record_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event as a record.

    Examples
    --------
    >>> record_of({"uid": "e", "seq_num": 1, "time": 0.5, "data": {"det": 2}})
    {'seq_num': 1, 'time': 0.5, 'det': 2}
    """
    always = {name: event[name] for name in FIRST}
    return {**always, **event["data"], **always}  # whatever a field is called
