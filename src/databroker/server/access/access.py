"""The ways to be known to a server, tried one after the other for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
)
from starlette.concurrency import run_in_threadpool

from ...errors import AccessRefused, DatabrokerError
from ..responses import problem
from .asking import Asking, Way
from .audit import log_refused
from .caller import Caller
from .tokens import Everybody, OneToken

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

_UNKNOWN = (
    "{}. This server lets in who brings its token, or a key. The address that it printed when it "
    "began has the token; a key is made with 'databroker keys make' where it runs. Put the address "
    "as 'uri' into the configuration, or the token or key into the variable DATABROKER_TOKEN."
)
_NO_TOKEN = "No token came, or several"
_OTHER_TOKEN = "The token that came is not, or no longer, one of this server"

LetIn = Callable[[], Awaitable[bool]]
"""Tells whether somebody who was let in would be now."""


class User(BaseUser):
    """A caller, as what is behind the door finds them in a request (``request.user``).

    Parameters
    ----------
    caller
        Who it is.
    address
        The host that the connection comes from.
    is_let_in
        Tells whether what came with the request lets them in still.
    """

    def __init__(self, caller: Caller, address: str, is_let_in: LetIn) -> None:
        self.caller, self.address, self.is_let_in = caller, address, is_let_in

    @property
    def is_authenticated(self) -> bool:
        """Nobody else is let in."""
        return True

    @property
    def display_name(self) -> str:
        """What they are called."""
        return self.caller.name


class Access(AuthenticationBackend):
    """Who is let in.

    Parameters
    ----------
    ways
        How callers are known: the first that knows one counts. Without any, nobody is let in.

    Examples
    --------
    >>> from databroker.server import Access, KeyFile
    >>> access = Access([KeyFile("keys.json")])
    """

    def __init__(self, ways: Iterable[Way] = ()) -> None:
        self._ways = tuple(ways)
        self._may_wait = any(getattr(way, "may_wait", False) for way in self._ways)

    @classmethod
    def by(cls, token: str | None) -> Access:
        """Let in who brings a token; everybody, if it is None."""
        return cls([Everybody() if token is None else OneToken(token)])

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        """Return who asks; see Starlette."""
        asking = _asking(conn)
        try:
            caller = await self._caller(asking)
        except DatabrokerError as error:
            log_refused("somebody", asking.address, f"{conn.scope['method']} {conn.url.path}")
            raise AuthenticationError(str(error)) from error
        user = User(caller, asking.address, partial(self._is_let_in, asking, caller))
        return AuthCredentials(sorted(caller.scopes)), user

    async def _caller(self, asking: Asking) -> Caller:
        return (
            await run_in_threadpool(self.caller, asking) if self._may_wait else self.caller(asking)
        )

    async def _is_let_in(self, asking: Asking, caller: Caller) -> bool:
        try:
            return await self._caller(asking) == caller
        except AccessRefused:
            return False
        except DatabrokerError:  # that says so is away for now
            return True

    def caller(self, asking: Asking) -> Caller:
        """Return who asks.

        Raises
        ------
        AccessRefused
            Nobody knows them.
        """
        for way in self._ways:
            caller = way.caller(asking)
            if caller is not None:
                return caller
        raise AccessRefused(_UNKNOWN.format(_NO_TOKEN if asking.token is None else _OTHER_TOKEN))


def _asking(conn: HTTPConnection) -> Asking:
    # Several tokens are none: what stands before the server may have looked at another one.
    brought = conn.headers.getlist("authorization")
    kind, _, token = brought[0].partition(" ") if len(brought) == 1 else ("", "", "")
    return Asking(
        token if kind.lower() == "bearer" and token else None,
        conn.client.host if conn.client else "",
        conn.headers.items(),
    )


def refused(_: HTTPConnection, error: Exception) -> Response:
    """Return the response to who is not known, or cannot be now."""
    why = error.__cause__
    assert isinstance(why, DatabrokerError)
    return problem(why, {"WWW-Authenticate": "Bearer"} if isinstance(why, AccessRefused) else None)
