"""Where something is answered: each request is given what its caller may see, and no more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import DatabrokerError
from .access.caller import Scope
from .responses import problem
from .served import Served, ServedSource

Endpoint = Callable[[Served, Request], Awaitable[Response]]
"""What answers a request. All that it reads, it gets from what its caller is served."""


def route(
    method: str, path: str, source: ServedSource, endpoint: Endpoint, needs: Scope | None = "read"
) -> Route:
    """Return the route of something that is answered for those who may ask it.

    Parameters
    ----------
    method, path
        How it is asked, and where, below the address of the source.
    source
        What it is about.
    endpoint
        What answers; an error of ours that it raises is told in the usual form.
    needs
        What a caller must be allowed; None for whoever is let in.
    """

    async def answer(request: Request) -> Response:
        try:
            served = source.to(request.user.caller)
            if needs is not None:
                served.caller.check(needs)
            return await endpoint(served, request)
        except DatabrokerError as error:
            return problem(error)

    return Route(path, answer, methods=[method])
