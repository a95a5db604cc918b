"""Several streams as one flow, and a run as the flow of documents that it was."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..._util.user_warnings import warn_user
from ...columns import ALL, to_rows
from ...errors import NothingFoundWarning
from ...external.fields.filling import Filling, external_fields
from ...stores.rows import batches_of
from .fields import absent_fields, checked_fill, no_field_to_fill, no_such_field
from .stream import Fields, Stream

if TYPE_CHECKING:
    from ...external.fields.filling import Fill, OnMissing
    from ...stores.base import Store

Doc = dict[str, Any]


def many_streams(
    streams: Iterable[Stream],
    fields: Fields = None,
    fill: Fill = False,
    on_missing: OnMissing = "raise",
) -> Iterator[Doc]:
    """Yield the events of several streams: the smallest (time, uid) head first.

    Each stream keeps its own order. A plain name in `fields` need be in one of
    the streams only; so need one in `fill`. `fill` and `on_missing` are as in `Stream.table`.
    """
    streams = list(streams)
    if not streams:
        return iter(())
    filling = checked_fill(fill, [name for stream in streams for name in stream.fields])
    shares = share_fields(streams, fields)
    flows = [stream.events(chosen, filling, on_missing) for stream, chosen in shares]
    if len(flows) == 1:
        return flows[0]
    return heapq.merge(*flows, key=lambda event: (event["time"], event["uid"]))


class Wanted:
    """Fields that were asked for, where each need be in one of several streams only.

    Attributes
    ----------
    filling
        What `fill` asks for; `check` tells whether there is such a field.
    """

    def __init__(self, fields: Fields, fill: Fill = False) -> None:
        if isinstance(fields, str):
            fields = [fields]
        self.filling = Filling.of(fill)
        self._names = None if fields is None else list(fields)
        self._unknown: dict[str, None] = {}  # to some streams
        self._known: set[str] = set()
        self._fields: dict[str, None] = {}  # of all streams, in order

    def of(self, streams: Iterable[Stream]) -> list[str] | None:
        """Return those of the fields that one of these streams has; None for all."""
        streams = list(streams)
        self._fields |= dict.fromkeys(name for stream in streams for name in stream.fields)
        if self._names is None:
            return None
        found: set[str] = set()
        for stream in streams:
            keys = set(stream.fields)
            found.update(filter(keys.__contains__, self._names))
            for name in self._names:
                if name in keys:
                    continue
                try:
                    stream.select([name])
                except KeyError:
                    self._unknown[name] = None
                else:
                    found.add(name)
        self._known |= found
        return [name for name in self._names if name in found]

    def check(self, strict: bool = False) -> None:
        """Say if some stream was asked for a field, and none had it."""
        absent = [name for name in self._unknown if name not in self._known]
        if absent and (strict or not self._known):
            raise no_such_field(absent[0], list(self._fields))
        if absent:
            warn_user(absent_fields(absent, list(self._fields)), NothingFoundWarning)
        for name in self.filling.names or ():
            if self._fields and name not in (known := list(self._fields)):
                raise no_field_to_fill(name, known)


def known_fields(streams: Iterable[Stream], fields: Fields) -> list[str] | None:
    """Return those of some fields that one of some streams has, as `Wanted` does."""
    wanted = Wanted(fields)
    found = wanted.of(streams)
    wanted.check()
    return found


def share_fields(
    streams: Iterable[Stream], fields: Fields, strict: bool = False
) -> list[tuple[Stream, Fields]]:
    """Give each stream those of the fields that it can answer; see `Wanted.check`."""
    wanted = Wanted(fields)
    shares: list[tuple[Stream, Fields]] = [(stream, wanted.of([stream])) for stream in streams]
    wanted.check(strict)
    return shares


def run_documents(
    store: Store,
    start: Doc,
    stop: Doc | None,
    streams: list[Stream],
    fields: Fields,
    fill: Fill = False,
    on_missing: OnMissing = "raise",
) -> Iterator[tuple[str, Doc]]:
    """Yield (kind, document) for a run: start, what events refer to, events, stop."""
    yield "start", start
    shown = {descriptor["uid"] for stream in streams for descriptor in stream.descriptors}
    documents = list(store.documents(start["uid"]))
    for kind, document in [*documents, *_adopted(store, start["uid"], documents)]:
        if kind != "descriptor":
            yield kind, document
            rows = _ROWS[kind]
            for row in owned_rows(store, rows, document["uid"]):
                yield rows, row
        elif document["uid"] in shown:
            yield kind, document
    for event in many_streams(streams, fields, fill, on_missing):
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


def owned_rows(store: Store, kind: str, owner: str) -> Iterator[Doc]:
    """Yield the rows that a resource or stream resource owns, in order of arrival."""
    for batch in batches_of(store, kind, owner, ALL):
        yield from to_rows(kind, owner, batch)


_ROWS = {"resource": "datum", "stream_resource": "stream_datum"}
