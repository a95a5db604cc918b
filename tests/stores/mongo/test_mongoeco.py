"""The Mongo store on another stand-in, which is right where nx-27017 is wrong, and knows users.

It runs on Python 3.13, in an environment of its own: `DATABROKER_TEST_MONGOECO` names its
interpreter, in which ``mongoeco[wire]`` is installed.
"""

import os
import subprocess
from contextlib import closing
from pathlib import Path as FilePath
from typing import ClassVar

import pymongo
import pytest

from databroker.columns import Selection
from databroker.documents.encode import same
from databroker.errors import StoreAway, StoreUnavailable
from databroker.query import nodes as n
from databroker.query.evaluate import RunView, matches
from databroker.stores.mongo.embedded import MongoEmbeddedStore
from databroker.stores.mongo.normalized import MongoNormalizedStore
from databroker.stores.mongo.searching import Search
from databroker.testing import answers, expected, read_rows
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    stop,
    whole_run,
)
from databroker.testing.conformance.finding import Finding
from databroker.testing.conformance.identity import Identity
from databroker.testing.conformance.searching import Searching
from helpers import mongo

PYTHON = os.environ.get("DATABROKER_TEST_MONGOECO")
WORD = "correct-horse"
BEYOND_64_BITS = "MongoDB has no integers beyond 64 bits, and could not sort runs by such a time"

pytestmark = pytest.mark.skipif(
    PYTHON is None, reason="DATABROKER_TEST_MONGOECO names no Python 3.13 with mongoeco[wire]"
)


@pytest.fixture(scope="module")
def server():
    """The address of a server that lets one user in, with a place for the database."""
    port = str(mongo.free_port())
    script = FilePath(mongo.__file__).with_name("mongoeco_server.py")
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    process = subprocess.Popen(
        [PYTHON, script, port, "ann", WORD], stdout=subprocess.PIPE, env=kept, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield f"mongodb://ann:{WORD}@127.0.0.1:{port}?authSource=admin&authMechanism=SCRAM-SHA-256"
    process.kill()
    process.communicate()


@pytest.fixture
def new_database(server):
    with mongo.new_databases(server) as take:
        yield take


class TestOnMongoEco(Finding, Searching, Identity):
    gaps: ClassVar = {
        "test_odd_times_are_ordered_exactly": BEYOND_64_BITS,
        "test_pages_of_a_search_follow_each_other": BEYOND_64_BITS,
    }

    @pytest.fixture(autouse=True)
    def _server(self, new_database):
        self.new_database = new_database

    def open_store(self):
        return MongoNormalizedStore(self.new_database())


@pytest.fixture
def store(new_database):
    with closing(MongoNormalizedStore(new_database())) as store:
        yield store


def test_a_run_comes_out_as_it_went_in(store):
    run = [*whole_run(), ("start", start("odd", nan=float("nan"), inf=[float("inf"), 2**70]))]
    insert_all(store, run)
    assert same(answers(store, run), expected(run))


def test_numbers_that_are_not_finite_are_numbers_in_the_database(store):
    store.insert("start", start(value=[float("inf"), float("nan")]))
    address = store.databases.metadata.address
    with pymongo.MongoClient(address.uri) as client:
        found = client[address.database].run_start.find_one()["value"]
    assert list(map(str, found)) == ["inf", "nan"]


def test_what_is_new_shows(store):
    for kind, document in whole_run():
        before = store.state()
        store.insert(kind, document)
        assert store.state() != before, kind
    assert store.state() == store.state()


def test_columns_are_read_alone(store):
    keys = ("x", "y")
    insert_all(store, [("start", start()), ("descriptor", descriptor("desc", "run", *keys))])
    for number in range(5):
        store.insert("event", event(number, x=number, y=[number]))
    rows = read_rows(store, "event", "desc", selection=Selection(frozenset({"x"})))
    assert [row["data"] for row in rows] == [{"x": number} for number in range(5)]


def test_the_embedded_layout_is_read(new_database):
    uri = new_database()
    run = {"run_id": "run", "start": [start()], "stop": [stop()], "descriptors": [descriptor()]}
    with pymongo.MongoClient(uri) as client:
        database = client[uri.rpartition("/")[2].partition("?")[0]]
        database.header.insert_one(run)
        database.event.insert_one(event_page(range(3)))
    with closing(MongoEmbeddedStore(uri)) as store:
        assert store.record("run").start == start()
        assert read_rows(store, "event", "desc") == [event(number) for number in range(3)]


def test_a_wrong_password_is_told_and_nobody_waits_for_it(server):
    wrong = mongo.address_of(server.replace(WORD, f"not-{WORD}"), "runs")
    with pytest.raises(StoreUnavailable, match="refuses this user") as caught:
        MongoNormalizedStore(wrong)
    assert not isinstance(caught.value, StoreAway)
    assert WORD not in str(caught.value)


def test_the_password_may_be_in_the_environment(server, monkeypatch):
    address = mongo.address_of(server.replace(f":{WORD}", ""), "runs")
    monkeypatch.setenv("DATABROKER_MONGO_PASSWORD", WORD)
    with closing(MongoNormalizedStore(address)) as store:
        assert store.record("run") is None


def noted_records(monkeypatch):
    """Return a list of the runs that a search looks at."""
    looked_at, records = [], Search._records

    def note(self, starts):
        looked_at.extend(starts)
        return records(self, starts)

    monkeypatch.setattr(Search, "_records", note)
    return looked_at


DOTTED = {
    "apart": {"a": {"b": {"c": 5}}},
    "first two": {"a.b": {"c": 5}},
    "last two": {"a": {"b.c": 5}},
    "all": {"a.b.c": [4, 5]},
    "in a list": {"a": [3, {"b.c": 5}, {"b": {"c": 6}}]},
    "in two lists": {"a": [{"b": [{"c.d": 5}]}]},
    "deeper in a list than paths lead": {"a": [[{"b.c": 5}]]},
    "at the end": {"a": {"b": [{"c": {"d": {"e": {"f": [{"g.h": 5}]}}}}]}},
    "of another": {"b.c": 5, "a.c": 5},
    "of nothing": {"a": None, "b": "a.b.c"},
}


@pytest.mark.parametrize("path", ["a.b", "a.b.c", "b.c", "a.b.c.d", "a.b.c.d.e.f.g.h"])
def test_keys_with_dots_that_databroker_1_wrote_are_found(store, monkeypatch, path):
    with pymongo.MongoClient(store.databases.metadata.address.uri) as client:
        database = client[store.databases.metadata.address.database]
        for number, (uid, keys) in enumerate(DOTTED.items()):
            database.run_start.insert_one(start(uid, 1e9 + number) | keys)
            database.run_stop.insert_one(stop(uid) | keys)
    starts = {uid: start(uid) | keys for uid, keys in DOTTED.items()}
    looked_at = noted_records(monkeypatch)
    for document in ("start", "stop"):
        at = n.Path(path, document)
        for query in (n.Equals(at, 5), n.Compare(at, "gte", 5), n.Exists(at)):
            wanted = [uid for uid in starts if matches(query, RunView(starts[uid], starts[uid]))]
            looked_at.clear()
            assert [run.uid for run in store.find(query)] == wanted[::-1], query
            assert len(looked_at) < len(DOTTED)


def test_runs_are_found_by_their_data_keys_without_a_look_at_the_others(store, monkeypatch):
    names = ["det", "motor:x", "3"]
    for number in range(6):
        store.insert("start", start(f"{number}", 1e9 + number))
        store.insert("descriptor", descriptor(f"d{number}", f"{number}", *names[: number % 4]))
    looked_at = noted_records(monkeypatch)
    for name, uids in ("motor:x", ["3", "2"]), ("3", ["3"]), ("none", []):
        looked_at.clear()
        assert [run.uid for run in store.find(n.DataKey(name))] == uids
        assert len(looked_at) == len(uids)
