"""The keys of an issuer, as they are fetched by https: what it says, and how often it is asked."""

import asyncio
import json
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio.to_thread
import jwt
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from databroker.errors import AccessRefused, StoreUnavailable
from databroker.server import Access
from databroker.server.access import issuer_keys
from databroker.server.access.authenticator import Credentials
from databroker.server.access.claims import Rules
from databroker.server.access.oidc import OpenIDConnect
from databroker.server.access.tokens import OneToken

KEYS = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in "ab"}
CLAIMS = {"iss": "me", "aud": "you", "sub": "ann", "exp": time.time() + 3600}


def key_set(*names):
    """Return keys as an issuer has them."""
    to_jwk = jwt.algorithms.RSAAlgorithm.to_jwk
    keys = [to_jwk(KEYS[name].public_key(), as_dict=True) | {"kid": name} for name in names]
    return json.dumps({"keys": keys}).encode()


def token(name, header=None):
    headers = {"kid": name} if header is None else header
    return Credentials(jwt.encode(CLAIMS, KEYS[name], "RS256", headers))


class Issuer(BaseHTTPRequestHandler):
    """Says what it is to say, in parts, and counts how often."""

    status, said, asked, headers_too = 200, [b""], 0, ()

    def do_GET(self):
        Issuer.asked += 1
        self.send_response(self.status)
        for name, value in self.headers_too:
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # who asks may have had enough
            for part in self.said:
                self.wfile.write(part)
                self.wfile.flush()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where the issuer has its keys, and the file of who signed its certificate."""
    authority, folder = trustme.CA(), tmp_path_factory.mktemp("issuer")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "s.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "s.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), Issuer) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}/keys", folder / "ca.pem"
        server.shutdown()
        thread.join()


@pytest.fixture
def oidc(address, monkeypatch):
    """What asks the issuer, whom it trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(address[1]))
    monkeypatch.setattr(issuer_keys, "_TIMEOUT", 0.5)
    for name, value in {"status": 200, "said": [key_set("a")], "asked": 0}.items():
        monkeypatch.setattr(Issuer, name, value)
    return OpenIDConnect("me", "you", address[0], Rules("sub"))


def test_a_token_is_checked_with_the_key_that_its_issuer_has(oidc):
    assert oidc.authenticate(token("a")).name == "oidc:ann"
    assert oidc.authenticate(token("a", {})).name == "oidc:ann"
    forged = jwt.encode(CLAIMS, KEYS["b"], "RS256", {"kid": "a", "jku": "https://127.0.0.1:1"})
    with pytest.raises(AccessRefused):
        oidc.authenticate(Credentials(forged))
    assert Issuer.asked == 1


def test_whoever_names_unknown_keys_has_the_issuer_asked_no_more_often(oidc):
    for name in range(20):
        with pytest.raises(AccessRefused):
            oidc.authenticate(token("a", {"kid": f"unknown {name}"}))
    assert Issuer.asked == 1
    assert oidc.authenticate(token("a")).name == "oidc:ann"


def test_keys_that_are_new_are_fetched_and_those_that_are_gone_count_no_more(oidc, monkeypatch):
    assert oidc.authenticate(token("a")).name == "oidc:ann"
    monkeypatch.setattr(Issuer, "said", [key_set("b")])
    with pytest.raises(AccessRefused):  # so soon
        oidc.authenticate(token("b"))
    oidc._keys._not_before = 0.0  # when the pause is over
    assert oidc.authenticate(token("b")).name == "oidc:ann"
    with pytest.raises(AccessRefused):
        oidc.authenticate(token("a"))
    assert Issuer.asked == 2


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, [b"{}"]),
        (200, [b'{"keys": [5]}']),
        (200, [b"[" * 100_000]),
        (200, [b"\xff"]),
        (200, [b" " * 2**20] * 100),
        (500, [b""]),
        (302, [b""]),
    ],
    ids=["none", "odd", "deep", "bytes", "huge", "failure", "elsewhere"],
)
def test_an_issuer_that_has_no_keys_is_asked_once(oidc, monkeypatch, status, said):
    monkeypatch.setattr(Issuer, "status", status)
    monkeypatch.setattr(Issuer, "said", said)
    monkeypatch.setattr(Issuer, "headers_too", [("Location", "http://127.0.0.1:1/keys")])
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="issuer's keys cannot be had: "):
            oidc.authenticate(token("a"))
    assert Issuer.asked == 1


def test_an_issuer_without_end_is_not_waited_for(oidc, monkeypatch):
    def slowly():
        while not threading.Event().wait(0.1):
            yield b" "

    monkeypatch.setattr(Issuer, "said", slowly())
    with pytest.raises(StoreUnavailable, match="no end of them"):
        oidc.authenticate(token("a"))


def test_an_issuer_whom_nobody_vouches_for_is_not_believed(oidc, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        oidc.authenticate(token("a"))
    assert Issuer.asked == 0


def test_who_waits_for_an_issuer_keeps_nobody_else():
    go = threading.Event()

    class Waiting:
        may_wait = True

        def authenticate(self, credentials):
            assert go.wait(30)

    async def ask():
        access = Access([OneToken("known"), Waiting()])
        waiting = [
            asyncio.create_task(access.caller_of(Credentials("unknown"))) for _ in range(100)
        ]
        await asyncio.sleep(0.1)
        assert (await access.caller_of(Credentials("known"))).name == "token"
        assert await asyncio.wait_for(anyio.to_thread.run_sync(lambda: 5), 30) == 5
        go.set()
        for each in waiting:
            with pytest.raises(AccessRefused):
                await each

    asyncio.run(ask())
