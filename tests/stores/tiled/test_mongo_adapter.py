"""Runs that the adapter of databroker 2 serves from MongoDB come out as they were written.

There is no such server here, as databroker 2 cannot be installed beside this one: what answers are
recordings of its answers. The script `tests/side_by_side/mongo_adapter.py` asks the real one the
same, and makes the recordings. What was not asked then has no answer, which is an error.
"""

import gzip
import json
from pathlib import Path

import pytest

from databroker import Broker
from databroker.errors import StoreUnavailable
from databroker.query import nodes as n
from databroker.stores.tiled import served
from databroker.stores.tiled.adapter_filters import adapter_filters_of
from helpers.tiled_replay import replaying
from helpers.tiled_trials import LOSSES, TRIALS, answer

RECORDED = Path(__file__).with_name("mongo_adapter.json.gz")


REASONS = {
    "NaN in metadata": "its answers are JSON, which has no NaN",
    "where the data of external fields are": "they are arrays of the server (`STREAM:`)",
    "resources and datum documents": "the server has the files and their handlers",
    "flags of external fields": "they are arrays of the server (`filled`)",
    "uids of the last events of a run that goes on": "it holds them back, and has their columns",
}


@pytest.fixture(scope="module")
def recorded():
    return json.loads(gzip.decompress(RECORDED.read_bytes()))


@pytest.fixture
def opened(recorded, monkeypatch):
    """A broker of the recorded server, and the paths that it was asked."""
    monkeypatch.delenv("TILED_API_KEY", raising=False)
    with (
        replaying(recorded["answers"]) as (uri, asked),
        Broker.from_config({"driver": "tiled", "uri": uri}) as db,
    ):
        yield db, asked


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.__name__)
def test_answers_are_those_of_a_memory_store(opened, recorded, trial):
    db, _ = opened
    assert answer(trial, db) == recorded["expected"][trial.__name__]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name, marks=pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError)
        )
        for name, reason in REASONS.items()
    ],
)
def test_what_it_does_not_give(opened, recorded, name):
    db, _ = opened
    trial = LOSSES[name]
    assert answer(trial, db) == recorded["expected"][trial.__name__]


def test_a_run_is_asked_for_once(opened):
    db, asked = opened
    header = next(iter(db(plan_name="scan")))
    for _ in range(2):
        for stream in header.streams.values():
            stream.table()
    assert sum("/documents/" in path for path in asked) == 1


def test_a_run_that_goes_on_is_asked_for_again_once_it_has_more(recorded, monkeypatch):
    monkeypatch.delenv("TILED_API_KEY", raising=False)
    monkeypatch.setattr(served, "_FRESH", 0.0)
    answers = dict(recorded["answers"])
    with (
        replaying(answers) as (uri, asked),
        Broker.from_config({"driver": "tiled", "uri": uri}) as db,
    ):
        header = next(iter(db()))
        assert not header.stop
        for _ in range(3):
            assert len(header.table()) == 2
        before, whole = len(asked), len([path for path in asked if "/documents/" in path])
        for _ in range(3):
            assert len(header.table()) == 2
        assert len(asked) > before
        assert len([path for path in asked if "/documents/" in path]) == whole == 2
        _have_ended(answers, header.uid)
        assert len(header.table()) == 2
        assert len([path for path in asked if "/documents/" in path]) == 3


def _have_ended(answers, uid):
    """Let a run that goes on have a stop document."""
    (path,) = (path for path in answers if path.endswith(f"/metadata/{uid}"))
    entry = json.loads(answers[path]["body"])
    entry["data"]["attributes"]["metadata"]["stop"] = {"uid": "stop", "run_start": uid, "time": 2e9}
    answers[path] = answers[path] | {"body": json.dumps(entry)}


def test_waiting_for_a_run_that_goes_on_fetches_no_events(opened):
    db, asked = opened
    asked.clear()
    state = db.store.state()
    assert db.store.state() == state is not None
    assert not [path for path in asked if "/documents/" in path or "/array/" in path]


def test_few_events_are_kept(opened, monkeypatch):
    db, asked = opened
    monkeypatch.setattr(served, "_MOST_EVENTS", 1)
    scan, other = (
        next(run for run in db() if run.start.get("plan_name") == name) for name in ("scan", "odd")
    )
    for header in (scan, other, scan):
        header.table()
    assert sum("/documents/" in path for path in asked) == 3


def test_documents_that_break_off_are_an_error(recorded, monkeypatch):
    """As where the server lacks a datum: it has said by then that all is well."""
    monkeypatch.delenv("TILED_API_KEY", raising=False)
    answers = {
        path: each | {"length": len(each["body"].encode()) + 1} if "/documents/" in path else each
        for path, each in recorded["answers"].items()
    }
    with (
        replaying(answers) as (uri, _),
        Broker.from_config({"driver": "tiled", "uri": uri}) as db,
        pytest.raises(StoreUnavailable, match="broke off while it gave the documents") as caught,
    ):
        next(iter(db(plan_name="scan"))).table()
    assert type(caught.value) is StoreUnavailable  # not one that may pass


@pytest.mark.parametrize(
    "query",
    [
        n.Equals(n.Path("exit_status", "stop"), "fail"),  # asked of start documents alone
        n.Exists(n.Path("sample")),
        n.FullText(("good",)),  # MongoDB takes words for others
        n.Equals(n.Path("list.0"), 1),  # the number may be a key or a place
        n.Equals(n.Path("plan_name"), "Zürich"),
        n.Equals(n.Path("count"), 2**60),
        n.Equals(n.Path("sample"), None),
        n.UidPrefix(".*"),
    ],
    ids=repr,
)
def test_what_is_not_pushed(query):
    filters = adapter_filters_of(query)
    assert filters.params == ()
    assert not filters.exact
