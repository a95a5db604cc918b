"""A run as the flow of documents that it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...columns import to_rows
from ...external.fields.filling import external_fields
from ...stores.many_owners import batches_of_each

if TYPE_CHECKING:
    import pyarrow as pa

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
    linked = list(store.documents(start["uid"]))
    documents = [*linked, *_adopted(store, start["uid"], linked)]
    batches = {kind: _batches(store, start["uid"], kind, documents) for kind in _ROWS}
    for kind, document in documents:
        if kind != "descriptor":
            yield kind, document
            for batch in next(batches[kind]):
                for row in to_rows(_ROWS[kind], document["uid"], batch):
                    yield _ROWS[kind], row
        elif document["uid"] in shown:
            yield kind, document
    for event in events:
        yield "event", event
    if stop is not None:
        yield "stop", stop


def _batches(
    store: Store, run: str, kind: str, documents: Iterable[tuple[str, Doc]]
) -> Iterator[Iterable[pa.RecordBatch]]:
    """Yield the rows of each document of a kind."""
    owners = [document["uid"] for each, document in documents if each == kind]
    return batches_of_each(store, run, _ROWS[kind], owners)


def _adopted(store: Store, run: str, documents: Sequence[tuple[str, Doc]]) -> list[tuple[str, Doc]]:
    """Return the resources of a run from the time when they did not say whose they were."""
    descriptors = [document for kind, document in documents if kind == "descriptor"]
    says = any(kind in ("resource", "stream_resource") for kind, _ in documents)
    if says or not external_fields(descriptors):
        return []
    from ...external.files.listing import run_resources

    return [("resource", dict(document)) for document in run_resources(store, run).adopted]
