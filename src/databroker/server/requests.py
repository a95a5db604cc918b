"""The body of a request: received within limits, and unpacked as the arguments of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect, Request

from .._util.signals import not_from_signal
from ..errors import InvalidRequest, RequestTooLarge, RequestTooSlow
from ..stores.wire.calls import JSON, Call
from .capacity import LITTLE
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


async def received(
    request: Request, limits: Limits, call: Call, hold: Callable[[int], None]
) -> bytearray:
    """Return the body of a request; `hold` is called with the size of each part of it.

    Raises
    ------
    RequestTooLarge, RequestTooSlow, InvalidRequest
        It has too much, comes too slowly, or breaks off.
    """
    deadline = asyncio.get_running_loop().time() + limits.stalled_seconds
    not_counted = 0

    def came(size: int) -> None:
        nonlocal deadline, not_counted
        hold(size)
        not_counted += size
        if not_counted >= _SLOWEST:  # to move a deadline has its price
            deadline += not_counted / _SLOWEST
            not_counted = 0
            waiting.reschedule(deadline)

    try:
        async with asyncio.timeout_at(deadline) as waiting:
            return await _received(request, limits.largest(writes=call.writes), came)
    except not_from_signal(TimeoutError) as error:
        raise RequestTooSlow(
            f"The request came too slowly: {_SLOWEST} bytes a second are needed, or all of it "
            f"within {limits.stalled_seconds:g} s."
        ) from error


async def _received(request: Request, most: int, came: Callable[[int], None]) -> bytearray:
    """Return the body, and say of each part of it that it came."""
    said = request.headers.get("content-length", "0")
    body = bytearray()
    if not said.isdecimal() or (len(said) < 20 and int(said) <= most):
        try:
            async for chunk in request.stream():
                came(len(chunk))
                body += chunk
                if len(body) > most:
                    break
            else:
                return body
        except ClientDisconnect as error:
            raise InvalidRequest("the request broke off") from error
    raise RequestTooLarge(f"The request has more than {most} bytes: send less at once.")
