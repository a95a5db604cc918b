"""The answer to a request, whose head is read here: as a few lines, and only if it is whole.

The standard library parses it as that of an e-mail, which takes a client as long as half of all
else that it does for an insert, and takes a head that broke off for a whole one.
"""

from __future__ import annotations

import io
from http.client import (
    BadStatusLine,
    HTTPException,
    HTTPMessage,
    HTTPResponse,
    IncompleteRead,
    LineTooLong,
    RemoteDisconnected,
)

_LONGEST = 2**16
"""Bytes of a line of a head."""

_MOST = 100
"""Headers of an answer."""


class Answer(HTTPResponse):
    """The answer to a request; see `http.client.HTTPResponse`."""

    def begin(self) -> None:
        """Read the head.

        Raises
        ------
        HTTPException
            It is none, or broke off.
        """
        status = 100
        while 100 <= status < 200:  # the answer comes later
            version, status = _status(self.fp)
            headers = _headers(self.fp)
        self.status = self.code = status
        self.headers = self.msg = HTTPMessage()
        for name, value in headers.items():
            self.headers.set_raw(name, value)
        connection = headers.get("connection", "").lower()
        self.will_close = "close" in connection or version == "HTTP/1.0"
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else _length(headers)
        if status in (204, 304):  # which have no body, whatever they say
            self.length = 0


def _status(file: io.BufferedIOBase) -> tuple[str, int]:
    line = file.readline(_LONGEST)
    if not line:
        raise RemoteDisconnected("the connection was closed without an answer")
    version, status, *_ = [*_text(line).split(" ", 2), ""]
    if not (version.startswith("HTTP/1.") and status.isdecimal() and len(status) == 3):
        raise BadStatusLine(_text(line)[:100])
    return version, int(status)


def _length(headers: dict[str, str]) -> int | None:
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() and len(said) < 20 else None


def _headers(file: io.BufferedIOBase) -> dict[str, str]:
    """Return headers, by names in lower case."""
    headers: dict[str, str] = {}
    while line := _text(file.readline(_LONGEST)):
        name, colon, value = line.partition(":")
        # That one goes on in the next line is allowed no longer, and does not happen.
        if not colon or name != name.strip() or len(headers) == _MOST:
            raise HTTPException(f"the head of the answer has the line {line[:100]!r}")
        name = name.lower()
        value = value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _text(line: bytes) -> str:
    if not line.endswith(b"\n"):
        raise LineTooLong("head") if len(line) == _LONGEST else IncompleteRead(line)
    return line.decode("latin-1").rstrip("\r\n")
