"""Whose rows are where: the entry of the stream that a descriptor or stream resource belongs to.

A uid alone does not tell on which path of the server its stream is. What `documents` gave is
remembered; of others the server is asked, and where it cannot tell, every run is looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..rows import Extent
from .filters import equal
from .kinds import Catalog
from .owner import Owner, Rows
from .runs import newest_first
from .streams import Stream, parts_of, stream_resources, streams_of

_MOST = 10_000
_PREFIX = "sr-"


class _Place(NamedTuple):
    """The stream of a descriptor, and the time in which its events came."""

    stream: Stream
    since: float | None
    until: float | None


class Owners:
    """The owners of rows that are known so far."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._server = catalog.server
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}

    def remember(self, streams: Iterable[Stream]) -> None:
        """Note the descriptors of some streams; a run that goes on may have more of them."""
        with self._lock:
            if len(self._places) > _MOST:
                self._places.clear()
            for stream in streams:
                self._places |= _places(stream)

    def events(self, descriptor: str) -> list[Extent]:
        """Return where the events of a descriptor are."""
        place = self._place(descriptor)
        if place is None:
            return []
        numbers = self._read(descriptor, place).seq_nums()
        if not len(numbers):
            return []
        token = [descriptor, list(place.stream.path), place.since, place.until]
        return [Extent(len(numbers), int(numbers.min()), int(numbers.max()), token)]

    def run(self, kind: str, owner: str) -> str | None:
        """Return the run of a descriptor, or of a stream resource."""
        if kind == "stream_datum":
            return next((stream.run for stream in self._of_resource(owner)), None)
        place = self._place(owner)
        return None if place is None else place.stream.run

    def times(self, descriptor: str) -> list[float]:
        """Return the time of the newest event of a descriptor, if there is one."""
        place = self._place(descriptor)
        times = [] if place is None else self._read(descriptor, place).times().tolist()
        return [max(times)] if times else []

    def stream_datums(self, resource: str) -> list[Extent]:
        """Return the one stream datum of a stream resource, which covers all of its values."""
        if not resource.startswith(_PREFIX):
            return []
        for stream in self._of_resource(resource):
            parts = parts_of(self._server, stream.data_path)
            for document, values in stream_resources(stream, self._server, parts):
                if document["uid"] == resource and values:
                    return [Extent(1, 0, 0, _stream_datum(stream, resource, values))]
        return []

    def _read(self, descriptor: str, place: _Place) -> Rows:
        owner = Owner(descriptor, place.stream.path, place.since, place.until)
        return self._catalog.rows(owner)

    def _of_resource(self, resource: str) -> Iterator[Stream]:
        """Yield the stream whose descriptor a stream resource is named after."""
        with self._lock:
            known = {uid: place for uid, place in self._places.items() if uid in resource}
        if not known:
            self._place(resource.removeprefix(_PREFIX)[:36])
            with self._lock:
                known = {uid: place for uid, place in self._places.items() if uid in resource}
        for uid, place in known.items():
            if resource.startswith(f"{_PREFIX}{uid}-"):
                yield place.stream

    def _place(self, descriptor: str) -> _Place | None:
        with self._lock:
            place = self._places.get(descriptor)
        if place is not None:
            return place
        for streams in self._candidates(descriptor):
            self.remember(streams)
            with self._lock:
                if descriptor in self._places:
                    return self._places[descriptor]
        return None

    def _candidates(self, descriptor: str) -> Iterator[list[Stream]]:
        """Yield streams one of which may be that of a descriptor."""
        page = self._server.deep_search([*equal("uid", descriptor), ("fields", "metadata")])
        for item in (page or {}).get("data", ()):
            above = item["attributes"]["ancestors"][len(self._server.path) :]
            if above:
                yield list(streams_of(self._server, above[0], above[0]))
        # Of later descriptors of a stream, servers know the uid in a list alone.
        for run in newest_first(self._catalog, ()):
            yield list(streams_of(self._server, run.record.uid, run.key))


def _places(stream: Stream) -> dict[str, _Place]:
    documents = stream.descriptors()
    begins: list[Any] = [None, *(doc["time"] for doc in documents[1:]), None]
    return {
        str(doc["uid"]): _Place(stream, begins[number], begins[number + 1])
        for number, doc in enumerate(documents)
    }


def _stream_datum(stream: Stream, resource: str, values: int) -> dict[str, Any]:
    documents = stream.descriptors()
    return {
        "uid": f"sd-{resource.removeprefix(_PREFIX)}-0",
        "stream_resource": resource,
        # Of several descriptors, nothing says whose values these are.
        "descriptor": documents[0]["uid"] if len(documents) == 1 else "",
        "indices": {"start": 0, "stop": values},
        "seq_nums": {"start": 1, "stop": values + 1},
    }
