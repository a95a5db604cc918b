"""What a Tiled server calls containers: entries by their names, given in pages.

A server asks for them in its event loop, so what may wait for a store is done by threads.
"""

from __future__ import annotations

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

import anyio.to_thread
from fastapi import HTTPException, WebSocket
from fastapi.responses import PlainTextResponse
from tiled.server.core import NoEntry
from tiled.structures.core import Spec, StructureFamily

from ..errors import DatabrokerError
from ..stores.wire.problems import status_of

T = TypeVar("T")
_NO_NEWS = "databroker tells no news by Tiled: see header.follow()"
_NORMAL = 1000  # the code of RFC 6455 for an end that was meant
_NOT_ALLOWED, _NOT_IMPLEMENTED = 405, 501
_READ_ONLY = "Runs of databroker are only read by Tiled."
Page = tuple[list[tuple[str, Any]], int | None]
"""Entries with their names, and the cursor of what comes after them; None if nothing does."""


@contextlib.contextmanager
def http_errors() -> Iterator[None]:
    """Turn errors of a broker into HTTP errors with their messages."""
    try:
        yield
    except DatabrokerError as error:
        raise HTTPException(status_of(error), str(error)) from error


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Call a function that may wait, and tell of its errors."""
    with http_errors():
        return await anyio.to_thread.run_sync(function, *arguments)


class Entry:
    """Whatever a Tiled server is given.

    Attributes
    ----------
    specs
        What clients are told that it is.
    """

    specs: Sequence[Spec] = ()

    def make_ws_handler(self, websocket: WebSocket, *_: Any) -> Callable[..., Awaitable[None]]:
        """Return what answers who wants to be told of news: that there are none this way."""

        async def refuse(_: Any = None, already_accepted: bool = False) -> None:
            if already_accepted:  # after any code but this, clients come again, and at once
                await websocket.close(_NORMAL, _NO_NEWS)
            else:
                await websocket.send_denial_response(PlainTextResponse(_NO_NEWS, _NOT_IMPLEMENTED))

        return refuse

    async def create_node(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse what somebody would write."""
        raise HTTPException(_NOT_ALLOWED, _READ_ONLY)


class Container(Entry, ABC):
    """Entries by their names.

    Cursors are integers, as Tiled has them in its addresses.
    """

    structure_family = StructureFamily.container

    @abstractmethod
    def metadata(self) -> dict[str, Any]:
        """Return what is said of it."""

    @abstractmethod
    def child(self, name: str) -> Any:
        """Return an entry.

        Raises
        ------
        KeyError
            There is none of this name.
        """

    @abstractmethod
    def page(self, cursor: int | None, limit: int | None) -> Page:
        """Return some entries after a cursor; None begins with the first, or has all."""

    @abstractmethod
    def cursor_at(self, offset: int) -> int:
        """Return the cursor after so many entries."""

    @abstractmethod
    def count(self, most: int | None = None) -> int:
        """Return how many entries there are; one more than `most` if there are more."""

    def structure(self) -> None:
        """Return nothing: what is in a container is asked for."""
        return

    # -- as Tiled asks ---------------------------------------------------

    async def lookup_adapter(self, segments: Sequence[str]) -> Any:
        """Return what is at a path below it.

        Raises
        ------
        NoEntry
            Nothing is there.
        """
        first, *rest = segments
        try:
            found = await in_thread(self.child, first)
        except KeyError as error:
            raise NoEntry(list(segments)) from error
        return await found.lookup_adapter(rest) if rest else found

    async def cursor_for_offset(self, offset: int) -> int:
        """Return the cursor after so many entries."""
        return self.cursor_at(offset)

    async def items_page(self, cursor: int | None, limit: int) -> Page:
        """Return some entries, and the cursor of what comes after them."""
        return await in_thread(self.page, cursor, limit)

    async def keys_page(self, cursor: int | None, limit: int) -> tuple[list[str], int | None]:
        """Return some names, and the cursor of what comes after them."""
        items, after = await self.items_page(cursor, limit)
        return [name for name, _ in items], after

    async def items_range(self, offset: int = 0, limit: int | None = None) -> list[Any]:
        """Return some entries with their names."""
        items, _ = await in_thread(self.page, self.cursor_at(offset), limit)
        return items

    async def keys_range(self, offset: int = 0, limit: int | None = None) -> list[str]:
        """Return some names."""
        return [name for name, _ in await self.items_range(offset, limit)]

    async def exact_len(self) -> int:
        """Return how many entries there are."""
        return await in_thread(self.count)

    async def lbound_len(self, threshold: int) -> int:
        """Return how many entries there are; of more, only that they are more."""
        return await in_thread(self.count, threshold)


class NamedEntries(Container):
    """A container whose few entries have names that are known."""

    _chosen: Collection[str] | None = None

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all entries."""

    def read(self, fields: Collection[str] | None = None) -> NamedEntries:
        """Return it with those of some names only, as exports want it."""
        chosen = copy.copy(self)
        chosen._chosen = fields
        return chosen

    def page(self, cursor: int | None, limit: int | None) -> Page:
        first = cursor or 0
        names = [name for name in self.names() if self._chosen is None or name in self._chosen]
        stop = len(names) if limit is None else min(first + limit, len(names))
        items = [(name, self.child(name)) for name in names[first:stop]]
        return items, stop if stop < len(names) else None

    def cursor_at(self, offset: int) -> int:
        return offset

    def count(self, most: int | None = None) -> int:
        return len(self.names())
