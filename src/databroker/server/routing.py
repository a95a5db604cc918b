"""Routes of endpoints: each request is answered with what its caller may see, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import DatabrokerError, ServerBusy, StoreAway
from .access.access import User
from .access.caller import Scope
from .capacity import Gate
from .responses import problem
from .source import ServedSource, SourceView

if TYPE_CHECKING:
    from starlette.types import Receive, Send
    from starlette.types import Scope as Scopes

Endpoint = Callable[[SourceView, Request], Awaitable[Response]]
"""What answers a request. It reads everything through the view of its caller."""


def route(
    method: str,
    path: str,
    source: ServedSource,
    endpoint: Endpoint,
    needs: Scope | None = "read",
    gate: Gate | None = None,
) -> Route:
    """Return the route of an endpoint, for callers with the scope that it needs.

    Parameters
    ----------
    method, path
        The HTTP method, and the path below the address of the source.
    source
        The source.
    endpoint
        What answers; errors of databroker that it raises become JSON with a code.
    needs
        The scope that a caller must have; None for every caller.
    gate
        What limits such requests; by default that of all ordinary ones.
    """

    async def answer(request: Request) -> Response:
        user: User = request.user
        try:
            view = source.to(user.caller, user.address, user.is_still_valid)
            if needs is not None:
                view.check(needs, path)
            return await endpoint(view, request)
        except DatabrokerError as error:
            return problem(error)

    counted = Gated(answer, gate or source.capacity.requests)
    return Route(path, counted, methods=[method])


class Gated:
    """An application behind a gate: when that is full, clients are asked to try again.

    Parameters
    ----------
    answer
        Returns the response to a request.
    gate
        What counts those that it answers.
    """

    def __init__(self, answer: Callable[[Request], Awaitable[Response]], gate: Gate) -> None:
        self._answer, self._gate = answer, gate

    async def __call__(self, scope: Scopes, receive: Receive, send: Send) -> None:
        """Answer one request; see the ASGI specification."""
        with ExitStack() as counted:
            try:
                counted.enter_context(self._gate.entered(scope["user"].caller.name))
            except ServerBusy as error:
                await problem(error)(scope, receive, send)
            else:
                response = await self._answered(Request(scope, receive, send))
                await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except asyncio.CancelledError:  # by uvicorn, which waits no longer
            return problem(StoreAway("The server ends now, and had no answer yet. Ask again soon."))
