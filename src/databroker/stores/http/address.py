"""The address of a source on a server, and the token that may stand in it."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from ...errors import InvalidConfiguration
from ..wire.tokens import ENVIRONMENT, check_token

_URI, _OPTION = "in the address", "in the option 'token'"
"""Where a token is given, if not in the environment."""


class Address(NamedTuple):
    """Where a source is, and what lets in: None for what is in the environment then.

    Attributes
    ----------
    uri
        The address, without a token.
    token
        The token that was given.
    origin
        Where that was given, in words.

    Examples
    --------
    >>> Address.of("http://localhost:8000/csx/?token=abc", None)
    Address(uri='http://localhost:8000/csx', token='abc', origin='in the address')
    """

    uri: str
    token: str | None
    origin: str

    @classmethod
    def of(cls, uri: str, token: str | None) -> Address:
        """Return an address from what a configuration says.

        Raises
        ------
        InvalidConfiguration
            It is no address of a server, or the token has characters that no token has.
        """
        parts = _split(uri)
        if parts is None:
            raise InvalidConfiguration(
                "The option 'uri' of the driver 'http' must be the address of a source on a "
                f"server, such as http://localhost:8000/beamline, not {uri!r}."
            )
        # What `databroker serve` prints, and people copy, has the token in it.
        there = parse_qs(parts.query).get("token", [None])[-1]
        given = token or there
        check_token(given or os.environ.get(ENVIRONMENT, ""))
        path = quote(parts.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        return cls(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}",
            given,
            _OPTION if token else _URI,
        )

    @property
    def headers(self) -> dict[str, str]:
        """What a request says to be let in."""
        token = self.token or os.environ.get(ENVIRONMENT)
        check_token(token or "")
        return {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def sent(self) -> str:
        """Which token a request has, as a sentence that does not show it; empty for none."""
        there = os.environ.get(ENVIRONMENT)
        if self.token:
            other = f", not that in the variable {ENVIRONMENT}" if there else ""
            return f"The token that was sent is the one {self.origin}{other}."
        return f"The token that was sent is the one in the variable {ENVIRONMENT}." if there else ""


def _split(uri: str) -> SplitResult | None:
    """Return the parts of the address of a server; None if it is no such."""
    try:
        parts = urlsplit(uri)
        host = parts.netloc.encode("idna").decode()
        is_one = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    return parts if is_one and host.isprintable() and " " not in host else None
