"""The store over a catalog of a Tiled server whose entries are Bluesky runs; it is only read."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..._util.polling import wait_until
from ...errors import ExternalDataMissing, StoreAway, StoreIsReadOnly, StoreUnavailable
from ...query.evaluate import Predicate, RunView, compile
from ...query.nodes import Everything
from ..activity import Activity
from ..base import LINKED, Capabilities, RunRecord, Store
from ..facts import run_fact
from ..rows import Extent, rows_are_gone
from .below import says_it_has_runs, warn_of_catalogs_below
from .filters import Filters
from .kinds import Catalog, kind_of
from .owner import Owner
from .owners import Owners
from .progress import progress_of
from .runs import Run, count, limited, newest_first, one
from .server import Server
from .streams import Stream, parts_of, stream_resources, streams_of, time_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node

TIMEOUT = 30.0
"""Seconds to wait for an answer of a server."""

_PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds between two looks at what is new."""


class TiledStore(Store):
    """The runs of a catalog on a Tiled server, for reading.

    Parameters
    ----------
    uri
        The address of the server, ``http://host:8000``, or of a catalog on it, as
        ``client.uri`` shows it: ``https://host/api/v1/metadata/beamline/raw``.
    api_key
        The key to it; by default the one in the environment (``TILED_API_KEY``). What is
        pickled, for another process, has none.
    timeout
        Seconds to wait for an answer.

    Raises
    ------
    InvalidConfiguration
        ``uri`` is no address of a server.
    StoreAway
        The server cannot be reached.
    StoreUnavailable
        It refuses the key, is no Tiled server, or has no such catalog.

    Warns
    -----
    NothingFoundWarning
        There are no runs in it, but other catalogs, in one of which they may be.
    """

    capabilities = Capabilities(shared=True, exact="json", live=True)

    def __init__(self, uri: str, *, api_key: str | None = None, timeout: float = TIMEOUT) -> None:
        super().__init__()
        self._server = Server(uri, api_key, timeout)
        try:
            entry = self._server.entry()
            self._catalog = Catalog(self._server, kind_of(entry, self._server.name))
            if not says_it_has_runs(entry) and not count(self._catalog, ()):
                warn_of_catalogs_below(self._server)
        except BaseException:
            self.close()
            raise
        self._owners = Owners(self._catalog)

    def __str__(self) -> str:
        return f"tiled: {self._server.uri}"

    def __reduce__(self) -> Any:
        return _opened, (self._server.uri, self._server.timeout), {"stale_after": self.stale_after}

    def reach(self) -> None:
        """See that the server can be asked; see `Store.reach`."""
        self._server.entry()

    def put(self, kind: str, doc: dict[str, Any]) -> None:
        """Refuse: what is in Tiled is written by Tiled's own writer."""
        raise StoreIsReadOnly(
            f"{self._server.name} is only read. To write to it, subscribe the TiledWriter of the "
            "package bluesky-tiled-plugins."
        )

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        """Yield the runs that match; those that the server's filters let pass are looked at."""
        filters = self._catalog.kind.filters_of(query)
        expected = limit if filters.exact else None
        runs = newest_first(self._catalog, filters.params, after, expected)
        return limited(self._matching(runs, query, filters), limit)

    def count(self, query: Node) -> int:
        filters = self._catalog.kind.filters_of(query)
        if filters.exact:
            return count(self._catalog, filters.params)
        return super().count(query)

    def record(self, uid: str) -> RunRecord | None:
        run = one(self._catalog, uid)
        return None if run is None else run.record

    def _matching(self, runs: Iterator[Run], query: Node, filters: Filters) -> Iterator[RunRecord]:
        matches: Predicate = compile(Everything() if filters.exact else query)
        for run in runs:
            record = run.record
            if matches(self._view(record)):
                yield record

    def _view(self, record: RunRecord) -> RunView:
        return RunView(
            record.start,
            record.stop,
            lambda: {
                key
                for _, doc in self.documents(record.uid, ["descriptor"])
                for key in doc["data_keys"]
            },
            lambda name: run_fact(self, record.uid, record.stop, name),
        )

    # -- reading a run ---------------------------------------------------

    def documents(
        self, uid: str, kinds: Collection[str] = LINKED
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield descriptors, and a stream resource for each array of an external field."""
        streams = self._streams(uid)
        if "descriptor" in kinds:
            found = (document for stream in streams for document in stream.descriptors())
            for document in sorted(found, key=time_of):
                yield "descriptor", document
        if "stream_resource" in kinds:
            for stream in streams:
                parts = parts_of(self._server, stream.data_path)
                for document, _ in stream_resources(stream, self._server, parts):
                    yield "stream_resource", document

    def _streams(self, uid: str) -> list[Stream]:
        streams = list(streams_of(self._server, uid, uid))
        if not streams and (run := one(self._catalog, uid)) is not None and run.key != uid:
            streams = list(streams_of(self._server, uid, run.key))
        self._owners.remember(streams)
        return streams

    def activity(self, uid: str) -> Activity:
        """Return the newest time of a run; who writes it is not known."""
        record = self.record(uid)
        times = [float(record.start["time"])] if record is not None else [0.0]
        for _, document in self.documents(uid, ["descriptor"]):
            times.append(time_of(document))
            times += self._owners.times(str(document["uid"]))
        return Activity(max(times))

    def state(self) -> Hashable:
        """Return how many runs there are, and how far the newest one is; see `Store.state`.

        No data come for this. A run that has ended gets no more of them.
        """
        run = next(newest_first(self._catalog, (), limit=1), None)
        if run is None:
            return None
        total, stop = count(self._catalog, ()), run.record.stop
        return total, run.key, progress_of(self._server, run.key) if stop is None else "ended"

    def wait_for_changes(self, state: Hashable, timeout: float) -> bool:
        """Wait until there is more, and leave the server time for others; see `Store`."""
        return wait_until(lambda: self.state() != state, timeout, pauses=_PAUSES)

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return one extent that covers all rows."""
        if kind == "event":
            return self._owners.events(owner)
        return self._owners.stream_datums(owner) if kind == "stream_datum" else []

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows as one batch."""
        first, stop = rows or (0, extent.rows)
        if first >= min(stop, extent.rows):
            return
        if kind == "stream_datum":
            from ...columns import from_rows

            yield from_rows(kind, [extent.token], selection)
            return
        uid, path, since, until = extent.token
        events = self._catalog.rows(Owner(uid, tuple(path), since, until))
        stop = min(stop, extent.rows)
        batch = events.read(selection, first, stop)
        if batch is None or batch.num_rows < stop - first:
            raise rows_are_gone(kind, uid, self._server.name)
        yield batch

    def read_array(
        self, document: Mapping[str, Any], place: Sequence[slice]
    ) -> np.ndarray[Any, Any]:
        """Return a part of an array; see `Store.read_array`.

        The address in the document is compared with that of the catalog, and never asked itself.
        """
        from .arrays import read_array

        try:
            return read_array(self._server, document, place)
        except StoreAway:
            raise
        except StoreUnavailable as error:
            raise ExternalDataMissing(
                f"{error} Its file may be missing there, or be one that the server may not read."
            ) from error

    def datum(self, datum_id: str) -> dict[str, Any] | None:
        """Return None: the writer makes stream resources of datum documents."""
        return None

    def resource(self, uid: str) -> dict[str, Any] | None:
        """Return None: the writer makes stream resources of resources."""
        return None

    def run_of(self, kind: str, owner: str) -> str | None:
        """Return the run of a descriptor or stream resource; there are no others here."""
        return None if kind == "datum" else self._owners.run(kind, owner)

    def close(self) -> None:
        self._server.close()


def _opened(uri: str, timeout: float) -> TiledStore:
    return TiledStore(uri, timeout=timeout)
