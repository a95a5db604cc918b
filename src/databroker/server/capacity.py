"""What a server does at once: requests in progress, their memory, and threads that query stores.

All of this is for the one event loop that answers; the threads do what they are given.
"""

from __future__ import annotations

import asyncio
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


class Quota:
    """Limits how much of something is in use, in all and by one caller.

    Parameters
    ----------
    most, most_of_caller
        How much.
    all_used, own_used
        What is said if there would be more.
    """

    def __init__(self, most: int, most_of_caller: int, all_used: str, own_used: str) -> None:
        self._most, self._most_of_caller = most, most_of_caller
        self._all_used, self._own_used = all_used, own_used
        self._used = 0
        self._used_by: dict[str, int] = {}

    def take(self, caller: str, amount: int = 1) -> None:
        """Count what a caller uses from now on.

        Raises
        ------
        TooManyRequests, ServerBusy
            It would be too much, of this caller or in all.
        """
        own = self._used_by.get(caller, 0) + amount
        if own > self._most_of_caller:
            raise TooManyRequests(self._own_used)
        if self._used + amount > self._most:
            raise ServerBusy(self._all_used)
        self._used_by[caller] = own
        self._used += amount

    def give_back(self, caller: str, amount: int = 1) -> None:
        """Count what a caller uses no longer."""
        self._used -= amount
        if left := self._used_by.pop(caller, 0) - amount:
            self._used_by[caller] = left


class Held:
    """What one request uses of a quota, until this is left.

    Parameters
    ----------
    quota
        What counts it.
    caller
        Whose request it is.
    """

    def __init__(self, quota: Quota, caller: str) -> None:
        self._quota, self._caller = quota, caller
        self._amount = 0

    def add(self, amount: int) -> None:
        """Use some more; it raises what `Quota.take` does."""
        self._quota.take(self._caller, amount)
        self._amount += amount

    def pop_all(self) -> Held:
        """Return another one, which has all of this one."""
        other = Held(self._quota, self._caller)
        other._amount, self._amount = self._amount, 0
        return other

    def __enter__(self) -> Held:
        return self

    def __exit__(self, *_: object) -> None:
        self._quota.give_back(self._caller, self._amount)


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
        What counts requests in progress, and those that wait for what comes.
    memory, turns
        What counts the bytes of requests, and what has large ones wait for each other.
    threads
        What asks the stores.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = _of_requests(limits.requests, limits.requests_per_caller)
        self.followers = _of_requests(limits.followers, max(1, limits.followers // 2))
        held = max(limits.held_bytes, limits.request_bytes)
        self.memory = _of_bytes(held, max(held // 2, limits.request_bytes))
        self.turns = Turns(_TURN)
        self.threads = Threads(limits.threads, limits.answer_seconds)


def _of_requests(most: int, most_of_caller: int) -> Quota:
    return Quota(
        most,
        most_of_caller,
        f"The server is busy with {most} requests. Try again soon.",
        f"You have {most_of_caller} requests in progress, which is the limit of this server for "
        "one caller. Try again when some of them are answered.",
    )


def _of_bytes(most: int, most_of_caller: int) -> Quota:
    return Quota(
        most,
        most_of_caller,
        "The server is busy with large requests. Try again soon.",
        f"Your requests in progress have more than {most_of_caller} bytes together, which is the "
        "limit. Try again when some of them are answered.",
    )


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
