"""The sites whose pages may ask a server from a browser (CORS): none, unless they are named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware

from ...errors import InvalidConfiguration, NotPermitted
from ..responses import problem
from .audit import log_refused

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_ELSEWHERE = (b"cross-site", b"same-site")
"""What browsers say in `Sec-Fetch-Site` of a request that a page of another origin has sent."""


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
    guarded = _without_other_sites(inside, {origin.encode() for origin in origins})
    if not origins:
        return guarded
    return CORSMiddleware(
        guarded,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
        max_age=600,
    )


def _without_other_sites(inside: ASGIApp, origins: Collection[bytes]) -> ASGIApp:
    """Return an application that is asked nothing by pages of other sites.

    They get no answer to read, but browsers send some requests for them before they know that, as
    whoever has logged in to a proxy before the server; and what writes has been done then.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        site = _of_another_site(scope, origins)
        if site is None:
            await inside(scope, receive, send)
            return
        log_refused("somebody", (scope.get("client") or [""])[0], f"a page of {site}")
        may_not = f"Pages of {site} may use this server if it is started with --allow-origin."
        await problem(NotPermitted(may_not))(scope, receive, send)

    return guarded


def _of_another_site(scope: Scope, origins: Collection[bytes]) -> str | None:
    """Return the origin of the page that sent a request, if that is none of some, nor our own."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    sent = [value for name, value in scope["headers"] if name == b"sec-fetch-site"]
    if not any(value in _ELSEWHERE for value in sent):
        return None
    found = [value for name, value in scope["headers"] if name == b"origin"]
    if len(found) == 1 and found[0] in origins:
        return None
    return repr(b", ".join(found).decode("latin-1"))[:200]
