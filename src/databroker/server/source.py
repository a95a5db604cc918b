"""A source that is served, and the view of it that each caller has."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import NotPermitted, StoreIsReadOnly
from ..query.nodes import Everything
from ..runs.session import StoreView
from ..stores.narrowed import NarrowedStore
from ..stores.wire.batches import Rows
from ..stores.wire.warnings import to_plain
from .access.audit import audited, log_refused
from .change_counter import ChangeCounter
from .external.listing import list_files
from .external.reader import ExternalReader
from .inserts import Inserts
from .live.notifier import Listener, Notifier
from .signing.store import SignedStore

if TYPE_CHECKING:
    from .._util.user_warnings import Warned
    from ..runs.session import Session
    from ..stores.base import Store
    from ..stores.external import Buffer, ExternalFile, ExternalValues, Head, Part, Seen
    from ..stores.wire.calls import Call
    from .access.access import IsStillValid
    from .access.caller import Caller, Scope
    from .capacity import Capacity, Receive
    from .signing.signer import Signer

T = TypeVar("T")

FEW_ROWS = 200
"""Rows of no more come with the answer that says where they are."""

_FEW_BYTES = 2**16

State = Callable[[], tuple[Hashable, ...]]
"""Gives what is another value once more is stored that a caller may see."""


class SourceView:
    """A source as one caller sees it: the runs that they may see, and what they may do.

    Attributes
    ----------
    source
        The source as a whole.
    caller, address
        Whose view it is, and the host from which they send requests.
    is_still_valid
        Tells whether their credentials are still valid: for answers that take long.
    session
        The runs that they may see, and how these and their files are read.
    """

    def __init__(
        self,
        source: ServedSource,
        caller: Caller,
        address: str,
        is_still_valid: IsStillValid,
        session: Session,
        state: State,
    ) -> None:
        self.source = source
        self.caller, self.address, self.is_still_valid = caller, address, is_still_valid
        self.session = session
        self._state = state  # which answers the call of that name, too

    @cached_property
    def signed_store(self) -> SignedStore:
        """Their store, with cursors, marks and extents that this caller can bring back."""
        signer = self.source.signer.of(self.caller.name).of(repr(self.caller.query))
        return SignedStore(self.session.store, signer)

    @property
    def store(self) -> Store:
        """The store of these runs, which has no others."""
        return self.session.store

    async def run(
        self, function: Callable[..., T], *args: Any, receive: Receive | None = None
    ) -> T:
        """Return what a function gives in a thread, within the limit of time: see `Threads`."""
        threads = self.source.capacity.threads
        return await threads.run(self.caller.name, function, *args, receive=receive)

    async def finish(self, function: Callable[..., T], *args: Any) -> T:
        """Return what a function gives in a thread, whatever time it takes."""
        return await self.source.capacity.threads.finish(self.caller.name, function, *args)

    def about(self) -> dict[str, Any]:
        """Return what a client must know of the store before it asks."""
        can = self.store.capabilities
        writable = can.writable and self.source.allow_writing and "write" in self.caller.scopes
        return {
            "capabilities": asdict(
                replace(can, writable=writable, shared=True, backup=False, external=True)
            ),
            "stale_after": self.store.stale_after,
        }

    def listening(self) -> AbstractAsyncContextManager[Listener]:
        """Open a listener, which is woken once more is stored that they may see."""
        return self.source.notifier.listening(repr(self.caller.query), self._state)

    def check(self, scope: Scope, what: str) -> None:
        """Check that the caller has a scope, and log it if not.

        Raises
        ------
        NotPermitted
            They may not.
        """
        try:
            self.caller.check(scope)
        except NotPermitted:
            log_refused(self.caller.name, self.address, what)
            raise

    def ask(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Return what the store answers.

        Raises
        ------
        StoreIsReadOnly
            The call writes, which is not allowed.
        """
        if call.writes:
            with audited(self.caller.name, self.address, call.name, arguments):
                self._check_that_it_takes()
                return getattr(self.signed_store, call.name)(**arguments)
        own = getattr(self, f"_{call.name}", None)
        return (own or getattr(self.signed_store, call.name))(**arguments)

    def may_hear(self, warned: Sequence[Warned]) -> list[list[str]]:
        """Return the warnings for the caller: none, if some runs are hidden from them.

        They may be of any run, and name it.
        """
        return to_plain(warned) if self.caller.query == Everything() else []

    async def insert(self, kind: str, doc: dict[str, Any]) -> None:
        """Have the store keep a document, with those of others that come at once.

        Raises
        ------
        StoreIsReadOnly
            It is not allowed.
        InvalidDocument
            As `Store.insert` says.
        """
        with audited(self.caller.name, self.address, "insert", {"kind": kind, "doc": doc}):
            self._check_that_it_takes()
            await self.source.inserts.insert(self.store, kind, doc)

    def _check_that_it_takes(self) -> None:
        if not self.source.allow_writing:
            raise StoreIsReadOnly(
                "This server is read-only. Start it with --allow-writing to insert documents."
            )

    def _extents(self, kind: str, owner: str) -> Rows:
        """Return extents and, where they are few, their rows, which would be asked for next."""
        from ..columns import ALL

        extents = self.signed_store.extents(kind, owner)
        if sum(extent.rows for extent in extents) > FEW_ROWS:
            return Rows(extents)
        batches = [list(self.signed_store.read(kind, extent, ALL)) for extent in extents]
        size = sum(batch.nbytes for several in batches for batch in several)
        return Rows(extents, batches if size <= _FEW_BYTES else None)

    def _external(self, values: ExternalValues) -> ExternalReader:
        return ExternalReader(self.session, self.source.allow_writing, values)

    def _see_external(self, values: ExternalValues, cheaply: bool = False) -> Seen | None:
        return self._external(values).see(cheaply)

    def _count_external(self, values: ExternalValues) -> int:
        return self._external(values).count()

    def _read_external(
        self, values: ExternalValues, part: Part | None = None
    ) -> Iterator[Head | Buffer]:
        return self._external(values).read(part)

    def _list_external(self, uid: str) -> Iterator[ExternalFile]:
        return list_files(self.session, self.source.allow_writing, uid)


async def _always_valid() -> bool:
    return True


class ServedSource:
    """A source, of which each caller is given what they may see.

    Parameters
    ----------
    session
        Its runs, and how these and their files are read.
    allow_writing
        Whether documents can be inserted, by those who may.
    signer
        What signs the cursors, marks and extents that callers are given.
    capacity
        What can be done at once, for all of its callers.
    """

    def __init__(
        self, session: Session, allow_writing: bool, signer: Signer, capacity: Capacity
    ) -> None:
        if allow_writing:
            session.store.write_for_others()
        self._session = session
        self.allow_writing = allow_writing
        self.signer = signer
        self.capacity = capacity
        self.inserts = Inserts()
        self._changes = ChangeCounter(session.store)
        self.notifier = Notifier(session.store)

    def to(
        self, caller: Caller, address: str = "", is_still_valid: IsStillValid = _always_valid
    ) -> SourceView:
        """Return the source as a caller sees it, who sends requests from some host."""
        session, state = self._session, self._changes.state
        if caller.query != Everything():
            store = NarrowedStore(session.store, caller.query)
            session = replace(session, view=StoreView(store))
            state = partial(self._changes.state_of, store, caller.query)
        return SourceView(self, caller, address, is_still_valid, session, state)
