"""The Mongo store, against a server that is asked over a socket, and what goes wrong there."""

import contextlib
import logging
import os
import pickle
import threading
import traceback
from contextlib import closing
from dataclasses import replace

import numpy as np
import pymongo
import pytest
from bson import ObjectId

from databroker import Broker
from databroker._drivers.mongo_normalized import BlueskyMongoCatalog
from databroker.cli import main
from databroker.columns import ALL, Selection
from databroker.documents.encode import same
from databroker.errors import (
    ConflictingDocument,
    InvalidConfiguration,
    InvalidDocument,
    NotSupported,
    SlowSearchWarning,
    StoreAway,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query.nodes import Compare, Equals, Everything, FullText, Path
from databroker.stores.base import Capabilities
from databroker.stores.mongo.embedded import MongoEmbeddedStore
from databroker.stores.mongo.ids import Ids
from databroker.stores.mongo.normalized import MongoNormalizedStore
from databroker.stores.mongo.searching import Search
from databroker.testing import answers, expected, read_rows
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

WORD = "correct-horse"


@pytest.fixture
def address(new_database):
    return new_database()


@pytest.fixture
def store(address):
    with closing(mongo.store_class()(address)) as store:
        yield store


@pytest.fixture
def raw(address):
    """The database, past the store."""
    with pymongo.MongoClient(address) as client:
        yield client.get_default_database()


def assert_holds(store, documents):
    assert same(answers(store, documents), expected(documents))


def test_what_it_can_do(store):
    assert store.capabilities == Capabilities(True, True, "json", True, False)


def test_a_broker_is_made_by_its_configuration(address):
    config = {"driver": "mongo-normalized", "uri": address, "spill_after": 60}
    with Broker.from_config(config) as db:
        insert_all(db.store, whole_run())
        assert db[-1].start["uid"] == "run"
        assert [run.start["uid"] for run in db(shape=3)] == ["run"]


def test_the_documents_in_the_database_are_those_of_databroker_1(store, raw):
    insert_all(store, whole_run())
    assert set(raw.list_collection_names()) == {
        *("run_start", "run_stop", "event_descriptor", "event", "resource", "datum"),
        *("stream_resource", "stream_datum"),
    }
    found = raw.event.find_one({"uid": "run-desc-1"})
    assert isinstance(found.pop("_id"), ObjectId)
    assert found == event(1, "run-desc")
    assert raw.datum.count_documents({}) == 4


def test_a_catalog_is_made_by_its_class_of_old(address):
    with closing(BlueskyMongoCatalog(address, address).v1) as db:
        insert_all(db.store, whole_run())
        assert list(db.v2) == ["run"]


def test_two_databases_hold_metadata_and_assets(new_database):
    metadata, assets = new_database(), new_database()
    open_store = mongo.store_class()
    with closing(open_store(metadatastore_db=metadata, asset_registry_db=assets)) as store:
        insert_all(store, whole_run())
        with closing(pickle.loads(pickle.dumps(store))) as again:
            assert_holds(again, whole_run())
    with pymongo.MongoClient(metadata) as client:
        names = [client.get_database(uri.rpartition("/")[2]) for uri in (metadata, assets)]
        assert "resource" not in names[0].list_collection_names()
        assert "run_start" not in names[1].list_collection_names()


def test_arrays_are_lists_in_the_database_and_odd_values_come_out_as_they_went_in(store, raw):
    odd = {
        "image": np.arange(6.0).reshape(2, 3),
        "large": 2**70,
        "when": np.array(["2020-01-01"], "M8[s]"),
        "text": "\ud800 a\x00b",
        "": {"$in": 1, "a.b": 2, "_id": 3},
    }
    document = start(**odd) | {"_id": 5, "$set": 6}
    store.insert("start", document)
    assert_holds(store, [("start", document)])
    found = raw.run_start.find_one()
    assert found["image"] == [[0, 1, 2], [3, 4, 5]]
    assert found[""] == {"$in": 1, "a.b": 2, "_id": 3}


def test_what_a_search_of_the_server_would_miss_is_found(store):
    keys = {"a.b": 5, "inner": {"c.d": 7}}
    insert_all(store, [("start", start("dotted", **keys)), ("start", start("large", n=2**70))])
    insert_all(store, [("start", start("plain", a={"b": 5}, n=6))])
    for query, uids in [
        (Equals(Path("a.b"), 5), {"dotted", "plain"}),
        (Equals(Path("inner.c.d"), 7), {"dotted"}),
        (Compare(Path("n"), "gt", 5), {"large", "plain"}),
        (Compare(Path("n"), "gt", 6), {"large"}),
    ]:
        assert {run.uid for run in store.find(query)} == uids
        assert store.count(query) == len(uids)


def test_runs_are_found_by_their_stops_without_a_look_at_the_others(store, monkeypatch):
    ends = {"a": {}, "b": {"exit_status": "fail"}, "c": {"n": 2**70}, "d": {"exit_status": "fail"}}
    insert_all(store, [("start", start(uid)) for uid in [*ends, "open"]])
    insert_all(store, [("stop", stop(uid) | more) for uid, more in ends.items()])
    failed, long = Equals(Path("exit_status", "stop"), "fail"), Compare(Path("n", "stop"), "gt", 5)
    looked_at = []
    records = Search._records
    note = lambda self, starts: looked_at.append(len(starts)) or records(self, starts)  # noqa: E731
    monkeypatch.setattr(Search, "_records", note)
    for most, seen in (1000, 3), (2, 5):
        monkeypatch.setattr("databroker.stores.mongo.searching._MANY_STOPS", most)
        for query, uids in (failed, ["d", "b"]), (long, ["c"]), (failed | long, ["d", "c", "b"]):
            looked_at.clear()
            assert [run.uid for run in store.find(query)] == uids
            assert sum(looked_at) <= seen


def test_that_a_search_is_slow_is_said_once(store, monkeypatch):
    monkeypatch.setattr("databroker.stores.mongo.searching._SLOW", 100)
    store.insert_many([("start", start(f"{n}", 1e9 + n, sample="Ni")) for n in range(200)])
    assert store.count(Equals(Path("sample"), "Cu")) == 0  # which the server looks up
    assert len(list(store.find(Everything()))) == 200
    with pytest.warns(SlowSearchWarning, match=r"FullText\('ni'\).*more than 100 runs"):
        assert store.count(FullText(("ni",))) == 200
    assert store.count(FullText(("cu",))) == 0


def test_a_time_by_which_runs_cannot_be_sorted_is_refused(store):
    with pytest.raises(InvalidDocument, match="'time' is 1180591620717411303425"):
        store.insert("start", start(time=2**70 + 1))
    assert list(store.find(Everything())) == []


def test_what_is_larger_than_the_server_takes_is_refused_and_nothing_of_it_is_kept(store):
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    with pytest.raises(InvalidDocument, match="16 MB"):
        store.insert("event", event(1, x="x" * 49_000_000))
    store.insert("event", event(1))
    assert len(read_rows(store, "event", "desc")) == 1


def test_ids_are_in_the_order_of_their_making_in_all_processes():
    one, other = Ids(), Ids()
    made = [each.next() for each in (one, other) * 500]
    assert made == sorted(made)
    assert len(set(made)) == 1000


# -- old data ----------------------------------------------------------------


def test_old_documents_are_read(store, raw):
    raw.run_start.insert_one({"uid": "old", "time": 1.4e9, "scan_id": 5, "owner": "ann"})
    raw.event_descriptor.insert_one(
        {"uid": "d", "run_start": "old", "time": 1.4e9, "data_keys": {"x": {"dtype": "number"}}}
    )
    row = {"descriptor": "d", "time": 1.4e9, "data": {"x": 5}, "timestamps": {"x": 1.4e9}}
    raw.event.insert_many([row | {"uid": f"e{n}", "seq_num": float(n)} for n in (1, 2)])
    rows = read_rows(store, "event", "d")
    assert [(one["seq_num"], type(one["seq_num"])) for one in rows] == [(1, int), (2, int)]
    assert not any("filled" in one for one in rows)
    (extent,) = store.extents("event", "d")
    assert (extent.rows, extent.min_seq, extent.max_seq) == (2, 1, 2)
    with closing(Broker(pickle.loads(pickle.dumps(store)))) as db:
        assert list(db["old"].table()["x"]) == [5, 5]
    store.insert("event", row | {"uid": "e1", "seq_num": 1, "filled": {"x": True}})
    assert len(read_rows(store, "event", "d")) == 2


def test_an_old_resource_is_found_by_the_id_that_the_server_gave_it(store, raw):
    document = {"spec": "S", "resource_path": "/a", "resource_kwargs": {}}
    made = raw.resource.insert_one(dict(document)).inserted_id
    raw.datum.insert_one({"datum_id": "one", "resource": str(made), "datum_kwargs": {}})
    assert store.resource(str(made)) == document | {"uid": str(made)}
    assert store.datum("one")["resource"] == str(made)
    raw.datum.insert_one({"datum_id": "two", "resource": made, "datum_kwargs": {}})
    rows = read_rows(store, "datum", str(made))
    assert [(row["datum_id"], row["resource"]) for row in rows] == [
        ("one", str(made)),
        ("two", str(made)),
    ]
    assert store.resource(str(ObjectId())) is None


def test_documents_of_other_programs_may_hold_what_ours_may_not(store, raw):
    import datetime

    when = datetime.datetime(2020, 1, 2)
    raw.run_start.insert_one({"uid": "a", "time": 1.5e9, "when": when, "who": ObjectId(b"x" * 12)})
    record = store.record("a")
    assert record.start["when"] == "2020-01-02T00:00:00"
    assert record.start["who"] == "78" * 12


# -- writing at once -----------------------------------------------------------


def test_without_indexes_what_is_there_is_known_all_the_same(store):
    insert_all(store, whole_run())
    insert_all(store, whole_run())
    assert_holds(store, whole_run())


def test_with_indexes_what_another_one_stores_meanwhile_is_kept_once(store, raw, monkeypatch):
    store.create_indexes()
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    known = store._writer._known

    def known_before_another_one_stores(singles):
        monkeypatch.undo()
        found = known(singles)
        raw.event.insert_one(event(1))
        return found

    monkeypatch.setattr(store._writer, "_known", known_before_another_one_stores)
    store.insert("event_page", event_page(range(4)))
    store.insert("event", event(1))
    with pytest.raises(ConflictingDocument):
        store.insert("event", event(1, x="another"))
    assert sorted(row["seq_num"] for row in read_rows(store, "event", "desc")) == [0, 1, 2, 3]


def test_indexes_are_made_when_they_are_asked_for_and_again_at_no_harm(store, raw):
    insert_all(store, whole_run())
    assert list(raw.run_start.index_information()) == ["_id_"]
    names = store.create_indexes()
    assert store.create_indexes() == names
    assert len(raw.event.index_information()) > 1
    assert_holds(store, whole_run())


def test_indexes_are_made_in_the_terminal(address, empty_home, raw, capsys):
    folder = empty_home / ".config" / "databroker"
    folder.mkdir(parents=True)
    text = f"driver: mongo-normalized\nuri: {address}\nspill_after: 60\n"
    (folder / "lab.yml").write_text(text)
    (folder / "other.yml").write_text("driver: memory\n")
    with pytest.raises(SystemExit) as ended:
        main(["indexes", "lab"])
    assert not ended.value.code
    assert "event.uid_1_descriptor_1" in capsys.readouterr().out.split()
    assert len(raw.run_start.index_information()) > 1
    with pytest.raises(SystemExit):
        main(["indexes", "other"])
    assert "memory of this process has no indexes" in capsys.readouterr().err


def test_documents_that_are_there_twice_keep_only_their_unique_index_from_being_made(store, raw):
    raw.run_start.insert_many([start("a"), start("a")])
    with pytest.raises(StoreUnavailable, match="cannot do what was asked of it"):
        store.create_indexes()
    assert len(raw.event.index_information()) > 1


def test_resources_that_databroker_1_stored_twice_are_one(store, raw):
    insert_all(store, whole_run())
    raw.resource.insert_one(resource("run-res", run_start="run"))
    store.create_indexes()
    raw.resource.insert_one(resource("run-res", run_start="run"))
    insert_all(store, whole_run())
    assert_holds(store, whole_run())


def test_how_large_it_is_is_known(store):
    insert_all(store, whole_run())
    assert store.size() > 1000


# -- what goes wrong -----------------------------------------------------------


def shown(error):
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://ann:{WORD}@127.0.0.1:1/runs",
        f"mongodb://ann:{WORD}@no-such-host.invalid/runs",
    ],
)
def test_a_server_that_is_not_there_is_told_soon_and_without_the_password(uri, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreAway, match=r"mongodb://ann@.* cannot be reached") as caught:
        MongoNormalizedStore(f"{uri}?serverSelectionTimeoutMS=200")
    assert WORD not in shown(caught.value) + caplog.text


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://ann:{WORD}@host",
        f"mongodb://ann:{WORD}@host/",
        f"mongo://ann:{WORD}@host/runs",
        f"mongodb://ann:@{WORD}@host/runs",
        f"mongodb://ann:a/{WORD}@host/runs",
        f"mongodb://ann:{WORD}@host:port/runs",
        "",
    ],
)
@pytest.mark.parametrize("make", [MongoNormalizedStore, MongoEmbeddedStore])
@pytest.mark.filterwarnings("ignore::UserWarning:pymongo")
def test_what_is_no_address_is_told_without_the_password(make, uri):
    with pytest.raises(InvalidConfiguration, match="mongodb://host") as caught:
        make(uri)
    assert WORD not in shown(caught.value)


def test_nothing_shows_or_keeps_the_password(new_database, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(MongoNormalizedStore, "reach", lambda self: None)
    uri = f"mongodb://ann:{WORD}@host/runs?tlsCertificateKeyFilePassword={WORD}&authSource=x"
    with closing(MongoNormalizedStore(uri)) as store:
        db = Broker(store)
        pickled = pickle.dumps(store)
        texts = [str(store), repr(store), repr(db), repr(store.databases.metadata.address)]
        assert not any(WORD in text for text in [*texts, caplog.text])
        assert WORD.encode() not in pickled
    with pytest.raises(InvalidConfiguration, match="DATABROKER_MONGO_PASSWORD"):
        pickle.loads(pickled)
    monkeypatch.setenv("DATABROKER_MONGO_PASSWORD", WORD)
    with closing(pickle.loads(pickled)) as again:
        assert again.databases.metadata.address.public.endswith("/runs?authSource=x")


def test_no_thread_stays_once_it_is_closed(address):
    before = set(threading.enumerate())
    with closing(mongo.store_class()(address)) as store:
        insert_all(store, whole_run())
        threads = set(threading.enumerate()) - before
    assert threads
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_reading_only_it_is_not_written_to(store, address):
    insert_all(store, whole_run())
    with closing(mongo.store_class()(address, read_only=True)) as reader:
        assert not reader.capabilities.writable
        assert_holds(reader, whole_run())
        with pytest.raises(StoreIsReadOnly):
            reader.insert("start", start("another"))


@pytest.fixture
def mortal(tmp_path):
    """A server that may be killed."""
    if mongo.VARIABLE in os.environ:
        pytest.skip("the server of somebody else is not killed")
    with mongo.nx(tmp_path) as server:
        yield server


def record_once_it_is_back(store, uid):
    """Return a run, as soon as the server was seen to be there."""
    for _ in range(100):
        with contextlib.suppress(StoreAway):
            return store.record(uid)
    raise AssertionError("it is not seen")


QUICK = "serverSelectionTimeoutMS=500"


def test_a_server_that_is_killed_is_told_soon_and_all_goes_on_when_it_is_back(mortal):
    with closing(mongo.NxStore(f"{mortal.address}/runs?{QUICK}")) as store:
        store.create_indexes()
        insert_all(store, whole_run("a"))
        runs = [("start", start(f"{n}", 1e9 + n)) for n in range(120)]
        store.insert_many([*runs, ("descriptor", descriptor("d", "0"))])
        store.insert_many(("event", event(n, "d")) for n in range(9000))
        (extent,) = store.extents("event", "d")
        batches, found = store.read("event", extent, ALL), store.find(Everything())
        next(batches), next(found)
        mortal.kill()
        for ask in (
            lambda: list(batches),
            lambda: list(found),
            lambda: store.record("a"),
            lambda: store.insert("start", start("late")),
            lambda: store.insert("event_page", event_page(range(9000, 9009), "d")),
            lambda: store.count(Everything()),
        ):
            with pytest.raises(StoreAway, match="cannot be reached"):
                ask()
        mortal.start()
        assert record_once_it_is_back(store, "late") is None
        assert_holds_run = answers(store, whole_run("a"))
        assert assert_holds_run["rows"] == expected(whole_run("a"))["rows"]
        assert len(read_rows(store, "event", "d")) == 9000
        store.insert("start", start("late"))
        store.insert("event_page", event_page(range(9000, 9009), "d"))
        assert len(read_rows(store, "event", "d", selection=Selection())) == 9009


def test_documents_wait_while_the_server_is_away(mortal, tmp_path):
    config = {"driver": "mongo-normalized", "uri": f"{mortal.address}/runs?{QUICK}"}
    config |= {"spill": str(tmp_path / "spill"), "spill_after": 30}
    with Broker.from_config(config) as db:
        insert_all(db.store, whole_run("a"))
        mortal.kill()
        with pytest.warns(UserWarning, match="wait"):
            insert_all(db.store, whole_run("b"))
        mortal.start()
        while db.store.waiting():
            pass
        assert db["b"].stop["exit_status"] == "success"


# -- the other layout ----------------------------------------------------------


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


def test_the_embedded_layout_is_not_written_to(embedded):
    for kind, document in whole_run("new"):
        with pytest.raises(NotSupported, match="only read"):
            embedded.insert(kind, document)


def test_a_broker_reads_the_embedded_layout(embedded):
    with closing(Broker(pickle.loads(pickle.dumps(embedded)))) as db:
        assert list(db["run"].table()["x"]) == [n / 2 for n in range(1, 6)]
        assert db["run"].start["plan_name"] == "scan"


# -- what the stand-ins cannot show ------------------------------------------------


@pytest.mark.xfail(
    mongo.VARIABLE not in os.environ,
    reason="nx-27017 takes no number that is not finite",
    raises=StoreUnavailable,
    strict=True,
)
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_kept_as_they_are(address, raw, number):
    with closing(MongoNormalizedStore(address)) as store:
        store.insert("start", start(value=number))
        assert str(raw.run_start.find_one()["value"]) == str(number)
