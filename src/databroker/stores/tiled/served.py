"""The events of runs whose documents the server hands out, as the adapter of databroker 2 does.

It gives all documents of a run or none, so those of the last runs are kept here. What external
fields have is left out of events: their data are in arrays of the server, as `streams.py` says.
"""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx

from ...documents.pages import unpack
from ...errors import StoreAway, StoreUnavailable
from .owner import Owner
from .progress import progress_of
from .server import Server
from .streams import streams_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ...columns import Selection

Doc = dict[str, Any]

_SEQUENCE = "application/json-seq"
_MOST_EVENTS = 200_000  # kept, of all runs but the last one
_FRESH = 1.0  # seconds after which it is looked whether a run that goes on has more events


@dataclass(frozen=True)
class _Run:
    """The events of a run by the uids of their descriptors, and of when they are."""

    events: dict[str, list[Doc]]
    ended: bool
    since: float
    progress: Hashable

    @property
    def size(self) -> int:
        return sum(map(len, self.events.values()))

    @property
    def is_good(self) -> bool:
        return self.ended or time.monotonic() - self.since < _FRESH


class ServedRuns:
    """Runs whose documents a server hands out."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Run] = OrderedDict()

    def events(self, owner: Owner) -> ServedEvents:
        """Return the events of a descriptor."""
        return ServedEvents(self._run(owner.path[0]).events.get(owner.uid, []))

    def _run(self, key: str) -> _Run:
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.is_good:
                self._kept.move_to_end(key)
                return kept
        run = self._renewed(key, kept)
        with self._lock:
            self._kept[key] = run
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self._size() > _MOST_EVENTS:
                self._kept.popitem(last=False)
        return run

    def _renewed(self, key: str, kept: _Run | None) -> _Run:
        """Return a run as it is now; its documents are asked for only if there are more."""
        since = time.monotonic()
        # Of a run that is read for the first time, most likely it has ended, and never changes.
        progress = None if kept is None else _progress(self._server, key)
        if kept is not None and kept.progress == progress:
            return replace(kept, since=since)
        events, ended = _read(self._server, key)
        return _Run(events, ended, since, progress)

    def _size(self) -> int:
        return sum(run.size for run in self._kept.values())


class ServedEvents:
    """The events of one descriptor, by their times."""

    def __init__(self, events: list[Doc]) -> None:
        self._events = events

    def seq_nums(self) -> np.ndarray[Any, Any]:
        """Return the seq_num of each event."""
        import numpy as np

        return np.array([event["seq_num"] for event in self._events], np.int64)

    def times(self) -> np.ndarray[Any, Any]:
        """Return the time of each event."""
        import numpy as np

        return np.array([event["time"] for event in self._events], np.float64)

    def read(self, selection: Selection, first: int, stop: int) -> pa.RecordBatch | None:
        """Return a range of rows as a batch; None if there are none."""
        from ...columns import from_rows

        events = self._events[first:stop]
        return from_rows("event", events, selection) if events else None


def _progress(server: Server, key: str) -> Hashable:
    """Return how far a run is, and whether it has ended."""
    entry = server.entry(key) or {"attributes": {"metadata": {}}}
    return entry["attributes"]["metadata"].get("stop") is None, progress_of(server, key)


def _read(server: Server, key: str) -> tuple[dict[str, list[Doc]], bool]:
    """Return the events of a run, by the uids of their descriptors, and whether it has ended."""
    events: dict[str, list[Doc]] = {}
    external: dict[str, list[str]] = {}
    ended = False
    for kind, document in _documents(server, key):
        if kind == "descriptor":
            keys = document["data_keys"]
            external[document["uid"]] = [name for name in keys if keys[name].get("external")]
        for event in _events_of(kind, document):
            fields = external.get(event["descriptor"], [])
            events.setdefault(event["descriptor"], []).append(_without(event, fields))
        ended = ended or kind == "stop"
    if not ended:
        _add_held_back(server, key, events)
    return events, ended


def _add_held_back(server: Server, key: str, events: dict[str, list[Doc]]) -> None:
    """Add what the server does not hand out of a run that has not ended."""
    from .held_back import events_held_back

    for stream in streams_of(server, key, key):
        owners = [str(document["uid"]) for document in stream.descriptors()]
        known = {event["seq_num"] for uid in owners for event in events.get(uid, ())}
        for event in events_held_back(server, stream, known):
            events.setdefault(event["descriptor"], []).append(event)


def _events_of(kind: str, document: Doc) -> Iterator[Doc]:
    if kind == "event":
        yield document
    elif kind == "event_page":
        yield from (dict(event) for event in unpack(kind, document))


def _documents(server: Server, key: str) -> Iterator[tuple[str, Doc]]:
    """Yield the documents of a run; none if there is no such run any more."""
    try:
        content = server.data("documents", key, accept=_SEQUENCE)
    except StoreAway as error:
        if not isinstance(error.__cause__, httpx.RemoteProtocolError):
            raise
        raise StoreUnavailable(
            f"{server.name} broke off while it gave the documents of run {key!r}. It does so where "
            "it lacks one that events refer to; its log says which."
        ) from error
    for line in (content or b"").splitlines():
        pair = json.loads(line)
        yield pair["name"], pair["doc"]


def _without(event: Doc, fields: list[str]) -> Doc:
    """Return an event without what it has for some fields."""
    if not fields:
        return event
    kept: Doc = {
        part: {name: value for name, value in event[part].items() if name not in fields}
        for part in ("data", "timestamps", "filled")
        if part in event
    }
    return {**event, **kept}
