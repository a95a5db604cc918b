"""One run, followed while somebody writes it."""

import json
import math
import os
import pickle
import signal
import subprocess
import sys
import threading
from itertools import islice

import pytest

from databroker import Broker
from databroker.errors import InvalidKey, NoSuchField, NoSuchRun
from databroker.runs.following import follower as followers
from helpers.run_builder import number

KEYS = {"det": number(), "motor": number()}


@pytest.fixture
def writing(run):
    """Have a run written by another thread: events, pages and datums of two streams."""

    def write():
        det = run.descriptor(KEYS)
        base = run.descriptor(["temperature"], name="baseline", time=1001.0)
        run.db.insert("resource", RESOURCE)
        for n in range(1, 41):
            run.db.insert("datum", {"resource": "r", "datum_id": f"r/{n}", "datum_kwargs": {}})
            run.event(det, det=n, motor=n)
            if n % 10 == 0:
                run.event(base, temperature=n)
        changed = run.descriptor(KEYS, time=1002.0)  # as after a change of configuration
        run.page(changed, range(41, 81), det=[*range(41, 81)], motor=[*range(41, 81)])
        run.event(det, seq_num=81, det=81, motor=81)
        run.stop()

    thread = threading.Thread(target=write)
    thread.start()
    yield run
    thread.join()


RESOURCE = {"uid": "r", "run_start": "run", "spec": "npy", "root": "/", "resource_path": "a.npy"}
RESOURCE |= {"resource_kwargs": {}}


def identity(pair):
    kind, doc = pair
    return kind, doc.get("datum_id") or doc["uid"]


def ordered(documents):
    """Whatever order streams come in."""
    return sorted(map(identity, documents))


def test_each_document_comes_once_and_after_what_it_refers_to(db, writing):
    seen, datums = set(), 0
    found = []
    for kind, doc in db["run"].follow():
        found.append((kind, doc))
        if kind == "event":
            assert doc["descriptor"] in seen
            if "det" in doc["data"] and doc["seq_num"] <= 40:
                assert datums >= doc["seq_num"]
        datums += kind == "datum"
        seen.add(doc.get("uid"))
    assert found[0][0] == "start"
    assert found[-1][0] == "stop"
    assert ordered(found) == ordered(db["run"].documents())
    for owner in {doc["uid"] for kind, doc in found if kind == "descriptor"}:
        numbers = [doc["seq_num"] for _, doc in found if doc.get("descriptor") == owner]
        assert numbers == sorted(numbers)


def test_tables_have_each_row_once(db, writing):
    run = db["run"]
    while "primary" not in run.streams:
        pass
    rows = [
        (seq_num, row.det)
        for table in run.streams["primary"].follow(["det"])
        for seq_num, row in zip(table.index, table.itertuples(), strict=True)
    ]
    assert sorted(rows) == [(n, n) for n in range(1, 82)]
    assert list(run.streams["primary"].follow(["det"], timeout=0).__next__()) == ["time", "det"]


def test_one_that_breaks_off_anywhere_goes_on_from_its_cursor(db, writing):
    cursor, found = None, []
    while not found or found[-1][0] != "stop":
        with db["run"].follow(cursor=cursor) as follower:
            for pair in islice(follower, 7):
                found.append(pair)
                cursor = json.loads(json.dumps(follower.cursor))
    assert ordered(found) == ordered(db["run"].documents())
    assert list(db["run"].follow(cursor=cursor)) == []


def test_another_process_goes_on_from_a_cursor(db, run):
    if not db.store.capabilities.shared:
        pytest.skip("no other process sees what is in it")
    det = run.descriptor(["det"])
    run.page(det, [1, 2, 3], det=[1, 2, 3])
    follower = db["run"].follow(timeout=0)
    before = [next(follower) for _ in range(4)]
    assert [kind for kind, _ in before] == ["start", "descriptor", "event", "event"]
    program = (
        "import pickle, sys; db, cursor = pickle.load(sys.stdin.buffer)\n"
        "print([(k, d.get('seq_num')) for k, d in db['run'].follow(cursor=cursor)])"
    )
    run.page(det, [4], det=[4])
    run.stop()
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((db, follower.cursor)),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.decode().strip() == "[('event', 3), ('event', 4), ('stop', None)]", (
        done.stderr.decode()
    )


def test_a_run_that_does_not_end_is_left_after_a_while(db, run):
    run.event(run.descriptor(["det"]), det=1)
    with db["run"].follow(timeout=0.05) as follower:
        assert [kind for kind, _ in follower] == ["start", "descriptor", "event"]
        run.stop()
    assert [kind for kind, _ in db["run"].follow(cursor=follower.cursor)] == ["stop"]


def test_a_run_whose_writer_is_gone_has_ended(db, run, monkeypatch):
    run.event(run.descriptor(["det"]), det=1)
    db.stale_after = 0.0
    assert [kind for kind, _ in db["run"].follow()] == ["start", "descriptor", "event"]


def test_an_interrupt_ends_it_and_loses_nothing(db, run):
    det = run.descriptor(["det"])
    run.event(det, det=1)
    follower = db["run"].follow()
    for _ in range(3):
        next(follower)

    main = threading.main_thread().ident
    interrupt = threading.Timer(0.1, signal.pthread_kill, [main, signal.SIGINT])
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        next(follower)
    interrupt.join()
    assert next(follower, None) is None
    run.event(det, det=2)
    again = db["run"].follow(cursor=follower.cursor, timeout=0)
    assert [doc["seq_num"] for _, doc in again] == [2]


def test_one_stream_and_some_fields_are_followed_before_they_are_there(db, run):
    follower = db["run"].follow("primary", ["d.*", "plan_name"])
    assert next(follower)[0] == "start"
    base = run.descriptor(["temperature"], name="baseline")
    run.event(base, temperature=1)
    det = run.descriptor(KEYS)
    run.event(det, det=1, motor=5)
    run.stop()
    assert [(kind, doc.get("data")) for kind, doc in follower] == [
        ("descriptor", None),
        ("event", {"det": 1, "plan_name": "scan"}),
        ("stop", None),
    ]


def test_what_cannot_be_followed_is_said(db, run):
    run.event(run.descriptor(["det"]), det=1)
    header = db["run"]
    with pytest.raises(NoSuchField, match="'dte'"):
        list(header.follow("primary", ["dte"], timeout=0))
    with pytest.raises(NoSuchField, match="'dte'"):
        list(header.streams["primary"].follow(["dte"], timeout=0))
    begun = {"run": "run", "started": True, "ended": False}
    odd = ([["event", "d", -1]], [["event", "d", math.inf]], [["event", [], 1]], [3])
    for cursor in ("here", {}, {"run": 5}, 3, *({**begun, "rows": rows} for rows in odd)):
        with pytest.raises(InvalidKey, match="is no cursor"):
            header.follow(cursor=cursor)
    place = {**header.follow().cursor, "run": "other"}
    with pytest.raises(InvalidKey, match="of run 'other'"):
        header.streams["primary"].follow(cursor=place)
    lost = Broker.from_config({"driver": "memory"})
    lost.insert("start", {"uid": "run", "time": 1.0})
    gone = lost["run"]
    lost.store._documents["start"].clear()
    with pytest.raises(NoSuchRun, match="any more"):
        next(gone.follow())


def test_tables_of_many_rows_are_small(db, run, monkeypatch):
    monkeypatch.setattr("databroker.runs.following.tables._MOST_ROWS", 4)
    det, other = run.descriptor(["det"]), run.descriptor(["det"], time=1001.0)
    run.page(det, range(1, 11), det=[*range(1, 11)])
    run.page(other, range(11, 14), det=[11, 12, 13])
    tables = list(run.header.streams["primary"].follow(timeout=0))
    assert [list(table.det) for table in tables] == [
        [1, 2, 3, 4, 11, 12, 13],
        [5, 6, 7, 8],
        [9, 10],
    ]


def test_documents_are_handed_out_as_others_are(db, run, monkeypatch):
    run.stop()
    db.prepare_hook = lambda kind, doc: {**doc, "kind": kind}
    assert [doc["kind"] for _, doc in db["run"].follow()] == ["start", "stop"]


def test_it_looks_now_and_then_though_nothing_is_stored(db, run, monkeypatch):
    monkeypatch.setattr(followers, "PATIENCE", 0.01)
    follower = db["run"].follow()
    assert next(follower)[0] == "start"
    db.stale_after = 0.0
    assert list(follower) == []


def test_those_that_are_broken_off_leave_nothing_open(db, run):
    det = run.descriptor(["det"])
    run.page(det, range(1, 101), det=[*range(1, 101)])

    def break_off():
        with db["run"].follow() as follower:
            list(islice(follower, 50))
        list(db["run"].follow(timeout=0.03))
        next(db["run"].streams["primary"].follow())

    break_off()
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    rounds = 5
    for _ in range(rounds):
        break_off()
    # The one that waits for all of them may have begun meanwhile.
    assert len(os.listdir("/proc/self/fd")) < files + rounds
    assert threading.active_count() < threads + rounds
