"""Answers as HTTP has them: one value, a sequence of items, an error."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Mapping
from typing import TYPE_CHECKING

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..stores.wire.calls import MESSAGEPACK
from ..stores.wire.failures import status_of, to_problem

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from ..errors import DatabrokerError


Pieces = Generator[tuple[bytes, bool], None, None]
"""What makes an answer: parts of it, each with whether it is the last one."""


def problem(error: DatabrokerError, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as a response."""
    return JSONResponse(dict(to_problem(error)), status_of(error), headers)


def whole(body: bytes) -> Response:
    """Return an answer that is there as a whole."""
    return Response(body, media_type=MESSAGEPACK)


class InPieces(StreamingResponse):
    """An answer that is made while it is sent, by threads; a client that goes away ends it.

    Parameters
    ----------
    first
        The piece that is there.
    pieces
        What makes the others; it is closed at the end, whatever that is.
    """

    def __init__(self, first: bytes, pieces: Pieces) -> None:
        self._first, self._pieces = first, pieces
        super().__init__(self._all(), media_type=MESSAGEPACK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; see the ASGI specification."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._pieces.close)

    async def _all(self) -> AsyncIterator[bytes]:
        yield self._first
        is_last = False
        while not is_last:
            piece, is_last = await run_in_threadpool(next, self._pieces)
            yield piece
