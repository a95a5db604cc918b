"""One run as it is stored: its documents, and its streams."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ..display.prompt import InIPython, run_line
from ..documents.kinds import stream_name as name_of
from ..documents.readonly import ALL
from ..errors import NoSuchStream
from ..stores.facts import run_status
from .stream import Stream
from .stream.documents import run_documents

if TYPE_CHECKING:
    from ..broker import Broker
    from ..display.summary import STREAM
    from ..external.fields.filling import Fill, OnMissing
    from ..stores.base import RunRecord

Fields = str | Iterable[str] | None

__all__ = ["StoredRun"]


class StoredRun(InIPython):
    """What a header stands on: one run, always as it is stored now.

    Parameters
    ----------
    db
        The broker that it came from.
    record
        The run as it was found.
    """

    def __init__(self, db: Broker, record: RunRecord) -> None:
        self.db = db
        self._start = db.transforms("start", record.start)
        self._stop = self._transformed(record.stop)

    @property
    def uid(self) -> str:
        """The uid of the run."""
        uid: str = self._start["uid"]
        return uid

    @property
    def status(self) -> str:
        """How the run stands: 'success', 'abort', 'fail', 'running' or 'unknown'.

        'unknown' is a run that did not end, and whose writer is gone or has
        been silent for too long; `Broker.close_run` ends it.
        """
        return run_status(self.db.store, self.uid, self.stored_stop())

    @property
    def streams(self) -> Mapping[str, Stream]:
        """The streams by name, in the order in which they appeared.

        Raises
        ------
        NoSuchStream
            When asked for one that the run does not have.
        """
        by_name: dict[str, list[Any]] = {}
        for descriptor in self._descriptors():
            by_name.setdefault(name_of(descriptor), []).append(descriptor)
        stop, session = self.stored_stop(), self.db.session
        return _Streams(
            {
                name: Stream(session, name, descriptors, self._start, stop)
                for name, descriptors in by_name.items()
            }
        )

    def stored_documents(
        self,
        stream_name: Any = ALL,
        fields: Fields = None,
        fill: Fill = False,
        on_missing: OnMissing = "raise",
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (name, document) as `documents` does, but past the broker's `prepare_hook`."""
        # The receiver may do with them what it likes.
        start, stop = deepcopy(self._start), deepcopy(self.stored_stop() or None)
        streams = self._streams_of(stream_name)
        flow = run_documents(self.db.store, start, stop, streams, fields, fill, on_missing)
        for kind, document in flow:
            mend = kind in ("descriptor", "resource")
            yield kind, self.db.transforms(kind, document) if mend else document

    def _summary(self) -> tuple[Any, Any, list[STREAM], str, datetime.tzinfo]:
        """Return what a person is shown of the run. No event is read for it."""
        streams = [
            (name, stream.num_events, stream.fields) for name, stream in self.streams.items()
        ]
        return self._start, self.stored_stop(), streams, self.status, self.db.zone

    def _in_a_list(self) -> str:
        return run_line(self._start, self.status, self.db.zone)

    def _streams_of(self, stream_name: Any) -> list[Stream]:
        return [
            stream
            for name, stream in self.streams.items()
            if stream_name is ALL or name == stream_name
        ]

    def stored_stop(self) -> dict[str, Any]:
        """Return the stop document as it is stored; empty while there is none."""
        if self._stop is None:
            record = self.db.store.record(self.uid)
            self._stop = None if record is None else self._transformed(record.stop)
        return self._stop or {}

    def _transformed(self, stop: dict[str, Any] | None) -> dict[str, Any] | None:
        return None if stop is None else self.db.transforms("stop", stop)

    def _descriptors(self) -> list[dict[str, Any]]:
        """Return the descriptors, oldest first."""
        found = [
            self.db.transforms(kind, doc)
            for kind, doc in self.db.store.documents(self.uid, ["descriptor"])
        ]
        return sorted(found, key=_time_of)


class _Streams(dict[str, Stream]):
    """Streams by name, with an error that says which there are."""

    def __missing__(self, name: str) -> Stream:
        there = ", ".join(map(repr, self)) or "none"
        raise NoSuchStream(f"This run has no stream {name!r}; it has: {there}.")

    def _repr_html_(self) -> str:
        from ..display.html import streams_html

        return streams_html((name, each.num_events, each.fields) for name, each in self.items())


def _time_of(document: Mapping[str, Any]) -> float:
    value = document.get("time")
    return value if isinstance(value, int | float) and value == value else float("-inf")
