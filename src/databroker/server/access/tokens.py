"""The token of a server: who brings it may do all that the server lets be done."""

from __future__ import annotations

import hmac

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
    """

    def __init__(self, token: str) -> None:
        self._expected = token.encode()
        self._caller = Caller("token", frozenset(SCOPES))

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return who brings the token; None for another one."""
        brought = (credentials.token or "").encode()
        # In constant time: how much of a token is right must not be seen from how long it takes.
        return self._caller if hmac.compare_digest(brought, self._expected) else None
