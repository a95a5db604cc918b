"""The token of a server: who brings it may do all that the server lets be done."""

from __future__ import annotations

import hmac

from ...errors import InvalidConfiguration
from .authenticator import Credentials
from .caller import ANYBODY, SCOPES, Caller


class Everybody:
    """Lets everybody do everything: something before the server sees to who comes."""

    def authenticate(self, credentials: Credentials) -> Caller:
        """Return anybody."""
        return ANYBODY


class OneToken:
    """Knows whoever brings one token.

    Parameters
    ----------
    token
        What must be brought.

    Raises
    ------
    InvalidConfiguration
        It is empty: then everybody would bring it.
    """

    def __init__(self, token: str) -> None:
        if not token:
            raise InvalidConfiguration(
                "The token of a server is empty, so everybody would bring it. Leave it out if "
                "something else sees to who comes; else give a long one, such as "
                "secrets.token_urlsafe()."
            )
        self._expected = token.encode()
        self._caller = Caller("token", frozenset(SCOPES))

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return who brings the token; None for another one."""
        brought = (credentials.token or "").encode()
        # In constant time: how much of a token is right must not be seen from how long it takes.
        return self._caller if hmac.compare_digest(brought, self._expected) else None
