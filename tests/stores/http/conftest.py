"""A server, and the token that lets in."""

import pytest

from helpers.http_server import TOKEN


@pytest.fixture
def server(http_server):
    """A server with a source for each test."""
    return http_server


@pytest.fixture(autouse=True)
def _token(monkeypatch):
    """What is pickled has no token: it is in the environment."""
    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)
