"""One source on a server, asked over connections that stay open."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from ..._util.forks import tell_of_forks
from ..._util.signals import from_signal, interrupt_behind
from ...documents.encode import decode, encode
from ...errors import DatabrokerError, RequestTooLarge, StoreUnavailable
from ..wire.calls import MESSAGEPACK, VERSION, Call
from ..wire.sequence import items
from .address import Address
from .failures import broke_off, not_understood, refused, unreached

_CONNECTING = 5.0
"""Seconds after which a host that says nothing counts as away."""

_PAUSES = (0.0, 0.1, 0.4)
"""Seconds before a question is asked again whose answer did not begin. The first is for a
connection that the server has closed while nothing was asked."""

_HEADERS = {"Content-Type": MESSAGEPACK, "Accept": MESSAGEPACK}


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
        self._token = address.token
        self._params = {"compression": "zstd"} if compression else None
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._left: list[httpx.Client] = []
        self._of_parents: list[Any] = []
        self._closed = False
        self._largest: int | None = None
        tell_of_forks(self)

    def about(self) -> dict[str, Any]:
        """Return what the server says of the source."""
        with self._response("GET", "about", None, _PAUSES) as response:
            response.read()
            found = response.json() if response.is_success else None
            if not isinstance(found, dict) or "capabilities" not in found:
                raise not_understood(response, self.name)
            self._largest = found.get("largest")
            return found

    def value(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Return the answer to a call that gives one value."""
        pauses = _PAUSES[:1] if call.writes else _PAUSES  # who writes can let it wait
        body = encode(arguments)
        if self._largest is not None and len(body) > self._largest:
            # The server would hang up amid it, which is not told from being away.
            raise RequestTooLarge(
                f"{self.name} takes {self._largest} bytes at once, and {call.name!r} has "
                f"{len(body)}: it was not sent."
            )
        with self._response("POST", call.name, body, pauses) as response:
            try:
                return call.gives.unpack(decode(response.read()))
            except (ValueError, TypeError) as error:
                raise not_understood(response, self.name) from error

    def items(self, call: Call, arguments: dict[str, Any]) -> Iterator[Any]:
        """Yield the items of the answer to a call that yields."""
        with self._response("POST", call.name, encode(arguments), _PAUSES) as response:
            try:
                for each in items(response.iter_raw()):
                    yield call.gives.unpack(each)
            except EOFError as error:
                raise broke_off(self.name, call.name, "the end is missing") from error
            except ValueError as error:
                if isinstance(error, DatabrokerError):
                    raise
                raise not_understood(response, self.name) from error

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            self._closed = True
            client, self._client = self._client, None
            left, self._left = self._left, []
        if client is not None:
            client.close()
        for each in left:  # an interrupt may have left them locked
            threading.Thread(target=each.close, daemon=True).start()

    @contextmanager
    def _response(
        self, method: str, name: str, body: bytes | None, pauses: tuple[float, ...]
    ) -> Iterator[httpx.Response]:
        """Have a response that is no error, of which nothing has been read."""
        around = sys.exception()
        client = self._open()
        try:
            response = self._send(client, self._request(client, method, name, body), pauses)
            try:
                if not response.is_success:
                    response.read()
                    raise refused(response, self.name)
                yield response
            except BaseException as error:
                if _interrupt(error, around) is None:
                    response.close()
                raise
            else:
                response.close()
        except GeneratorExit:
            raise
        except BaseException as error:
            raise self._meant(error, around, client, name) from error

    def _request(
        self, client: httpx.Client, method: str, name: str, body: bytes | None
    ) -> httpx.Request:
        url = f"{self.uri}/{VERSION}/{name}"
        return client.build_request(method, url, content=body, params=self._params)

    def _send(
        self, client: httpx.Client, request: httpx.Request, pauses: tuple[float, ...]
    ) -> httpx.Response:
        """Ask until an answer begins: whatever is asked may be asked again."""
        for pause in pauses:
            around = sys.exception()
            try:
                return client.send(request, stream=True)
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                if self._closed or interrupt_behind(error, around) is not None:
                    raise
            time.sleep(pause)
        return client.send(request, stream=True)

    def _meant(
        self, error: BaseException, around: BaseException | None, client: httpx.Client, name: str
    ) -> BaseException:
        """Return what an error is for who asked; after an interrupt, the client is given up."""
        interrupt = _interrupt(error, around)
        if interrupt is not None:
            self._leave(client)
            return interrupt
        if self._closed and isinstance(error, httpx.HTTPError | RuntimeError):
            return self._is_closed()  # by another thread, amid this
        if isinstance(error, httpx.HTTPError):
            return unreached(error, self.name, name, self.timeout)
        return error

    def _leave(self, client: httpx.Client) -> None:
        """Use a client no more: what it is amid, only an interrupt knows."""
        with self._lock:
            self._left.append(client)
            if self._client is client:
                self._client = None

    def _open(self) -> httpx.Client:
        with self._lock:
            if self._closed:
                raise self._is_closed()
            if self._client is None:
                self._client = self._new()
            return self._client

    def _is_closed(self) -> StoreUnavailable:
        return StoreUnavailable(f"{self.name} is closed: open the broker again.")

    def _new(self) -> httpx.Client:
        token = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        connecting = min(_CONNECTING, self.timeout)
        return httpx.Client(
            # Where nothing is encrypted, no certificates are loaded, which takes a while.
            verify=self.uri.startswith("https:"),
            headers=_HEADERS | token,
            timeout=httpx.Timeout(self.timeout, connect=connecting, pool=None),
            # Each search that is looped over has one.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    def before_fork(self) -> None:
        """Let no other thread hold the lock."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Leave the connections of the parent as they are, and make others."""
        self._lock = threading.Lock()
        self._of_parents += [self._client, self._left]
        self._left, self._client = [], None


def _interrupt(error: BaseException, around: BaseException | None) -> BaseException | None:
    """Return the interrupt that an error is, or that led to it; None if there was none."""
    if isinstance(error, GeneratorExit):
        return None
    if not isinstance(error, Exception) or from_signal(error):
        return error
    return interrupt_behind(error, around)
