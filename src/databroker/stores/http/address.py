"""The address of a source on a server, and the token that may stand in it."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from ...errors import InvalidConfiguration

ENVIRONMENT = "DATABROKER_TOKEN"
"""The variable with the token, where no other one is given."""


class Address(NamedTuple):
    """Where a source is, and what lets in.

    Examples
    --------
    >>> Address.of("http://localhost:8000/csx/?token=abc", None)
    Address(uri='http://localhost:8000/csx', token='abc')
    """

    uri: str
    token: str | None

    @classmethod
    def of(cls, uri: str, token: str | None) -> Address:
        """Return an address from what a configuration says.

        Raises
        ------
        InvalidConfiguration
            It is no address of a server, or the token is no text of ASCII.
        """
        try:
            parts, url = urlsplit(uri), httpx.URL(uri)
        except (ValueError, httpx.InvalidURL):
            parts, url = urlsplit(""), httpx.URL("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidConfiguration(
                "The option 'uri' of the driver 'http' must be the address of a source on a "
                f"server, such as http://localhost:8000/beamline, not {uri!r}."
            )
        # What `databroker serve` prints, and people copy, has the token in it.
        known = token or url.params.get("token") or os.environ.get(ENVIRONMENT)
        if known is not None and not (known.isascii() and known.isprintable()):
            raise InvalidConfiguration("The token of a server has ASCII characters alone.")
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{url.path.rstrip('/')}"
        return cls(place, known)
