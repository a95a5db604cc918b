"""The body of a request: received within limits, and unpacked as the arguments of a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request

from .._util.signals import not_from_signal
from ..errors import InvalidRequest, RequestTooLarge, RequestTooSlow
from ..stores.wire.calls import JSON, Call
from .capacity import LITTLE, Held
from .decoding import decoded
from .limits import Limits

if TYPE_CHECKING:
    from .source import SourceView

_SLOWEST = 1_000
"""Bytes of a request that must come in a second, besides those that come at first."""


async def arguments(
    view: SourceView, request: Request, call: Call, body: bytearray
) -> dict[str, Any]:
    """Return the arguments in the body of a request.

    Raises
    ------
    RequestTooLarge, InvalidRequest, InvalidQuery
        There are no such arguments in it.
    """
    is_json = request.headers.get("content-type", "").partition(";")[0].strip() == JSON
    if len(body) <= LITTLE:  # which the loop itself has sooner read than a thread
        return _unpacked(body, is_json, call)
    run = view.finish if call.writes else view.run
    return await run(_unpacked, body, is_json, call)


def _unpacked(body: bytearray, is_json: bool, call: Call) -> dict[str, Any]:
    try:
        return call.unpack(decoded(body, is_json) if body else {})
    except RecursionError as error:
        raise InvalidRequest("what was sent is nested too deeply") from error
    except ValueError as error:
        if isinstance(error, InvalidRequest) or type(error).__module__.startswith("databroker"):
            raise
        raise InvalidRequest(f"what was sent cannot be read: {error}") from error


async def received(request: Request, limits: Limits, call: Call, held: Held) -> bytearray:
    """Return the body of a request; the size of each part of it is added to what is held.

    Raises
    ------
    RequestTooLarge, RequestTooSlow, InvalidRequest
        It has too much, comes too slowly, or breaks off.
    """
    most = limits.largest(writes=call.writes)
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and (len(said) >= 20 or int(said) > most):
        raise _too_large(most)
    begun = asyncio.get_running_loop().time()
    body, counted = bytearray(), 0
    try:
        async with asyncio.timeout_at(begun + limits.stalled_seconds) as waiting:
            async for chunk in request.stream():
                held.add(len(chunk))
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
                if len(body) - counted >= _SLOWEST:  # to move a deadline has its price
                    counted = len(body)
                    waiting.reschedule(begun + limits.stalled_seconds + counted / _SLOWEST)
    except ClientDisconnect as error:
        raise InvalidRequest("the request broke off") from error
    except not_from_signal(TimeoutError) as error:
        raise RequestTooSlow(
            f"The request came too slowly: {_SLOWEST} bytes a second are needed, or all of it "
            f"within {limits.stalled_seconds:g} s."
        ) from error
    return body


def _too_large(most: int) -> RequestTooLarge:
    return RequestTooLarge(f"The request has more than {most} bytes: send less at once.")
