"""A Tiled server, and runs in it that a RunEngine gave to Tiled's own writer."""

from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from databroker.stores.memory import MemoryStore
from helpers.tiled_server import KEY, TiledServer, Writing

if find_spec("bluesky_tiled_plugins") is None:  # which the extra test-tiled brings
    collect_ignore_glob = ["*.py"]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = TiledServer(tmp_path_factory.mktemp("tiled"), quickly=True)
    server.begin()
    try:
        server.wait()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="session")
def client(server):
    from tiled.client import from_uri

    client = from_uri(server.uri, api_key=KEY)
    yield client
    client.context.http_client.close()


@pytest.fixture(scope="session")
def filled():
    """The names of catalogs, by the documents that they were filled with."""
    return {}


@pytest.fixture(scope="session")
def written(server, client):
    """A catalog with runs, and a memory store with the documents that the writer was given."""
    from helpers.tiled_runs import perform

    uri = server.new_catalog()
    memory = MemoryStore()
    writing = Writing.normal(client[uri.rpartition("/")[2]])
    uids = perform([writing, memory.insert], server.folder / "files")
    writing.flush()
    return SimpleNamespace(uri=uri, memory=memory, uids=uids)


@pytest.fixture
def key(monkeypatch):
    """Have the key in the environment."""
    monkeypatch.setenv("TILED_API_KEY", KEY)


@pytest.fixture
def db(written, key):
    from databroker import Broker

    with Broker.from_config({"driver": "tiled", "uri": written.uri}) as broker:
        yield broker
