"""A response without an end: server-sent events as they come, until one side goes away."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import anyio
from starlette.responses import StreamingResponse

from ...runs.following.wakeups import PATIENCE
from .feeds import Feed
from .messages import BEGINNING, HEARTBEAT
from .notifier import Listener

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_STREAMS = "databroker.streams"

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx is to pass on what comes at once
}


class EventStream(StreamingResponse):
    """Sends a client what is new for it.

    Parameters
    ----------
    listening
        Has the listener that is woken once more is stored.
    feed
        What is sent then.
    heartbeat
        Seconds after which something is sent at the latest.
    is_still_valid
        Tells whether the client may be told more.
    """

    def __init__(
        self,
        listening: AbstractAsyncContextManager[Listener],
        feed: Feed,
        heartbeat: float,
        is_still_valid: Callable[[], Awaitable[bool]],
    ) -> None:
        self._listening = listening
        self._feed, self._heartbeat = feed, heartbeat
        self._is_still_valid, self._is_ended = is_still_valid, False
        self._listener: Listener | None = None
        self._all = self._messages()
        super().__init__(self._all, media_type="text/event-stream", headers=_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes; see the ASGI specification."""
        streams: set[Callable[[], None]] = scope.get(_STREAMS, set())
        streams.add(self.end)
        try:
            await super().__call__(scope, receive, send)
        finally:
            streams.discard(self.end)
            with anyio.CancelScope(shield=True):
                await self._all.aclose()

    def end(self) -> None:
        """Send nothing more."""
        self._is_ended = True
        if self._listener is not None:
            self._listener.wake()

    async def _messages(self) -> AsyncGenerator[bytes, None]:
        yield BEGINNING
        async with self._listening as listener:
            self._listener, is_woken, thorough = listener, False, -math.inf
            while not self._is_ended and await self._is_still_valid():
                is_said, looked = False, time.monotonic()
                is_thorough = looked >= thorough + min(PATIENCE, self._heartbeat)
                thorough = looked if is_thorough else thorough
                async for each in self._feed.messages(listener, is_thorough=is_thorough):
                    yield each
                    is_said = True
                if self._feed.is_over:
                    return
                if not (is_woken or is_said):
                    yield HEARTBEAT
                is_woken = await listener.wait(self._heartbeat)


class WithStreams:
    """An application whose event streams can be ended, as they would go on for ever.

    Parameters
    ----------
    inside
        The application.
    """

    def __init__(self, inside: ASGIApp) -> None:
        self._inside = inside
        self._streams: set[Callable[[], None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request; see the ASGI specification."""
        await self._inside({**scope, _STREAMS: self._streams}, receive, send)

    def end_streams(self) -> None:
        """Have all streams end now."""
        for end in list(self._streams):
            end()
