"""What comes with a request: read within bounds, and made the arguments of a call."""

from __future__ import annotations

import json
from typing import Any

import anyio
from starlette.requests import ClientDisconnect, Request

from ..documents.encode import decode
from ..errors import InvalidRequest, RequestTooLarge, RequestTooSlow
from ..stores.wire.calls import JSON, Call
from .limits import Limits

_SLOWEST = 1_000
"""Bytes of a request that must come in a second, besides those that come at first."""


async def arguments(request: Request, call: Call, limits: Limits) -> dict[str, Any]:
    """Return the arguments that a request brings.

    Raises
    ------
    RequestTooLarge, RequestTooSlow, InvalidRequest, InvalidQuery
        It brings no such.
    """
    body = await _body(request, limits)
    is_json = request.headers.get("content-type", "").partition(";")[0].strip() == JSON
    try:
        plain = (json.loads if is_json else decode)(body) if body else {}
        return call.unpack(plain)
    except RecursionError as error:
        raise InvalidRequest("what was sent is nested too deeply") from error
    except ValueError as error:
        if isinstance(error, InvalidRequest) or type(error).__module__.startswith("databroker"):
            raise
        raise InvalidRequest(f"what was sent cannot be read: {error}") from error


async def _body(request: Request, limits: Limits) -> bytearray:
    with anyio.move_on_after(limits.stalled_seconds) as waiting:
        return await _received(request, limits.request_bytes, waiting)
    raise RequestTooSlow(
        f"A request must come at {_SLOWEST} bytes a second, or within "
        f"{limits.stalled_seconds:g} s: it is not waited for."
    )


async def _received(request: Request, most: int, waiting: anyio.CancelScope) -> bytearray:
    """Return the body; what has come of it adds to the time in which it must."""
    said = request.headers.get("content-length", "0")
    body = bytearray()
    if not said.isdecimal() or (len(said) < 20 and int(said) <= most):
        try:
            async for chunk in request.stream():
                body += chunk
                waiting.deadline += len(chunk) / _SLOWEST
                if len(body) > most:
                    break
            else:
                return body
        except ClientDisconnect as error:
            raise InvalidRequest("the request broke off") from error
    raise RequestTooLarge(f"A request has {most} bytes at most: send less at once.")
