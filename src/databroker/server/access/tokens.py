"""The token of a server, which allows everything that the server allows."""

from __future__ import annotations

import hmac

from ...errors import InvalidConfiguration
from .authenticator import Credentials
from .caller import ANYBODY, SCOPES, Caller


class Everybody:
    """Lets in everybody: users are checked before the server, if at all."""

    may_wait = False

    def authenticate(self, credentials: Credentials) -> Caller:
        """Return anybody."""
        return ANYBODY


class OneToken:
    """Lets in whoever has one token, with all scopes.

    Parameters
    ----------
    token
        The token. It must be long and random, as others can try to guess it.

    Raises
    ------
    InvalidConfiguration
        It is empty.

    Examples
    --------
    >>> one = OneToken("5MXAhNEbMSpFb9m5GPYpcKCe")
    >>> one.authenticate(Credentials("5MXAhNEbMSpFb9m5GPYpcKCe")).name
    'token'
    >>> one.authenticate(Credentials("a guess")) is None
    True
    """

    may_wait = False

    def __init__(self, token: str) -> None:
        if not token:
            raise InvalidConfiguration(
                "The token of a server is empty, so everybody would have it. Leave it out if "
                "something else checks the users; else give a long one, such as "
                "secrets.token_urlsafe()."
            )
        self._expected = token.encode()
        self._caller = Caller("token", frozenset(SCOPES))

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return the caller if these credentials have the token; None for another one."""
        brought = (credentials.token or "").encode()
        # In constant time: how much of a token is right must not be seen from how long it takes.
        return self._caller if hmac.compare_digest(brought, self._expected) else None
