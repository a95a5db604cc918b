"""Routes of endpoints: each request is answered with what its caller may see, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import DatabrokerError, ServerBusy, StoreAway
from .access.access import User
from .access.caller import Scope
from .capacity import Quota
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
    quota: Quota | None = None,
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
    quota
        What limits such requests; by default that of all ordinary ones.
    """
    answering = Answering(source, endpoint, needs, path, quota or source.capacity.requests)
    return Route(path, answering, methods=[method])


class Answering:
    """The application of an endpoint: with too many requests, clients are asked to try again.

    Parameters
    ----------
    source, endpoint, needs, path, quota
        As `route` has them.
    """

    def __init__(
        self, source: ServedSource, endpoint: Endpoint, needs: Scope | None, path: str, quota: Quota
    ) -> None:
        self._source, self._endpoint = source, endpoint
        self._needs, self._path = needs, path
        self._quota = quota

    async def __call__(self, scope: Scopes, receive: Receive, send: Send) -> None:
        """Answer one request; see the ASGI specification."""
        user: User = scope["user"]
        try:
            self._quota.take(user.caller.name)
        except ServerBusy as error:
            await problem(error)(scope, receive, send)
            return
        try:
            response = await self._response(user, Request(scope, receive, send))
            await response(scope, receive, send)
        finally:
            self._quota.give_back(user.caller.name)

    async def _response(self, user: User, request: Request) -> Response:
        try:
            view = self._source.to(user.caller, user.address, user.is_still_valid)
            if self._needs is not None:
                view.check(self._needs, self._path)
            return await self._endpoint(view, request)
        except DatabrokerError as error:
            return problem(error)
        except asyncio.CancelledError:  # by uvicorn, which waits no longer
            return problem(StoreAway("The server ends now, and had no answer yet. Ask again soon."))
