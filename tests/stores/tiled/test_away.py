"""A server that is away, refuses, is none, or comes back: errors say so, and soon."""

import json
import socket
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from databroker import Broker
from databroker.errors import (
    InvalidConfiguration,
    NothingFoundWarning,
    StoreAway,
    StoreUnavailable,
)
from databroker.query.nodes import Everything
from databroker.stores.tiled import TiledStore, runs
from helpers.tiled_server import KEY


@contextmanager
def answering(answer):
    """A server that answers all questions in one way; gives its address, and what it was told."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            told.append(dict(self.headers) | {"path": self.path})
            answer(self)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def say(status, body=b"{}", kind="application/json", **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": len(body), **headers}.items():
            handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.mark.parametrize("uri", ["localhost:8000", "ftp://host/a", "http://", "/data", "http://[x"])
def test_what_is_no_address(uri):
    with pytest.raises(InvalidConfiguration, match="must be the address of a Tiled server"):
        TiledStore(uri)


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    with pytest.raises(StoreAway, match=r"cannot be reached.*host and port right"):
        TiledStore(f"http://127.0.0.1:{port}")


def test_a_server_that_hangs_up():
    with (
        answering(lambda handler: handler.connection.shutdown(socket.SHUT_RDWR)) as (uri, _),
        pytest.raises(StoreAway, match=r"without sending a response\. Does the server run"),
    ):
        TiledStore(uri)


def test_a_host_that_does_not_exist():
    with pytest.raises(StoreAway, match="cannot be reached"):
        TiledStore("http://no-such-host.invalid")


def test_a_server_that_says_nothing():
    with (
        socket.create_server(("127.0.0.1", 0)) as door,
        pytest.raises(StoreAway, match=r"takes too long for an answer \(more than 0.2 s\)"),
    ):
        TiledStore(f"http://127.0.0.1:{door.getsockname()[1]}", timeout=0.2)


def test_a_wrong_key(written):
    with pytest.raises(StoreUnavailable, match=r"refuses.*API key is not accepted.*TILED_API_KEY"):
        TiledStore(written.uri, api_key="wrong-one")
    with pytest.raises(StoreUnavailable) as caught:
        TiledStore(written.uri, api_key="wrong-one")
    assert type(caught.value) is StoreUnavailable  # not one that may pass
    assert "wrong-one" not in str(caught.value)


def test_no_key(written, monkeypatch):
    monkeypatch.delenv("TILED_API_KEY", raising=False)
    with pytest.raises(StoreUnavailable, match="It wants an API key"):
        TiledStore(written.uri)


@pytest.mark.parametrize(
    "given", [{"api_key": KEY}, {"uri": f"?api_key={KEY}"}], ids=["as an option", "in the address"]
)
def test_a_key_of_the_configuration(written, monkeypatch, given):
    monkeypatch.delenv("TILED_API_KEY", raising=False)
    given = given | {"uri": written.uri + given.get("uri", "")}
    with Broker.from_config({"driver": "tiled", **given}) as db:
        assert len(list(db())) == len(written.uids)
        assert KEY not in str(db) + repr(db)


@pytest.mark.parametrize("inside", ["", "/primary/internal"], ids=["a run", "a table in it"])
def test_a_run_in_the_place_of_a_catalog(written, key, inside):
    with pytest.raises(InvalidConfiguration, match="is a run, or data in one"):
        TiledStore(f"{written.uri}/{written.uids['scan']}{inside}")


def test_no_such_catalog(server):
    with pytest.raises(StoreUnavailable, match=r"is not there.*client\.uri"):
        TiledStore(f"{server.uri}/api/v1/metadata/nothing", api_key=KEY)


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b'{"a": 1}', b'{"data": []}'],
    ids=["a page", "a list", "something", "no entry"],
)
def test_what_is_no_tiled_server(body):
    with (
        answering(say(200, body)) as (uri, _),
        pytest.raises(StoreUnavailable, match="not as a Tiled server does"),
    ):
        TiledStore(uri)


def test_the_root_of_a_server_says_that_the_runs_are_below(server, written, key):
    with pytest.warns(NothingFoundWarning, match="has no runs, but below it there are: ") as said:
        TiledStore(server.uri).close()
    assert f"such as {server.uri}/api/v1/metadata/" in str(said[0].message)
    for uri in (written.uri, server.new_catalog()):  # with runs, and without anything
        TiledStore(uri).close()


def test_a_server_that_is_busy():
    with (
        answering(say(503, b'{"detail": "starting up"}')) as (uri, _),
        pytest.raises(StoreAway, match="cannot answer: starting up"),
    ):
        TiledStore(uri)


def test_the_key_goes_to_no_other_server():
    with answering(say(200, b'{"data": {}}')) as (other, told):
        elsewhere = say(307, Location=f"{other}/api/v1/metadata/")
        with answering(elsewhere) as (uri, _), pytest.raises(StoreUnavailable):
            TiledStore(uri, api_key="secret")
        assert told == []


def test_a_connection_that_was_closed_is_opened_again():
    """A server may close connections that nobody uses; the next question is asked again."""

    def answer(handler):
        say(200, json.dumps({"data": {"attributes": {}}, "meta": {"count": 3}}).encode())(handler)
        handler.close_connection = True

    with answering(answer) as (uri, told), closing(TiledStore(uri)) as store:
        assert [store.count(Everything()) for _ in range(3)] == [3, 3, 3]
        assert len(told) == 5


def test_connections_are_closed_when_the_last_one_lets_go_of_the_store(written):
    store = TiledStore(written.uri, api_key=KEY)
    store.count(Everything())
    client = store._server._client
    del store
    assert client.is_closed


def test_a_store_that_is_closed(written):
    store = TiledStore(written.uri, api_key=KEY)
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.count(Everything())


def test_a_server_that_is_restarted_in_the_middle(server, monkeypatch):
    monkeypatch.setattr(runs, "_PAGE", 2)
    uri = server.new_catalog()
    specs = [{"name": "BlueskyRun", "version": "3.0"}]
    for number in range(6):
        start = {"uid": f"run {number}", "time": 1.5e9 + number}
        server.put([uri.rpartition("/")[2]], f"run {number}", {"start": start}, specs)
    with closing(TiledStore(uri, api_key=KEY)) as store:
        found = store.find(Everything())
        first = [next(found).uid, next(found).uid]
        server.end()
        try:
            with pytest.raises(StoreAway, match="cannot be reached"):
                store.count(Everything())
        finally:
            server.begin()
            server.wait()
        assert first + [run.uid for run in found] == [f"run {n}" for n in reversed(range(6))]
        assert store.count(Everything()) == 6
