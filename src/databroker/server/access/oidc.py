"""Tokens of OpenID Connect: signed by somebody who knows the person, and checked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jwt

from ...errors import AccessRefused, InvalidConfiguration, StoreUnavailable
from .authenticator import Credentials
from .caller import Caller
from .claims import Rules

ALGORITHMS = ("RS256",)
"""Which sign, unless it is configured."""

_ALLOWED = {
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES256K", "ES384", "ES512", "EdDSA"),
}
"""Those by which nobody can sign who can check."""

_NEEDED = ["exp", "iss", "aud"]
_WAIT = 5.0
_LEEWAY = 10.0
"""Seconds by which clocks may differ."""


class OpenIDConnect:
    """Knows who brings a token that an issuer signed for this server.

    Parameters
    ----------
    issuer, audience
        What the token must say of who made it, and for whom.
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
        self._keys = _PublicKeys(keys)
        self.may_wait = isinstance(keys, str)

    def authenticate(self, credentials: Credentials) -> Caller | None:
        """Return whom a token is about; see `Authenticator.authenticate`."""
        token = credentials.token or ""
        if token.count(".") != 2:
            return None
        try:
            key = self._keys.of(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                self._algorithms,
                issuer=self._issuer,
                audience=self._audience,
                leeway=_LEEWAY,
                options={"require": _NEEDED},
            )
        except jwt.PyJWTError as error:
            raise AccessRefused(
                f"The token is refused: {error}. Log in again, and use the new one."
            ) from error
        return self._rules.caller(claims).known_by("oidc")


class _PublicKeys:
    """The keys of an issuer, given or fetched."""

    def __init__(self, keys: Mapping[str, Any] | str) -> None:
        self._client: jwt.PyJWKClient | None = None
        self._given: list[jwt.PyJWK] = []
        try:
            if not isinstance(keys, str):
                self._given = jwt.PyJWKSet.from_dict(dict(keys)).keys
            elif keys.startswith("https://"):
                self._client = jwt.PyJWKClient(keys, timeout=_WAIT)
            else:
                raise InvalidConfiguration(f"'keys' must be at an https address, not {keys!r}.")
        except jwt.PyJWTError as error:
            raise InvalidConfiguration(f"'keys' are no JSON Web Key Set: {error}") from error

    def of(self, header: Mapping[str, Any]) -> Any:
        """Return the key with which a token says that it is signed, which then has to be true."""
        name = header.get("kid")
        if self._client is not None:
            try:
                return self._client.get_signing_key(str(name)).key
            except jwt.PyJWKClientConnectionError as error:
                raise StoreUnavailable(f"The issuer's keys cannot be had: {error}") from error
        fitting = [key.key for key in self._given if name is None or key.key_id == name]
        if len(fitting) != 1:
            raise jwt.InvalidKeyError("it is signed with no key that is known here")
        return fitting[0]
