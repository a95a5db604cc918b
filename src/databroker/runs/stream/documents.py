"""A run as the flow of documents that it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...external.fields.filling import external_fields
from ...stores.rows import rows_of

if TYPE_CHECKING:
    from ...stores.base import Store

Doc = dict[str, Any]

_ROWS = {"resource": "datum", "stream_resource": "stream_datum"}


def run_documents(
    store: Store, start: Doc, stop: Doc | None, descriptors: Iterable[str], events: Iterable[Doc]
) -> Iterator[tuple[str, Doc]]:
    """Yield (kind, document) for a run: start, what events refer to, events, stop.

    Of its descriptors, those of some uids only, and the events are given.
    """
    yield "start", start
    shown = set(descriptors)
    documents = list(store.documents(start["uid"]))
    for kind, document in [*documents, *_adopted(store, start["uid"], documents)]:
        if kind != "descriptor":
            yield kind, document
            rows = _ROWS[kind]
            for row in rows_of(store, rows, document["uid"]):
                yield rows, row
        elif document["uid"] in shown:
            yield kind, document
    for event in events:
        yield "event", event
    if stop is not None:
        yield "stop", stop


def _adopted(store: Store, run: str, documents: Sequence[tuple[str, Doc]]) -> list[tuple[str, Doc]]:
    """Return the resources of a run from the time when they did not say whose they were."""
    descriptors = [document for kind, document in documents if kind == "descriptor"]
    says = any(kind in ("resource", "stream_resource") for kind, _ in documents)
    if says or not external_fields(descriptors):
        return []
    from ...external.files.listing import run_resources

    return [("resource", dict(document)) for document in run_resources(store, run).adopted]
