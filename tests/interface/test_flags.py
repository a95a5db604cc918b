"""What events say is filled: handed out with each, whatever their producer wrote."""

import decimal
import pathlib
import uuid

import numpy as np
import pytest

import databroker
from databroker.errors import LossyDocumentWarning

KEYS = {
    "img": {"dtype": "array", "shape": [2], "source": "sim", "external": "FILESTORE:"},
    "det": {"dtype": "number", "shape": [], "source": "sim"},
}


@pytest.fixture
def db():
    with databroker.temp() as made:
        made.insert("start", {"uid": "run", "time": 1.0})
        descriptor = {"uid": "d", "run_start": "run", "time": 1.0, "name": "primary"}
        made.insert("descriptor", {**descriptor, "data_keys": KEYS})
        yield made


def event(number, image="r/0", **more):
    data = {"img": image, "det": 1.0}
    times = dict.fromkeys(data, 1.0)
    own = {"uid": f"e{number}", "descriptor": "d", "seq_num": number, "time": float(number)}
    return {**own, "data": data, "timestamps": times, **more}


@pytest.mark.parametrize(
    ("more", "image", "flags"),
    [
        ({}, "r/0", {"img": False}),
        ({}, np.zeros(2), {"img": True}),
        ({"filled": None}, "r/0", {"img": False}),
        ({"filled": True}, "r/0", {"img": True}),
        ({"filled": {}}, "r/0", {}),
        ({"filled": {"img": "r/0"}}, np.zeros(2), {"img": "r/0"}),
    ],
    ids=repr,
)
def test_events_and_documents_have_flags(db, more, image, flags):
    db.insert("event", event(1, image, **more))
    page = {"descriptor": "d", "uid": ["e2"], "seq_num": [2], "time": [2.0], **more}
    if isinstance(more.get("filled"), dict):
        page["filled"] = {name: [flag] for name, flag in more["filled"].items()}
    columns = {"img": [image], "det": [1.0]}
    db.insert("event_page", {**page, "data": columns, "timestamps": {"img": [1.0], "det": [1.0]}})
    assert [each["filled"] for each in db[-1].events()] == [flags] * 2
    documents = [doc for name, doc in db[-1].documents() if name == "event"]
    assert [doc["filled"] for doc in documents] == [flags] * 2
    followed = [doc for name, doc in db[-1].follow(timeout=0) if name == "event"]
    assert [doc["filled"] for doc in followed] == [flags] * 2
    chosen = next(db[-1].streams["primary"].events(["det"]))
    assert chosen["filled"].keys() <= {"img"}


def test_a_filler_of_event_model_fills_what_came_without_flags(db):
    event_model = pytest.importorskip("event_model")
    resource = {"uid": "r", "run_start": "run", "spec": "TWOS", "root": "/", "resource_path": "x"}
    db.insert("resource", {**resource, "resource_kwargs": {}, "path_semantics": "posix"})
    db.insert("datum", {"datum_id": "r/0", "resource": "r", "datum_kwargs": {}})
    db.insert("event", event(1))
    twos = {"TWOS": lambda path: lambda: np.full(2, 2.0)}
    with event_model.Filler(twos, inplace=False) as filler:
        filled = [filler(name, doc) for name, doc in db[-1].documents()]
    (found,) = [doc for name, doc in filled if name == "event"]
    assert found["data"]["img"].tolist() == [2.0, 2.0]


def test_what_was_handed_out_can_be_inserted_again(db):
    db.insert("event", event(1))
    for name, doc in list(db[-1].documents()):
        db.insert(name, doc)
    assert db[-1].streams["primary"].num_events == 1


def test_a_run_of_a_uuid_object_is_found_by_it():
    name = uuid.uuid4()
    with databroker.temp() as db:
        with pytest.warns(LossyDocumentWarning, match=r"uid \(UUID\) as str"):
            db.insert("start", {"uid": name, "time": 1.0})
        db.insert("start", {"uid": "other", "time": 2.0})
        assert db[name].uid == str(name)
        assert [found.uid for found in db(uid=name)] == [str(name)]


@pytest.mark.parametrize("driver", ["memory", "sqlite"])
@pytest.mark.parametrize(
    "value",
    [
        pathlib.Path("/data/a.h5"),
        uuid.UUID(int=5),
        decimal.Decimal("1.50"),
        np.array([(1, 2.5)], [("n", "i4"), ("f", "f8")])[0],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_kept_as_text_is_found_by_what_it_was(driver, value, tmp_path):
    where = {"path": str(tmp_path / "a.db")} if driver == "sqlite" else {}
    with databroker.v1.Broker.from_config({"driver": driver, **where}) as db:
        with pytest.warns(LossyDocumentWarning):
            db.insert("start", {"uid": "a", "time": 1.0, "value": value})
        db.insert("start", {"uid": "b", "time": 2.0})
        assert [found.uid for found in db(value=value)] == ["a"]
        assert [found.uid for found in db(value={"$in": [value, 1]})] == ["a"]
        assert [found.uid for found in db({"$and": [{"value": value}]})] == ["a"]
