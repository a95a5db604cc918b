"""What a table costs: how many requests, and how many bytes."""

from contextlib import closing

import pytest

from databroker import Broker
from databroker.columns import ALL
from databroker.documents.encode import encode
from databroker.query.nodes import Everything
from databroker.stores.http import HTTPStore
from databroker.stores.memory import MemoryStore
from databroker.stores.wire.calls import CALLS
from databroker.testing.conformance.base import datum, descriptor, event, resource, start


@pytest.fixture
def store(server):
    """A store with a run of one event."""
    with closing(HTTPStore(server.uri(server.take()))) as store:
        store.insert_many([("start", start()), ("descriptor", descriptor()), ("event", event(1))])
        yield store


@pytest.fixture
def asked(store, monkeypatch):
    """What the server is asked, from when this is used."""
    asked = []
    ask = store.ask

    def noted(name, *args, **kwargs):
        asked.append(name)
        return ask(name, *args, **kwargs)

    monkeypatch.setattr(store, "ask", noted)
    return asked


def test_few_rows_come_with_the_answer_that_says_where_they_are(store, asked):
    header = Broker(store)["run"]
    del asked[:]
    assert list(header.table()["x"]) == [0.5]
    assert sorted(asked) == ["documents", "extents", "record"]
    store.insert("event", event(2))
    assert list(header.table()["x"]) == [0.5, 1.0]


def test_a_state_is_one_value_until_more_is_stored(store, server):
    before = store.state()
    assert {before, store.state()} == {before}
    with closing(HTTPStore(str(store).removeprefix("http: "))) as other:
        other.insert("event", event(2))
    assert store.state() not in {before}


def test_many_rows_are_asked_for(store, asked):
    store.insert_many(("event", event(n)) for n in range(2, 400))
    assert list(Broker(store)["run"].table(fields=["x"])["x"]) == [n / 2 for n in range(1, 400)]
    assert {"read", "read_extents"}.intersection(asked)


def test_rows_are_compressed_where_that_is_asked_for(store, server):
    store.insert_many(("event", event(n, x=5.0)) for n in range(2, 2_000))
    *_, extent = store.extents("event", "desc")
    body = encode(CALLS["read"].pack("event", extent, ALL))
    name = str(store).rpartition("/")[2]
    plain, small = (
        len(server.post(name, f"read{how}", content=body).content)
        for how in ("", "?compression=zstd")
    )
    assert small < plain / 2
    with closing(HTTPStore(server.uri(name), compression=True)) as other:
        assert sum(each.num_rows for each in other.read("event", extent, ALL)) == extent.rows


def test_who_takes_all_items_and_asks_for_no_more_leaves_the_connection_to_others(store):
    store.insert_many(("start", start(f"run {n}", 1e9 + n)) for n in range(5))
    runs = store.find(Everything())
    for _ in range(6):
        next(runs)
    [kept] = store._connection._pool._idle
    assert store.count(Everything()) == 6
    assert list(store._connection._pool._idle) == [kept]


def test_a_large_table_leaves_the_connection_to_others(store):
    store.insert_many(("event", event(n)) for n in range(2, 20_001))
    header = Broker(store)["run"]
    [kept] = store._connection._pool._idle
    assert len(header.table(fields=["x"])) == 20_000
    assert list(store._connection._pool._idle) == [kept]


def test_the_rows_of_many_resources_are_asked_for_together(store, asked):
    resources = [f"resource {number}" for number in range(20)]
    documents = [("descriptor", descriptor("flown", "run", "cam") | {"name": "flown"})]
    documents[0][1]["data_keys"]["cam"]["external"] = "STREAM:"
    for number, uid in enumerate(resources):
        rows = [stream_datum(each, uid, 3 * number) for each in range(3)]
        documents += [("stream_resource", stream_resource(uid)), *rows]
        documents += [
            ("resource", resource(f"{uid}, too", run_start="run")),
            ("datum", datum(0, f"{uid}, too", uid)),
        ]
    store.insert_many(documents)
    with closing(MemoryStore()) as near:
        near.insert_many([("start", start()), *documents])
        wanted = [pair for pair in Broker(near)["run"].documents() if pair[0] != "start"]
    header = Broker(store)["run"]
    del asked[:]
    found = [pair for pair in header.documents() if pair[0] != "start"]
    assert [pair for pair in found if "resource" in pair[0] or "datum" in pair[0]] == [
        pair for pair in wanted if "resource" in pair[0] or "datum" in pair[0]
    ]
    assert len(found) > 120
    assert len(asked) < 12
    del asked[:]
    assert len(header.table("flown")) == 60
    assert len(asked) < 12


def stream_resource(uid):
    """Return where values of the field 'cam' are."""
    where = {"uri": f"file://localhost/data/{uid}.h5", "mimetype": "application/x-hdf5"}
    return {"uid": uid, "run_start": "run", "data_key": "cam", "parameters": {}, **where}


def stream_datum(number, owner, before):
    """Return what says which event has a value."""
    first = before + number
    return "stream_datum", {
        "uid": f"{owner}/{number}",
        "stream_resource": owner,
        "descriptor": "flown",
        "indices": {"start": number, "stop": number + 1},
        "seq_nums": {"start": first + 1, "stop": first + 2},
    }
