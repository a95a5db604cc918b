"""Two brokers with one registry: each reads, fills and copies what is its own."""

import numpy as np
import pytest

from databroker import Broker
from databroker.external import Registry
from databroker.stores.memory import MemoryStore


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def brokers(tmp_path, registry):
    """Two brokers whose runs have the same uids, and whose transforms tell their files."""
    made = []
    for value in (1, 2):
        folder = tmp_path / f"lab{value}"
        folder.mkdir()
        np.save(folder / "a.npy", np.full((1, 2), value))

        def transform(resource, folder=folder):
            return {**resource, "root": str(folder)}

        db = Broker(MemoryStore(), registry=registry, transforms={"resource": transform})
        key = {"dtype": "array", "shape": [1, 2], "source": "x", "external": "FILESTORE:"}
        documents = {
            "start": {"uid": "run", "time": 1.0},
            "descriptor": {
                "uid": "d",
                "run_start": "run",
                "time": 1.0,
                "name": "primary",
                "data_keys": {"img": key},
            },
            "resource": {
                "uid": "r",
                "run_start": "run",
                "spec": "npy",
                "resource_kwargs": {},
                "root": str(folder) if value == 1 else "/",
                "resource_path": "a.npy",
            },
            "datum": {"datum_id": "r/0", "resource": "r", "datum_kwargs": {}},
            "event": {
                "uid": "e",
                "descriptor": "d",
                "time": 1.0,
                "seq_num": 1,
                "data": {"img": "r/0"},
                "timestamps": {"img": 1.0},
                "filled": {"img": False},
            },
        }
        for kind, document in documents.items():
            db.insert(kind, document)
        made.append(db)
    return made


def test_each_fills_its_own_files(brokers):
    for value, db in enumerate(brokers, 1):
        (event,) = db[-1].events(fill=True)
        assert event["data"]["img"].tolist() == [[value, value]]
        assert db[-1].xarray()["img"].values.ravel().tolist() == [value, value]


def test_each_lists_and_copies_its_own_files(brokers, tmp_path):
    for value, db in enumerate(brokers, 1):
        (file,) = db[-1].files()
        assert file.path == str(tmp_path / f"lab{value}" / "a.npy")
        ((old, new),) = db.export(db[-1], Broker(MemoryStore()), tmp_path / f"copies{value}")
        assert old == file.path
        assert np.load(new).ravel().tolist() == [value, value]


def test_each_copies_the_files_of_its_own_datums(tmp_path, registry):
    for name in ("one", "two"):
        np.save(tmp_path / f"{name}_0.npy", np.zeros(1))
        np.save(tmp_path / f"{name}_1.npy", np.zeros(1))
    resource = {
        "uid": "r",
        "run_start": "run",
        "spec": "NPY_SEQ",
        "resource_kwargs": {},
        "root": str(tmp_path),
        "resource_path": "one",
    }
    brokers = [Broker(MemoryStore(), registry=registry) for _ in range(2)]
    for number, db in enumerate(brokers):
        db.insert("start", {"uid": "run", "time": 1.0})
        db.insert("resource", resource)
        datum = {"datum_id": "r/0", "resource": "r", "datum_kwargs": {"index": number}}
        db.insert("datum", datum)
    for number, db in enumerate(brokers):
        pairs = list(db.reg.copy_files(resource, str(tmp_path / "copies")))
        assert [old for old, _ in pairs] == [str(tmp_path / f"one_{number}.npy")]


def test_the_same_resource_with_other_arguments_is_opened_anew(tmp_path, registry):
    class Adds:
        def __init__(self, path, number):
            self.number = number

        def __call__(self):
            return self.number

    registry.register_handler("ADDS", Adds)
    (tmp_path / "a").touch()
    values = []
    for number in (1, 2):
        db = Broker(
            MemoryStore(),
            registry=registry,
            transforms={
                "resource": lambda doc, n=number: {**doc, "resource_kwargs": {"number": n}}
            },
        )
        db.insert("start", {"uid": "run", "time": 1.0})
        key = {"dtype": "number", "shape": [], "source": "x", "external": "FILESTORE:"}
        db.insert(
            "descriptor",
            {"uid": "d", "run_start": "run", "time": 1.0, "data_keys": {"x": key}},
        )
        db.insert(
            "resource",
            {
                "uid": "r",
                "run_start": "run",
                "spec": "ADDS",
                "root": str(tmp_path),
                "resource_path": "a",
                "resource_kwargs": {},
            },
        )
        db.insert("datum", {"datum_id": "r/0", "resource": "r", "datum_kwargs": {}})
        db.insert(
            "event",
            {
                "uid": "e",
                "descriptor": "d",
                "time": 1.0,
                "seq_num": 1,
                "data": {"x": "r/0"},
                "timestamps": {"x": 1.0},
            },
        )
        values += db[-1].data("x")
    assert values == [1, 2]


def test_handlers_and_root_maps_stay_shared(brokers, registry):
    one, two = brokers
    one.reg.root_map["/a"] = "/b"
    two.reg.root_map = {**two.reg.root_map, "/c": "/d"}
    one.reg.register_handler("LAB", dict)
    assert registry.root_map == one.reg.root_map == {"/a": "/b", "/c": "/d"}
    assert two.reg.handler_reg["LAB"] is registry.handler_reg["LAB"] is dict


def test_a_second_broker_leaves_what_the_store_says_of_silent_runs():
    store = MemoryStore()
    Broker(store, stale_after=5.0)
    assert Broker(store).stale_after == 5.0
