"""The words that a list of runs shows are words of a search."""

import datetime
import re
import time
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from databroker.display.summary import CAPTIONS, list_of_runs
from databroker.errors import InvalidQuery, NothingFoundWarning
from databroker.queries import Key, Status
from databroker.testing.conformance.base import descriptor, event

NOW = time.time()


@pytest.fixture
def many(db, save):
    """Runs that differ in all that a list shows: how they ended, samples, plans, devices."""
    save("a0000000-aaaa", NOW - 9e6, "success", scan_id=1, plan_name="scan", sample={"name": "Ni"})
    save("b0000000-bbbb", NOW - 8e6, "fail", scan_id=2, plan_name="count", sample="Ni foil")
    save("c0000000-cccc", NOW - 7e6, "abort", sample_name="Cu", motors=["x", "y"], detectors=["d"])
    save("d0000000-dddd", NOW - 6e6, scan_id=3, motors=["x"], sample={"mass": 5})
    save("e0000000-eeee", NOW - 5.5, scan_id=4, detectors=["d", "e"], plan_name="rel scan")
    for n, uid in enumerate(("d0000000-dddd", "e0000000-eeee"), 1):
        db.insert("descriptor", descriptor(f"of {uid}", uid, "d") | {"name": "primary"})
        for seq_num in range(1, n + 1):
            event_of_it = event(seq_num, f"of {uid}", d=1.0)
            db.insert("event", event_of_it | {"time": NOW - 6e6})


class Cells(HTMLParser):
    """The texts in the cells of a table, row by row."""

    def __init__(self, html):
        super().__init__()
        self.rows = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def in_the_terminal(db):
    """Give the columns of ``databroker list``: their texts by caption."""
    found = list_of_runs([(header.start, header.status) for header in db()], db.zone)
    assert {caption.partition(" (")[0] for caption in found} == set(CAPTIONS)
    return found


def in_the_notebook(db):
    """Give the columns of the table that a notebook shows."""
    captions, *rows = Cells(db()._repr_html_()).rows
    return dict(zip(captions, zip(*rows, strict=True), strict=True))


def in_the_frame(db):
    """Give the columns of the table of runs, with the values as they are."""
    frame = db().to_frame()
    return {name: list(frame[name].astype(object).where(frame[name].notna(), "")) for name in frame}


def typed(caption, value):
    """Give what a person types for a value that is shown."""
    if caption == "started" and shown_with_ago(value):
        value = value.partition(" (")[0].rpartition(" ")[0]  # without the zone
    return int(value) if caption == "scan_id" else value


def shown_with_ago(value):
    """Tell whether a time is shown with its zone and how long ago it was."""
    return " ago)" in value


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("shown", [in_the_terminal, in_the_notebook, in_the_frame])
def test_every_value_in_a_list_finds_its_run_by_its_caption(db, shown):
    uids = [header.uid for header in db()]
    tried = 0
    for caption, values in shown(db).items():
        word = caption.partition(" (")[0]
        for uid, value in zip(uids, values, strict=True):
            if value not in ("", None) and value == value:
                found = [header.uid for header in db(**{word: typed(word, value)})]
                alike = [u for u, v in zip(uids, values, strict=True) if v == value]
                assert uid in found, f"{word}={value!r}"
                assert set(alike) <= set(found), f"{word}={value!r}"
                assert len(found) < len(uids), f"{word}={value!r} says nothing"
                tried += 1
    assert tried > 15


@pytest.mark.usefixtures("many")
class TestWords:
    @pytest.mark.parametrize(
        ("words", "wanted"),
        [
            ({"status": "success"}, "a"),
            ({"status": "fail"}, "b"),
            ({"status": "running"}, "e"),
            ({"status": "unknown"}, "d"),
            ({"status": "SUCCESS"}, ""),
            ({"status": {"$in": ["fail", "running"]}}, "eb"),
            ({"status": {"$ne": "running"}}, "dcba"),
            ({"status": {"$nin": ["running", "unknown"]}}, "cba"),
            ({"status": {"$regex": "^[au]"}}, "dc"),
            ({"status": re.compile("un")}, "ed"),
            ({"$or": [{"status": "abort"}, {"scan_id": 2}]}, "cb"),
            ({"exit_status": "abort"}, "c"),
            ({"exit_status": {"$exists": False}}, "ed"),
            ({"exit_status": None}, "ed"),
            ({"sample": "Ni"}, "a"),
            ({"sample": {"$regex": "^Ni"}}, "ba"),
            ({"sample": {"name": "Ni"}}, "a"),
            ({"sample": "Cu"}, "c"),
            ({"sample": None}, "e"),
            ({"plan": "count"}, "b"),
            ({"devices": "x"}, "dc"),
            ({"devices": "d, e"}, "e"),
            ({"devices": "d vs x, y"}, "c"),
            ({"num_events": 5}, "cba"),
            ({"num_events": {"$lt": 5}}, "ed"),
            ({"num_events": 2.0, "status": "running"}, "e"),
            ({"uid": "a0000000"}, "a"),
            ({"uid": "a000000"}, ""),
            ({"uid": {"$in": ["a0000000"]}}, ""),
        ],
    )
    def test_a_word_finds(self, db, words, wanted):
        assert "".join(header.uid[0] for header in db(**words)) == wanted
        assert db(words).count() == len(wanted)
        assert "".join(uid[0] for uid in db.v2.search(words)) == wanted

    @pytest.mark.parametrize("status", ["success", "fail", "abort", "running", "unknown"])
    def test_a_status_is_what_headers_say(self, db, status):
        wanted = [header.uid for header in db() if header.status == status]
        assert [header.uid for header in db(Status(status))] == wanted != []
        assert [header.uid for header in db(~Status(status))] == [
            header.uid for header in db() if header.status != status
        ]

    def test_silence_is_counted_as_the_broker_says(self, db):
        db.stale_after = 1e7
        assert db(status="unknown").count() == 0
        assert db(status="running").count() == 2
        assert db["d"].status == "running"

    def test_a_run_that_ends_is_seen_to(self, db):
        running = db(Status("running"))
        assert running.count() == 1
        db.close_run("e", force=True)
        assert running.count() == 0
        assert db(status="fail").count() == 2


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ({"started": "2015-03-05 10:01:30"}, "b"),
        ({"started": "2015-03-05 10:01"}, "cb"),
        ({"started": "2015-03-05"}, "cba"),
        ({"started": datetime.date(2015, 3, 5)}, "cba"),
        ({"started": "2015"}, "dcba"),
        ({"time": "2015-03-05T15:01:30Z"}, "b"),
        ({"time": 1425567690.25}, "b"),
        ({"time": pd.Timestamp("2015-03-05 15:01:30.25Z")}, "b"),
        ({"time": np.datetime64("2015-03-05T10:01:30.25")}, "b"),
        ({"started": {"$gt": "2015-03-05 10:01:31"}}, "dc"),
        ({"time": {"$gte": "2015-03-05", "$lt": "2015-03-06"}}, "cba"),
    ],
)
def test_when_a_run_began(db, save, words, wanted):
    for n, uid in enumerate("abcd"):
        save(uid, 1425567690.25 + [-3600, 0, 20, 86400 * 20][n])
    assert "".join(header.uid for header in db(**words)) == wanted


def test_a_time_that_cannot_be_read_says_what_can(db):
    for words in ({"started": "yesterday"}, {"time": "soon"}):
        with pytest.raises(InvalidQuery, match=r"such as '2015-03-05 10:01:30'.*since="):
            db(**words)


def test_a_run_with_a_key_of_this_name_is_judged_by_it(db, save):
    save("a", 1.0, "fail", status="accepted", num_events=3, plan="A")
    save("b", 2.0, "fail", plan_name="A")
    assert [header.uid for header in db(status="fail")] == ["b"]
    assert [header.uid for header in db(status="accepted")] == ["a"]
    assert [header.uid for header in db(num_events=5)] == ["b"]
    assert [header.uid for header in db(num_events=3)] == ["a"]
    assert [header.uid for header in db(exit_status="fail")] == ["b", "a"]
    assert [header.uid for header in db(plan="A")] == ["b", "a"]
    assert [header.uid for header in db(Status("fail"))] == ["b", "a"]


def test_an_exact_key_is_that_key_alone(db, many):
    with pytest.warns(NothingFoundWarning, match="no run has the key 'status'"):
        assert db(Key("status") == "fail").count() == 0
    assert db(Key("status", document="run") == "fail").count() == 1
    assert db(Key("sample") == "Ni").count() == 0
    assert db(Key("num_events", document="run") > 4).count() == 3


def test_odd_ends_of_runs(db, save):
    for n, odd in enumerate([None, 5, ["fail"], {"x": 1}, "fail", ""]):
        save(f"{n}", float(n), odd, **({} if n else {"n": 0}))
    db.insert("start", {"uid": "6", "time": 6.0})
    db.insert("stop", {"uid": "stop 6", "run_start": "6", "time": 7.0})
    for status in ("unknown", "fail", "", "running", "5"):
        wanted = [header.uid for header in db() if header.status == status]
        assert [header.uid for header in db(status=status)] == wanted
    assert list(db().to_frame()["status"]) == [header.status for header in db()]


def test_events_of_a_run_that_says_nothing_of_them_are_counted(db, many):
    frame = db().to_frame(["uid", "num_events"])
    assert list(frame["num_events"]) == [2, 1, 5, 5, 5]
    db.insert("stop", {"uid": "s", "run_start": "d0000000-dddd", "time": NOW})
    assert list(db().to_frame()["num_events"]) == [2, 1, 5, 5, 5]
    assert dict(db().distinct("num_events")) == {5: 3, 1: 1, 2: 1}
