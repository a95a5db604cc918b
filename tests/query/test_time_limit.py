"""A limit of time: what takes long is interrupted, and nothing is left amid something."""

import threading
from contextlib import closing

import pytest

from databroker.errors import QueryTimeout
from databroker.query import nodes as n
from databroker.query.time_limit import TimeLimit, check_time, time_limit
from databroker.stores.files.store import JSONLStore
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import start

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


@pytest.fixture
def store(tmp_path):
    """A store of some runs."""
    store = SQLiteStore(tmp_path / "runs.db")
    store.insert_many(("start", start(f"run {each}", note="ni")) for each in range(20))
    yield store
    store.close()


def test_it_holds_within_and_not_behind():
    limit = TimeLimit(60)
    assert limit.run(time_limit) is limit
    assert time_limit() is None
    limit.end()
    check_time()
    with pytest.raises(QueryTimeout, match="longer than 60 s"):
        limit.run(check_time)


def test_a_statement_that_takes_too_long_is_interrupted(store):
    connection = store._connections.get()
    with pytest.raises(QueryTimeout, match=r"longer than 0\.2 s"):
        TimeLimit(0.2).run(connection.execute, ENDLESS)
    assert store.count(n.Everything()) == 20


def test_a_statement_is_interrupted_when_the_limit_ends_sooner(store):
    limit, connection = TimeLimit(3600), store._connections.get()
    threading.Timer(0.2, limit.end).start()
    with pytest.raises(QueryTimeout):
        limit.run(connection.execute, ENDLESS)
    assert store.count(n.Everything()) == 20


def test_a_search_that_is_given_up_leaves_no_transaction_open(store):
    for _ in range(3):
        runs = store.find(n.Matches(n.Path("note"), "n.*i", ""))
        with pytest.raises(QueryTimeout):
            TimeLimit(0).run(list, runs)
    assert not store._connections.get().in_transaction
    store.insert("start", start("one more"))
    assert store.count(n.Everything()) == 21


def test_what_is_written_comes_to_its_end(store):
    TimeLimit(0).run(store.insert, "start", start("one more"))
    assert store.count(n.Everything()) == 21


def test_files_are_indexed_however_long_it_takes(tmp_path):
    with closing(JSONLStore(tmp_path)) as store:
        store.insert_many(("start", start(f"run {each}")) for each in range(20))
    with closing(JSONLStore(tmp_path, index=tmp_path / "index.db")) as store:
        with pytest.raises(QueryTimeout):
            TimeLimit(0.001).run(list, store.find(n.Everything()))
        assert store.count(n.Everything()) == 20


def test_patterns_are_given_up():
    store = MemoryStore()
    store.insert_many(("start", start(f"run {each}", note="ni")) for each in range(3))
    with pytest.raises(QueryTimeout):
        TimeLimit(0).run(store.count, n.Matches(n.Path("note"), "i", ""))
    assert store.count(n.Matches(n.Path("note"), "i", "")) == 3


def test_who_waits_is_interrupted_once_and_only_within():
    limit, told = TimeLimit(60), []
    with limit.interrupting(lambda: told.append(1)):
        limit.end()
    limit.end()
    assert told == [1]
    with pytest.raises(QueryTimeout), limit.interrupting(lambda: None):
        raise AssertionError("nothing begins when it is over")
