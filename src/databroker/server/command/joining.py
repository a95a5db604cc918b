"""What is written to a connection soon after each other is sent together."""

from __future__ import annotations

import asyncio
from typing import Any


class Joining:
    """The transport of a connection, which sends the head of an answer along with what follows.

    What is written waits until more is, but not beyond the next turn of the loop. It saves the
    server a call of the system and, where an answer is small, the client from being woken twice.

    Parameters
    ----------
    transport
        What sends. Whatever is not about sending is its own.
    loop
        The event loop that it belongs to.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._waiting = b""

    def write(self, data: bytes) -> None:
        """Send some bytes; see `asyncio.WriteTransport`."""
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self._transport.writelines([waiting, data])
        elif data:
            self._waiting = data
            self._loop.call_soon(self._send)

    def close(self) -> None:
        """Send what waits, and end the connection; see `asyncio.BaseTransport`."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self._transport.write(waiting)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
