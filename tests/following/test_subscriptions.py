"""Functions that are called with what comes, by a thread of their own."""

import json
import threading
import time
from types import SimpleNamespace

import pytest

from databroker import Broker
from databroker.errors import StoreAway
from databroker.runs.following import follower as followers
from databroker.runs.following.change_watch import watch_of
from helpers.run_builder import RunBuilder


@pytest.fixture
def db():
    """An empty broker in memory."""
    return Broker.from_config({"driver": "memory"})


@pytest.fixture
def told(monkeypatch):
    """What threads that failed would show."""
    errors = []
    monkeypatch.setattr(threading, "excepthook", lambda args: errors.append(args.exc_value))
    return errors


def test_documents_runs_and_tables_are_handed_over_as_they_come(db):
    runs, documents, tables = [], [], []
    with db.watch().subscribe(lambda name, run: runs.append((name, run.uid))) as watching:
        run = RunBuilder(db, time=time.time())
        run.event(run.descriptor(["det"]), det=1)
        following = db["run"].follow().subscribe(lambda kind, doc: documents.append(kind))
        table = db["run"].streams["primary"].follow(["det"]).subscribe(tables.append)
        run.stop()
        assert following.wait(60)
        assert table.wait(60)
        while len(runs) < 2:
            watching.wait(0.01)
    assert documents == ["start", "descriptor", "event", "stop"]
    assert [list(each.det) for each in tables] == [[1]]
    assert runs == [("start", "run"), ("stop", "run")]
    assert not watching.is_running


def test_an_iterator_that_another_thread_waits_in_can_be_closed(db):
    RunBuilder(db, time=time.time())
    follower, found = db["run"].follow(), []
    thread = threading.Thread(target=lambda: found.extend(follower))
    thread.start()
    while not watch_of(db.store)._waiters:
        time.sleep(0.01)
    follower.close()
    thread.join(60)
    assert not thread.is_alive()
    assert [kind for kind, _ in found] == ["start"]


def test_nothing_is_handed_over_once_it_is_stopped_and_a_cursor_goes_on(db):
    run = RunBuilder(db, time=time.time())
    det = run.descriptor(["det"])
    found = []

    def take(kind, doc):
        found.append(kind)
        if kind == "descriptor":
            following.stop()

    with run.db.store._lock:  # so that it has its name before it is called
        following = db["run"].follow().subscribe(take)
    following.wait(60)
    run.event(det, det=1)
    run.stop()
    assert found == ["start", "descriptor"]
    cursor = json.loads(json.dumps(following.cursor))
    assert db["run"].follow(cursor=cursor).subscribe(lambda kind, _: found.append(kind)).wait(60)
    assert found == ["start", "descriptor", "event", "stop"]


def test_an_error_of_the_function_is_told_and_what_it_failed_at_comes_again(db, told):
    run = RunBuilder(db, time=time.time())
    run.descriptor(["det"])
    run.stop()

    def fail(kind, doc):
        if kind == "descriptor":
            raise RuntimeError("no room left")

    following = db["run"].follow().subscribe(fail)
    with pytest.raises(RuntimeError, match="no room"):
        following.wait(60)
    following._thread.join()
    assert [str(error) for error in told] == ["no room left"]
    with pytest.raises(RuntimeError, match="no room"), following:
        pass
    again = db["run"].follow(cursor=following.cursor)
    assert [kind for kind, _ in again] == ["descriptor", "stop"]


def test_what_fails_after_it_was_stopped_is_nobodys_affair(db, told, monkeypatch):
    waiting, closed = threading.Event(), threading.Event()

    def uids_since(mark):
        waiting.set()
        closed.wait(60)
        raise ValueError("is closed")

    watch = db.watch()
    monkeypatch.setattr(db.store, "uids_since", uids_since)
    following = watch.subscribe(print)
    waiting.wait(60)
    following.stop()
    closed.set()
    assert following.wait(60)
    assert told == []


def away(*_):
    raise StoreAway("it is away")


def test_a_store_that_is_away_for_a_while_is_waited_for(db, monkeypatch):
    monkeypatch.setattr(followers, "_AGAIN", 0.01)
    run = RunBuilder(db, time=time.time())
    det = run.descriptor(["det"])
    run.event(det, det=1)
    follower = db["run"].follow()
    assert [next(follower)[0] for _ in range(2)] == ["start", "descriptor"]
    for method in ("extents", "outlines", "state", "wait_for_changes"):
        with monkeypatch.context() as patch:
            patch.setattr(db.store, method, away)
            sleep = lambda _, patch=patch: patch.undo()  # noqa: E731
            clock = SimpleNamespace(monotonic=time.monotonic, sleep=sleep)
            patch.setattr(followers, "time", clock)
            assert next(follower)[0] == "event"
        run.event(det, det=2)
    run.stop()
    assert [kind for kind, _ in follower] == ["event", "stop"]


def test_who_takes_long_with_what_came_gives_up_no_sooner(db, monkeypatch):
    run = RunBuilder(db, time=time.time())
    det = run.descriptor(["det"])
    run.event(det, det=1)
    now = 0.0
    with monkeypatch.context() as patch:
        clock = SimpleNamespace(monotonic=lambda: now, sleep=lambda _: patch.undo())
        patch.setattr(followers, "time", clock)
        follower = run.header.follow()
        assert [next(follower)[0] for _ in range(3)] == ["start", "descriptor", "event"]
        now += 2 * followers.AWAY
        run.stop()
        patch.setattr(db.store, "wait_for_changes", away)
        assert next(follower)[0] == "stop"


def test_one_that_stays_away_is_told(db, monkeypatch):
    monkeypatch.setattr(followers, "_AGAIN", 0.01)
    monkeypatch.setattr(followers, "AWAY", 0.05)
    run = RunBuilder(db, time=time.time())
    follower = run.header.follow()
    assert next(follower)[0] == "start"
    monkeypatch.setattr(db.store, "outlines", away)
    run.descriptor(["det"])
    with pytest.raises(StoreAway):
        next(follower)
