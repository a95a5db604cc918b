"""A source as it is asked over the wire, by each caller."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from ..errors import StoreIsReadOnly
from ..stores.wire.batches import Rows
from .sealed import SealedStore

if TYPE_CHECKING:
    from ..runs.session import Session
    from ..stores.base import Store
    from ..stores.wire.calls import Call
    from .access.caller import Caller
    from .seals import Seal

FEW_ROWS = 200
"""Rows of no more come with the answer that says where they are."""

_FEW_BYTES = 2**16


class Served:
    """A source, as one caller is served it.

    Attributes
    ----------
    caller
        Who asks.
    session
        The runs that they may see, and how these and their files are read.
    sealed
        Their store, with cursors, marks and extents that this caller can bring back.
    """

    def __init__(
        self, session: Session, caller: Caller, allow_writing: bool, changes: Changes, seal: Seal
    ) -> None:
        self.session = session
        self.sealed = SealedStore(session.store, seal.of(caller.name))
        self.caller = caller
        self._allow_writing = allow_writing
        self._changes = changes

    @property
    def store(self) -> Store:
        """The store of these runs, which has no others."""
        return self.session.store

    def about(self) -> dict[str, Any]:
        """Return what a client must know of the store before it asks."""
        can = self.store.capabilities
        writable = can.writable and self._allow_writing and "write" in self.caller.scopes
        return {
            "capabilities": asdict(replace(can, writable=writable, shared=True, backup=False)),
            "stale_after": self.store.stale_after,
        }

    def ask(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Return what the store answers.

        Raises
        ------
        StoreIsReadOnly
            The call writes, which is not allowed.
        """
        if call.writes and not self._allow_writing:
            raise StoreIsReadOnly(
                "This server only lets read. To let write, start it with --allow-writing."
            )
        own = getattr(self, f"_{call.name}", None)
        return (own or getattr(self.sealed, call.name))(**arguments)

    def _extents(self, kind: str, owner: str) -> Rows:
        """Say where rows are and, where they are few, send them along: they are asked for next."""
        from ..columns import ALL

        extents = self.sealed.extents(kind, owner)
        if sum(extent.rows for extent in extents) > FEW_ROWS:
            return Rows(extents)
        batches = [list(self.sealed.read(kind, extent, ALL)) for extent in extents]
        size = sum(batch.nbytes for several in batches for batch in several)
        return Rows(extents, batches if size <= _FEW_BYTES else None)

    def _state(self) -> tuple[str, int]:
        return self._changes.state()


class ServedSource:
    """A source, of which each caller is given what they may see.

    Parameters
    ----------
    session
        Its runs, and how these and their files are read.
    allow_writing
        Whether documents can be inserted, by those who may.
    seal
        What seals the cursors, marks and extents that callers are given.
    """

    def __init__(self, session: Session, allow_writing: bool, seal: Seal) -> None:
        self._session = session
        self._seal = seal
        self._allow_writing = allow_writing
        self._changes = Changes(session.store)

    def to(self, caller: Caller) -> Served:
        """Return the source as a caller is served it."""
        return Served(self._session, caller, self._allow_writing, self._changes, self._seal)


class Changes:
    """Counts how often more was stored, as seen by one thread: a state means nothing to others."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="databroker-changes")
        self._lock = threading.Lock()
        self._name = uuid.uuid4().hex  # so that what another process counted is something else
        self._count = 0
        self._last: Hashable = None

    def state(self) -> tuple[str, int]:
        """Return what is another value once more is stored."""
        return self._name, self._asker.submit(self._look).result()

    def _look(self) -> int:
        state = self._store.state()
        if state != self._last:
            self._count, self._last = self._count + 1, state
        return self._count
