"""What is too much for a server does not fill its memory, and many who do nothing stop nobody."""

import resource
import socket
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from databroker.query.nodes import Everything
from databroker.stores.http import HTTPStore
from helpers.http_server import TOKEN

HEAD = (
    f"POST /load/v1/count HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
    "Content-Type: application/json\r\n"
)
GIGABYTE = 2**30


def memory(server):
    """Return how many bytes of memory the process of a server has had at most."""
    question = {"query": {"node": "everything"}}
    assert server.post("load", "count", json=question).status_code == 200  # all is imported
    status = Path(f"/proc/{server.pid}/status").read_text()
    [line] = [each for each in status.splitlines() if each.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@pytest.fixture
def connect(http_server):
    """Return a new connection."""
    with ExitStack() as opened:

        def connect():
            address = ("127.0.0.1", http_server.port)
            return opened.enter_context(socket.create_connection(address, timeout=30))

        yield connect


def said(connection):
    """Return what the server says before it ends a connection."""
    parts = []
    try:
        while part := connection.recv(2**16):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def test_a_body_that_is_announced_as_too_large_is_not_taken(http_server, connect):
    before, connection = memory(http_server), connect()
    connection.sendall(f"{HEAD}Content-Length: {GIGABYTE}\r\n\r\n".encode())
    answer = said(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"request-too-large"' in answer
    assert memory(http_server) - before < 2**25


def test_a_body_that_turns_out_too_large_is_not_kept(http_server, connect):
    before, connection = memory(http_server), connect()
    connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
    chunk = b"100000\r\n" + b"x" * 2**20 + b"\r\n"
    sent = 0
    try:
        while sent < GIGABYTE:
            connection.sendall(chunk)
            sent += 2**20
    except ConnectionError:
        pass
    assert sent < GIGABYTE // 4  # it did not listen to more
    assert memory(http_server) - before < 2**26  # of which it takes a quarter


@pytest.fixture
def many_files():
    """Let this process have a file open for each of many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4_000:
        pytest.skip("this process may not have as many files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4_000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_who_do_nothing_stop_nobody(http_server, connect, many_files, monkeypatch):
    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)
    for number in range(1_000):
        connection = connect()
        if number % 2:
            connection.sendall(HEAD.encode())  # and nothing more
    with closing(HTTPStore(http_server.uri("load"))) as store:
        assert store.count(Everything()) == 0
