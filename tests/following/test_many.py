"""Many followers of one store in one process: one of them waits and reads for all."""

import contextlib
import gc
import os
import threading
import time
import weakref
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from databroker import Broker
from databroker.columns import ALL
from databroker.runs.following import change_watch
from databroker.runs.following.change_watch import watch_of
from databroker.runs.following.reads import Reads
from databroker.runs.following.shared_answers import SharedAnswers
from databroker.stores.rows import Extent
from databroker.testing.interrupting import interrupted_after
from helpers.run_builder import RunBuilder

MANY = 30


@pytest.fixture
def asked(db, monkeypatch):
    """Count what the store is asked."""
    counted = Counter()

    def counting(name):
        method = getattr(db.store, name)

        def count(*args, **kwargs):
            counted[name] += 1
            return method(*args, **kwargs)

        return count

    for name in ("state", "outlines", "documents", "extents", "read", "select", "uids_since"):
        monkeypatch.setattr(db.store, name, counting(name))
    return counted


def until(is_so):
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def until_they_wait(store, followers):
    until(lambda: len(watch_of(store)._waiters._locks) == followers)


def test_what_comes_to_a_run_is_read_once(db, run, asked):
    det = run.descriptor(["det"])
    run.event(det, det=1)
    found = [[] for _ in range(MANY)]
    tables = [[] for _ in range(MANY)]
    primary = db["run"].streams["primary"]
    followers = [
        db["run"].follow().subscribe(lambda kind, doc, to=to: to.append((kind, doc)))
        for to in found
    ] + [primary.follow(["det"]).subscribe(to.append) for to in tables]
    until(lambda: all(len(each) == 3 for each in found) and all(tables))
    until_they_wait(db["run"].session.store, 2 * MANY)
    asked.clear()
    run.event(det, det=2)
    until(lambda: all(len(each) == 4 for each in found) and all(len(t) == 2 for t in tables))
    assert [name for name, count in asked.items() if count > MANY / 3] == []
    run.stop()
    for each in followers:
        each.wait(60)
    documents = {id(doc) for each in found for _, doc in each}
    assert len(documents) == 5 * MANY  # each may change its own
    assert [list(table.det) for table in tables[0]] == [[1], [2]]


def test_large_rows_are_not_all_in_memory_at_once(monkeypatch):
    with Broker.from_config({"driver": "memory"}) as db:
        extents = [Extent(1, n, n, n) for n in range(8)]
        batches = [pa.record_batch({"seq_num": np.full(20_000, n)}) for n in range(8)]
        taken = []

        def read(kind, extent, *_):
            taken.append(extent)
            return [batches[extent.token]]

        monkeypatch.setattr(db.store, "extents", lambda *_: extents)
        monkeypatch.setattr(db.store, "read", read)
        for answers in (None, SharedAnswers()):
            taken.clear()
            found = iter(Reads(db.store, answers).rows("event", "d", ALL, 0, 8))
            first = next(found)
            assert len(taken) == 2
            assert [first, *found] == batches


def test_runs_that_begin_are_asked_for_once(db, writer, asked):
    found = [[] for _ in range(MANY)]
    watches = [db.watch().subscribe(lambda name, _, to=to: to.append(name)) for to in found]
    until_they_wait(db.store, MANY)
    asked.clear()
    run = RunBuilder(writer, time=time.time())
    until(lambda: all(each == ["start"] for each in found))
    run.stop()
    until(lambda: all(each == ["start", "stop"] for each in found))
    for each in watches:
        each.stop()
    assert asked["uids_since"] + asked["select"] < MANY


def test_one_thread_waits_and_ends_when_nobody_follows(monkeypatch):
    monkeypatch.setattr(change_watch, "_PATIENCE", 0.1)
    db = Broker.from_config({"driver": "memory"})
    run, gone = RunBuilder(db, time=time.time()), weakref.ref(db.store)
    before = threading.enumerate()
    followers = [run.header.follow().subscribe(lambda *_: None) for _ in range(MANY)]
    until_they_wait(gone(), MANY)
    (thread,) = (
        t for t in threading.enumerate() if t not in before and t.name == "databroker-watch"
    )
    for each in followers:
        each.stop()
        assert each.wait(60)
    del db, run, followers, each
    until(lambda: gc.collect() is not None and gone() is None)
    thread.join(60)
    assert not thread.is_alive()


def test_an_interrupt_at_any_moment_leaves_others_going():
    """That of the main thread: others are in the midst of the same."""
    db = Broker.from_config({"driver": "memory"})
    run = RunBuilder(db, time=time.time())
    det, seen = run.descriptor(["det"]), []
    with run.header.follow().subscribe(lambda kind, doc: seen.append(kind)) as other:
        for calls in range(0, 3000, 31):
            with (
                contextlib.suppress(KeyboardInterrupt),
                interrupted_after(calls, KeyboardInterrupt) as struck,
            ):
                list(run.header.follow(cursor=other.cursor, timeout=0.01))
            before = len(seen)
            run.event(det, det=calls)
            until(lambda before=before: len(seen) > before)
            if not struck:
                break
        else:
            pytest.fail("there are more moments")
        run.stop()
        assert other.wait(60)


def test_a_child_of_a_fork_follows_by_itself(tmp_path):
    with Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "runs.db")}) as db:
        run = RunBuilder(db, time=time.time())
        det = run.descriptor(["det"])
        following = run.header.follow().subscribe(lambda *_: None)
        mine = run.header.follow()
        assert [next(mine)[0] for _ in range(2)] == ["start", "descriptor"]
        until(lambda: watch_of(db.store)._waiters)
        child = os.fork()
        if not child:
            threading.Timer(0.2, lambda: run.event(det, det=1)).start()
            os._exit(0 if next(mine)[0] == "event" else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert next(mine)[0] == "event"
        following.stop()


@pytest.mark.parametrize("db", ["memory", "sqlite", "http"], indirect=True)
def test_all_have_everything_once_whenever_they_begin(db, writer, run):
    det = run.descriptor(["det"])
    found, tables, followers = [], [], []

    def follow():
        found.append([])
        tables.append([])
        table = db["run"].streams["primary"].follow(["det"])
        followers.append(db["run"].follow().subscribe(lambda *pair, to=found[-1]: to.append(pair)))
        followers.append(table.subscribe(tables[-1].append))

    for n in range(1, 61):
        if n % 10 == 1:
            follow()
        run.event(det, det=n)
        if n % 20 == 0:
            run.page(det, [1000 + n], det=[1000 + n])
            det = run.descriptor(["det"], time=1000.0 + n)
    run.stop()
    for each in followers:
        assert each.wait(60)
    whole = sorted(doc["uid"] for _, doc in db["run"].documents())
    assert [sorted(doc["uid"] for _, doc in each) for each in found] == [whole] * len(found)
    rows = sorted([*range(1, 61), 1020, 1040, 1060])
    assert [sorted(v for table in each for v in table.det) for each in tables] == [rows] * 6


@pytest.mark.parametrize("db", ["memory", "sqlite", "http"], indirect=True)
def test_one_that_begins_has_what_was_just_stored(db, run):
    """Though another one may not have been told of it yet."""
    det = run.descriptor(["det"])
    with db["run"].follow().subscribe(lambda *_: None):
        cursor = db["run"].follow().cursor
        for n in range(1, 30):
            run.event(det, det=n)
            follower = db["run"].follow(cursor=cursor, timeout=0)
            assert [doc["data"] for kind, doc in follower if kind == "event"] == [{"det": n}]
            cursor = follower.cursor


@pytest.mark.parametrize("db", ["memory"], indirect=True)
def test_no_look_is_told_what_is_older_than_the_one_before(run):
    """By others that began earlier, and ask what this one asked in another order."""
    store, answers, before = run.db.store, SharedAnswers(), time.monotonic()
    Reads(store, answers, before).outline("run")
    run.descriptor(["det"])
    look = Reads(store, answers, time.monotonic())
    look.status("run")
    found = look.outline("run")
    assert found.rows
    assert look.later(answers, before).outline("run") == found
