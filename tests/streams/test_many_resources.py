"""A run with a resource for each event: what needs none of them decodes none."""

import pytest

from databroker import Broker
from databroker.stores.sql import bodies

RESOURCES = 10_000
EXTERNAL = {"dtype": "array", "shape": [4], "source": "s", "external": "FILESTORE:"}
STREAMED = {**EXTERNAL, "external": "STREAM:"}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "runs.db"
    with Broker.from_config({"driver": "sqlite", "path": str(path)}) as made:
        made.store.insert_many(documents())
        yield made


def documents():
    yield "start", {"uid": "a", "time": 1.0}
    number = {"dtype": "number", "shape": [], "source": "s"}
    descriptor = {"uid": "d", "run_start": "a", "time": 1.0, "name": "primary"}
    keys = {"img": EXTERNAL, "cam": STREAMED, "det": number}
    yield "descriptor", {**descriptor, "data_keys": keys}
    resource = {"run_start": "a", "spec": "NPY_SEQ", "root": "/d", "resource_path": "a"}
    for n in range(RESOURCES):
        yield "resource", {**resource, "uid": f"r{n}", "resource_kwargs": {}}
    for n in range(1, 4):
        data = {"img": f"r{n}/0", "det": float(n)}
        event = {"uid": f"e{n}", "descriptor": "d", "seq_num": n, "time": 1.0 + n, "data": data}
        yield "event", {**event, "timestamps": dict.fromkeys(data, 1.0), "filled": {"img": False}}
    yield "stop", {"uid": "s", "run_start": "a", "time": 9.0, "exit_status": "success"}


@pytest.fixture
def decoded(monkeypatch):
    """What is decoded: a list of documents."""
    found = []
    decode = bodies.decode

    def counted(data):
        found.append(decode(data))
        return found[-1]

    monkeypatch.setattr(bodies, "decode", counted)
    return found


LOOKS = {
    "fields": lambda header: header.fields() == {"img", "cam", "det"},
    "stream_names": lambda header: header.stream_names == ["primary"],
    "devices": lambda header: header.devices() == set(),
    "num_events": lambda header: header.streams["primary"].num_events == 3,
    "table": lambda header: header.table()["det"].tolist() == [1.0, 2.0, 3.0],
    "unfilled": lambda header: header.table()["img"].tolist() == ["r1/0", "r2/0", "r3/0"],
    "data": lambda header: list(header.data("det")) == [1.0, 2.0, 3.0],
    "events": lambda header: [event["seq_num"] for event in header.events()] == [1, 2, 3],
    "array": lambda header: header.streams["primary"]["det"][:].tolist() == [1.0, 2.0, 3.0],
    "html": lambda header: "primary" in header._repr_html_(),
}


@pytest.mark.parametrize("name", LOOKS)
def test_no_resource_is_decoded(db, decoded, name):
    assert LOOKS[name](db["a"])
    assert not [document for document in decoded if "spec" in document]
    assert len(decoded) < 50


def test_the_documents_of_the_run_have_them_all(db):
    kinds = [kind for kind, _ in db["a"].documents()]
    assert kinds.count("resource") == RESOURCES
