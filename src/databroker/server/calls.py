"""The endpoint of each call: its arguments are read, and a thread asks the store for the answer."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from .._util.signals import not_from_signal
from .._util.user_warnings import Warned, overheard
from ..documents.encode import encode
from ..errors import DatabrokerError, ServerFailed
from ..query.time_limit import check_time
from ..stores.wire import sequence
from ..stores.wire.calls import Call
from ..stores.wire.problems import to_problem
from .capacity import Held
from .requests import arguments, received
from .responses import InPieces, Pieces, problem, whole
from .routing import Endpoint
from .source import SourceView

_PIECE_BYTES = 2**16
_PIECE_SECONDS = 0.02
"""What is there by then is sent, so that nobody waits long for what was found first."""

_VALUES = 15
"""So many times the size of a question its values take, while the answer is made in pieces."""

_LOG = logging.getLogger("databroker.server")


def endpoint_of(call: Call) -> Endpoint:
    """Return what answers the requests of a call."""

    async def endpoint(view: SourceView, request: Request) -> Response:
        capacity, caller = view.source.capacity, view.caller.name
        with Held(capacity.memory, caller) as held:
            body = await received(request, capacity.limits, call, held)
            async with capacity.turns.taken(caller, len(body)):
                if call.yields:
                    held.add(_VALUES * len(body))
                given = await arguments(view, request, call, body)
                del body  # which the values take the place of
                response = await _answer(view, call, given, request)
            if isinstance(response, InPieces):
                response.held = held.pop_all()
            return response

    return endpoint


async def _answer(
    view: SourceView, call: Call, arguments: dict[str, Any], request: Request
) -> Response:
    """Return the response to a call."""
    if call.writes:
        response = await _written(view, call, arguments)
        view.source.notifier.check_soon()
        return response
    compressed = request.query_params.get("compression") == "zstd"
    codec = (compressed and call.gives.compressed) or call.gives
    how = _sequence if call.yields else _value
    return await view.run(how, view, call, arguments, codec.pack, receive=request.receive)


async def _written(view: SourceView, call: Call, arguments: dict[str, Any]) -> Response:
    if call.name == "insert":
        return await _inserted(view, call, arguments)
    # Which is not left half done.
    return await view.finish(_value, view, call, arguments, call.gives.pack)


async def _inserted(view: SourceView, call: Call, arguments: dict[str, Any]) -> Response:
    try:
        await view.insert(**arguments)
    except not_from_signal(Exception) as error:
        return problem(_told(error, call))
    return whole(encode(None))


def _value(view: SourceView, call: Call, arguments: dict[str, Any], pack: Any) -> Response:
    heard = list[Warned]()
    try:
        with overheard(heard):
            body = encode(pack(view.ask(call, arguments)))
        return whole(body, view.may_hear(heard))
    except not_from_signal(Exception) as error:
        return problem(_told(error, call))


def _sequence(view: SourceView, call: Call, arguments: dict[str, Any], pack: Any) -> Response:
    """Return the response whole if it is small, so that it costs one turn of a thread."""
    pieces = _heard(view, call, arguments, pack)
    try:
        first, is_last = next(pieces)
    except DatabrokerError as error:
        return problem(error)
    return whole(first) if is_last else InPieces(first, pieces, view.run)


def _heard(view: SourceView, call: Call, arguments: dict[str, Any], pack: Any) -> Pieces:
    """Yield the pieces of a sequence, in whichever thread asks for each."""
    heard = list[Warned]()
    pieces = _pieces(view, call, arguments, pack, heard)
    while True:
        with overheard(heard):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _pieces(
    view: SourceView, call: Call, arguments: dict[str, Any], pack: Any, heard: list[Warned]
) -> Pieces:
    """Yield a sequence of items, some at a time; the last piece has its end.

    Raises
    ------
    DatabrokerError
        Something failed before the first item; what fails later is told in the last piece.
    """
    piece, size, begun, is_first = list[bytes](), 0, time.monotonic(), True
    try:
        for each in view.ask(call, arguments):
            check_time()
            piece.append(sequence.item(pack(each)))
            size += len(piece[-1])
            if size >= _PIECE_BYTES or time.monotonic() - begun > _PIECE_SECONDS:
                yield b"".join(piece), False
                piece, size, begun, is_first = [], 0, time.monotonic(), False
    except not_from_signal(Exception) as error:
        told = _told(error, call)
        if is_first and not piece:
            raise told from error
        piece.append(sequence.failure(to_problem(told), view.may_hear(heard)))
    else:
        piece.append(sequence.end(view.may_hear(heard)))
    yield b"".join(piece), True


def _told(error: Exception, call: Call) -> DatabrokerError:
    """Return an error for the client; the details of an unexpected one are for the log alone."""
    if isinstance(error, DatabrokerError):
        return error
    _LOG.error("%s failed", call.name, exc_info=error)
    return ServerFailed(f"The server failed at {call.name!r}; its log says more.")
