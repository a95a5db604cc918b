"""The kinds of documents in the event model, and what each is known by.

The model is described at https://blueskyproject.io/event-model/ ; this module
is the one place that says which keys databroker relies on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Document = Mapping[str, Any]
"""A document as it is passed about: any mapping from text to values."""

Kind = Literal[
    "start",
    "stop",
    "descriptor",
    "event",
    "resource",
    "datum",
    "stream_resource",
    "stream_datum",
]

IDENTITY: dict[str, str] = {
    "start": "uid",
    "stop": "uid",
    "descriptor": "uid",
    "event": "uid",
    "resource": "uid",
    "datum": "datum_id",
    "stream_resource": "uid",
    "stream_datum": "uid",
}
"""The key that identifies a document of each stored kind."""

OWNER: dict[str, str] = {
    "event": "descriptor",
    "datum": "resource",
    "stream_datum": "stream_resource",
}
"""Kinds that come by the million, and the key that names the document they belong to."""

ROWS: dict[str, str] = {owner: kind for kind, owner in OWNER.items()}
"""The kind of what belongs to a document of each kind that owns such."""

NESTED: dict[str, tuple[str, ...]] = {
    "event": ("data", "timestamps", "filled"),
    "datum": ("datum_kwargs",),
    "stream_datum": ("indices", "seq_nums"),
}
"""The keys of those kinds that hold dictionaries of columns."""

PAGES: dict[str, str] = {
    "event_page": "event",
    "datum_page": "datum",
    "bulk_events": "event",
    "bulk_datum": "datum",
}
"""Kinds that carry many documents at once, and the kind that they carry."""

LISTS: dict[str, tuple[str, ...]] = {
    "event_page": ("uid", "time", "seq_num"),
    "datum_page": ("datum_id",),
}
"""The keys of pages that hold one value a row; those of `NESTED` hold dictionaries of such."""

ACCEPTED: tuple[str, ...] = (*IDENTITY, *PAGES)
"""Every name that ``insert`` takes."""

LABELS: dict[str, str] = {
    "start": "Run Start",
    "stop": "Run Stop",
    "descriptor": "Event Descriptor",
    "event": "Event",
    "resource": "Resource",
    "datum": "Datum",
    "stream_resource": "Stream Resource",
    "stream_datum": "Stream Datum",
}
"""What a person is shown for each kind."""


def stream_name(descriptor: Document) -> str:
    """Return the stream that a descriptor belongs to.

    Very old descriptors have no name; their stream is the primary one.

    Examples
    --------
    >>> stream_name({"name": "baseline"}), stream_name({})
    ('baseline', 'primary')
    """
    name = descriptor.get("name")
    return name if isinstance(name, str) and name else "primary"
