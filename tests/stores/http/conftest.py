"""A server, and stores that ask it."""

from contextlib import closing

import pytest

from helpers.http_server import TOKEN, Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server with a source for each test."""
    with closing(Server(tmp_path_factory.mktemp("served"))) as server:
        yield server


@pytest.fixture(autouse=True)
def _token(monkeypatch):
    """What is pickled has no token: it is in the environment."""
    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)
