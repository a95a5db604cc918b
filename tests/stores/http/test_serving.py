"""``databroker serve`` as people start it: a process of its own, and a broker that asks it."""

import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import databroker
from databroker import Broker
from databroker.errors import AccessRefused, InvalidConfiguration
from databroker.server import Caller, KeyFile
from databroker.server.command.serve import named_sources
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import start, whole_run

NAME = "été #1? 5%2F"


@pytest.fixture
def path(tmp_path):
    """A file with a run."""
    with closing(SQLiteStore(tmp_path / f"{NAME}.db")) as store:
        store.insert_many(whole_run())
    return tmp_path / f"{NAME}.db"


@pytest.mark.parametrize(
    ("workers", "allowed", "ending"),
    [(1, ["--allow-writing"], signal.SIGINT), (2, ["--metrics"], signal.SIGTERM)],
)
def test_what_it_prints_is_the_address_of_a_broker(path, monkeypatch, workers, allowed, ending):
    monkeypatch.delenv("DATABROKER_TOKEN")
    keys = KeyFile(path.with_name("keys.json"))
    options = ["--port", "0", "--workers", str(workers), "--keys", str(keys.path), *allowed]
    process = subprocess.Popen(
        [sys.executable, "-m", "databroker", "serve", str(path), *options],
        env={**os.environ, "PYTHONPATH": str(Path(databroker.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        uri = process.stdout.readline().strip()
        assert uri.startswith("http://127.0.0.1:")
        with databroker.open(uri) as db:
            assert db.name == NAME
            assert len(db["run"].table()) == 3
            assert db.store.capabilities.writable == ("--allow-writing" in allowed)
            if "--metrics" in allowed:
                _see_that_all_is_counted(uri)
            else:
                db.insert("start", start("another"))
                assert db.store.record("another") is not None
        with pytest.raises(AccessRefused):
            Broker.from_config({"driver": "http", "uri": uri[:-1], "spill": False})
        assert httpx.get(f"{address(uri)}/v1/about?token={uri.partition('=')[2]}").is_error
        _, key = keys.make(Caller("ann", frozenset({"read"})))
        assert statuses(uri, key) == {200}
        keys.revoke("ann")
        assert statuses(uri, key) == {401}  # by each process
    finally:
        process.send_signal(ending)
        _, errors = process.communicate(timeout=60)
    assert uri.partition("token=")[2] not in errors
    logged = "token from 127.0.0.1: insert start of run 'another': stored" in errors
    assert logged == ("--allow-writing" in allowed)


def address(uri):
    return uri.partition("?")[0]


def statuses(uri, key):
    """Return the answers to some requests, each over a connection of its own."""
    headers = {"Authorization": f"Bearer {key}"}
    found = [httpx.get(f"{address(uri)}/v1/about", headers=headers) for _ in range(12)]
    return {each.status_code for each in found}


def _see_that_all_is_counted(uri):
    """Whichever process is asked tells what all of them did."""
    headers = {"Authorization": f"Bearer {uri.partition('?token=')[2]}"}
    source = re.escape(NAME)
    for count in range(2, 12):
        httpx.get(f"{address(uri)}/v1/about", headers=headers)
        page = httpx.get(f"{address(uri).rpartition('/')[0]}/metrics", headers=headers).text
        told = re.search(
            rf'requests_total{{call="about",source="{source}",status="200"}} (\S+)', page
        )
        assert float(told[1]) == count


def test_sources_have_names_of_their_own():
    with pytest.raises(InvalidConfiguration, match="both be served as 'runs'"):
        named_sources(["runs", "./runs.db"])
