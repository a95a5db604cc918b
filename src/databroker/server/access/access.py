"""The ways to be known to a server, asked one after the other for each request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from starlette.authentication import (
    AuthCredentials,
    AuthenticationBackend,
    AuthenticationError,
    BaseUser,
)

from ...errors import AccessRefused
from ..responses import problem
from .caller import ANYBODY, Caller
from .tokens import OneToken

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

_UNKNOWN = (
    "This server lets in who brings its token. The address that it printed when it began has it: "
    "put that as 'uri' into the configuration, or the token into the variable DATABROKER_TOKEN."
)


class Bearers(Protocol):
    """A way to know callers by the token that they bring."""

    def caller(self, brought: str) -> Caller | None:
        """Return who brings a token; None if it is not known here."""
        ...


class User(BaseUser):
    """A caller, as what is behind the door finds them in a request (``request.user``).

    Parameters
    ----------
    caller
        Who it is.
    """

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

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
    bearers
        The ways in which a token is known; without any, everybody is let in.
    """

    def __init__(self, bearers: Iterable[Bearers] = ()) -> None:
        self._bearers = tuple(bearers)

    @classmethod
    def by(cls, token: str | None) -> Access:
        """Let in who brings a token; everybody, if it is None."""
        return cls([] if token is None else [OneToken(token)])

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser]:
        """Return who asks; see Starlette."""
        caller = self._caller(conn) if self._bearers else ANYBODY
        if caller is None:
            raise AuthenticationError(_UNKNOWN)
        return AuthCredentials(sorted(caller.scopes)), User(caller)

    def _caller(self, conn: HTTPConnection) -> Caller | None:
        brought = conn.headers.getlist("authorization")
        kind, _, token = brought[0].partition(" ") if len(brought) == 1 else ("", "", "")
        if kind.lower() != "bearer" or not token:
            return None
        known = (bearers.caller(token) for bearers in self._bearers)
        return next((caller for caller in known if caller is not None), None)


def refused(_: HTTPConnection, error: Exception) -> Response:
    """Return the response to who is not known."""
    return problem(AccessRefused(str(error)), {"WWW-Authenticate": "Bearer"})
