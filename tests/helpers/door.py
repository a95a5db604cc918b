"""A server on a port, in a thread of this process, and who may ask it what."""

import socket
import threading

import httpx
import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa

from databroker import Broker
from databroker.documents.encode import decode, encode
from databroker.external.registry import Registry
from databroker.query.nodes import Equals, Path
from databroker.server import Access, Caller, KeyFile, OneToken, app
from databroker.server.access.claims import Rules
from databroker.server.access.oidc import OpenIDConnect
from databroker.server.access.proxy import TrustedProxy
from databroker.stores.files.store import JSONLStore
from databroker.stores.sql import SQLiteStore
from databroker.stores.wire.calls import CALLS
from databroker.stores.wire.sequence import parts
from databroker.testing.conformance.base import whole_run

TOKEN = "of these tests alone"
ISSUER, AUDIENCE = "https://login.example.org", "databroker"
PROXY = "127.0.0.5"
"""Every address that begins with 127 is this machine's."""

MINE = Equals(Path("proposal"), "1234")


def run_of_proposal(uid, proposal):
    """Return a run with a document of every kind."""
    (kind, doc), *others = whole_run(uid)
    return [(kind, doc | {"proposal": proposal, f"of {proposal}": True}), *others]


class Door:
    """A server that serves a database as 'lab' and a folder of files as 'files'.

    Attributes
    ----------
    uri
        Its address.
    folder
        Where its files are; it opens no others.
    stores
        What it serves.
    keys
        The keys that let in.
    signing
        The private key of the issuer of tokens.
    """

    def __init__(self, folder, allow_writing=True):
        self.folder = folder
        self.stores = {
            "lab": SQLiteStore(folder / "runs.db"),
            "files": JSONLStore(folder / "runs"),
        }
        for store in self.stores.values():
            store.insert_many(run_of_proposal("mine", "1234"))
            store.insert_many(run_of_proposal("others", "5678"))
        self.keys = KeyFile(folder / "keys.json")
        self.signing = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.jwk = jwt.algorithms.RSAAlgorithm.to_jwk(self.signing.public_key(), as_dict=True)
        rules = {"runs": {"proposal": "proposals"}, "all_runs": {"groups": ["staff"]}}
        ways = [
            OneToken(TOKEN),
            self.keys,
            OpenIDConnect(
                ISSUER,
                AUDIENCE,
                {"keys": [self.jwk | {"kid": "one"}]},
                Rules("sub", **rules),
                ["RS256", "ES256"],
            ),
            TrustedProxy(
                [PROXY],
                {"user": "X-Remote-User", "proposals": "X-Proposals", "groups": "X-Groups"},
                Rules("user", **rules),
            ),
        ]
        registry = Registry(allowed_roots=[str(folder)])
        served = app(
            {name: Broker(store, registry=registry) for name, store in self.stores.items()},
            access=Access(ways),
            allow_writing=allow_writing,
            allow_origins=["https://site.example.org"],
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        said = {"log_config": None, "log_level": "warning", "access_log": False}
        config = uvicorn.Config(served, lifespan="off", proxy_headers=False, **said)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()
        self._clients = {None: httpx.Client()}

    def close(self):
        """End the server."""
        for client in self._clients.values():
            client.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        for store in self.stores.values():
            store.close()

    def ask(self, token, call, source="lab", *, address=None, headers=(), **arguments):
        """Return the response to a call, which is sent from an address of this machine."""
        body = CALLS[call].pack(**arguments)
        return self.send(token, call, source, body, address=address, headers=headers)

    def send(self, token, call, source, body, *, address=None, headers=()):
        """Return the response to a call whose arguments are packed."""
        if address not in self._clients:
            transport = httpx.HTTPTransport(local_address=address)
            self._clients[address] = httpx.Client(transport=transport)
        named = [] if token is None else [("Authorization", f"Bearer {token}")]
        return self._clients[address].post(
            f"{self.uri}/{source}/v1/{call}", content=encode(body), headers=[*named, *headers]
        )

    def answer(self, token, call, source="lab", **arguments):
        """Return what a call gives that is answered."""
        response = self.ask(token, call, source, **arguments)
        assert response.status_code == 200, response.text
        if CALLS[call].yields:
            return [item for part, _ in parts(iter([response.content])) for item in part]
        return decode(response.content)

    def key(self, name, *scopes, query=None, expires=None):
        """Return a new key."""
        more = () if query is None else (query,)
        return self.keys.make(Caller(name, frozenset(scopes or ("read",)), *more), expires)[1]
