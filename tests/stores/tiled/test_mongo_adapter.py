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
from helpers.tiled_trials import TRIALS, answer

RECORDED = Path(__file__).with_name("mongo_adapter.json.gz")


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


def test_a_run_is_asked_for_once(opened):
    db, asked = opened
    header = next(iter(db(plan_name="scan")))
    for _ in range(2):
        for stream in header.streams.values():
            stream.table()
    assert sum("/documents/" in path for path in asked) == 1


def test_a_run_that_goes_on_is_asked_for_again(opened, monkeypatch):
    db, asked = opened
    monkeypatch.setattr(served, "_FRESH", 0.0)
    header = next(iter(db()))
    assert not header.stop
    for _ in range(2):
        assert len(header.table()) == 2
    assert sum("/documents/" in path for path in asked) > 1


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
