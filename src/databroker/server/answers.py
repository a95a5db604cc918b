"""From a call to a response: the store is asked by threads, and answers in pieces."""

from __future__ import annotations

import logging
import time
from typing import Any

from starlette.responses import Response

from .._util.signals import not_from_signal
from .._util.user_warnings import Warned, overheard
from ..documents.encode import encode
from ..errors import DatabrokerError, ServerFailed
from ..query.time_limit import check_time
from ..stores.wire import sequence
from ..stores.wire.calls import Call
from ..stores.wire.failures import to_problem
from .capacity import Receive
from .responses import InPieces, Pieces, problem, whole
from .served import Served

_PIECE_BYTES = 2**16
_PIECE_SECONDS = 0.02
"""What is there by then is sent, so that nobody waits long for what was found first."""

_LOG = logging.getLogger("databroker.server")


async def answer(
    served: Served, call: Call, arguments: dict[str, Any], compressed: bool, receive: Receive
) -> Response:
    """Return the response to a call."""
    form = (compressed and call.gives.compressed) or call.gives
    if call.writes:
        response = await _written(served, call, arguments, form.pack)
        served.source.tell_soon()
        return response
    how = _sequence if call.yields else _value
    return await served.run(how, served, call, arguments, form.pack, receive=receive)


async def _written(served: Served, call: Call, arguments: dict[str, Any], pack: Any) -> Response:
    if call.name == "insert":
        return await _inserted(served, call, arguments)
    # Which is not left half done.
    return await served.finish(_value, served, call, arguments, pack)


async def _inserted(served: Served, call: Call, arguments: dict[str, Any]) -> Response:
    try:
        await served.insert(**arguments)
    except not_from_signal(Exception) as error:
        return problem(_told(error, call))
    return whole(encode(None))


def _value(served: Served, call: Call, arguments: dict[str, Any], pack: Any) -> Response:
    heard = list[Warned]()
    try:
        with overheard(heard):
            body = encode(pack(served.ask(call, arguments)))
        return whole(body, served.may_hear(heard))
    except not_from_signal(Exception) as error:
        return problem(_told(error, call))


def _sequence(served: Served, call: Call, arguments: dict[str, Any], pack: Any) -> Response:
    """Return the response whole if it is small, so that it costs one turn of a thread."""
    pieces = _heard(served, call, arguments, pack)
    try:
        first, is_last = next(pieces)
    except DatabrokerError as error:
        return problem(error)
    return whole(first) if is_last else InPieces(first, pieces, served.run)


def _heard(served: Served, call: Call, arguments: dict[str, Any], pack: Any) -> Pieces:
    """Yield the pieces of a sequence, in whichever thread asks for each."""
    heard = list[Warned]()
    pieces = _pieces(served, call, arguments, pack, heard)
    while True:
        with overheard(heard):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _pieces(
    served: Served, call: Call, arguments: dict[str, Any], pack: Any, heard: list[Warned]
) -> Pieces:
    """Yield a sequence of items, some at a time; the last piece has its end.

    Raises
    ------
    DatabrokerError
        Something failed before the first item; what fails later is told in the last piece.
    """
    piece, size, begun, is_first = list[bytes](), 0, time.monotonic(), True
    try:
        for each in served.ask(call, arguments):
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
        piece.append(sequence.failure(to_problem(told), served.may_hear(heard)))
    else:
        piece.append(sequence.end(served.may_hear(heard)))
    yield b"".join(piece), True


def _told(error: Exception, call: Call) -> DatabrokerError:
    """Return what a client is told of an error; what is none of ours is for the log alone."""
    if isinstance(error, DatabrokerError):
        return error
    _LOG.error("%s failed", call.name, exc_info=error)
    return ServerFailed(f"The server failed at {call.name!r}; its log says more.")
