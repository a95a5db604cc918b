"""What a server does at once: requests in progress, their memory, and threads that query stores.

All of this is for the one event loop that answers; the threads do what they are given.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from contextvars import copy_context
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import anyio

from ..errors import ServerBusy, TooManyRequests
from ..query.time_limit import TimeLimit
from .limits import Limits

T = TypeVar("T")
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_SOON = 1.0
"""Seconds after which it is seen whether the client is still there: most answers come sooner."""

_GRACE = 5.0
"""Seconds within which a thread should stop when it is told to."""

LITTLE = 2**12
"""Bytes of a request of which nothing large can be made: it is sooner read than it waits."""

_TURN = 2**23
"""Bytes of requests of one caller that are worked on at once; their values take up to 160 times
as many, if these are a million empty lists, but hardly more than 800 MB."""


class Gate:
    """Limits how many requests are in progress, in all and for one caller.

    Parameters
    ----------
    most, most_of_caller
        How many.
    """

    def __init__(self, most: int, most_of_caller: int) -> None:
        self._most, self._most_of_caller = most, most_of_caller
        self._within = Counter[str]()

    @contextmanager
    def entered(self, caller: str) -> Iterator[None]:
        """Count a request of a caller while this is entered.

        Raises
        ------
        ServerBusy, TooManyRequests
            There are too many, in all or of this caller.
        """
        if self._within.total() >= self._most:
            raise ServerBusy(f"The server is busy with {self._most} requests. Try again soon.")
        if self._within[caller] >= self._most_of_caller:
            raise TooManyRequests(
                f"You have {self._most_of_caller} requests in progress, which is the limit of this "
                "server for one caller. Try again when some of them are answered."
            )
        self._within[caller] += 1
        try:
            yield
        finally:
            self._within[caller] -= 1
            if not self._within[caller]:
                del self._within[caller]


class Memory:
    """Counts the bytes of requests in progress, in all and of one caller.

    Parameters
    ----------
    most, most_of_caller
        So many there may be.
    """

    def __init__(self, most: int, most_of_caller: int) -> None:
        self._most, self._most_of_caller = most, most_of_caller
        self._held = Counter[str]()

    @contextmanager
    def holding(self, caller: str) -> Iterator[Callable[[int], None]]:
        """Yield a function to call with the size of what arrives; all is released at the end.

        The function raises `ServerBusy` if there is too much in all, and `TooManyRequests` if
        there is of this caller.
        """
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self._held[caller] + size > self._most_of_caller:
                raise TooManyRequests(
                    f"Your requests in progress have more than {self._most_of_caller} bytes "
                    "together, which is the limit. Try again when some of them are answered."
                )
            if self._held.total() + size > self._most:
                raise ServerBusy("The server is busy with large requests. Try again soon.")
            self._held[caller] += size
            mine += size

        try:
            yield hold
        finally:
            self._held[caller] -= mine
            if not self._held[caller]:
                del self._held[caller]


class Turns:
    """Has large requests wait for each other, as what is made of them takes many times their size.

    Parameters
    ----------
    most
        So many bytes of one caller are worked on at once, and twice as many in all; what has more
        is worked on alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._all = Budget(2 * most)
        self._of_callers = WeakValueDictionary[str, Budget]()

    @asynccontextmanager
    async def taken(self, caller: str, size: int) -> AsyncIterator[None]:
        """Wait for the turn of a request of so many bytes, which ends when this is left."""
        if size <= LITTLE:
            yield
            return
        mine = self._of_callers.setdefault(caller, Budget(self._most))
        size = min(size, self._most)
        async with mine.taken(size), self._all.taken(size):
            yield


class Budget:
    """Something of which there is so much: who takes some waits for who came before.

    Parameters
    ----------
    most
        How much there is.
    """

    def __init__(self, most: int) -> None:
        self._left = most
        self._first, self._freed = asyncio.Lock(), asyncio.Event()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncIterator[None]:
        """Take some, as soon as there is enough, until this is left."""
        async with self._first:
            while self._left < size:
                self._freed.clear()
                await self._freed.wait()
            self._left -= size
        try:
            yield
        finally:
            self._left += size
            self._freed.set()


class Threads:
    """Threads that query stores; one caller has a quarter at most, and further calls wait.

    Parameters
    ----------
    most
        How many there are.
    seconds
        The time limit of a call.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="databroker-asks")
        self._seconds = seconds
        self._share = max(1, most // 4)
        self._shares = WeakValueDictionary[str, asyncio.Semaphore]()

    async def run(
        self, caller: str, function: Callable[..., T], *args: Any, receive: Receive | None = None
    ) -> T:
        """Return what a function gives in a thread, within the limit of time.

        It ends sooner if this is cancelled or, where it is said how to `receive`, if the client
        goes away. What does not heed its limit is left to itself, and keeps its thread until then.

        Raises
        ------
        QueryTimeout
            It takes longer.
        """
        async with self._share_of(caller):
            limit = TimeLimit(self._seconds)
            future: asyncio.Future[T] = self._begin(limit.run, function, *args)
            try:
                with _ended_without_client(limit, receive):
                    await asyncio.wait([future], timeout=self._seconds)
            finally:
                if not future.done():
                    await _give_up(limit, future)
            if not future.done():
                raise limit.exceeded()
            return future.result()

    async def finish(self, caller: str, function: Callable[..., T], *args: Any) -> T:
        """Return what a function gives in a thread, whatever time it takes."""
        async with self._share_of(caller):
            return await self._begin(function, *args)

    def _begin(self, function: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        context = copy_context()
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._pool, lambda: context.run(function, *args))

    def _share_of(self, caller: str) -> asyncio.Semaphore:
        return self._shares.setdefault(caller, asyncio.Semaphore(self._share))


class Capacity:
    """What a server can do at once, for all of its sources.

    Attributes
    ----------
    limits
        Its limits.
    requests, followers
        Where requests come in, and those that wait for what comes.
    memory, turns
        What counts the bytes of requests, and what has large ones wait for each other.
    threads
        What asks the stores.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = Gate(limits.requests, limits.requests_per_caller)
        self.followers = Gate(limits.followers, max(1, limits.followers // 2))
        held = max(limits.held_bytes, limits.request_bytes)
        self.memory = Memory(held, max(held // 2, limits.request_bytes))
        self.turns = Turns(_TURN)
        self.threads = Threads(limits.threads, limits.answer_seconds)


async def _give_up(limit: TimeLimit, future: asyncio.Future[Any]) -> None:
    """Tell a thread to end what it does, and wait a little for it."""
    future.add_done_callback(lambda done: done.exception())  # which nobody may ask for
    with anyio.CancelScope(shield=True):
        await asyncio.get_running_loop().run_in_executor(None, limit.end)
        await asyncio.wait([future], timeout=_GRACE)


@contextmanager
def _ended_without_client(limit: TimeLimit, receive: Receive | None) -> Iterator[None]:
    """End a time limit if the client goes away, which only shows when one tries to receive."""
    loop, tasks = asyncio.get_running_loop(), list[asyncio.Task[None]]()

    async def listen(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        await loop.run_in_executor(None, limit.end)

    def begin() -> None:
        if receive is not None:
            tasks.append(loop.create_task(listen(receive)))

    later = loop.call_later(_SOON, begin)
    try:
        yield
    finally:
        later.cancel()
        for task in tasks:
            task.cancel()
