"""Runs of a broker, as they begin and end."""

import json
import threading
from itertools import islice

import pytest

from databroker import Broker
from databroker.errors import InvalidKey
from databroker.queries import Key, PlanName
from databroker.query.nodes import Exists, Path
from databroker.stores.federation import FederatedStore
from databroker.stores.narrowed import NarrowedStore
from helpers.run_builder import RunBuilder


def told(watch):
    return [(name, run.uid) for name, run in watch]


def test_runs_that_begin_and_end_are_told_once(db, writer):
    RunBuilder(writer, "over").stop()
    open_one = RunBuilder(writer, "open")
    watch = db.watch()

    def write():
        open_one.stop()
        for n in range(10):
            run = RunBuilder(writer, f"run {n}", time=2000.0 + n)
            run.event(run.descriptor(["det"]), det=n)
            run.stop()

    thread = threading.Thread(target=write)
    thread.start()
    found = told(islice(watch, 21))
    thread.join()
    assert found[0] == ("stop", "open")
    assert sorted(found[1:]) == sorted(
        (n, f"run {i}") for i in range(10) for n in ("start", "stop")
    )
    for n in range(10):
        assert found.index(("start", f"run {n}")) < found.index(("stop", f"run {n}"))
    assert told(db.watch(cursor=watch.cursor, timeout=0)) == []


def test_one_goes_on_from_a_cursor_wherever_it_broke_off(db, writer):
    cursor = json.loads(json.dumps(db.watch().cursor))  # of an empty store
    found = []
    for n in range(4):
        RunBuilder(writer, f"run {n}", time=1000.0 + n).stop()
        watch = db.watch(cursor=cursor)
        for name, run in islice(watch, 1 + n % 2):
            found.append((name, run.uid))
            cursor = json.loads(json.dumps(watch.cursor))
    found += told(db.watch(cursor=cursor, timeout=0))
    assert sorted(found) == sorted((n, f"run {i}") for i in range(4) for n in ("start", "stop"))


def test_a_narrowed_broker_sees_its_own_runs(db, writer):
    scans = db.narrowed(PlanName("scan"))
    watch, whole = scans.watch(timeout=0), db.watch(timeout=0)
    RunBuilder(writer, "a", plan_name="count").stop()
    RunBuilder(writer, "b").stop()
    assert told(watch) == [("start", "b"), ("stop", "b")]
    assert {uid for _, uid in told(whole)} == {"a", "b"}


def test_a_run_that_is_found_only_once_it_ended_is_told_then(db, writer):
    succeeded = Key("stop.exit_status") == "success"
    watch = db.narrowed(succeeded).watch(timeout=0)
    run = RunBuilder(writer, "a")
    assert told(watch) == []
    again = db.narrowed(succeeded).watch(cursor=watch.cursor, timeout=0)
    run.stop()
    assert told(again) == [("start", "a"), ("stop", "a")]


def test_one_that_goes_as_another_begins_does_not_hide_it():
    with Broker.from_config({"driver": "memory"}) as db:
        going_on = NarrowedStore(db.store, ~Exists(Path("uid", "stop")))
        first = RunBuilder(db, "a", time=1.0)
        watch = Broker(going_on).watch(timeout=0)
        first.stop()
        RunBuilder(db, "b", time=2.0)
        assert told(watch) == [("start", "b")]


def test_filters_hold(db, writer):
    db.add_filter(plan_name="scan")
    watch = db.watch(timeout=0)
    RunBuilder(writer, "a", plan_name="count")
    RunBuilder(writer, "b")
    assert told(watch) == [("start", "b")]


def test_a_cursor_need_not_name_all_that_go_on(db, writer):
    runs = [RunBuilder(writer, name) for name in ("a", "b")]
    cursor = db.watch().cursor
    third = RunBuilder(writer, "c")
    watch = db.watch(cursor=cursor | {"open": {}, "others": True}, timeout=0)
    for run in (*runs, third):
        run.stop()
    found = told(watch)
    assert sorted(found) == [("start", "c"), *(("stop", name) for name in "abc")]


def test_what_is_no_cursor_is_said(db):
    for cursor in ("here", {}, 3):
        with pytest.raises(InvalidKey, match="is no cursor"):
            db.watch(cursor=cursor)


def test_a_cursor_of_another_store_is_said(tmp_path):
    one, other = (
        Broker.from_config({"driver": "sqlite", "path": str(tmp_path / name)}) for name in "ab"
    )
    with one, other:
        RunBuilder(one, "a")
        RunBuilder(other, "b")
        with pytest.raises(InvalidKey, match="is not of"):
            list(other.watch(cursor=one.watch().cursor, timeout=0))


def test_a_cursor_of_another_kind_of_store_is_said(tmp_path):
    members = [{"name": name, "driver": "memory"} for name in "ab"]
    configs = [
        {"driver": "memory"},
        {"driver": "sqlite", "path": str(tmp_path / "runs.db")},
        {"driver": "federation", "members": members, "write_to": "a"},
    ]
    brokers = [Broker.from_config(config) for config in configs]
    for n, db in enumerate(brokers):
        RunBuilder(db, f"run {n}")
    for db in brokers:
        for other in brokers:
            cursor = json.loads(json.dumps(other.watch().cursor))
            cursor["mark"] = cursor["mark"] if other is not db else "another"
            with pytest.raises(InvalidKey, match="is not of"):
                list(db.watch(cursor=cursor | {"known": ["b"]}, timeout=0))
    for db in brokers:
        db.close()


def test_no_cursor_of_another_kind_of_store_is_taken_for_its_own(db, writer):
    RunBuilder(writer, "a")
    cursor = db.watch().cursor
    marks = [[3, "a"], {"first": [1, "a"]}, "signed", 7]
    marks += [["a", "b"]] if cursor["mark"] != ["a"] else []  # which is one of the same kind
    for mark in marks:
        with pytest.raises(InvalidKey, match="is not of"):
            list(db.watch(cursor=cursor | {"mark": mark, "known": []}, timeout=0))


def test_copies_of_runs_that_are_there_and_what_was_away_are_told_as_they_are(tmp_path):
    first, second = (
        Broker.from_config({"driver": "sqlite", "path": str(tmp_path / name)}) for name in "ab"
    )
    members = {"first": first.store, "second": second.store}
    with Broker(FederatedStore(members)) as db:
        RunBuilder(first, "a", time=1.0)
        watch = db.watch(timeout=0)
        RunBuilder(second, "a", time=1.0)  # as if it was copied
        RunBuilder(first, "b", time=2.0)
        RunBuilder(second, "b", time=2.0)
        RunBuilder(second, "c", time=3.0)
        assert told(watch) == [("start", "b"), ("start", "c")]
        cursor = json.loads(json.dumps(watch.cursor))
        assert cursor["known"] == []
        RunBuilder(first, "d", time=4.0)
        assert told(db.watch(cursor=cursor, timeout=0)) == [("start", "d")]


def test_no_cursor_grows_with_the_runs(db, writer):
    for n in range(40):
        RunBuilder(writer, f"run {n}", time=float(n)).stop()
    cursor = db.watch().cursor
    if db.store.uids_since(None)[1] is not None:
        assert len(json.dumps(cursor)) < 3000


def test_a_clock_that_is_behind_hides_no_run(request, monkeypatch):
    from helpers import mongo

    with Broker(mongo.store_class()(request.getfixturevalue("new_database")())) as db:
        for n in range(60):
            RunBuilder(db, f"run {n}", time=float(n)).stop()
        watch, ids = db.watch(timeout=0), db.store._writer._ids
        for n in range(20):
            late = ids.next()
            for other in ("x", "y"):
                RunBuilder(db, f"{other} {n}", time=float(n)).stop()
            with monkeypatch.context() as patch:
                patch.setattr(ids, "next", lambda late=late: late)
                db.insert("start", {"uid": f"late {n}", "time": float(n)})
            assert len(told(watch)) == 5
            watch = db.watch(cursor=watch.cursor, timeout=0)
        assert told(watch) == []
