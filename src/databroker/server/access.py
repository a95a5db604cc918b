"""Who is let in: those who bring the token."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from ..errors import AccessRefused
from .responses import problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_WITHOUT = (
    "This server lets in who brings its token. The address that it printed when it began has it: "
    "put that as 'uri' into the configuration, or the token into the variable DATABROKER_TOKEN."
)


class TokenNeeded:
    """Passes on the requests that bring a token, and refuses all others.

    Parameters
    ----------
    inside
        The application that answers.
    token
        What must be brought.
    """

    def __init__(self, inside: ASGIApp, token: str) -> None:
        self._inside = inside
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; see the ASGI specification."""
        if scope["type"] == "lifespan" or self._is_let_in(scope):
            await self._inside(scope, receive, send)
            return
        refused = problem(AccessRefused(_WITHOUT), {"WWW-Authenticate": "Bearer"})
        await refused(scope, receive, send)

    def _is_let_in(self, scope: Scope) -> bool:
        brought = [value for name, value in scope["headers"] if name == b"authorization"]
        # In constant time: how much of a token is right must not be seen from how long it takes.
        return len(brought) == 1 and hmac.compare_digest(brought[0], self._expected)
