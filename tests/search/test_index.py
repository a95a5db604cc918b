"""The leaf index stays right when transactions fail, stops are replaced and others write."""

from contextlib import closing

import pytest

from databroker.queries import Everything, Key
from databroker.query.nodes import Path
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.connection import transaction
from databroker.stores.sql.runs import put_start
from databroker.stores.sql.starts import NOBODY


@pytest.fixture
def store(tmp_path):
    with closing(SQLiteStore(tmp_path / "runs.db")) as store:
        yield store


def uids(store, question):
    return [run.uid for run in store.find(question)]


def _fail_after(store, document):
    def fail(connection):
        with transaction(connection):
            put_start(connection, document, NOBODY)
            raise OSError("the disk is full")

    store._connections.write(fail)


def test_paths_of_a_transaction_that_failed_are_forgotten(store):
    for key in ("first", "second"):
        with pytest.raises(OSError, match="disk"):
            _fail_after(store, {"uid": key, "time": 1.0, key: "lost", "both": key})
    # The numbers of lost paths are given again, to others.
    for number, key in enumerate(("third", "second", "first")):
        store.insert("start", {"uid": key, "time": float(number), key: "kept", "both": key})
    for key in ("first", "second", "third"):
        assert uids(store, Key(key) == "kept") == uids(store, Key("both") == key) == [key]
        assert uids(store, Key(key).exists()) == [key]
        assert uids(store, Key(key) == "lost") == []
    assert store.count(Everything()) == 3


def test_paths_that_another_store_made_are_known(store, tmp_path):
    with closing(SQLiteStore(tmp_path / "runs.db")) as other:
        assert uids(other, Key("new.key") == 1) == []
        store.insert("start", {"uid": "a", "time": 1.0, "new": {"key": 1}})
        assert uids(other, Key("new.key") == 1) == ["a"]
        other.insert("start", {"uid": "b", "time": 2.0, "new": {"key": 1, "other": 2}})
        assert uids(store, Key("new.key") == 1) == ["b", "a"]
        assert uids(store, Key("new.other") == 2) == ["b"]


def test_a_stop_that_is_replaced_is_found_no_more(store):
    store.insert("start", {"uid": "a", "time": 1.0})
    stop = {"uid": "s", "run_start": "a", "time": 2.0, "exit_status": "fail", "closed_by": "test"}
    store.insert("stop", stop)
    assert uids(store, Key("stop.exit_status") == "fail") == ["a"]
    store.insert("stop", {"uid": "t", "run_start": "a", "time": 3.0, "exit_status": "success"})
    assert uids(store, Key("stop.exit_status") == "fail") == []
    assert uids(store, Key("stop.closed_by").exists()) == []
    assert uids(store, Key("stop.exit_status") == "success") == ["a"]
    assert uids(store, Key("stop.uid") == "t") == uids(store, Key("stop.uid").exists()) == ["a"]
    assert uids(store, Key("stop.uid") == "s") == []
    assert uids(store, Key("stop.run_start") == "a") == ["a"]


def test_a_run_that_has_not_ended_has_nothing_in_its_stop(store):
    store.insert("start", {"uid": "a", "time": 1.0})
    store.insert("start", {"uid": "b", "time": 2.0})
    store.insert("stop", {"uid": "s", "run_start": "b", "time": 2.0})
    assert uids(store, ~Key("stop.uid").exists()) == ["a"]
    for key in ("stop.uid", "stop.run_start", "stop.time", "stop.num_events.primary"):
        assert "a" in uids(store, Key(key) == None)  # noqa: E711
    assert uids(store, Key("stop.uid") == None) == ["a"]  # noqa: E711
    assert store.distinct(Path("uid", "stop"), Everything()) == [("s", 1)]


def test_an_empty_store_is_searched(store):
    # A search is planned from the paths there are: here there are none.
    for question in (Everything(), Key("a") == 1, ~(Key("a") == 1), Key("a").matches("x")):
        assert uids(store, question) == []
        assert store.count(question) == 0
    assert store.distinct(Path("a"), Everything()) == []
    assert list(store.select(Everything(), [Path("a")])) == []
