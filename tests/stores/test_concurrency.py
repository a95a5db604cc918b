"""Several processes and threads with one file: nothing lost, nothing twice, nobody refused."""

import contextlib
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from databroker.columns import ALL
from databroker.errors import StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.rows import batches_of
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.limits import Limits
from databroker.stores.sql.engine.sqlite import file as sqlite_file
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    descriptor,
    start,
    whole_run,
)


@pytest.fixture
def store(path):
    with contextlib.closing(SQLiteStore(path)) as store:
        yield store


def test_a_descriptor_that_arrives_during_a_look_is_no_damage(store, path):
    store.insert("start", start())
    with contextlib.closing(SQLiteStore(path)) as writer:

        def arrives(statement):
            if "FROM documents" in statement and not list(writer.documents("run")):
                writer.insert("descriptor", descriptor())

        store._connections.get().driver.set_trace_callback(arrives)
        assert store.extents("event", "desc") == []
        assert list(writer.documents("run")) == [("descriptor", descriptor())]


OPEN = """
go()
store = SQLiteStore(path)
store.insert("start", start(sys.argv[2]))
store.close()
"""


def test_several_processes_make_the_file_at_once(processes, path):
    processes.run([(OPEN, path, f"run {number}") for number in range(4)])
    with contextlib.closing(SQLiteStore(path)) as store:
        assert {run.uid for run in store.find(Everything())} == {f"run {n}" for n in range(4)}


def test_a_file_that_is_made_amid_the_first_look_is_ours(path, monkeypatch):
    look, others = sqlite_file._one, []

    def look_as_another_makes_it(connection, question):
        found = look(connection, question)
        if not others and question == "PRAGMA application_id":
            others.append(threading.Thread(target=lambda: SQLiteStore(path).close()))
            others[0].start()
            others[0].join(0.2)  # if it does not wait for the look to end
        return found

    monkeypatch.setattr(sqlite_file, "_one", look_as_another_makes_it)
    with contextlib.closing(SQLiteStore(path)) as store:
        assert store.count(Everything()) == 0
    others[0].join()


def test_a_writer_waits_for_another_beyond_the_timeout_of_sqlite(monkeypatch, path):
    documents = whole_run()
    with (
        contextlib.closing(SQLiteStore(path)) as store,
        contextlib.closing(sqlite3.connect(path, check_same_thread=False)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        for kind, doc in documents:
            other.execute("BEGIN IMMEDIATE")
            inserting = pool.submit(store.insert, kind, doc)
            time.sleep(0.1)  # many times what SQLite itself waits
            assert not inserting.done()
            other.execute("ROLLBACK")
            inserting.result(60)
        assert_identical(answers(store, documents), expected(documents))


def test_a_lock_that_is_never_given_back_is_named(path):
    with (
        contextlib.closing(SQLiteStore(path, limits=Limits(patience=0.05))) as store,
        contextlib.closing(sqlite3.connect(path)) as other,
    ):
        store.insert("start", start("before"))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"runs\.db has been locked by another program"):
            store.insert("start", start("run"))
        assert [run.uid for run in store.find(Everything())] == ["before"]
        other.execute("ROLLBACK")
        store.insert("start", start("run"))
        assert [run.uid for run in store.find(Everything())] == ["run", "before"]


def test_a_search_left_open_does_not_pin_the_log(path):
    """Once the writer is done, the log goes into the file, whoever still looks at a page."""
    with contextlib.closing(SQLiteStore(path)) as store:
        for number in range(300):
            store.insert("start", start(f"{number:03}", 1e9 + number))
        left_open = store.find(Everything())
        next(left_open)
        rows = batches_of(store, "event", "desc", ALL)
        with contextlib.closing(sqlite3.connect(path)) as other:
            busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0
        assert list(rows) == []
        assert len(list(left_open)) == 299
