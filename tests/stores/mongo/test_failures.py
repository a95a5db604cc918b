"""What goes wrong with a Mongo store, and that nothing is left of it."""

import contextlib
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import closing

import pytest
from pymongo.collection import Collection
from pymongo.errors import (
    AutoReconnect,
    CursorNotFound,
    ExecutionTimeout,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteError,
)

from databroker import Broker
from databroker.columns import ALL, Selection
from databroker.errors import (
    InvalidConfiguration,
    InvalidDocument,
    QueryTimeout,
    SpillWarning,
    StoreAway,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query.nodes import Everything, Matches, Path
from databroker.query.time_limit import TimeLimit
from databroker.stores.mongo.database import Database
from databroker.stores.mongo.embedded import MongoEmbeddedStore
from databroker.stores.mongo.failures import translate
from databroker.stores.mongo.normalized import MongoNormalizedStore
from databroker.testing import answers, expected, read_rows
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    whole_run,
)
from helpers import mongo
from helpers.proxy import Line

WORD = "correct-horse"


def shown(error):
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("127.0.0.1:1", StoreAway),
        ("no-such-host.invalid", StoreUnavailable),
        ("no-such-host.invalid,127.0.0.1:1", StoreAway),
    ],
)
def test_a_server_that_is_not_there_is_told_soon_and_without_the_password(host, kind, caplog):
    caplog.set_level(logging.DEBUG)
    uri = f"mongodb://ann:{WORD}@{host}/runs?serverSelectionTimeoutMS=200"
    with pytest.raises(StoreUnavailable, match=r"mongodb://ann@.* cannot be reached") as caught:
        MongoNormalizedStore(uri)
    assert type(caught.value) is kind
    assert WORD not in shown(caught.value) + caplog.text


def test_a_host_without_a_name_is_a_mistake_and_one_that_cannot_be_looked_up_is_none(
    tmp_path, monkeypatch
):
    config = {
        "driver": "mongo-normalized",
        "uri": "mongodb://no-such-host.invalid/runs?serverSelectionTimeoutMS=100",
        "spill": str(tmp_path),
    }
    with pytest.raises(StoreUnavailable, match=r"no host of the name 'no-such-host\.invalid'"):
        Broker.from_config(config)

    def fails(*args):
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("databroker.stores.mongo.hosts.socket.getaddrinfo", fails)
    with pytest.warns(SpillWarning, match="Documents wait in"):
        Broker.from_config(config).close()


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://ann:{WORD}@host",
        f"mongodb://ann:{WORD}@host/",
        f"mongo://ann:{WORD}@host/runs",
        f"mongodb://ann:@{WORD}@host/runs",
        f"mongodb://ann:a/{WORD}@host/runs",
        f"mongodb://ann:{WORD}@host:port/runs",
        "",
    ],
)
@pytest.mark.parametrize("make", [MongoNormalizedStore, MongoEmbeddedStore])
@pytest.mark.filterwarnings("ignore::UserWarning:pymongo")
def test_what_is_no_address_is_told_without_the_password(make, uri):
    with pytest.raises(InvalidConfiguration, match="mongodb://host") as caught:
        make(uri)
    assert WORD not in shown(caught.value)


def test_nothing_shows_or_keeps_the_password(new_database, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(MongoNormalizedStore, "reach", lambda self: None)
    uri = f"mongodb://ann:{WORD}@host/runs?tlsCertificateKeyFilePassword={WORD}&authSource=x"
    with closing(MongoNormalizedStore(uri)) as store:
        db = Broker(store)
        pickled = pickle.dumps(store)
        texts = [str(store), repr(store), repr(db), repr(store.databases.metadata.address)]
        assert not any(WORD in text for text in [*texts, caplog.text])
        assert WORD.encode() not in pickled
    with pytest.raises(InvalidConfiguration, match="DATABROKER_MONGO_PASSWORD"):
        pickle.loads(pickled)
    monkeypatch.setenv("DATABROKER_MONGO_PASSWORD", WORD)
    with closing(pickle.loads(pickled)) as again:
        assert again.databases.metadata.address.public.endswith("/runs?authSource=x")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OperationFailure("Authentication failed.", 18), StoreUnavailable, "refuses this user"),
        (OperationFailure("bad auth", 8000), StoreUnavailable, "refuses this user"),
        (OperationFailure("not authorized on runs", 13), StoreIsReadOnly, "does not let this user"),
        (CursorNotFound("cursor id 5 not found", 43), StoreAway, "cannot be reached"),
        (NotPrimaryError("not primary", {"code": 10107}), StoreAway, "cannot be reached"),
        (OperationFailure("interrupted at shutdown", 11600), StoreAway, "cannot be reached"),
        (AutoReconnect("connection closed"), StoreAway, "cannot be reached"),
        (ServerSelectionTimeoutError("no servers"), StoreAway, "cannot be reached"),
        (WriteError("object to insert too large", 10334), InvalidDocument, "16 MB"),
        (OperationFailure("unknown operator", 2), StoreUnavailable, "cannot do what was asked"),
    ],
)
def test_what_a_server_says_is_told_in_words_of_ours(error, kind, said):
    told = translate(error, "mongodb://host/runs")
    assert type(told) is kind
    assert str(told).startswith(("mongodb://host/runs ", "A document is not stored, as mongodb://"))
    assert said in str(told)


def test_no_thread_stays_once_it_is_closed(address):
    before = set(threading.enumerate())
    with closing(mongo.store_class()(address)) as store:
        insert_all(store, whole_run())
        threads = set(threading.enumerate()) - before
    assert threads
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


UNCLOSED = """
import gc, sys, threading, time
sys.path.insert(0, sys.argv[2])
from databroker import Broker
from databroker.testing.conformance.base import insert_all, whole_run
from helpers import mongo

if __name__ == "__main__":
    kept, dropped = (Broker(mongo.store_class()(sys.argv[1])) for _ in range(2))
    for db in (kept, dropped):
        insert_all(db.store, whole_run())
    threads = set(threading.enumerate())
    del db, dropped
    gc.collect()
    deadline = time.monotonic() + 30
    while not threads - set(threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    print(kept["run"].start["uid"], len(threads - set(threading.enumerate())) > 0)
"""


def test_a_broker_that_nobody_closes_is_closed_when_it_is_dropped_or_the_process_ends(address):
    tests = os.path.dirname(os.path.dirname(mongo.__file__))
    command = [sys.executable, "-W", "always::ResourceWarning", "-c", UNCLOSED, address, tests]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("run True\n", "", 0)


def test_reading_only_it_is_not_written_to(store, address):
    insert_all(store, whole_run())
    with closing(mongo.store_class()(address, read_only=True)) as reader:
        assert not reader.capabilities.writable
        assert answers(reader, whole_run()) == expected(whole_run())
        with pytest.raises(StoreIsReadOnly):
            reader.insert("start", start("another"))


@pytest.fixture
def mortal(tmp_path):
    """A server that may be killed."""
    if mongo.VARIABLE in os.environ:
        pytest.skip("the server of somebody else is not killed")
    with mongo.nx(tmp_path) as server:
        yield server


def record_once_it_is_back(store, uid):
    """Return a run, as soon as the server was seen to be there."""
    for _ in range(100):
        with contextlib.suppress(StoreAway):
            return store.record(uid)
    raise AssertionError("it is not seen")


QUICK = "serverSelectionTimeoutMS=500"


@pytest.fixture
def few_at_once(monkeypatch):
    """Few rows are fetched at once, so that a table of some hundred takes several answers."""
    for module in ("database", "rows"):
        monkeypatch.setattr(f"databroker.stores.mongo.{module}.BATCH", 100)


def many_events(store):
    """Store so many events; return where they are."""
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    store.insert_many(("event", event(number)) for number in range(250))
    (extent,) = store.extents("event", "desc")
    return extent


def test_a_server_that_is_killed_is_told_soon_and_all_goes_on_when_it_is_back(mortal, few_at_once):
    with closing(mongo.NxStore(f"{mortal.address}/runs?{QUICK}")) as store:
        store.create_indexes()
        insert_all(store, whole_run("a"))
        runs = [("start", start(f"{n}", 1e9 + n)) for n in range(120)]
        store.insert_many(runs)
        batches, found = store.read("event", many_events(store), ALL), store.find(Everything())
        next(batches), next(found)
        mortal.kill()
        for ask in (
            lambda: list(batches),
            lambda: list(found),
            lambda: store.record("a"),
            lambda: store.insert("start", start("late")),
            lambda: store.insert("event_page", event_page(range(250, 259))),
            lambda: store.count(Everything()),
        ):
            with pytest.raises(StoreAway, match="cannot be reached"):
                ask()
        mortal.start()
        assert record_once_it_is_back(store, "late") is None
        assert_holds_run = answers(store, whole_run("a"))
        assert assert_holds_run["rows"] == expected(whole_run("a"))["rows"]
        assert len(read_rows(store, "event", "desc")) == 250
        store.insert("start", start("late"))
        store.insert("event_page", event_page(range(250, 259)))
        assert len(read_rows(store, "event", "desc", selection=Selection())) == 259


def test_documents_wait_while_the_server_is_away(mortal, tmp_path):
    config = {"driver": "mongo-normalized", "uri": f"{mortal.address}/runs?{QUICK}"}
    config |= {"spill": str(tmp_path / "spill"), "spill_after": 30}
    with Broker.from_config(config) as db:
        insert_all(db.store, whole_run("a"))
        mortal.kill()
        with pytest.warns(UserWarning, match="wait"):
            insert_all(db.store, whole_run("b"))
        mortal.start()
        while db.store.waiting():
            pass
        assert db["b"].stop["exit_status"] == "success"


@pytest.fixture
def line(mongo_address):
    """A line to the server, which can be cut, and the address of a database at this end."""
    if mongo.VARIABLE in os.environ:
        pytest.skip("the server of somebody else may have several addresses")
    line = Line(("127.0.0.1", int(mongo_address.rpartition(":")[2])))
    with mongo.new_databases(f"mongodb://127.0.0.1:{line.port}") as take:
        yield line, f"{take()}?{QUICK}&connectTimeoutMS=500&heartbeatFrequencyMS=500"
    line.cut()


def assert_told_or_whole(batches, rows):
    """Fail if an answer that broke off looks like a shorter table; a server may go on with it."""
    with contextlib.suppress(StoreUnavailable):
        assert sum(batch.num_rows for batch in batches) == rows


def test_a_connection_that_is_cut_is_told_and_the_next_question_is_answered(line, few_at_once):
    line, address = line
    with closing(mongo.NxStore(address)) as store:
        batches = store.read("event", many_events(store), ALL)
        next(batches)
        line.cut()
        with pytest.raises(StoreAway, match="cannot be reached"):
            store.record("run")
        line.restore()
        assert_told_or_whole(batches, 150)
        assert record_once_it_is_back(store, "run").uid == "run"
        assert len(read_rows(store, "event", "desc")) == 250


def test_a_server_that_falls_silent_is_told_soon(line):
    line, address = line
    with closing(mongo.NxStore(address)) as store:
        insert_all(store, whole_run())
        line.stall()
        with pytest.raises(StoreAway, match="cannot be reached"):
            store.record("run")
        line.restore()
        assert record_once_it_is_back(store, "run").uid == "run"


def test_a_server_that_is_restarted_amid_an_answer_gives_no_short_table(mortal, few_at_once):
    with closing(mongo.NxStore(f"{mortal.address}/runs?{QUICK}")) as store:
        batches = store.read("event", many_events(store), ALL)
        next(batches)
        mortal.kill()
        mortal.start()
        assert_told_or_whole(batches, 150)
        assert record_once_it_is_back(store, "run").uid == "run"
        assert len(read_rows(store, "event", "desc")) == 250


@pytest.mark.parametrize("indexed", [False, True])
def test_a_page_of_which_a_crash_left_the_first_rows_is_completed_when_it_comes_again(
    store, raw, indexed
):
    if indexed:
        mongo.with_indexes(store)
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    store.insert("event_page", event_page(range(8)))
    raw.event.delete_many({"seq_num": {"$gte": 3}})
    assert read_rows(store, "event", "desc") == [event(number) for number in range(3)]
    for _ in range(2):
        store.insert("event_page", event_page(range(8)))
        assert read_rows(store, "event", "desc") == [event(number) for number in range(8)]
    assert raw.event.count_documents({}) == 8


def test_a_page_is_one_request_in_the_order_of_its_rows(store, monkeypatch):
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    stored, insert = [], Database.insert

    def noted(self, collection, documents):
        stored.append([document["seq_num"] for document in documents])
        return insert(self, collection, documents)

    monkeypatch.setattr(Database, "insert", noted)
    store.insert("event_page", event_page(range(8)))
    assert stored == [[*range(8)]]


def test_what_takes_longer_than_its_limit_is_given_up(store):
    store.insert_many([("start", {"uid": "a", "time": 1.0, "note": "ni"})])
    patterned = Matches(Path("note"), "i", "")
    for seconds, found in ((0, None), (60, 1)):
        limit = TimeLimit(seconds)
        for ask in (store.count, lambda query: len(list(store.find(query)))):
            if found is None:
                with pytest.raises(QueryTimeout):
                    limit.run(ask, patterned)
            else:
                assert limit.run(ask, patterned) == found


def test_what_the_server_gives_up_for_its_limit_is_told_as_that(store, monkeypatch):
    def given_up(*args, **kwargs):
        raise ExecutionTimeout("operation exceeded time limit", 50)

    monkeypatch.setattr(Collection, "count_documents", given_up)
    with pytest.raises(QueryTimeout):
        TimeLimit(60).run(store.count, Everything())
    with pytest.raises(StoreAway):
        store.count(Everything())
