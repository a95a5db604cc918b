"""Several streams as one flow, and a run as the flow of documents that it was."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..columns import to_rows
from .stream import Fields, Stream

if TYPE_CHECKING:
    from ..stores.contract import Store

Doc = dict[str, Any]


def many_streams(streams: Iterable[Stream], fields: Fields = None) -> Iterator[Doc]:
    """Yield the events of several streams: the smallest (time, uid) head first.

    Each stream keeps its own order. A plain name in `fields` need be in one of
    the streams only.
    """
    streams = list(streams)
    flows = [stream.events(chosen) for stream, chosen in share_fields(streams, fields)]
    if len(flows) == 1:
        return flows[0]
    return heapq.merge(*flows, key=lambda event: (event["time"], event["uid"]))


def share_fields(streams: list[Stream], fields: Fields) -> list[tuple[Stream, Fields]]:
    """Give each stream those of the fields that it can answer.

    Raises
    ------
    NoSuchField
        A plain name that no stream has.
    """
    if fields is None or len(streams) < 2:
        return [(stream, fields) for stream in streams]
    names = [fields] if isinstance(fields, str) else list(fields)
    shares: list[tuple[Stream, Fields]] = []
    unknown: dict[str, list[Exception]] = {name: [] for name in names}
    for stream in streams:
        share = []
        for name in names:
            try:
                stream.select([name])
            except KeyError as error:
                unknown[name].append(error)
            else:
                share.append(name)
        shares.append((stream, share))
    for errors in unknown.values():
        if len(errors) == len(streams):
            raise errors[0]
    return shares


def run_documents(
    store: Store, start: Doc, stop: Doc | None, streams: list[Stream], fields: Fields
) -> Iterator[tuple[str, Doc]]:
    """Yield (kind, document) for a run: start, what events refer to, events, stop."""
    yield "start", start
    shown = {descriptor["uid"] for stream in streams for descriptor in stream.descriptors}
    for kind, document in store.documents(start["uid"]):
        if kind != "descriptor":
            yield kind, document
            rows = _ROWS[kind]
            for row in owned_rows(store, rows, document["uid"]):
                yield rows, row
        elif document["uid"] in shown:
            yield kind, document
    for event in many_streams(streams, fields):
        yield "event", event
    if stop is not None:
        yield "stop", stop


def owned_rows(store: Store, kind: str, owner: str) -> Iterator[Doc]:
    """Yield the rows that a resource or stream resource owns, in order of arrival."""
    for extent in store.extents(kind, owner):
        for batch in store.read(kind, owner, extent.first, extent.stop, None):
            yield from to_rows(kind, owner, batch)


_ROWS = {"resource": "datum", "stream_resource": "stream_datum"}
