"""The store of a source on a databroker server: each method is a request to it."""

from __future__ import annotations

import functools
import time
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..._util.polling import wait_until
from ...errors import InvalidRequest, NotPermitted, StoreIsReadOnly
from ..base import Capabilities, RunRecord, Store
from ..delegating import DelegatingStore
from ..wire.batches import Rows
from ..wire.calls import CALLS
from .address import Address
from .change_listener import ChangeListener
from .connection import Connection
from .resuming import resumed, resumed_list
from .row_cache import RowCache

if TYPE_CHECKING:
    import pyarrow as pa

    from ...columns import Selection
    from ...query.nodes import Node
    from ..contents import StoredRun
    from ..many import RunsPage
    from ..rows import Extent

TIMEOUT = 30.0
"""Seconds to wait for an answer of a server."""

_MOST_RUNS = 50_000
"""So many are named in one request: larger ones are refused."""

_PAUSES = (0.02, 0.05, 0.1)
"""Seconds between two looks at what is new, where it is not told."""

_BRIEFLY = 0.2
"""Seconds for which it does not pay to begin to listen."""

_Left = tuple[int | None, Any]
"""How many runs are left of a search, and the cursor of the one before them."""


class HTTPStore(DelegatingStore):
    """The runs of a source that `databroker serve` serves.

    Parameters
    ----------
    uri
        The address of the source, ``http://host:8000/beamline``, as the server shows it.
    token
        The token or key; by default that in the address (``?token=...``), or in the variable
        ``DATABROKER_TOKEN``. A store that is pickled for another process has none.
    timeout
        Seconds to wait for an answer, or for more of it.
    compression
        Whether rows are compressed on their way, for slow networks.
    read_only
        Whether nothing may be inserted, whatever the server allows.
    connect
        Whether the server is reached now, so that what is wrong is an error at once.

    Raises
    ------
    InvalidConfiguration
        ``uri`` is no address of a server.
    StoreAway
        The server cannot be reached.
    AccessRefused
        The server needs another token.
    StoreUnavailable
        It has no such source.
    """

    capabilities = Capabilities(writable=True, shared=True, exact="exact", live=True, external=True)
    group_size = 4_000  # a request has a few megabytes

    def __init__(
        self,
        uri: str,
        *,
        token: str | None = None,
        timeout: float = TIMEOUT,
        compression: bool = False,
        read_only: bool = False,
        connect: bool = True,
    ) -> None:
        super().__init__()
        self._options: dict[str, Any] = {"timeout": timeout, "compression": compression}
        self._read_only = read_only
        self._connection = Connection(Address.of(uri, token), timeout, compression)
        self._listener = ChangeListener(self._connection)
        self._row_cache = RowCache()
        if connect:
            try:
                self.reach()
            except BaseException:
                self.close()
                raise

    def __str__(self) -> str:
        return f"http: {self._connection.uri}"

    def __reduce__(self) -> Any:
        make = functools.partial(
            HTTPStore, read_only=self._read_only, connect=False, **self._options
        )
        return make, (self._connection.uri,), {"stale_after": self.stale_after}

    def ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Have the server call a method, and return what that gives."""
        call = CALLS[method]
        arguments = call.pack(*args, **kwargs)
        if call.yields:
            return self._connection.items(call, arguments)
        return self._connection.value(call, arguments)

    def reach(self) -> None:
        """See that the server can be asked, and what its store can do; see `Store.reach`."""
        about = self._connection.about()
        told, known = about["capabilities"], {each.name for each in fields(Capabilities)}
        can = Capabilities(
            **{key: told[key] for key in told if key in known}
        )  # newer ones have more
        self.capabilities = replace(can, writable=can.writable and not self._read_only)

    # -- writing ---------------------------------------------------------

    def put(self, kind: str, doc: dict[str, Any]) -> None:
        self._write("insert", kind, doc)

    def put_at_once(self, kind: str, doc: dict[str, Any], seconds: float) -> bool:
        return not self._read_only and self._connection.write_at_once(
            CALLS["insert"], CALLS["insert"].pack(kind, doc), seconds
        )

    def put_many(self, documents: Sequence[tuple[str, dict[str, Any]]]) -> None:
        self._write("insert_many", documents)

    def put_batch(self, kind: str, owner: str, batch: pa.RecordBatch) -> None:
        self._write("insert_batches", kind, owner, [batch])

    def _write(self, method: str, *args: Any) -> None:
        if self._read_only:
            raise StoreIsReadOnly(f"{self._connection.name} is open for reading only.")
        try:
            self.ask(method, *args)
        except NotPermitted as error:
            self.reach()
            if self.capabilities.writable:  # just this document not
                raise
            raise StoreIsReadOnly(str(error)) from error

    # -- finding runs ----------------------------------------------------

    def find(
        self, query: Node, *, limit: int | None = None, after: Any = None
    ) -> Iterator[RunRecord]:
        def ask(left: _Left) -> Iterator[RunRecord]:
            found: Iterator[RunRecord] = self.ask("find", query, limit=left[0], after=left[1])
            return found

        def behind(left: _Left, run: RunRecord) -> _Left | None:
            more = None if left[0] is None else left[0] - 1
            return None if more == 0 else (more, run.cursor)

        return resumed(ask, None if limit == 0 else (limit, after), behind)

    # -- reading a run ---------------------------------------------------

    def extents(self, kind: str, owner: str) -> list[Extent]:
        """Return where rows are; few of them came along, and `read` need not ask again."""
        rows: Rows = self.ask("extents", kind, owner)
        self._row_cache.remember(kind, rows)
        return rows.extents

    def read(
        self,
        kind: str,
        extent: Extent,
        selection: Selection,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        known = self._row_cache.read(kind, extent, selection, rows)
        if known is not None:
            return iter(known)
        first, stop = rows or (0, extent.rows)

        def after(row: int, batch: pa.RecordBatch) -> int | None:
            return row + batch.num_rows if row + batch.num_rows < stop else None

        return resumed(
            lambda row: self.ask("read", kind, extent, selection, (row, stop)), first, after
        )

    def read_extents(
        self, kind: str, extents: Iterable[Extent], selection: Selection
    ) -> Iterator[list[pa.RecordBatch]]:
        wanted = list(extents)
        known = [self._row_cache.read(kind, extent, selection, None) for extent in wanted]
        if all(batches is not None for batches in known):
            return iter([batches for batches in known if batches is not None])
        return resumed_list(
            lambda left: self.ask("read_extents", kind, left, selection),
            wanted,
            lambda place, _: place + 1,
        )

    def read_many(
        self, runs: Iterable[str], stream: str, selection: Selection | None
    ) -> Iterator[RunsPage]:
        wanted = list(runs)
        return chain.from_iterable(
            resumed_list(
                lambda left: self.ask("read_many", left, stream, selection),
                wanted[first : first + _MOST_RUNS],
                lambda place, page: place + len(page.runs),
            )
            for first in range(0, len(wanted), _MOST_RUNS)
        )

    def read_runs(self, uids: Iterable[str]) -> Iterator[StoredRun]:
        wanted = list(uids)
        return resumed_list(
            lambda left: self.ask("read_runs", left),
            wanted,
            lambda place, run: wanted.index(run.uid, place) + 1,
        )

    # -- what is not for the server ----------------------------------------

    prepare = Store.prepare
    backup = Store.backup
    check = Store.check
    create_indexes = Store.create_indexes
    read_array = Store.read_array

    # -- noticing what is new ----------------------------------------------

    def state(self) -> Hashable:
        """Return the state of the server's store, and how many changes were told before."""
        times = self._listener.times
        return self.ask("state"), times

    def wait_for_changes(self, state: Any, timeout: float) -> bool:
        """Wait until the server tells that there is more; see `Store`.

        Where nothing is told, as a proxy keeps it back perhaps, the server is asked.
        """
        known, times = state
        end = time.monotonic() + timeout
        if timeout > _BRIEFLY or self._listener.hears:
            found = self._listener.wait(times, list(known), timeout)
            if found is not None:
                return found
        left = max(0.0, end - time.monotonic())
        return wait_until(lambda: self.ask("state") != known, left, pauses=_PAUSES)

    def expect_changes(self) -> None:
        self._listener.listen()

    def uids_since(self, mark: Any) -> tuple[list[str], Any] | None:
        try:
            return super().uids_since(mark)
        except InvalidRequest:  # it is not of this server
            return None

    def close(self) -> None:
        self._listener.close()
        self._connection.close()
