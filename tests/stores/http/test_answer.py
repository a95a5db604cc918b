"""The head of an answer: read as the standard library reads it, but only if it is whole."""

import io
from http.client import HTTPException, HTTPResponse

import pytest

from databroker.stores.http.answer import Answer


class Sent:
    """What came over a connection that has ended."""

    def __init__(self, data):
        self._data = data

    def makefile(self, mode):
        return io.BytesIO(self._data)


def begun(kind, data):
    response = kind(Sent(data), method="POST")
    response.begin()
    return response


@pytest.mark.parametrize(
    "lines",
    [
        ["HTTP/1.1 200 OK", "Content-Length: 4", "content-type:application/json  "],
        ["HTTP/1.1 200", "CONTENT-LENGTH:  2", "Connection: keep-alive"],
        ["HTTP/1.1 200 OK", "Transfer-Encoding: Chunked", "Content-Length: 1"],
        ["HTTP/1.1 503 Service Unavailable", "Retry-After: 3", "Connection: Close"],
        ["HTTP/1.1 204 No Content", "Content-Length: 4"],
        ["HTTP/1.0 200 OK", "Content-Length: 4", "X-Name: \u00e9t\u00e9: one"],
        ["HTTP/1.1 200 OK", "Content-Length: some"],
        ["HTTP/1.1 100 Continue", "X-Before: 1", "", "HTTP/1.1 404 Not Found", "X-After:"],
    ],
)
def test_it_is_read_as_the_standard_library_does(lines):
    data = "\r\n".join([*lines, "", "4\r\nbody\r\n0\r\n\r\n"]).encode("latin-1")
    ours, theirs = begun(Answer, data), begun(HTTPResponse, data)
    names = ["status", "chunked"] + ["length", "will_close"] * (theirs.length is not None)
    assert [getattr(ours, each) for each in names] == [getattr(theirs, each) for each in names]
    assert [(name.lower(), value.rstrip()) for name, value in theirs.headers.items()] == list(
        ours.headers.items()
    )
    if theirs.length is not None or theirs.chunked:
        assert ours.read() == theirs.read()


WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("size", range(len(WHOLE)))
def test_a_head_that_broke_off_is_none(size):
    with pytest.raises((HTTPException, ConnectionError)):
        begun(Answer, WHOLE[:size])


@pytest.mark.parametrize(
    "head",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Folded: one\r\n  Content-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 2**16 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(101)) + b"\r\n",
    ],
)
def test_what_is_no_head_is_refused(head):
    with pytest.raises(HTTPException):
        begun(Answer, head)


def test_two_lengths_are_none():
    two = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\n"
    assert begun(Answer, two).length is None
