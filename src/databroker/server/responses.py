"""Answers as HTTP has them: one value, a sequence of items, an error."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import anyio
from starlette.responses import JSONResponse, Response, StreamingResponse

from ..errors import DatabrokerError, RequestTooLarge, RequestTooSlow, ServerBusy
from ..stores.wire import sequence
from ..stores.wire.calls import MESSAGEPACK
from ..stores.wire.problems import status_of, to_problem
from ..stores.wire.warnings import HEADER

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_HEADERS = {
    # What is said with some errors. A client that has more to send is not waited for.
    ServerBusy: {"Retry-After": "1"},
    RequestTooLarge: {"Connection": "close"},
    RequestTooSlow: {"Connection": "close"},
}

Pieces = Generator[tuple[bytes, bool], None, None]
"""What makes an answer: parts of it, each with whether it is the last one."""


def problem(error: DatabrokerError, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as a response, and break its reference cycles.

    Its frames hold what was sent, perhaps very much, until Python would look for such cycles.
    """
    own = next((each for kind, each in _HEADERS.items() if isinstance(error, kind)), None)
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return JSONResponse(dict(to_problem(error)), status_of(error), headers or own)


def whole(body: bytes, warnings: list[list[str]] | None = None) -> Response:
    """Return an answer that is there as a whole, and what was warned of."""
    headers = {HEADER: json.dumps(warnings)} if warnings else None
    return Response(body, headers=headers, media_type=MESSAGEPACK)


class InPieces(StreamingResponse):
    """An answer that is made while it is sent, by threads; a client that goes away ends it.

    Parameters
    ----------
    first
        The piece that is there.
    pieces
        What makes the others; it is closed at the end, whatever that is.
    run
        Gives what a function gives in a thread.

    Attributes
    ----------
    held
        What is released at the end.
    """

    def __init__(self, first: bytes, pieces: Pieces, run: Callable[..., Awaitable[Any]]) -> None:
        self._first, self._pieces, self._run = first, pieces, run
        self.held: AbstractContextManager[object] = nullcontext()
        super().__init__(self._all(), media_type=MESSAGEPACK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; see the ASGI specification."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with self.held, anyio.CancelScope(shield=True), suppress(ValueError):
                await self._run(self._pieces.close)  # which fails if a thread is amid it

    async def _all(self) -> AsyncIterator[bytes]:
        yield self._first
        is_last = False
        try:
            while not is_last:
                piece, is_last = await self._run(next, self._pieces)
                yield piece
        except DatabrokerError as error:
            yield sequence.failure(to_problem(error))
