"""How a server is reached, and asked again: over encryption, through proxies, when it is busy."""

import json
import socket
import ssl
import threading
from base64 import b64encode
from contextlib import closing, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import trustme

from databroker import __version__
from databroker.documents.encode import encode
from databroker.errors import (
    DatabrokerError,
    InvalidConfiguration,
    RequestTooLarge,
    ServerBusy,
    StoreAway,
    StoreUnavailable,
)
from databroker.query.nodes import Everything
from databroker.stores.http import HTTPStore, retries
from databroker.stores.http.failures import not_reached
from databroker.stores.memory import MemoryStore
from databroker.testing.conformance.base import start
from helpers.serving import served


def answer(status, body=b"", *headers):
    """Return an answer as it is sent."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def busy(status, *headers):
    """Return the answer of a server that has too much to do."""
    return answer(status, b'{"code": "server-busy", "message": "Ask again soon."}', *headers)


FOUR = answer("200 OK", encode(4))


class Scripted:
    """A server that gives some answers, one after the other; after None it hangs up at once."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked, self.connections = [], 0
        self._door = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._door.getsockname()[1]}/lab"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._door.accept()
                self.connections += 1
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection):
        with connection, suppress(OSError):
            while request := connection.recv(2**16):
                self.asked.append(request)
                said = self.answers.pop(0)
                if said is None:
                    return
                connection.sendall(said)
                if b"Connection: close" in said:
                    return

    def close(self):
        self._door.close()


@pytest.fixture
def scripted():
    """Make a server that gives some answers, and a store that asks it."""
    made = []

    def make(*answers):
        server = Scripted(*answers)
        store = HTTPStore(server.uri, connect=False, timeout=30)
        made.extend([store, server])
        return server, store

    yield make
    for each in made:
        each.close()


@pytest.fixture
def waits(monkeypatch):
    """The seconds that are waited for before something is asked again."""
    waited = []
    monkeypatch.setattr(retries, "time", SimpleNamespace(sleep=waited.append))
    return waited


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_server_says_for_how_long_to_wait(scripted, waits, status):
    wait = busy(status, "Retry-After: 3")
    server, store = scripted(wait, wait, FOUR)
    assert store.count(Everything()) == 4
    assert waits == [3, 3]
    assert server.connections == 1
    server.answers += [wait, answer("200 OK", encode(None))]
    store.insert("start", start())
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    "headers", [["Retry-After: 3600"], ["Retry-After: soon"], ["Retry-After: -1"], []]
)
def test_nobody_waits_too_long(scripted, waits, headers):
    server, store = scripted(busy("503 Service Unavailable", *headers), FOUR)
    with pytest.raises(ServerBusy, match="Ask again soon"):
        store.count(Everything())
    assert (waits, len(server.asked)) == ([], 1)


def test_a_server_that_is_always_busy_is_given_up(scripted, waits):
    server, store = scripted(*[busy("503 Service Unavailable", "Retry-After: 4")] * 9)
    with pytest.raises(ServerBusy):
        store.count(Everything())
    assert (waits, len(server.asked)) == ([4, 4], 3)
    server.answers = [busy("429 Too Many Requests", "Retry-After: 0")] * 999
    with pytest.raises(ServerBusy):
        store.count(Everything())
    assert server.answers  # it does not go on for ever


def test_a_question_without_an_answer_is_asked_again_but_not_for_ever(scripted, waits):
    server, store = scripted(None, None, None, FOUR)
    assert store.count(Everything()) == 4
    assert waits == [0.0, 0.1, 0.4]
    server.answers = [None] * 9
    with pytest.raises(StoreAway, match="broke off while it answered 'insert'"):
        store.insert("start", start())
    assert len(server.answers) == 7  # what inserts can wait


def _about(version):
    told = {"databroker": version, "capabilities": {"live": True, "of_the_future": True}}
    return answer("200 OK", json.dumps(told).encode())


NOT_FOUND = answer("404 Not Found", b"Not Found")
UNKNOWN = answer("400 Bad Request", b'{"code": "invalid-request", "message": "It lacks x."}')


@pytest.mark.parametrize("said", [NOT_FOUND, UNKNOWN])
def test_a_server_of_another_version_is_told_from_a_wrong_address(scripted, said):
    _, store = scripted(_about("2.9"), said, _about(__version__), NOT_FOUND)
    store.reach()
    assert store.capabilities.live
    with pytest.raises(DatabrokerError, match=rf"databroker 2\.9, and here is {__version__}"):
        store.count(Everything())
    store.reach()
    with pytest.raises(StoreUnavailable, match=r"Is the address right.* Or the server is older"):
        store.count(Everything())


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (answer("413 Too Large", b"<html>"), StoreUnavailable, "takes no request so large"),
        (answer("429 Too Many", b"<html>"), StoreAway, "cannot answer now"),
        (
            answer("301 Moved", b"<html>", "Location: https://host/lab"),
            StoreUnavailable,
            "sends on to 'https://host/lab'",
        ),
    ],
    ids=["large", "often", "elsewhere"],
)
def test_what_a_proxy_says_is_told_from_a_wrong_address(scripted, said, kind, words):
    _, store = scripted(said)
    with pytest.raises(StoreUnavailable, match=words) as caught:
        store.count(Everything())
    assert type(caught.value) is kind


def test_what_came_too_slowly_is_sent_again_and_is_no_fault_of_a_document(scripted):
    _, store = scripted(answer("408 Slow", b'{"code": "request-too-slow", "message": "Slowly."}'))
    with pytest.raises(StoreAway, match="Slowly"):
        store.insert("start", start())


KEPT = answer("200 OK", encode(None))


@pytest.mark.parametrize(
    "said",
    [
        busy("503 Service Unavailable", "Retry-After: 9"),
        answer("409 Conflict", b'{"code": "conflicting-document", "message": "another"}'),
        answer("200 OK", encode("something else")),
        KEPT[:-1],
        KEPT[:30],
        None,
    ],
)
def test_what_is_put_at_once_is_asked_once(scripted, waits, said):
    server, store = scripted(FOUR, KEPT, said)
    assert not store.put_at_once("start", start(), 0.2)  # no connection is open
    assert not server.asked
    store.count(Everything())
    assert store.put_at_once("start", start(), 60)
    assert not store.put_at_once("start", start(), 0.2)
    assert (waits, len(server.asked), server.connections) == ([], 3, 1)


def test_what_is_large_is_not_put_at_once(scripted):
    server, store = scripted(FOUR, KEPT)
    store.count(Everything())
    assert not store.put_at_once("start", start(note="x" * 2**17), 60)
    assert len(server.asked) == 1


def test_the_time_of_an_answer_is_that_of_its_request(scripted):
    _, store = scripted(FOUR, KEPT, FOUR)
    store.count(Everything())
    assert store.put_at_once("start", start(), 5)
    store.count(Everything())
    [kept] = store._connection._pool._idle
    assert kept.sock.gettimeout() == 30


def test_an_answer_that_broke_off_is_not_asked_for_again(scripted):
    server, store = scripted(answer("200 OK", encode("x" * 99), "Connection: close")[:-9], FOUR)
    with pytest.raises(StoreAway, match="broke off while it answered 'count'"):
        store.count(Everything())
    assert len(server.asked) == 1


def test_a_connection_that_the_server_closed_is_not_used(scripted):
    server, store = scripted(FOUR.replace(b"200 OK", b"200 OK\r\nX: Connection: close"), FOUR)
    assert store.count(Everything()) == store.count(Everything()) == 4
    assert (len(server.asked), server.connections) == (2, 2)


def test_what_a_server_says_before_it_has_all_is_heard(scripted):
    too_large = b'{"code": "request-too-large", "message": "send less"}'
    server, store = scripted(answer("413 Too Large", too_large, "Connection: close"))
    with suppress(StoreAway), pytest.raises(RequestTooLarge, match="send less"):
        # What it said is lost where the system is told first that the connection is closed.
        store.insert("start", start(note="x" * 2**25))
    assert server.asked


def test_a_store_that_is_closed_amid_an_answer(server):
    store = HTTPStore(server.uri(server.take()))
    store.insert_many(("start", start(f"run {n}", note="x" * 20_000)) for n in range(300))
    runs = store.find(Everything())
    next(runs)
    store.close()
    with pytest.raises(StoreUnavailable, match="is closed: open the broker again"):
        list(runs)
    with pytest.raises(StoreUnavailable, match="is closed: open the broker again"):
        store.count(Everything())


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """What signs certificates, and the file of one for this machine."""
    authority, path = trustme.CA(), tmp_path_factory.mktemp("tls") / "server.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    authority.cert_pem.write_to_path(path.with_name("authority.pem"))
    return path.with_name("authority.pem"), path


@pytest.fixture
def encrypted(authority, monkeypatch):
    """The address of a server whose certificate only the environment says to trust."""
    trusted, certificate = authority
    store = MemoryStore()
    store.insert("start", start())
    with served(store, certificate=certificate) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        yield server.uri.replace("http:", "https:")


def test_a_mistake_in_an_address_is_told_from_a_server_that_is_away():
    nobody = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    later = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    cut = ssl.SSLEOFError("EOF occurred in violation of protocol")
    kinds = [type(not_reached(error, "The server")) for error in (nobody, later, cut)]
    assert kinds == [StoreUnavailable, StoreAway, StoreAway]


def test_encrypted_and_trusted_as_the_environment_says(encrypted, monkeypatch):
    with closing(HTTPStore(encrypted)) as store:
        for _ in range(3):
            assert store.count(Everything()) == 1
        assert len(store._connection._pool._idle) == 1
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(StoreUnavailable, match=r"certificate verify failed.*one of your own"):
        HTTPStore(encrypted)


def test_what_is_wrong_with_a_certificate_is_told_from_one_that_is_not_trusted(
    encrypted, monkeypatch
):
    with pytest.raises(StoreUnavailable, match=r"certificate for another host.*has moved"):
        HTTPStore(encrypted.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such.pem")
    with pytest.raises(StoreUnavailable, match=r"names /no/such.pem, which is not there"):
        HTTPStore(encrypted)
    expired = ssl.SSLCertVerificationError("certificate has expired")
    expired.verify_code = 10
    assert "certificate that is not valid today" in str(not_reached(expired, "The server"))


def test_who_takes_a_server_for_an_encrypted_one_is_told():
    said = r"does not encrypt.*at an address with 'http'"
    with served(MemoryStore()) as server, pytest.raises(StoreUnavailable, match=said):
        HTTPStore(server.uri.replace("http:", "https:"))


class Proxy(BaseHTTPRequestHandler):
    """Passes on what is asked, and notes by which line."""

    protocol_version = "HTTP/1.1"

    def do_CONNECT(self):
        self._note()
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass, args=[there, self.connection], daemon=True)
            back.start()
            _pass(self.connection, there)
        back.join()
        self.close_connection = True

    def do_POST(self):
        self._note()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        there = HTTPConnection(self.headers["Host"])
        with closing(there):
            there.request(
                self.command,
                self.path.partition(self.headers["Host"])[2],
                body,
                {"Content-Type": self.headers["Content-Type"]},
            )
            answer = there.getresponse()
            found = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

    do_GET = do_POST

    def _note(self):
        self.server.asked.append((self.requestline, self.headers["Proxy-Authorization"]))

    def log_message(self, *_):
        pass


def _pass(source, target):
    with suppress(OSError):
        while data := source.recv(2**16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy(monkeypatch):
    """A proxy that the environment names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.asked = []
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    monkeypatch.setenv("all_proxy", f"http://ann:s3%40cret@127.0.0.1:{proxy.server_port}")
    yield proxy
    proxy.shutdown()
    thread.join()
    proxy.server_close()


CREDENTIALS = f"Basic {b64encode(b'ann:s3@cret').decode()}"


def test_through_a_proxy(proxy, monkeypatch):
    with served(MemoryStore()) as server, closing(HTTPStore(server.uri)) as store:
        assert store.count(Everything()) == 0
        assert proxy.asked == [
            (f"GET {server.uri}/v1/about HTTP/1.1", CREDENTIALS),
            (f"POST {server.uri}/v1/count HTTP/1.1", CREDENTIALS),
        ]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with closing(HTTPStore(server.uri)) as direct:
            assert direct.count(Everything()) == 0
        assert len(proxy.asked) == 2


def test_encrypted_through_a_proxy(proxy, encrypted):
    with closing(HTTPStore(encrypted)) as store:
        assert store.count(Everything()) == 1
    place = encrypted.removeprefix("https://")
    [(line, brought)] = proxy.asked
    assert line.startswith(f"CONNECT {place} HTTP/1.")
    assert brought == CREDENTIALS


def test_a_proxy_of_another_kind_is_said(proxy, monkeypatch):
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    with pytest.raises(InvalidConfiguration, match=r"'socks5'.*NO_PROXY"):
        HTTPStore("http://127.0.0.1:9/lab")


def test_a_page_of_a_proxy_that_refuses_may_end_with_its_connection(scripted):
    page = b"HTTP/1.0 403 Forbidden\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>no"
    server, store = scripted(page)
    with pytest.raises(StoreUnavailable, match=r"HTTP 403 and text/html"):
        store.count(Everything())
    assert len(server.asked) == 1


def test_a_proxy_that_is_away_is_said_without_its_password(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("http_proxy", f"http://ann:s3cret@127.0.0.1:{taken.getsockname()[1]}")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(StoreAway, match=r"through the proxy 127.*cannot be reached") as caught:
        HTTPStore("http://127.0.0.1:9/lab")
    assert "s3cret" not in str(caught.value)
