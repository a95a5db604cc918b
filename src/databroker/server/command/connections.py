"""Time limits of connections: those on which next to nothing is sent or taken are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import uvicorn

from ..limits import Limits
from .joining import Joining

_LONGEST_HEADERS = 2**16
"""Bytes of headers that may come before they are complete."""

_LEAST = 2**14
"""Bytes of an answer that a client must take in the time that it has, if there are as many."""


def limited(config: uvicorn.Config, limits: Limits) -> uvicorn.Config:
    """Return a configuration of uvicorn whose connections have limits, which it has none for."""
    config.limit_concurrency = limits.connections
    config.timeout_keep_alive = limits.idle_seconds
    config.load()
    # Either of the two that it knows, whichever is installed: both have the same methods.
    known = cast(Any, config.http_protocol_class)
    config.http_protocol_class = type("Limited", (_Impatient, known), {"limits": limits})
    return config


class _Timer:
    """Does something after a while, unless it is stopped."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    @property
    def runs(self) -> bool:
        return self._handle is not None

    def start(self, seconds: float, action: Callable[..., object], *args: Any) -> None:
        self.stop()
        self._handle = self._loop.call_later(seconds, action, *args)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class _Impatient:
    """What is added to a protocol class of uvicorn, which learns what happens to a connection."""

    limits: Limits
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    cycle: Any  # a request and its answer
    connections: set[Any]  # of the server

    _is_last = False
    """Whether nothing more is read."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._make_room()
        self._idle_since = self.loop.time()
        super().connection_made(Joining(transport, self.loop))  # type: ignore[misc]
        self._came = 0
        self._reading, self._writing = _Timer(self.loop), _Timer(self.loop)
        self._expect_headers()
        # So that it is told of whatever waits to be sent, were it the last of an answer. With 0,
        # uvloop takes it that something waits on an encrypted connection where nothing does.
        transport.set_write_buffer_limits(high=1, low=0)

    def data_received(self, data: bytes) -> None:
        if self._is_last:
            return
        before = self.cycle
        super().data_received(data)  # type: ignore[misc]
        is_answered = before is not None and before.response_complete
        if self.cycle is not before:  # a request has begun
            self._came, self._idle_since = 0, self.loop.time()
            self._reading.stop()
            return
        if is_answered and not self._reading.runs:
            self._expect_headers()
        if self._reading.runs and not (is_answered and before.more_body):
            self._came += len(data)
            if self._came > _LONGEST_HEADERS:
                self.transport.abort()

    def _unsupported_upgrade_warning(self) -> None:
        """Answer a request for another protocol in this one, without the lines that uvicorn logs.

        It is the last one to httptools, which stops parsing at its headers: the body would be taken
        for another request, with headers that a proxy before the server has not seen.
        """
        if hasattr(self, "parser"):
            self.cycle.keep_alive, self._is_last = False, True

    def pause_writing(self) -> None:
        super().pause_writing()  # type: ignore[misc]
        self._look_again()

    def resume_writing(self) -> None:
        super().resume_writing()  # type: ignore[misc]
        self._writing.stop()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)  # type: ignore[misc]
        self._reading.stop()
        self._writing.stop()

    def _make_room(self) -> None:
        """End what is idle for longest if there are too many: who holds many keeps nobody out."""
        if len(self.connections) < self.limits.connections - 1:  # uvicorn counts this one, too
            return
        idle = (each for each in self.connections if not each.is_busy)
        if (longest := min(idle, key=lambda each: each._idle_since, default=None)) is not None:
            self.connections.discard(longest)
            longest.transport.abort()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_headers(self) -> None:
        self._reading.start(self.limits.header_seconds, self.transport.abort)

    def _look_again(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._writing.start(self.limits.stalled_seconds, self._look, waiting)

    def _look(self, waiting: int) -> None:
        """End the connection if the client has taken too little since; else go on waiting."""
        if self.transport.get_write_buffer_size() > waiting - _LEAST:
            self.transport.abort()
        else:
            self._look_again()
