"""Handles in several threads and in other processes."""

import gc
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import databroker
from databroker import Broker
from helpers import runs
from helpers.runs import save


@pytest.fixture
def shared():
    db = databroker.temp()
    save(db, runs.plain())
    return db


def dets(header):
    return header.table()["det"].tolist()


DETS = [1 / n for n in range(1, 6)]

HANDLES = {
    "header": (lambda db: db[-1], "handle.table()['det'].tolist()"),
    "broker": (lambda db: db, "handle['plain-run'].table()['det'].tolist()"),
    "results": (
        lambda db: db(plan_name="scan"),
        "[header.table()['det'].tolist() for header in handle][0]",
    ),
    "run of a catalog": (
        lambda db: db.v2[-1],
        "[doc['data']['det'] for kind, doc in handle.documents(fill='no')"
        " if kind == 'event_page' and 'det' in doc['data']][0]",
    ),
    "stream": (lambda db: db[-1].streams["primary"], "list(handle.data('det'))"),
}


@pytest.mark.parametrize("handle", HANDLES)
def test_a_handle_works_in_another_process(shared, handle):
    make, code = HANDLES[handle]
    program = f"import pickle, sys; handle = pickle.load(sys.stdin.buffer); print({code})"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(make(shared)),
        capture_output=True,
        check=False,
    )
    assert done.stdout.decode().strip() == repr(DETS), done.stderr.decode()
    assert dets(shared[-1]) == DETS


def test_a_handle_works_on_both_sides_of_a_fork(shared):
    header = shared[-1]
    assert dets(header) == DETS
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert [*pool.map(dets, [header] * 4)] == [DETS] * 4
    assert dets(header) == DETS


def test_a_broker_takes_with_it_what_was_set():
    db = Broker.from_config(
        {"driver": "sqlite", "path": databroker.temp().store.path, "timezone": "Asia/Tokyo"},
        name="lab",
    )
    db.add_filter(plan_name="scan")
    db.alias("scans", plan_name="scan")
    db.reg.root_map["/old"] = "/new"
    db.prepare_hook = databroker.wrap_in_doct
    again = pickle.loads(pickle.dumps(db))
    assert (again.name, again.zone, again.filters) == ("lab", db.zone, db.filters)
    assert again.aliases == db.aliases
    assert again.reg.root_map == {"/old": "/new"}
    assert again.prepare_hook is databroker.wrap_in_doct
    assert again.get_config() == db.get_config()
    again.close()
    db.close()


def test_what_lives_in_memory_says_that_it_cannot_leave():
    db = Broker.from_config({"driver": "memory"})
    header = save(db, runs.plain())
    for handle in (db, header, db()):
        with pytest.raises(TypeError, match="memory store"):
            pickle.dumps(handle)


def test_a_handle_works_in_several_threads(shared):
    header, results = shared[-1], shared()
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(dets, [header] * 40)] == [DETS] * 40
        assert [*pool.map(lambda found: dets(next(iter(found))), [results] * 40)] == [DETS] * 40


def test_the_end_of_a_forked_process_leaves_the_files(shared):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if _ends_like_a_program(shared) else 1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert shared.store.path.exists()
    assert dets(shared[-1]) == DETS


def _ends_like_a_program(db):
    from weakref import finalize

    finalize._exitfunc()  # what a process that ends by itself runs
    return db.store.path.exists()


def test_files_of_a_temporary_broker_go_with_what_reads_them():
    db = databroker.temp()
    path = db.store.path
    stream = save(db, runs.plain()).streams["primary"]
    del db
    assert list(stream.data("det")) == DETS
    del stream
    gc.collect()
    assert not path.parent.exists()
