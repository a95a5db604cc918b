"""What comes with a request: read within bounds, and made the arguments of a call."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from ..documents.encode import decode
from ..errors import InvalidRequest, RequestTooLarge
from ..stores.wire.calls import JSON, Call

LARGEST = 256 * 2**20
"""How many bytes the body of a request has at most, unless said otherwise."""


async def arguments(request: Request, call: Call, largest: int) -> dict[str, Any]:
    """Return the arguments that a request brings.

    Raises
    ------
    RequestTooLarge, InvalidRequest, InvalidQuery
        It brings no such.
    """
    body = await _body(request, largest)
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


async def _body(request: Request, largest: int) -> bytes:
    said = request.headers.get("content-length", "0")
    body = bytearray()
    if not said.isdecimal() or int(said) <= largest:
        async for chunk in request.stream():
            body += chunk
            if len(body) > largest:
                break
        else:
            return bytes(body)
    raise RequestTooLarge(f"A request has {largest} bytes at most: send less at once.")
