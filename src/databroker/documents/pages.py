"""Documents that carry many others, and those others one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import InvalidDocument
from .kinds import LISTS, NESTED, OWNER, PAGES


def unpack(kind: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the single documents inside a page.

    Those of the kinds 'bulk_events' and 'bulk_datum' are in old files only.

    Examples
    --------
    >>> page = {"resource": "r", "datum_id": ["r/0", "r/1"], "datum_kwargs": {"frame": [4, 5]}}
    >>> list(unpack("datum_page", page))[1]
    {'resource': 'r', 'datum_id': 'r/1', 'datum_kwargs': {'frame': 5}}
    """
    if kind in LISTS:
        return _rows(kind, page)
    return _bulk_events(page) if kind == "bulk_events" else _bulk_datum(page)


def owner_of(kind: str, document: Mapping[str, Any]) -> str | None:
    """Return the uid of the document that a row, or the rows of a page, belong to.

    Examples
    --------
    >>> owner_of("event", {"descriptor": "d"}), owner_of("bulk_events", {"primary": []})
    ('d', None)
    """
    if kind == "bulk_events":
        document = next((event for events in document.values() for event in events), {})
    owner = document.get(OWNER[PAGES.get(kind, kind)])
    return owner if isinstance(owner, str) else None


def _rows(kind: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    lists, dictionaries = LISTS[kind], NESTED[PAGES[kind]]
    for row in range(len(page[lists[0]])):
        single: dict[str, Any] = {}
        for key, value in page.items():
            if key in lists:
                single[key] = value[row]
            elif key in dictionaries and isinstance(value, dict):
                single[key] = {name: column[row] for name, column in value.items()}
            else:
                single[key] = value
        yield single


def _bulk_events(bulk: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for stream, events in bulk.items():
        if not isinstance(events, list):
            raise InvalidDocument(
                f"bulk_events document: {stream!r} holds {type(events).__name__}; "
                "it must be a list of events."
            )
        yield from events


def _bulk_datum(bulk: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for datum_id, kwargs in zip(bulk["datum_ids"], bulk["datum_kwarg_list"], strict=True):
        yield {"resource": bulk["resource"], "datum_id": datum_id, "datum_kwargs": kwargs}
