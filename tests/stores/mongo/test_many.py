"""Many runs of a Mongo store, read with a handful of questions: as if each were read by itself."""

import pymongo
import pytest
from bson import ObjectId

from databroker.columns import ALL, Selection, to_rows
from databroker.documents.encode import same
from databroker.stores.base import Store
from databroker.stores.mongo.database import Database
from databroker.stores.mongo.rows import Rows
from databroker.stores.rows import batches_of
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    insert_all,
    resource,
    start,
    stop,
    whole_run,
)


@pytest.fixture
def asked(monkeypatch):
    """The collections that were asked for something."""
    asked = []

    def noting(name):
        ask = getattr(Database, name)

        def note(self, collection, *given, **how):
            asked.append(collection)
            return ask(self, collection, *given, **how)

        monkeypatch.setattr(Database, name, note)

    for name in ("find", "aggregate"):
        noting(name)
    return asked


def small_runs(count):
    for number in range(count):
        uid, owner = f"run {number}", f"desc {number}"
        yield from [("start", start(uid, 1e9 + number)), ("descriptor", descriptor(owner, uid))]
        yield from [("event", event(n, owner)) for n in range(1 + number % 3)]
        yield "stop", stop(uid)


def contents(store, run):
    """What a run consists of, with its rows."""
    rows = {}
    for kind, uid in run.extents:
        if run.batches is None:
            batches = list(batches_of(store, kind, uid, ALL))
        else:
            batches = run.batches[kind, uid]
        rows[f"{kind} {uid}"] = [row for batch in batches for row in to_rows(kind, uid, batch)]
    return [run.start, run.stop, run.linked, list(run.extents), rows]


def assert_as_one_by_one(store, uids):
    """Fail unless runs, and what they consist of, are as when each is asked for by itself."""
    several, single = list(store.read_runs(uids)), list(Store.read_runs(store, uids))
    found = [contents(store, run) for run in several]
    assert same(found, [contents(store, run) for run in single])
    assert [run.extents for run in several] == [run.extents for run in single]
    assert store.outlines(uids) == {run.uid: run.outline for run in single}
    return several


def test_some_hundred_runs_are_few_questions(store, asked):
    store.insert_many(small_runs(30))
    uids = [f"run {number}" for number in range(30)]
    for ask, most in [
        (lambda: list(store.read_runs(uids)), 7),
        (lambda: store.outlines(uids), 6),
        (lambda: list(store.read_many(uids, "primary", ALL)), 3),
        (lambda: list(store.read_many(uids, "primary", None)), 1),
    ]:
        asked.clear()
        ask()
        assert len(asked) == most, asked
    runs = assert_as_one_by_one(store, uids[::-1])
    assert all(run.batches is not None for run in runs)


def test_what_is_not_wanted_of_descriptors_is_not_asked_for(store):
    configured = descriptor("desc", "run", "x") | {"configuration": {"det": {"data": {"y": 1}}}}
    insert_all(store, [("start", start()), ("descriptor", configured), ("event", event(1))])
    for names, apart in [({"x"}, []), ({"y"}, ["run"]), ((), [])]:
        (page,) = store.read_many(["run"], "primary", Selection(frozenset(names)))
        assert page.apart == apart


@pytest.mark.parametrize("most", [-1, 100])
def test_rows_of_many_bytes_are_read_by_themselves(store, monkeypatch, most):
    monkeypatch.setattr("databroker.stores.mongo.stored_runs._MOST_BYTES", most)
    monkeypatch.setattr("databroker.stores.mongo.many_runs._MOST_BYTES", most)
    store.insert_many(small_runs(9))
    uids = [f"run {number}" for number in range(9)]
    runs = assert_as_one_by_one(store, [*uids, "nobody"])
    assert any(run.batches is None for run in runs)
    (page,) = store.read_many(uids, "primary", ALL)
    assert page.apart
    assert {*page.apart, *(run for alike in page.alike for run in alike.runs)} == {*uids}


def test_runs_of_many_rows_are_read_by_themselves(store):
    store.insert_many(small_runs(2))
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    store.insert_many(("event", event(number)) for number in range(1001))
    few, many = assert_as_one_by_one(store, ["run 1", "run"])
    assert few.batches is not None
    assert many.batches is None
    (page,) = store.read_many(["run", "run 1"], "primary", ALL)
    assert page.apart == ["run"]


def test_rows_that_come_meanwhile_are_not_there_yet(store):
    rows = Rows(store.databases)
    insert_all(store, whole_run("a"))
    extents = rows.extents("event", ["a-desc", "a-paged", "none"])
    assert list(extents) == ["a-desc", "a-paged"]
    insert_all(store, [("event", event(number, "a-desc")) for number in range(20, 23)])
    found = rows.of_several("event", extents, ALL, 2**20)
    assert {owner: len(some) for owner, some in found.items()} == {"a-desc": 3, "a-paged": 4}
    with pymongo.MongoClient(store.databases.metadata.address.uri) as client:
        client.get_default_database().event.delete_one({"descriptor": "a-desc", "seq_num": 1})
    assert list(rows.of_several("event", extents, ALL, 2**20)) == ["a-paged"]


def test_documents_of_old_times_are_read_with_those_of_others(store, address):
    """Resources that are there twice; datums that refer to the server's id of theirs."""
    old = ObjectId()
    store.insert_many(small_runs(2))
    with pymongo.MongoClient(address) as client:
        database = client.get_default_database()
        one = resource(str(old), run_start="run 1")
        database.resource.insert_many([dict(one), dict(one)])
        database.datum.insert_many(
            [datum(0) | {"resource": old}, datum(1) | {"resource": str(old)}]
        )
    _, run = assert_as_one_by_one(store, ["run 0", "run 1"])
    assert [kind for kind, _ in run.linked] == ["descriptor", "resource"]
    (batch,) = run.batches["datum", str(old)]
    assert [row["datum_id"] for row in to_rows("datum", str(old), batch)] == [
        datum(0)["datum_id"],
        datum(1)["datum_id"],
    ]


def test_what_is_new_shows_in_one_question(store, monkeypatch):
    insert_all(store, whole_run())
    before = store.state()
    monkeypatch.setattr(Database, "find", None)
    monkeypatch.setattr(Database, "aggregate", None)
    assert store.state() == before
