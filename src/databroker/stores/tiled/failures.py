"""What goes wrong on the way to a Tiled server, and what it refuses, as exceptions of ours."""

from __future__ import annotations

import httpx

from ..._util.secrets import hide_passwords
from ...errors import DatabrokerError, StoreAway, StoreUnavailable

_LATER = (429, 502, 503, 504)
"""What a server, or a proxy before it, says that cannot answer now."""


def unreached(error: httpx.HTTPError, name: str, timeout: float) -> StoreAway:
    """Return our exception for an answer that did not come."""
    if isinstance(error, httpx.TimeoutException):
        waited = "to be reached" if isinstance(error, httpx.ConnectTimeout) else "for an answer"
        return StoreAway(
            f"{name} takes too long {waited} (more than {timeout:g} s). Try again later, or give "
            "the option 'timeout' more seconds."
        )
    text = hide_passwords(str(error)).rstrip(".") or type(error).__name__
    return StoreAway(
        f"{name} cannot be reached: {text}. Does the server run, and are its host and port right?"
    )


def refused(response: httpx.Response, name: str, has_key: bool) -> DatabrokerError:
    """Return our exception for an answer that says no."""
    said = _detail(response)
    if response.status_code in (401, 403):
        key = "The API key is not accepted" if has_key else "It wants an API key"
        return StoreUnavailable(
            f"{name} refuses: {said}. {key}: give a valid one as 'api_key' in the configuration, "
            "or in the environment as TILED_API_KEY."
        )
    if response.status_code == 404:
        return StoreUnavailable(
            f"{name} is not there: {said}. Is this the address of a catalog, as `client.uri` of "
            "Tiled's own client shows it?"
        )
    kind = StoreAway if response.status_code in _LATER else StoreUnavailable
    return kind(f"{name} cannot answer: {said} (HTTP {response.status_code}).")


def not_understood(response: httpx.Response, name: str) -> StoreUnavailable:
    """Return our exception for an answer that a Tiled server does not give."""
    kind = response.headers.get("content-type", "nothing")
    return StoreUnavailable(
        f"{name} answers, but not as a Tiled server does (with {kind}). Is its address right?"
    )


def _detail(response: httpx.Response) -> str:
    """Return what a server says about its refusal, in few words."""
    try:
        detail = response.json()["detail"]
    except (ValueError, LookupError, TypeError):
        detail = response.reason_phrase
    return hide_passwords(" ".join(str(detail).split()))[:300].rstrip(".")
