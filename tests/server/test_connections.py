"""Connections that send or take next to nothing: they are ended, and keep nobody else."""

import json
import threading
from contextlib import ExitStack, closing

import pytest

from databroker._util.polling import wait_until
from databroker.query.nodes import Everything
from databroker.query.wire import to_json
from databroker.server import Limits
from databroker.stores.base import RunRecord
from databroker.stores.http import HTTPStore
from databroker.stores.memory import MemoryStore
from databroker.stores.wire import sequence
from databroker.testing.conformance.base import start
from helpers.serving import served

JSON = {"Content-Type": "application/json"}
END = b"0\r\n\r\n"  # of an answer in chunks
QUERY = json.dumps({"query": to_json(Everything())}).encode()
HEADERS = b"POST /v1/find HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
WHOLE = HEADERS + b"Content-Length: %d\r\n\r\n" % len(QUERY) + QUERY


class Endless(MemoryStore):
    """A store with so many large runs that nobody can take all."""

    def __init__(self):
        super().__init__()
        self.left = threading.Event()

    def find(self, query, *, limit=None, after=None):
        try:
            while True:
                yield RunRecord("run", start(note="x" * 100_000), None, [1.5, 1])
        finally:
            self.left.set()


def all_of(connection):
    """Return what comes until the connection is ended, in whatever way."""
    parts = []
    try:
        while part := connection.recv(2**16):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize("http", ["h11", "httptools"])
@pytest.mark.parametrize("begun", [b"", b"POST", HEADERS], ids=["nothing", "word", "headers"])
def test_headers_that_never_end_are_not_waited_for(begun, http):
    with (
        served(MemoryStore(), Limits(header_seconds=0.2), http=http) as server,
        server.connect() as slow,
        server.connect() as answered,
    ):
        slow.sendall(begun)
        assert all_of(slow) == b""
        answered.sendall(WHOLE[:-1])  # whose headers are there
        assert server.post("find", content=QUERY).status_code == 400


def test_headers_that_never_end_are_not_waited_for_after_an_answer():
    with served(MemoryStore(), Limits(header_seconds=0.2)) as server, server.connect() as slow:
        slow.sendall(WHOLE)
        assert slow.recv(2**16).startswith(b"HTTP/1.1 200")
        slow.sendall(HEADERS)
        assert b"HTTP" not in all_of(slow)


def test_a_connection_of_which_nobody_makes_use_is_ended():
    with served(MemoryStore(), Limits(idle_seconds=1)) as server, server.connect() as idle:
        for _ in range(2):
            idle.sendall(WHOLE)
            answer = b""
            while not answer.endswith(sequence.end()):
                answer += idle.recv(2**16)
            assert answer.startswith(b"HTTP/1.1 200")
        assert all_of(idle) == b""


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_what_follows_a_request_for_another_protocol_is_no_request(http):
    begun = HEADERS + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n" % len(
        WHOLE
    )
    with (
        served(MemoryStore(), Limits(idle_seconds=1), http=http) as server,
        server.connect() as connection,
    ):
        connection.sendall(begun)
        threading.Event().wait(0.1)
        connection.sendall(WHOLE)  # which is its body
        answer = all_of(connection)
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_who_holds_all_connections_keeps_out_nobody(http):
    with ExitStack() as stack:
        server = stack.enter_context(served(MemoryStore(), Limits(connections=5), http=http))
        idle = [stack.enter_context(server.connect()) for _ in range(10)]
        idle[-1].sendall(WHOLE)
        assert idle[-1].recv(2**16).startswith(b"HTTP/1.1 200")
        for _ in range(10):
            assert server.post("size", content=b"{}", headers=JSON).status_code == 200
        assert all_of(idle[0]) == b""


def test_who_waits_for_an_answer_is_not_ended_for_another():
    store = Endless()
    with served(store, Limits(connections=3)) as server, server.connect() as busy:
        busy.sendall(WHOLE)
        assert busy.recv(100)
        with server.connect() as other:
            other.sendall(WHOLE)
            assert other.recv(100).startswith(b"HTTP/1.1 200")
            assert server.post("size", content=b"{}", headers=JSON).status_code == 503
            assert busy.recv(100)


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_headers_without_end_are_not_kept(http):
    with served(MemoryStore(), http=http) as server, server.connect() as endless:
        endless.sendall(HEADERS)
        with pytest.raises(ConnectionError):
            endless.sendall(b"X: y\r\n" * 10_000_000)
        assert server.post("size", content=b"{}", headers=JSON).status_code == 200


def test_a_body_that_trickles_is_not_waited_for():
    with served(MemoryStore(), Limits(stalled_seconds=0.3)) as server, server.connect() as slow:
        slow.sendall(HEADERS + b"Content-Length: 100000\r\n\r\n" + QUERY)
        answer = all_of(slow)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"request-too-slow"' in answer


def test_a_body_that_comes_is_waited_for():
    with served(MemoryStore(), Limits(stalled_seconds=0.3)) as server, server.connect() as slow:
        slow.sendall(HEADERS + b"Content-Length: %d\r\n\r\n" % (len(QUERY) + 2_000))
        slow.sendall(b" " * 2_000)  # which is worth two seconds more
        threading.Event().wait(0.8)
        slow.sendall(QUERY)
        assert slow.recv(2**16).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_who_takes_nothing_of_an_answer_is_dropped(http):
    store = Endless()
    with served(store, Limits(stalled_seconds=0.3), http=http) as server, server.connect() as idle:
        idle.sendall(WHOLE)
        assert store.left.wait(30)  # nothing of the search is left
        assert not all_of(idle).endswith(END)


def test_who_takes_little_of_an_answer_is_dropped():
    store = Endless()
    with served(store, Limits(stalled_seconds=0.3)) as server, server.connect() as slow:
        slow.sendall(WHOLE)
        while not store.left.wait(0.05):
            slow.recv(100)


def test_who_takes_an_answer_slowly_gets_it():
    store = Endless()
    with served(store, Limits(stalled_seconds=0.3)) as server, server.connect() as slow:
        slow.sendall(WHOLE)
        for _ in range(20):
            assert slow.recv(2**20)
            threading.Event().wait(0.05)
        assert not store.left.is_set()
    assert store.left.wait(30)  # as soon as the client has gone


def test_who_takes_nothing_of_a_small_answer_is_dropped_too():
    with served(Large(), Limits(stalled_seconds=0.3)) as server, server.connect() as idle:
        idle.sendall(WHOLE)
        begin = idle.recv(1)
        assert wait_until(lambda: not server.connections, 30)
        assert len(begin + all_of(idle)) < Large.size


class Large(MemoryStore):
    """A store with one run, of more than what lies on the way."""

    size = 2**24

    def find(self, query, *, limit=None, after=None):
        yield RunRecord("run", start(note="x" * self.size), None, [1.5, 1])


def test_a_loop_over_a_long_search_takes_its_time():
    store = MemoryStore()
    store.insert_many(
        ("start", start(f"run {number}", number, note="x" * 100_000)) for number in range(300)
    )
    with (
        served(store, Limits(stalled_seconds=0.2)) as server,
        closing(HTTPStore(server.uri)) as client,
    ):
        runs = client.find(Everything(), limit=290)
        found = [next(runs).uid for _ in range(3)]
        assert wait_until(lambda: not server.connections, 30)  # it did not wait for this one
        found += [run.uid for run in runs]
    assert found == [f"run {number}" for number in reversed(range(10, 300))]
