"""Runs that Tiled's writer wrote come out as they were given to it, but for what it loses."""

import pickle
from contextlib import closing

import numpy as np
import pytest

from databroker import Broker
from databroker.columns import ALL, Selection
from databroker.documents.kinds import ROWS
from databroker.errors import ExternalDataMissing, StoreIsReadOnly
from databroker.query.nodes import Everything
from databroker.stores.arrays import MIMETYPE
from databroker.stores.memory import MemoryStore
from databroker.stores.tiled import TiledStore
from databroker.testing import difference, read_rows
from helpers.tiled_server import KEY

CUT = ("nan", "large")  # of metadata, the writer keeps neither NaN nor more than 53 bits
RUNS = ["scan", "image", "files", "monitored", "failed", "odd", "reconfigured", "running"]


def _events(store, uid, ours=False):
    """The events of each stream, without what the writer does not keep."""
    found = {}
    for _, descriptor in store.documents(uid, ["descriptor"]):
        external = {k for k, v in descriptor["data_keys"].items() if v.get("external")}
        for row in read_rows(store, "event", descriptor["uid"]):
            kept = {k: v for k, v in row.items() if k not in ("uid", "filled")}
            for part in ("data", "timestamps"):
                values = {k: v for k, v in row[part].items() if k not in external}
                kept[part] = {k: _comparable(values[k]) for k in sorted(values)}
            name = descriptor["name"]
            found.setdefault(name, []).append({k: kept[k] for k in sorted(kept)})
    return found


def _comparable(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    return "NaN" if value != value else value


@pytest.mark.parametrize("name", RUNS)
def test_start_and_stop(db, written, name):
    uid = written.uids[name]
    found, wanted = (each.record(uid) for each in (db.store, written.memory))
    assert found.start == wanted.start
    assert found.stop == wanted.stop


@pytest.mark.parametrize("name", RUNS)
def test_events(db, written, name):
    uid = written.uids[name]
    found, wanted = _events(db.store, uid), _events(written.memory, uid)
    assert found == wanted
    assert sum(map(len, wanted.values())) > 0


@pytest.mark.parametrize("name", RUNS)
def test_an_owner_says_its_run(db, written, name):
    uid = written.uids[name]
    owners = [(ROWS[kind], doc["uid"]) for kind, doc in db.store.documents(uid)]
    with closing(pickle.loads(pickle.dumps(db.store))) as other:  # which has seen none of them
        assert {other.run_of(*owner) for owner in owners} == {uid}
        assert other.run_of("datum", owners[0][1]) is None


@pytest.mark.parametrize("name", RUNS)
def test_descriptors(db, written, name):
    uid = written.uids[name]
    pairs = zip(*(_descriptors(each, uid) for each in (db.store, written.memory)), strict=True)
    for found, wanted in pairs:
        assert {**found, "data_keys": None} == {**wanted, "data_keys": None}
        for field, key in found["data_keys"].items():
            known = {k: v for k, v in key.items() if k in wanted["data_keys"][field]}
            external = {"external": "STREAM:"} if "external" in key else {}
            assert known == wanted["data_keys"][field] | external


def _descriptors(store, uid):
    found = [doc for _, doc in store.documents(uid, ["descriptor"])]
    kept = ("uid", "run_start", "name", "time", "data_keys", "object_keys")
    return [
        {key: doc.get(key) for key in kept}
        | {"config": {k: each["data"] for k, each in doc["configuration"].items() if k not in CUT}}
        for doc in found
    ]


def test_runs_come_newest_first_and_in_pages(db, written):
    wanted = [run.uid for run in written.memory.find(Everything())]
    found = list(db.store.find(Everything()))
    assert [run.uid for run in found] == wanted
    assert db.store.count(Everything()) == len(wanted)
    for number, run in enumerate(found):
        rest = db.store.find(Everything(), after=run.cursor)
        assert [each.uid for each in rest] == wanted[number + 1 :]
        assert [each.uid for each in db.store.find(Everything(), limit=number)] == wanted[:number]


def test_look_ups(db, written):
    uid = written.uids["scan"]
    assert db[uid].uid == db[uid[:8]].uid == db[1].uid == uid
    assert db[-1].uid == written.uids["running"]
    assert db.store.record("no such run") is None
    assert list(db.store.documents("no such run")) == []
    assert db.store.extents("event", "no such descriptor") == []


def test_a_table_and_its_columns(db, written):
    header = db[written.uids["scan"]]
    table = header.table()
    assert table["motor"].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert header.table(fields=["det1"])["det1"].tolist() == [5] * 5
    assert list(header.table("baseline")["motor1"]) == [0, 0]
    assert list(header.streams) == ["baseline", "primary"]


def test_values_of_many_kinds(db, written):
    (first, _) = db[written.uids["odd"]].events()
    assert first["data"]["text"] == "a ü"
    assert first["data"]["flag"] is True
    assert first["data"]["count"] == 5
    assert first["data"]["large"] == 2**53 + 1
    assert np.isnan(first["data"]["nan"])
    assert list(first["data"]["few"]) == [1.5, 2.5, 3.5]


def test_images_in_events_are_read_by_slices(db, written):
    header = db[written.uids["image"]]
    wanted = np.stack([each["data"]["img"] for each in _rows(written.memory, header.uid)])
    field = header.streams["primary"]["img"]
    assert (field[1] == wanted[1]).all()
    assert (np.asarray(field) == wanted).all()
    assert [
        (value == each).all() for value, each in zip(header.data("img"), wanted, strict=True)
    ] == [True] * 3


def test_images_in_files_are_read_through_the_server(db, written):
    header = db[written.uids["files"]]
    paths = sorted(each.path for each in _files(written))
    wanted = np.stack([np.load(path) for path in paths])
    field = header.streams["primary"]["img"]
    assert (field[1] == wanted[1]).all()
    assert (np.asarray(field) == wanted).all()
    assert (field[1:, 2:4] == wanted[1:, 2:4]).all()
    assert (field[::2, 1:8:3, ::4] == wanted[::2, 1:8:3, ::4]).all()
    assert [value.shape for value in header.data("img")] == [wanted[0].shape] * 3
    assert (header.table(fill=True)["img"].iloc[2] == wanted[2]).all()
    assert header.files() == []


def test_images_are_read_by_another_process_and_as_one_of_several_sources(written, key, db):
    field = db[written.uids["files"]].streams["primary"]["img"]
    again = pickle.loads(pickle.dumps(field))
    assert (again[1] == field[1]).all()
    members = [{"driver": "memory"}, {"driver": "tiled", "uri": written.uri}]
    with Broker.from_config({"driver": "federation", "members": members}) as several:
        assert len(list(several())) == len(written.uids)
        other = several[written.uids["files"]].streams["primary"]["img"]
        assert (other[1] == field[1]).all()


def _files(written):
    return Broker(written.memory)[written.uids["files"]].files()


def _rows(store, uid):
    (descriptor,) = (doc["uid"] for _, doc in store.documents(uid, ["descriptor"]))
    return read_rows(store, "event", descriptor)


def test_data_of_another_server_are_refused(db, written):
    _, document = next(iter(db.store.documents(written.uids["files"], ["stream_resource"])))
    assert document["mimetype"] == MIMETYPE
    for uri in ("http://example.org/api/v1/array/full/a", "file://localhost/etc/passwd", None):
        with pytest.raises(ExternalDataMissing, match="is not in this catalog"):
            db.store.read_array(document | {"uri": uri}, [slice(0, 1)])


def test_documents_that_were_copied_say_where_their_data_are(db, written):
    with Broker(MemoryStore()) as other:
        for kind, doc in db[written.uids["files"]].documents():
            other.insert(kind, doc)
        with pytest.raises(
            ExternalDataMissing, match=r"Its data are at http://127.*the store that"
        ):
            other[-1].streams["primary"]["img"][0]


def test_how_runs_stand(db, written):
    stands = {name: db[uid].status for name, uid in written.uids.items()}
    assert stands["scan"] == "success"
    assert stands["failed"] == "fail"
    assert stands["running"] == "running"
    assert len(db[written.uids["running"]].table()) == 2


def test_rows_of_another_process(written, key):
    """What this store knows of a descriptor, another one finds out."""
    with closing(TiledStore(written.uri)) as store:
        for name in ("scan", "reconfigured"):
            for _, doc in written.memory.documents(written.uids[name], ["descriptor"]):
                with closing(pickle.loads(pickle.dumps(store))) as other:
                    extents = other.extents("event", doc["uid"])
                    batches = [b for each in extents for b in other.read("event", each, ALL)]
                assert sum(b.num_rows for b in batches) == sum(e.rows for e in extents) > 0


def test_ranges_of_rows(db, written):
    (_, owner) = (doc["uid"] for _, doc in db.store.documents(written.uids["scan"], ["descriptor"]))
    whole = read_rows(db.store, "event", owner)
    for first in range(6):
        for stop in range(first, 7):
            found = read_rows(db.store, "event", owner, first, stop)
            assert difference(found, whole[first:stop]) is None
    alone = read_rows(db.store, "event", owner, 1, 3, Selection(frozenset({"det"})))
    assert [row["data"] for row in alone] == [{"det": row["data"]["det"]} for row in whole[1:3]]


def test_nothing_is_written(db):
    with pytest.raises(StoreIsReadOnly, match="TiledWriter"):
        db.insert("start", {"uid": "a", "time": 1.0})
    assert not db.store.capabilities.writable


def test_many_tables_at_once(db, written):
    table = db(plan_name="count").table()
    assert set(table["run"] if "run" in table else table.index.get_level_values(0))


def test_what_is_shown_names_no_key(db, written):
    assert str(db.store) == f"tiled: {written.uri}"
    assert KEY not in repr(vars(db.store)) + repr(pickle.dumps(db.store))


def test_a_run_is_exported(db, written):
    uid, target = written.uids["scan"], MemoryStore()
    for kind, doc in db[uid].documents():
        target.insert(kind, doc)
    assert _events(target, uid) == _events(written.memory, uid)
