"""Tokens of OpenID Connect, which an issuer signs and the server checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from ...errors import AccessRefused, InvalidConfiguration
from .authenticator import Credentials
from .caller import Caller
from .claims import Rules
from .issuer_keys import FetchedKeys, GivenKeys

ALGORITHMS = ("RS256",)
"""Which sign, unless it is configured."""

_ALLOWED = {
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "EdDSA"),
}
"""Asymmetric ones: whoever can check a signature cannot make one."""

_NEEDED = ["exp", "iss", "aud"]
_LEEWAY = 10.0
"""Seconds by which clocks may differ."""


class OpenIDConnect:
    """Lets in whoever has a token that an issuer signed for this server.

    Parameters
    ----------
    issuer, audience
        The issuer and the audience that the token must name.
    keys
        The public keys of the issuer as a JSON Web Key Set, or the https address that has them.
    rules
        What follows from the claims of a token.
    algorithms
        By which it may be signed.

    Attributes
    ----------
    may_wait
        Whether keys are fetched, for which others need not wait.

    Raises
    ------
    InvalidConfiguration
        Tokens cannot be checked with them.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: Mapping[str, Any] | str,
        rules: Rules,
        algorithms: Sequence[str] = ALGORITHMS,
    ) -> None:
        if not algorithms or not _ALLOWED.issuperset(algorithms):
            raise InvalidConfiguration(
                f"'algorithms' must be some of {', '.join(sorted(_ALLOWED))}, not "
                f"{list(algorithms)}: with others, who can check a token could make one."
            )
        self._issuer, self._audience, self._algorithms = issuer, audience, list(algorithms)
        self._rules = rules
        self._keys = _keys(keys)
        self.may_wait = self._keys.may_wait

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return whom a token is about; see `Authenticator.authenticate`."""
        token = credentials.token or ""
        if token.count(".") != 2:
            return None
        try:
            claims = jwt.decode(
                token,
                self._key(jwt.get_unverified_header(token)),
                self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY,
                options={"require": _NEEDED},
            )
        except (jwt.PyJWTError, TypeError, ValueError, OverflowError) as error:
            raise AccessRefused(
                f"The token is refused: {error}. Log in again, and use the new one."
            ) from error
        return self._rules.caller(claims).known_by("oidc")

    def _key(self, header: Mapping[str, Any]) -> Any:
        """Return the key with which a token says that it is signed, which then has to be true."""
        fitting = self._keys.named(header.get("kid"))
        if len(fitting) != 1:
            raise jwt.InvalidKeyError("it is signed with no key that is known here")
        return fitting[0].key


def _keys(keys: Mapping[str, Any] | str) -> GivenKeys | FetchedKeys:
    if isinstance(keys, str):
        if not keys.startswith("https://"):
            raise InvalidConfiguration(f"'keys' must be at an https address, not {keys!r}.")
        return FetchedKeys(keys)
    try:
        return GivenKeys(keys)
    except jwt.PyJWTError as error:
        raise InvalidConfiguration(f"'keys' are no JSON Web Key Set: {error}") from error
