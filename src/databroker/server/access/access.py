"""Who may use a server: authenticators, tried one after the other for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

import anyio
from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
)

from ...errors import AccessRefused, DatabrokerError
from ..responses import problem
from .audit import log_refused
from .authenticator import Authenticator, Credentials
from .caller import Caller
from .tokens import Everybody, OneToken

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

_UNKNOWN = (
    "{}. This server needs its token, or a key. The token is in the address that the server "
    "printed when it started; keys are made with 'databroker keys make' on its machine. Put the "
    "address as 'uri' into the configuration, or the token or key into the variable "
    "DATABROKER_TOKEN."
)
_IN_ADDRESS = (
    "An address with a token is not for a web browser: in Python, databroker.open(address) opens "
    "it. Other programs send the token in the header 'Authorization: Bearer TOKEN'."
)
_NO_TOKEN = "The request has no token, or several"
_OTHER_TOKEN = "The token of the request is not, or no longer, one of this server"

IsStillValid = Callable[[], Awaitable[bool]]
"""Tells whether the credentials of a request, which were valid, still are."""


_WAITING = 10
"""Threads in which authenticators wait that may, for others: nobody else needs these."""


class User(BaseUser):
    """The caller of a request that was let in: ``request.user`` for whatever answers it.

    Parameters
    ----------
    caller
        Who sent the request.
    address
        The host that the connection comes from.
    is_still_valid
        Tells whether the credentials of the request are still valid.
    """

    def __init__(self, caller: Caller, address: str, is_still_valid: IsStillValid) -> None:
        self.caller, self.address, self.is_still_valid = caller, address, is_still_valid

    @property
    def is_authenticated(self) -> bool:
        """Always true: others get no further."""
        return True

    @property
    def display_name(self) -> str:
        """What they are called."""
        return self.caller.name


class Access(AuthenticationBackend):
    """Who may use a server.

    Parameters
    ----------
    authenticators
        What recognises callers: the first that knows one counts. Without any, nobody is let in.

    Examples
    --------
    >>> from databroker.server import Access, KeyFile
    >>> access = Access([KeyFile("keys.json")])
    """

    def __init__(self, authenticators: Iterable[Authenticator] = ()) -> None:
        self._authenticators = tuple(authenticators)
        self._waiting = anyio.CapacityLimiter(_WAITING)

    @classmethod
    def by(cls, token: str | None) -> Access:
        """Let in whoever has the token; everybody, if it is None."""
        return cls([Everybody() if token is None else OneToken(token)])

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        """Return who sent a request, or refuse it; see Starlette."""
        credentials = _credentials(conn)
        try:
            caller = await self.caller_of(credentials)
        except DatabrokerError as error:
            what = f"{conn.scope.get('method', 'WEBSOCKET')} {conn.scope['path']:.200}"
            log_refused("somebody", credentials.address, what)
            typed = credentials.token is None and "token" in conn.query_params
            why = AccessRefused(_IN_ADDRESS) if typed else error
            raise AuthenticationError(str(why)) from why
        user = User(caller, credentials.address, partial(self._is_still_valid, credentials, caller))
        return AuthCredentials(sorted(caller.scopes)), user

    async def _is_still_valid(self, credentials: Credentials, caller: Caller) -> bool:
        try:
            return await self.caller_of(credentials) == caller
        except AccessRefused:
            return False
        except DatabrokerError:  # that says so is away for now
            return True

    async def caller_of(self, credentials: Credentials) -> Caller:
        """Return whose credentials these are.

        Raises
        ------
        AccessRefused
            Nobody knows them.
        """
        for authenticator in self._authenticators:
            if authenticator.may_wait:
                caller = await anyio.to_thread.run_sync(
                    authenticator.authenticate, credentials, limiter=self._waiting
                )
            else:
                caller = authenticator.authenticate(credentials)
            if caller is not None:
                return caller
        raise AccessRefused(
            _UNKNOWN.format(_NO_TOKEN if credentials.token is None else _OTHER_TOKEN)
        )


def _credentials(conn: HTTPConnection) -> Credentials:
    # Several tokens count as none: a proxy before the server may have looked at another one.
    headers = conn.headers.items()
    brought = [value for name, value in headers if name == "authorization"]
    kind, _, token = brought[0].partition(" ") if len(brought) == 1 else ("", "", "")
    return Credentials(
        token if kind.lower() == "bearer" and token else None,
        conn.client.host if conn.client else "",
        headers,
    )


def refused(_: HTTPConnection, error: Exception) -> Response:
    """Return the response to a request that was not let in."""
    why = error.__cause__
    assert isinstance(why, DatabrokerError)
    return problem(why, {"WWW-Authenticate": "Bearer"} if isinstance(why, AccessRefused) else None)
