"""Several processes and threads with one file: nothing lost, nothing twice, nobody refused."""

import contextlib
import pickle
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
from databroker.testing import answers, assert_identical, expected, read_rows
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    start,
    stop,
    whole_run,
)


@pytest.fixture
def store(path):
    with contextlib.closing(SQLiteStore(path)) as store:
        yield store


WRITE_RUNS = """
go()
store = SQLiteStore(path)
for number in range(25):
    insert_all(store, whole_run(f"{sys.argv[2]}{number}"))
store.close()
"""


def test_two_processes_write_different_runs_while_readers_read(processes, store, path):
    writers = processes.begin([(WRITE_RUNS, path, "a"), (WRITE_RUNS, path, "b")])
    done = threading.Event()

    def read():
        seen = []
        while not done.is_set():
            runs = list(store.find(Everything()))
            uids = [run.uid for run in runs]
            assert [uid for uid in uids if uid in seen] == seen
            seen = uids
            for run in runs[:3]:
                list(store.documents(run.uid))
                rows = read_rows(store, "event", f"{run.uid}-desc")
                assert [row["seq_num"] for row in rows] == [1, 2, 3][: len(rows)]

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            processes.wait(writers)
        finally:
            done.set()
        for reader in readers:
            reader.result()
    arrived = [run.uid for run in store.find(Everything())][::-1]
    runs = [pair for uid in arrived for pair in whole_run(uid)]
    assert set(arrived) == {f"{name}{n}" for name in "ab" for n in range(25)}
    assert_identical(answers(store, runs), expected(runs))


def test_a_descriptor_that_arrives_during_a_look_is_no_damage(store, path):
    store.insert("start", start())
    with contextlib.closing(SQLiteStore(path)) as writer:

        def arrives(statement):
            if "FROM documents" in statement and not list(writer.documents("run")):
                writer.insert("descriptor", descriptor())

        store._connections.get().driver.set_trace_callback(arrives)
        assert store.extents("event", "desc") == []
        assert list(writer.documents("run")) == [("descriptor", descriptor())]


SAME_RUN = """
store = SQLiteStore(path)
documents = pickle.load(open(sys.argv[2], "rb"))
go()
insert_all(store, documents)
store.close()
"""


def test_one_run_delivered_by_two_processes_at_once_is_kept_once(processes, store, path, tmp_path):
    documents = [*whole_run("a"), ("start", start("b")), ("descriptor", descriptor("d", "b"))]
    documents += [("event", event(number, "d")) for number in range(200)]
    documents += [("event_page", event_page(range(n, n + 20), "d")) for n in range(200, 400, 20)]
    documents += [("stop", stop("b")), *whole_run("c")]
    listing = tmp_path / "documents"
    listing.write_bytes(pickle.dumps(documents))
    processes.run([(SAME_RUN, path, listing)] * 2)
    rows = read_rows(store, "event", "d")
    assert sorted(row["seq_num"] for row in rows) == list(range(400))
    found, wanted = answers(store, documents), expected(documents)
    for each in (found, wanted):  # either process may have been first with an event
        each["rows"] = {
            name: sorted(rows, key=lambda row: str(row.get("uid", row.get("datum_id"))))
            for name, rows in each["rows"].items()
        }
    assert_identical(found, wanted)


SAME_STREAM = """
store = SQLiteStore(path)
first = int(sys.argv[2])
go()
for number in range(first, first + 1500):
    store.insert("event", event(number))
    if number % 100 == 99:
        store.insert("event_page", event_page(range(10000 + number, 10005 + number)))
store.close()
"""


def test_two_processes_write_one_stream(processes, store, path):
    store.insert("start", start())
    store.insert("descriptor", descriptor())
    processes.run([(SAME_STREAM, path, 0), (SAME_STREAM, path, 1500)])
    rows = read_rows(store, "event", "desc")
    numbers = [row["seq_num"] for row in rows]
    assert len(set(numbers)) == len(numbers) == 3150
    for first in (0, 1500):
        assert [n for n in numbers if first <= n < first + 1500] == list(range(first, first + 1500))


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


LOOK = """
store = SQLiteStore(path)
print("ready", flush=True)
for line in sys.stdin:
    run = store.record("run")
    rows = read_rows(store, "event", "desc")
    documents = list(store.documents("run"))
    print(run and run.stop and run.stop["uid"], len(documents), len(rows), flush=True)
"""


def test_another_process_sees_a_run_in_progress_at_its_next_look(processes, store, path):
    (reader,) = processes.begin([(LOOK, path)])
    assert reader.ask("?") == "None 0 0"
    store.insert("start", start())
    assert reader.ask("?") == "None 0 0"
    store.insert("descriptor", descriptor())
    assert reader.ask("?") == "None 1 0"
    for number in range(1, 6):
        store.insert("event", event(number))
        assert reader.ask("?") == f"None 1 {number}"
    store.insert("event_page", event_page(range(6, 16)))
    assert reader.ask("?") == "None 1 15"
    for number in range(16, 2201):
        store.insert("event", event(number))
    assert reader.ask("?") == "None 1 2200"
    store.insert("stop", stop())
    assert reader.ask("?") == "run-stop 1 2200"


SEARCH = """
store = SQLiteStore(path)
runs = store.find(Everything())
first = next(runs).uid
go()
print(1 + sum(1 for run in runs), first, flush=True)
"""


def test_a_search_begun_before_others_write_is_bounded_by_what_existed(processes, store, path):
    for number in range(400):
        store.insert("start", start(f"{number:03}", 1e9 + number))
    (reader,) = processes.begin([(SEARCH, path)])
    for number in range(400, 430):
        store.insert("start", start(f"{number:03}", 1e9 + number))
        store.insert("start", start(f"old {number:03}", 1e9 - number))
    assert reader.wait() == "400 399\n"


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


def test_a_lock_that_is_never_given_back_is_named(monkeypatch, path):
    monkeypatch.setattr("databroker.stores.sql.engine.connection.PATIENCE", 0.05)
    with (
        contextlib.closing(SQLiteStore(path)) as store,
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
