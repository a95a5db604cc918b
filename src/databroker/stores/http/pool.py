"""Connections to a server that stay open: each belongs to one request until its answer is read.

No lock guards them, and none is given back before the end of its answer. So an interrupt may strike
anywhere: what it struck amid something is closed, and the next question finds nothing odd.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, IncompleteRead

from ..._util.signals import not_from_signal, without_signals
from .answer import Answer
from .failures import not_reached
from .route import Route

_CONNECTING = 5.0
"""Seconds after which a host that says nothing counts as away."""

_KEPT = 20
"""Idle connections that are kept open."""

_PIECE = 2**20
"""Bytes that are sent at once: a timeout is about each such piece."""


class Pool:
    """The connections of one process to a server.

    Parameters
    ----------
    route
        How it is reached.
    name
        What it is called in messages.
    timeout
        Seconds to wait for more of an answer.
    """

    def __init__(self, route: Route, name: str, timeout: float) -> None:
        self._route, self._name, self._timeout = route, name, timeout
        self._pid = os.getpid()
        self._idle: deque[HTTPConnection] = deque()
        self._taken: set[HTTPConnection] = set()
        self.is_closed = False

    @contextmanager
    def ask(self, request: bytes, at_once: float | None = None) -> Iterator[Answer]:
        """Send a request, and have the answer, of which nothing but the head has been read.

        With `at_once`, only over a connection that is open, and within so many seconds.

        Raises
        ------
        StoreAway
            There is no connection to be had.
        OSError, HTTPException
            It does not answer, or not as HTTP has it; or the pool is closed.
        """
        connection, is_whole = self._take(at_once), False
        try:
            self._taken.add(connection)
            _send(connection.sock, request)
            with Answer(connection.sock, method="POST") as response:
                response.begin()
                if response.length is None and not response.chunked:
                    # What ends with the connection could break off, and nobody would notice. To
                    # the page of a proxy that refuses something, it does not matter.
                    if response.status < 400:
                        raise IncompleteRead(b"")
                    response.will_close = True
                yield response
                all_read = response.isclosed() or response.length == 0
                is_whole = all_read and not response.will_close
        finally:
            self._taken.discard(connection)
            if is_whole and self._keeps():
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the connections, those amid an answer too."""
        self.is_closed = True
        for connection in list(self._taken):
            _hang_up(connection.sock)
        self._drop()

    def _keeps(self) -> bool:
        return not self.is_closed and self._pid == os.getpid() and len(self._idle) < _KEPT

    def _take(self, at_once: float | None) -> HTTPConnection:
        if self.is_closed:
            raise OSError("the connections are closed")
        if self._pid != os.getpid():
            self._drop()  # those of the parent; for it, they stay open
            self._taken, self._pid = set(), os.getpid()
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                if at_once is not None:
                    raise OSError("no connection is open") from None
                return self._connect()
            if _is_open(connection.sock):
                timeout = self._timeout if at_once is None else min(self._timeout, at_once)
                connection.sock.settimeout(timeout)
                return connection
            connection.close()

    def _drop(self) -> None:
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return

    def _connect(self) -> HTTPConnection:
        connection = self._route.connection(min(_CONNECTING, self._timeout))
        try:
            # The look-up of a name does not let itself be interrupted, but to wait for it does.
            without_signals(connection.connect)
        except not_from_signal(OSError, HTTPException) as error:
            raise not_reached(error, self._name + self._route.through) from error
        connection.sock.settimeout(self._timeout)
        return connection


def _send(to: socket.socket, request: bytes) -> None:
    view = memoryview(request)
    try:
        for first in range(0, len(request), _PIECE):
            to.sendall(view[first : first + _PIECE])
    except not_from_signal(BrokenPipeError, ConnectionResetError):
        if len(request) <= _PIECE:
            raise
        # The server may have answered already, and does not want the rest.


def _is_open(kept: socket.socket | None) -> bool:
    """Tell whether a connection can be used: what a server says unasked is that it has closed."""
    if kept is None:
        return False
    kept.settimeout(0)
    try:
        kept.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except not_from_signal(OSError):
        pass
    return False


def _hang_up(taken: socket.socket | None) -> None:
    """End a connection that another thread reads from, which is told so."""
    try:
        if taken is not None:
            socket.socket.shutdown(taken, socket.SHUT_RDWR)  # below the encryption
    except not_from_signal(OSError):
        pass
