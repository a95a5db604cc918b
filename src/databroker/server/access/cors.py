"""The sites whose pages may ask a server from a browser (CORS): none, unless they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware

from ...errors import InvalidConfiguration

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def with_cors(inside: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return an application that browsers let the pages of some sites ask.

    Cookies are no part of it: a page has to know a token, as any other client.

    Raises
    ------
    InvalidConfiguration
        What is named is no origin.
    """
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}":
            raise InvalidConfiguration(
                f"{origin!r} is not the origin of a site: give https://host or https://host:port, "
                "without a path."
            )
    return CORSMiddleware(
        inside,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        max_age=600,
    )
