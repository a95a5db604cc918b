"""What a live stream says: that something was stored, runs that begin and end, documents."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Iterable,
    Iterator,
)
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from ..._util.signals import not_from_signal
from ...display.json_text import as_json
from ...errors import DatabrokerError, StoreAway
from ...stores.wire.problems import to_problem
from .messages import digest, json_message, message, place, short_of_run, short_of_runs
from .shared_looks import Found

if TYPE_CHECKING:
    from ...runs.following.documents import DocumentFollower
    from ...runs.following.follower import Follower
    from ...runs.following.runs import RunsFollower
    from .notifier import Listener

Run = Callable[..., Awaitable[Any]]

_AT_ONCE = 100
"""Documents in a message at most."""

_LONG = 2**18
"""Characters of documents after which a message has enough of them."""

_SHARED_BYTES = 2**18
"""Bytes of messages that are kept for others, at most; who is sent more is sent it at once."""


class Feed(ABC):
    """What one listener is sent."""

    is_over = False
    """Whether nothing will come after that."""

    @abstractmethod
    def messages(self, listener: Listener, *, is_thorough: bool) -> AsyncIterator[bytes]:
        """Yield messages of what is new; a thorough look sees that nobody will write any more."""


class StateFeed(Feed):
    """Tells that there is more, and nothing else.

    Parameters
    ----------
    told
        The state that the listener knows, as JSON has it.
    """

    def __init__(self, told: Any) -> None:
        self._told = told

    async def messages(self, listener: Listener, *, is_thorough: bool) -> AsyncIterator[bytes]:
        """Yield a message if the state is another one than was told last."""
        state = listener.state
        if state is not None and list(state) != self._told:
            self._told = list(state)
            yield message("changed", {"state": self._told}, self._told)


class FollowerFeed(Feed):
    """Tells what a follower finds, which looks where others would wait.

    Of several that are at the same place of the same flow, one looks for all.

    Parameters
    ----------
    follower
        Stands where the listener does.
    run
        Has a function called by a thread.
    flow
        What the follower gives, and to whom: the same for all with the same messages.
    """

    def __init__(self, follower: Follower[Any], run: Run, flow: Iterable[Hashable]) -> None:
        self._follower, self._run, self._flow = follower, run, tuple(flow)
        self._has_begun = False
        self._place = digest(follower.cursor)

    @abstractmethod
    def _encoded(self, news: Iterator[Any]) -> Iterator[bytes]:
        """Yield messages of what a look found."""

    def _beginning(self) -> Iterator[bytes]:
        """Yield what is told before all else."""
        return iter(())

    async def messages(self, listener: Listener, *, is_thorough: bool) -> AsyncIterator[bytes]:
        """Yield messages of what is new; where they are many, each as soon as it is made."""
        place = self._flow, self._place, self._has_begun, is_thorough
        look, is_own = listener.looks.at(listener.state, place)
        found = None if is_own else await asyncio.shield(look.found)
        if found is not None:
            self._go_on_behind(found)
            for each in found.messages:
                yield each
            return
        async with aclosing(self._made(is_thorough)) as made:
            try:
                few, is_all = await _few(made)
                self._place = digest(self._follower.cursor) if few else self._place
                if is_all:
                    look.end(Found(few, self._follower.cursor, self._place, self.is_over))
            finally:
                look.end(None)
            for each in few:
                yield each
            async for each in made:
                yield each
        if not is_all:
            self._place = digest(self._follower.cursor)

    def _go_on_behind(self, found: Found) -> None:
        if found.messages:
            self._follower.move_to(found.cursor)
        self._has_begun, self._place, self.is_over = True, found.place, found.is_over

    async def _made(self, is_thorough: bool) -> AsyncGenerator[bytes, None]:
        found = self._found(is_thorough)
        try:
            while each := await self._run(next, found, b""):
                yield each
        except StoreAway:
            return  # until it is back
        except DatabrokerError as error:
            self.is_over = True
            yield message("problem", dict(to_problem(error)))

    def _found(self, is_thorough: bool) -> Iterator[bytes]:
        if not self._has_begun:
            yield from self._beginning()
            self._has_begun = True
        look = self._follower.look(is_thorough=is_thorough)
        yield from self._encoded(look.news)
        self.is_over = look.is_last
        if self.is_over:
            yield message("end", {})


class RunsFeed(FollowerFeed):
    """Tells which runs begin and end."""

    _follower: RunsFollower

    def _encoded(self, news: Iterator[Any]) -> Iterator[bytes]:
        """Yield a message for each run that began or ended."""
        for name, run in news:
            about = {"start": run.start} | ({"stop": run.stop} if name == "stop" else {})
            yield message(name, {"uid": run.uid, **about}, self._cursor())

    def _beginning(self) -> Iterator[bytes]:
        """Say where it begins, so that who is cut off before the first run misses nothing."""
        cursor = self._cursor()
        if cursor is not None:
            yield place(cursor)

    def _cursor(self) -> Any:
        return short_of_runs(self._follower.cursor, self._follower.newest)


class DocumentsFeed(FollowerFeed):
    """Tells documents of a run, some in a message."""

    _follower: DocumentFollower

    def _encoded(self, news: Iterator[Any]) -> Iterator[bytes]:
        """Yield messages, each a list of kinds and documents."""
        for some in _together(map(as_json, news)):
            text = f"[{', '.join(some)}]"
            yield json_message("documents", text, short_of_run(self._follower.cursor))


async def _few(messages: AsyncIterator[bytes]) -> tuple[list[bytes], bool]:
    """Return the first messages, and whether they are all."""
    few: list[bytes] = []
    left = _SHARED_BYTES
    async for each in messages:
        few.append(each)
        left -= len(each)
        if left < 0:
            return few, False
    return few, True


def _together(texts: Iterator[str]) -> Iterator[list[str]]:
    """Yield texts some at a time; those before an error, too."""
    some: list[str] = []
    size = 0
    try:
        for each in texts:
            some.append(each)
            size += len(each)
            if len(some) == _AT_ONCE or size >= _LONG:
                yield some
                some, size = [], 0
    except not_from_signal(Exception):
        if some:
            yield some
        raise
    if some:
        yield some
