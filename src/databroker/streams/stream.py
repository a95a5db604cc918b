"""A stream: the events of all descriptors of a run that share a name."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .fields import Selection, Source, data_keys, select
from .rows import Columns, chunks

if TYPE_CHECKING:
    import pandas as pd

    from ..stores.contract import Store

Doc = Mapping[str, Any]
Fields = str | Iterable[str] | None


class Stream:
    """One of the concurrent streams of a run.

    Obtained as ``header.streams['primary']``. It is current: while the run
    goes on, each call sees the events stored so far.

    Parameters
    ----------
    store
        Where the events are.
    name
        'primary', 'baseline', ...
    descriptors
        The stream's descriptors, oldest first.
    start, stop
        The run's documents, from which `fields` may ask for values.
    """

    def __init__(
        self, store: Store, name: str, descriptors: Sequence[Doc], start: Doc, stop: Doc
    ) -> None:
        self._store = store
        self.name = name
        self._descriptors = descriptors
        self._start = start
        self._stop = stop

    def __repr__(self) -> str:
        return f"<Stream {self.name!r} of run {str(self._start['uid'])[:8]}>"

    @property
    def descriptors(self) -> list[Doc]:
        """The stream's descriptors, oldest first."""
        return list(self._descriptors)

    @property
    def fields(self) -> list[str]:
        """The names of the data keys, in the order of the descriptors."""
        return data_keys(self._descriptors)

    @property
    def num_events(self) -> int:
        """How many events are stored now."""
        extents = (self._store.extents("event", doc["uid"]) for doc in self._descriptors)
        return sum(each.stop - each.first for found in extents for each in found)

    def table(
        self,
        fields: Fields = None,
        *,
        convert_times: bool = True,
        timezone: str | datetime.tzinfo | None = None,
    ) -> pd.DataFrame:
        """Return the stream as a table, one row an event.

        Parameters
        ----------
        fields
            A name, or names and patterns, of the wanted columns; None for all.
        convert_times
            Whether `time` holds stamps (naive UTC); else seconds since 1970.
        timezone
            Makes the stamps aware, in this zone.

        Raises
        ------
        NoSuchField
            A plain name that neither the events nor configuration, start or stop have.
        """
        from .table import make_table

        return make_table(
            self._store,
            self._descriptors,
            self.select(fields),
            convert_times=convert_times,
            timezone=timezone,
        )

    def events(self, fields: Fields = None) -> Iterator[dict[str, Any]]:
        """Yield the events in order, as documents; a few thousand are in memory at a time.

        With `fields`, each has only the data and timestamps asked for, and
        events that have none of them are left out.
        """
        selection = self.select(fields)
        owners = [descriptor["uid"] for descriptor in self._descriptors]
        if selection.data is None:
            for chunk in chunks(self._store, owners, None):
                yield from chunk.documents()
            return
        wanted = frozenset(selection.data)
        if not wanted and not selection.extras:
            return
        for chunk in chunks(self._store, owners, Columns(wanted, wanted, others=True)):
            for event in chunk.documents():
                for name, source in selection.extras.items():
                    _add(event, name, source)
                if event["data"]:
                    yield event

    def data(self, field: str) -> Iterator[Any]:
        """Yield the values of one field, event by event."""
        for event in self.events([field]):
            if field in event["data"]:
                yield event["data"][field]

    def select(self, fields: Fields) -> Selection:
        """Return what `fields` means in this stream."""
        return select(fields, self._descriptors, self._start, self._stop)


def _add(event: dict[str, Any], name: str, source: Source) -> None:
    uid = event["descriptor"]
    if uid in source.values:
        event["data"][name] = source.values[uid]
        event["timestamps"][name] = source.times[uid]
