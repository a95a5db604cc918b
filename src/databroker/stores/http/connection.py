"""Requests to one source on a server, over connections that stay open."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException, HTTPResponse
from typing import Any, NoReturn

from ..._util.signals import not_from_signal
from ...documents.encode import decode, encode
from ...errors import AccessRefused, DatabrokerError, RequestTooLarge, StoreUnavailable
from ..wire.calls import MESSAGEPACK, VERSION, Call
from ..wire.problems import from_problem
from ..wire.sequence import parts
from ..wire.warnings import HEADER, of_header, warn_again
from .address import Address
from .failures import broke_off, not_answered, not_understood, refused
from .pool import Pool
from .retries import PAUSES, Retries
from .route import Route

_NOTHING = encode(None)

_LITTLE = 2**16
"""Bytes of a request that are sent as soon as there is a connection."""

_CHUNK = 2**18
"""Bytes of an answer that are looked at together, at most."""


class Connection:
    """A source on a server: its address, the token, and the open connections.

    The token goes to this server alone: redirections are not followed.

    Parameters
    ----------
    address
        Where the source is.
    timeout
        Seconds to wait for an answer, or for more of it.
    compression
        Whether rows are to be compressed on their way.
    """

    def __init__(self, address: Address, timeout: float, compression: bool) -> None:
        self.uri, self.timeout = address.uri, timeout
        self.name = f"The server of {address.uri}"
        route = Route(address.uri)
        self._address = address
        kinds = {"Content-Type": MESSAGEPACK, "Accept": MESSAGEPACK}
        self._headers = route.headers | kinds
        self._target = f"{route.target}/{VERSION}"
        self._query = "?compression=zstd" if compression else ""
        self._pool = Pool(route, self.name, timeout)
        self._largest: Mapping[str, int] = {}
        self._version: str | None = None  # as the server told it

    def about(self) -> dict[str, Any]:
        """Return what the server says of the source."""
        with self.answer("GET", "about", b"", PAUSES) as response:
            try:
                found = json.loads(response.read())
            except ValueError:
                found = None
            if not isinstance(found, dict) or "capabilities" not in found:
                raise not_understood(response, self.name)
            largest = found.get("largest")
            self._largest = largest if isinstance(largest, dict) else {}
            self._version = str(found.get("databroker", "of an unknown version"))
            return found

    def value(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Return the answer to a call that gives one value."""
        pauses = PAUSES[:1] if call.writes else PAUSES  # who writes can let it wait
        with self.answer("POST", call.name, self._encoded(call, arguments), pauses) as response:
            try:
                value = call.gives.unpack(decode(response.read()))
            except (ValueError, TypeError) as error:
                raise not_understood(response, self.name) from error
        if HEADER in response.headers:
            warn_again(of_header(response.headers[HEADER]))
        return value

    def write_at_once(self, call: Call, arguments: dict[str, Any], seconds: float) -> bool:
        """Tell whether a call that writes succeeds: asked once, and waited for so many seconds.

        It is not asked at all if it is large, or no connection is open: that may take longer.
        """
        request = self._request("POST", call.name, self._encoded(call, arguments))
        if len(request) > _LITTLE:
            return False
        try:
            with self._pool.ask(request, at_once=seconds) as response:
                is_silent = HEADER not in response.headers
                return response.read() == _NOTHING and response.status == 200 and is_silent
        except not_from_signal(OSError, HTTPException):
            return False

    def items(self, call: Call, arguments: dict[str, Any]) -> Iterator[Any]:
        """Yield the items of the answer to a call that yields."""
        found, end = list[Any](), dict[str, Any]()
        with self.answer("POST", call.name, self._encoded(call, arguments), PAUSES) as response:
            try:
                for part, end in parts(iter(partial(response.read1, _CHUNK), b"")):
                    found = [call.gives.unpack(each) for each in part]
                    if end:
                        break
                    yield from found
            except EOFError as error:
                raise broke_off(self.name, call.name, "the end is missing") from error
            except ValueError as error:
                if isinstance(error, DatabrokerError):
                    raise
                raise not_understood(response, self.name) from error
        # Others may have the connection now.
        warn_again(end.get("warnings"))
        yield from found
        if "error" in end:
            raise from_problem(end["error"])

    def _encoded(self, call: Call, arguments: dict[str, Any]) -> bytes:
        body = encode(arguments)
        largest = self._largest.get("insert" if call.writes else "question", len(body))
        if len(body) > largest:
            # The server would hang up amid it, which is not told from being away.
            raise RequestTooLarge(
                f"{self.name} takes {largest} bytes at once, and {call.name!r} has {len(body)}: it "
                "was not sent."
            )
        return body

    @contextmanager
    def answer(
        self, method: str, name: str, body: bytes, pauses: Sequence[float]
    ) -> Iterator[HTTPResponse]:
        """Have an answer that is no error, of which nothing has been read.

        Until it begins, the question is asked again after each of some pauses: whatever is asked
        may be. A server that is too busy says itself for how long to wait.
        """
        request, retries, begun = self._request(method, name, body), Retries(pauses), False
        while True:
            try:
                with self._pool.ask(request) as response:
                    begun = not retries.is_wanted(response)
                    if begun:
                        yield self._good(response, name)
                        return
                    response.read()
            except not_from_signal(OSError, HTTPException) as error:
                if begun or self._pool.is_closed or not retries.helps(error):
                    self._raise_meant(error, name)
            retries.wait()

    def _request(self, method: str, name: str, body: bytes) -> bytes:
        query = self._query if method == "POST" else ""
        first = f"{method} {self._target}/{name}{query} HTTP/1.1"
        # The token may be a new one: of a program that runs for months, say.
        headers = self._headers | self._address.headers | {"Content-Length": str(len(body))}
        lines = [first, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("ascii") + body

    def _good(self, response: HTTPResponse, name: str) -> HTTPResponse:
        if 200 <= response.status < 300:
            return response
        error = refused(response, self.name, name.partition("?")[0], self._version)
        if isinstance(error, AccessRefused):
            raise AccessRefused(f"{error} {self._address.sent}".rstrip())
        raise error

    def _raise_meant(self, error: Exception, name: str) -> NoReturn:
        """Raise what an error is for who asked."""
        if self._pool.is_closed:  # perhaps by another thread, amid this
            raise StoreUnavailable(f"{self.name} is closed: open the broker again.") from error
        if isinstance(error, DatabrokerError):
            raise error
        raise not_answered(error, self.name, name, self.timeout) from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
