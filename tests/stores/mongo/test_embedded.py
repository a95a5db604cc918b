"""The layout of MongoDB of which databroker 1.x keeps a run in one document; it is read."""

import os
import pickle
from contextlib import closing
from dataclasses import replace

import pymongo
import pytest

from databroker import Broker
from databroker.columns import ALL, Selection
from databroker.errors import ForeignStore, NotSupported, StoreUnavailable
from databroker.query.nodes import Equals, Everything, FullText, Path
from databroker.stores.mongo.database import Database
from databroker.stores.mongo.embedded import MongoEmbeddedStore
from databroker.testing import read_rows
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    event_page,
    insert_all,
    resource,
    start,
    stop,
    whole_run,
)
from helpers import mongo


@pytest.fixture
def embedded(new_database):
    """A store of the embedded layout with two runs, one of which has no stop."""
    uri = new_database()
    page = {**event_page(range(1, 4)), "size": 100, "first_index": 0, "last_index": 2}
    more = {**event_page(range(4, 6)), "size": 100, "first_index": 3, "last_index": 4}
    datums = {"resource": "res", "datum_id": ["res/0", "res/1"], "datum_kwargs": {"n": [0, 1]}}
    run = {"run_id": "run", "start": [start(plan_name="scan")], "stop": [stop()]}
    run |= {"descriptors": [descriptor()], "resources": [resource(run_start="run")]}
    other = {"run_id": "other", "start": [start("other", 1.6e9)], "stop": [None]}
    with pymongo.MongoClient(uri) as client:
        database = client.get_default_database()
        database.header.insert_many([run | {"event_count": 5}, other | {"descriptors": []}])
        database.event.insert_many([page, more])
        database.datum.insert_one({**datums, "size": 50})
    kind = MongoEmbeddedStore if mongo.VARIABLE in os.environ else mongo.NxEmbeddedStore
    with closing(kind(uri)) as store:
        yield store


def test_a_database_in_the_other_layout_is_refused_and_its_driver_named(embedded, new_database):
    with pytest.raises(ForeignStore, match="Open it with the driver 'mongo-embedded'"):
        mongo.store_class()(embedded._database.address.uri)
    uri = new_database()
    with closing(mongo.store_class()(uri)) as store:  # where nothing is, nothing is wrong
        type(embedded)(uri).close()
        insert_all(store, whole_run())
    with pytest.raises(ForeignStore, match="Open it with the driver 'mongo-normalized'"):
        type(embedded)(uri)


def test_runs_of_the_embedded_layout_are_read(embedded):
    assert [run.uid for run in embedded.find(Everything())] == ["other", "run"]
    first = next(embedded.find(Everything()))
    assert first.stop is None
    assert [run.uid for run in embedded.find(Everything(), after=first.cursor)] == ["run"]
    assert [run.uid for run in embedded.find(Equals(Path("plan_name"), "scan"))] == ["run"]
    assert [run.uid for run in embedded.find(FullText(("scan",)))] == ["run"]
    assert embedded.record("run").start == start(plan_name="scan")
    assert embedded.record("run").stop == stop()
    assert embedded.record("ru") is None
    assert [kind for kind, _ in embedded.documents("run")] == ["descriptor", "resource"]
    assert read_rows(embedded, "event", "desc") == [event(n) for n in range(1, 6)]
    assert read_rows(embedded, "event", "desc", 2, 4) == [event(3), event(4)]
    assert [row["seq_num"] for row in read_rows(embedded, "event", "desc", selection=Selection())]
    assert read_rows(embedded, "datum", "res") == [datum(0), datum(1)]
    assert embedded.datum("res/1") == datum(1)
    assert embedded.datum("res/2") is None
    assert embedded.resource("res") == resource(run_start="run")
    assert [embedded.run_of(*owner) for owner in (("event", "desc"), ("datum", "res"))] == [
        "run"
    ] * 2
    assert [embedded.run_of(kind, "res") for kind in ("event", "stream_datum")] == [None, None]
    assert embedded.resource("other") is None


def test_rows_that_were_removed_are_no_short_table(store, raw, embedded):
    insert_all(store, whole_run())
    (extent,) = store.extents("event", "run-desc")
    raw.event.delete_one({"seq_num": 2})
    with pytest.raises(StoreUnavailable, match=r"'run-desc' are gone"):
        list(store.read("event", extent, ALL))

    (page, _) = embedded.extents("event", "desc")
    for removed in (replace(page, token=["desc", "0" * 24]), replace(page, rows=page.rows + 1)):
        with pytest.raises(StoreUnavailable, match=r"'desc' are gone"):
            list(embedded.read("event", removed, ALL))


def test_of_a_page_only_what_is_wanted_is_sent(embedded, monkeypatch):
    sent, find = [], Database.find

    def noted(self, *question, **how):
        for document in find(self, *question, **how):
            sent.append(repr(document))
            yield document

    monkeypatch.setattr(Database, "find", noted)
    (page, _) = embedded.extents("event", "desc")
    for selection, names in ((Selection(frozenset({"x"})), {"x"}), (Selection(), set())):
        sent.clear()
        (batch,) = embedded.read("event", page, selection)
        assert {"seq_num", "time", *(f"data/{name}" for name in names)} == {*batch.schema.names}
        assert not any("timestamps" in each or "filled" in each for each in sent)
        assert any("'x'" in each or "data.x" in each for each in sent) == bool(names)


def test_the_embedded_layout_is_not_written_to(embedded):
    for kind, document in whole_run("new"):
        with pytest.raises(NotSupported, match=r"only read.*`databroker\.copy`"):
            embedded.insert(kind, document)


def test_a_broker_reads_the_embedded_layout(embedded):
    with closing(Broker(pickle.loads(pickle.dumps(embedded)))) as db:
        assert list(db["run"].table()["x"]) == [n / 2 for n in range(1, 6)]
        assert db["run"].start["plan_name"] == "scan"
