"""A server that is killed, amid an answer or before, and one that is too slow."""

from contextlib import closing

import pytest

from databroker import Broker
from databroker.errors import SpillWarning, StoreAway
from databroker.query.nodes import Everything
from databroker.stores.http import HTTPStore
from databroker.testing.conformance.base import descriptor, event, start, stop
from helpers.http_server import Server
from helpers.proxy import Line


@pytest.fixture
def mortal(tmp_path):
    """A server of one test, which may kill it."""
    with closing(Server(tmp_path)) as server:
        yield server


@pytest.fixture
def line(server):
    """What is between a store and the server."""
    line = Line(("127.0.0.1", server.port))
    yield line
    line.cut()


def large_runs(number):
    return (("start", start(f"run {n}", note="x" * 20_000)) for n in range(number))


def test_a_server_that_is_killed_amid_an_answer_and_comes_back(mortal):
    with closing(HTTPStore(mortal.uri("lab"))) as store:
        store.insert_many(large_runs(600))  # more than what lies on the way
        runs = store.find(Everything())
        first = [next(runs), next(runs)]
        mortal.kill()
        with pytest.raises(StoreAway, match="cannot be reached"):  # to ask for those that are left
            list(runs)
        with pytest.raises(StoreAway, match="cannot be reached"):
            store.count(Everything())
        mortal.start()
        assert store.count(Everything()) == 600
        left = store.find(Everything(), after=first[-1].cursor)
        assert len({run.uid for run in [*first, *left]}) == 600


def test_while_it_is_away_documents_wait(mortal, tmp_path):
    config = {"driver": "http", "uri": mortal.uri("lab"), "spill": str(tmp_path / "spill")}
    with Broker.from_config(config | {"spill_after": 30}) as db:
        db.insert("start", start())
        mortal.kill()
        with pytest.warns(SpillWarning, match="cannot be reached"):
            db.insert("descriptor", descriptor())
        db.insert("event", event(1))
        db.insert("stop", stop())
        mortal.start()
        for _ in range(600):
            if not db.store.waiting():
                break
            db.store.wait_for_changes(db.store.state(), 0.1)
        assert list(db["run"].table()["x"]) == [0.5]


def test_a_server_that_says_nothing(line):
    uri = f"http://127.0.0.1:{line.port}/stalled"
    with closing(HTTPStore(uri, timeout=2)) as store:
        line.stall()
        with pytest.raises(StoreAway, match=r"'count' \(nothing came for 2 s\)"):
            store.count(Everything())
        line.restore()
        assert store.count(Everything()) == 0


def test_connections_that_were_closed_meanwhile_are_made_anew(line):
    with closing(HTTPStore(f"http://127.0.0.1:{line.port}/closed")) as store:
        for _ in range(3):
            line.cut()
            line.restore()
            store.insert("start", start())
        assert store.count(Everything()) == 1


def test_who_goes_away_amid_an_answer_leaves_nothing_behind(server):
    with closing(HTTPStore(server.uri(server.take()))) as store:
        store.insert_many(large_runs(100))
        for _ in range(60):  # more than the server has threads
            next(store.find(Everything()))
        assert store.count(Everything()) == 100
