"""Brokers of several kinds, each with a second opener where others see what it holds."""

import pickle
import time

import pytest

import databroker
from databroker import Broker
from databroker.stores.http import HTTPStore
from helpers.http_server import TOKEN
from helpers.run_builder import RunBuilder

KINDS = ["memory", "sqlite", "postgresql", "mongo", "files", "several", "http"]


@pytest.fixture(params=KINDS)
def db(request, tmp_path, monkeypatch):
    """An empty broker."""
    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)
    with _broker(request.param, request, tmp_path) as broker:
        yield broker


@pytest.fixture
def writer(db):
    """Another broker on the same store, as another process has it; for memory, the same one."""
    if not db.store.capabilities.shared:
        yield db
        return
    with Broker(pickle.loads(pickle.dumps(db.store))) as other:
        yield other


@pytest.fixture
def run(writer):
    """A run that has begun."""
    return RunBuilder(writer, time=time.time())


def _broker(kind, request, folder):
    if kind == "sqlite":
        return databroker.temp()
    if kind == "http":
        server = request.getfixturevalue("http_server")
        return Broker(HTTPStore(server.uri(server.take())))
    if kind == "mongo":
        from helpers import mongo

        return Broker(mongo.store_class()(request.getfixturevalue("new_database")()))
    if kind == "postgresql":
        return Broker.from_config(request.getfixturevalue("postgresql_config"))
    if kind == "several":
        members = [
            {"name": name, "driver": "sqlite", "path": str(folder / name)} for name in ("a", "b")
        ]
        return Broker.from_config({"driver": "federation", "members": members, "write_to": "b"})
    if kind == "files":
        return Broker.from_config({"driver": "jsonl", "paths": str(folder / "runs")})
    return Broker.from_config({"driver": "memory"})
