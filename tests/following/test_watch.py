"""Runs of a broker, as they begin and end."""

import json
import threading
from itertools import islice

import pytest

from databroker import Broker
from databroker.errors import InvalidKey
from databroker.queries import Key, PlanName
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


def test_filters_hold(db, writer):
    db.add_filter(plan_name="scan")
    watch = db.watch(timeout=0)
    RunBuilder(writer, "a", plan_name="count")
    RunBuilder(writer, "b")
    assert told(watch) == [("start", "b")]


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
