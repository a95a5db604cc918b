"""Notifying followers of what is new: however many they are, one thread waits for the store."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from ..._util.signals import not_from_signal, suppressed
from .shared_looks import SharedLooks

if TYPE_CHECKING:
    from ...stores.base import Store

State = tuple[Hashable, ...]

_PATIENCE = 1.0
"""Seconds for which the thread waits at most, until it looks whether somebody listens yet."""

_PAUSE = 0.02
"""Seconds between two looks at least: documents may come by the thousand."""

_LOG = logging.getLogger("databroker.server")


class Listener:
    """A client that is woken when more is stored that it may see."""

    def __init__(self, audience: _Audience) -> None:
        self._audience = audience
        self._woken = asyncio.Event()

    @property
    def state(self) -> State | None:
        """What is another value once more is stored that they may see."""
        return self._audience.state

    @property
    def looks(self) -> SharedLooks:
        """What is found for all who may see the same."""
        return self._audience.looks

    async def wait(self, seconds: float) -> bool:
        """Wait until there is more, or so many seconds; return whether there is more."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except not_from_signal(TimeoutError):
            return False
        self._woken.clear()
        return True

    def wake(self) -> None:
        """Let it go on."""
        self._woken.set()


class Notifier:
    """Wakes all who listen once a store has something new.

    Parameters
    ----------
    store
        The store of all runs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._audiences: dict[tuple[str, asyncio.AbstractEventLoop], _Audience] = {}
        self._thread: threading.Thread | None = None
        self._looks = False

    @asynccontextmanager
    async def listening(self, who: str, look: Callable[[], State]) -> AsyncIterator[Listener]:
        """Open a listener, for as long as this is entered.

        Parameters
        ----------
        who
            Names those who may see the same runs.
        look
            Returns what is another value once more is stored that they may see.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            audience = self._audiences.setdefault((who, loop), _Audience(look, loop))
            listener = Listener(audience)
            audience.listeners.add(listener)
        try:
            if audience.state is None:
                await run_in_threadpool(audience.look)
            self._begin()
            yield listener
        finally:
            with self._lock:
                audience.listeners.discard(listener)
                if not audience.listeners:
                    self._audiences.pop((who, loop), None)

    def check_soon(self) -> None:
        """Look whether there is more, in another thread, as this process has just stored some.

        What is stored meanwhile is noticed by the thread that waits for the store.
        """
        if self._audiences and not self._looks:
            self._looks = True
            asyncio.get_running_loop().run_in_executor(None, self._look)

    def _look(self) -> None:
        with suppressed(Exception):  # of which the thread that waits tells
            for each in list(self._audiences.values()):
                each.look()
        time.sleep(_PAUSE)
        self._looks = False

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                name = "databroker-notifier"
                self._thread = threading.Thread(target=self._watch, name=name, daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        """Wait for the store, as long as somebody listens."""
        is_away = False
        while audiences := self._wanted():
            try:
                state = self._store.state()
                for each in audiences:
                    each.look()
                is_away = False
                self._store.wait_for_changes(state, _PATIENCE)
                time.sleep(_PAUSE)
            except not_from_signal(Exception) as error:
                if self._audiences and not is_away:
                    _LOG.warning("Followers have to wait: %s", error)
                is_away = True
                time.sleep(_PATIENCE)

    def _wanted(self) -> list[_Audience]:
        """Return the groups that listen; with none, this thread is to end."""
        with self._lock:
            self._audiences = {
                key: each for key, each in self._audiences.items() if not each.loop.is_closed()
            }
            if not self._audiences:
                self._thread = None
            return list(self._audiences.values())


class _Audience:
    """The listeners of one event loop that may see the same runs."""

    def __init__(self, look: Callable[[], State], loop: asyncio.AbstractEventLoop) -> None:
        self._look = look
        self.loop = loop
        self.listeners: set[Listener] = set()
        self.state: State | None = None
        self.looks = SharedLooks()

    def look(self) -> None:
        """See whether there is more than at the look before, and wake all if so."""
        before, self.state = self.state, self._look()
        if before not in (None, self.state):
            self.loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for listener in self.listeners:
            listener.wake()
