"""Connections that break at random, servers that are killed: nothing is short, lost or twice."""

import socket
import threading
import warnings
from contextlib import closing
from functools import partial
from itertools import chain, repeat

import pytest

from databroker import Broker
from databroker._util.polling import wait_until
from databroker.columns import ALL
from databroker.errors import SpillWarning, StoreAway
from databroker.query.nodes import Everything
from databroker.stores.http import HTTPStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import descriptor, event_page, start, stop, whole_run
from helpers.http_server import TOKEN, Server
from helpers.proxy import FaultyLine
from helpers.serving import served

ROWS = 10_000


def runs(number):
    """Return the documents of some runs, of which one has many events."""
    several = [pair for each in range(number) for pair in whole_run(f"run {each}")]
    several += [("start", start(f"large {each}", each, note="x" * 5_000)) for each in range(60)]
    many = [("event_page", event_page(range(1, ROWS + 1)))]
    return [*several, ("start", start()), ("descriptor", descriptor()), *many, ("stop", stop())]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store of many runs."""
    path = tmp_path_factory.mktemp("faults") / "runs.db"
    with closing(SQLiteStore(path)) as store:
        store.insert_many(runs(5))
        yield store


QUESTIONS = {
    "find": lambda store: [run.uid for run in store.find(Everything())],
    "select": lambda store: store.count(Everything()),
    "read": lambda store: [
        sum(batch.num_rows for batch in store.read("event", extent, ALL))
        for extent in store.extents("event", "desc")
    ],
    "table": lambda store: list(Broker(store)["run"].table()["x"]),
    "documents": lambda store: list(Broker(store)["run 1"].documents()),
}


@pytest.mark.parametrize("seed", range(2))
def test_answers_over_a_line_that_breaks_are_whole_or_an_error(stored, seed):
    wanted = {name: ask(stored) for name, ask in QUESTIONS.items()}
    whole, broken = set(), 0
    with served(stored) as server:
        line = FaultyLine(("127.0.0.1", server.port), seed, every=300_000)
        with closing(HTTPStore(f"http://127.0.0.1:{line.port}", connect=False)) as store:
            for name, ask in chain.from_iterable(repeat(QUESTIONS.items(), 50)):
                try:
                    found = ask(store)
                except StoreAway:
                    broken += 1
                else:
                    assert found == wanted[name], name
                    whole.add(name)
                if whole == QUESTIONS.keys() and broken > 3:
                    break
        line.cut()
    assert whole == QUESTIONS.keys()
    assert broken > 3


@pytest.mark.parametrize("seed", range(2))
def test_documents_sent_over_a_line_that_breaks_arrive_once(tmp_path, seed):
    documents = [pair for each in range(12) for pair in whole_run(f"run {each}")]
    with closing(SQLiteStore(tmp_path / "runs.db")) as behind, served(behind) as server:
        line = FaultyLine(("127.0.0.1", server.port), seed, every=2_000)
        config = {
            "driver": "http",
            "uri": f"http://127.0.0.1:{line.port}",
            "spill": str(tmp_path / "spill"),
            "spill_after": 0.2,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpillWarning)
            with Broker.from_config(config) as db:
                for pair in documents:
                    db.insert(*pair)
                # Those that wait behind one that took long may all be sent only now.
                assert wait_until(lambda: line.faults, 60)
                line.is_faulty = False
                assert wait_until(lambda: not db.store.waiting(), 60)
        line.cut()
        assert_identical(answers(behind, documents), expected(documents))


def test_a_server_that_is_killed_amid_inserts_has_all_of_them_once(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)
    documents = [pair for each in range(30) for pair in whole_run(f"run {each}")]
    with closing(Server(tmp_path)) as server:
        ended = threading.Event()

        def insert():
            with closing(HTTPStore(server.uri("lab"), connect=False)) as store:
                for first in range(0, len(documents), 40):
                    while not inserted(store, documents[first : first + 40]):
                        pass
            ended.set()

        inserting = threading.Thread(target=insert)
        inserting.start()
        for number in (3, 15):
            with closing(SQLiteStore(server.path("lab"))) as store:
                has_come = partial(has_runs, store, number)
                assert wait_until(has_come, 60)
            server.kill()
            server.start()
        inserting.join()
        assert ended.is_set()
        with closing(HTTPStore(server.uri("lab"))) as store:
            assert_identical(answers(store, documents), expected(documents))


def has_runs(store, number):
    return store.count(Everything()) >= number


def inserted(store, documents):
    """Insert documents; tell whether the server took them."""
    try:
        store.insert_many(documents)
    except StoreAway:
        return False
    return True


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.msgpack\r\ncontent-length: 1\r\n\r\n\x05"


@pytest.mark.parametrize("end", [0, 5, 15, 17, 30, 60, len(HEAD) - 1])
def test_an_answer_that_breaks_off_anywhere_is_none(end):
    with socket.create_server(("127.0.0.1", 0)) as door:

        def answer():
            for _ in range(4):  # as often as it is asked
                here, _ = door.accept()
                with here:
                    here.recv(2**16)
                    here.sendall(HEAD[:end])

        answering = threading.Thread(target=answer)
        answering.start()
        uri = f"http://127.0.0.1:{door.getsockname()[1]}"
        with closing(HTTPStore(uri, connect=False)) as store, pytest.raises(StoreAway):
            store.count(Everything())
        while answering.is_alive():
            with socket.create_connection(door.getsockname()):
                answering.join(0.1)
