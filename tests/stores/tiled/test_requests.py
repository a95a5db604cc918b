"""No more is fetched than what is asked for, and what is gone meanwhile is an error."""

from contextlib import closing
from dataclasses import replace

import pyarrow as pa
import pytest

from databroker.columns import ALL, Selection
from databroker.errors import StoreUnavailable
from databroker.stores.tiled import TiledStore, tables
from databroker.testing import read_rows
from databroker.testing.conformance.base import descriptor, event, insert_all, start, stop
from helpers.tiled_server import KEY, writing_store


@pytest.fixture
def asked(db, monkeypatch):
    """What the server is asked: the last part of each path, and the columns that are wanted."""
    return _watched(db.store, monkeypatch)


def _watched(store, monkeypatch):
    questions, send = [], store._server._send

    def noted(url, params, *rest):
        columns = [value for name, value in params if name == "column"]
        questions.append((url.partition("/api/v1/")[2].partition("/")[0], columns))
        return send(url, params, *rest)

    monkeypatch.setattr(store._server, "_send", noted)
    return questions


def _columns(questions):
    return [columns for route, columns in questions if route == "table"]


@pytest.fixture
def owner(db, written):
    """The descriptor of the scan, whose stream has one."""
    found = db.store.documents(written.uids["scan"], ["descriptor"])
    return next(doc["uid"] for _, doc in found if doc["name"] == "primary")


def test_rows_are_counted_by_one_column(db, asked, owner):
    (extent,) = db.store.extents("event", owner)
    assert extent.rows == 5
    assert _columns(asked) == [["seq_num"]]


def test_one_field_is_read_alone(db, asked, owner):
    (extent,) = db.store.extents("event", owner)
    asked.clear()
    list(db.store.read("event", extent, Selection(frozenset({"det"})), (1, 3)))
    assert _columns(asked) == [["seq_num", "time", "det"]]


def test_many_columns_are_read_some_at_a_time(db, asked, owner, monkeypatch):
    whole = read_rows(db.store, "event", owner)
    asked.clear()
    monkeypatch.setattr(tables, "_MOST_NAMES", 2)
    some = read_rows(db.store, "event", owner, 0, 5, Selection(frozenset({"det"})))
    assert _columns(asked) == [["seq_num"], ["seq_num", "time"], ["det"]]
    assert [row["data"] for row in some] == [{"det": row["data"]["det"]} for row in whole]
    asked.clear()
    assert read_rows(db.store, "event", owner) == whole
    assert _columns(asked) == [["seq_num"], []]  # nearly all: those of the table


def test_rows_that_were_removed_are_no_short_table(db, owner):
    (extent,) = db.store.extents("event", owner)
    with pytest.raises(StoreUnavailable, match=f"{owner!r} are gone from The Tiled catalog"):
        list(db.store.read("event", replace(extent, rows=6), ALL))
    with pytest.raises(StoreUnavailable, match="are gone"):
        list(db.store.read("event", replace(extent, rows=9), ALL, (6, 9)))


def test_a_run_that_was_removed_is_no_empty_table(server, client):
    store = writing_store(server, client)
    begun = [("start", start()), ("descriptor", descriptor()), ("event", event(1))]
    insert_all(store, [*begun, ("stop", stop())])
    (extent,) = store.extents("event", "desc")
    client[store._server.path[0]].delete_contents("run", recursive=True, external_only=False)
    with closing(store), pytest.raises(StoreUnavailable, match="'desc' are gone"):
        list(store.read("event", extent, ALL))


def test_tables_in_several_parts(server, client):
    from tiled.structures.core import Spec

    uri = server.new_catalog()
    catalog = client[uri.rpartition("/")[2]]
    spec = Spec("BlueskyRun", "3.0")
    run = catalog.create_container("run", metadata={"start": start()}, specs=[spec])
    stream = run.create_container("primary", metadata=descriptor())
    schema = pa.schema([("seq_num", pa.int64()), ("time", pa.float64()), ("x", pa.float64())])
    table = stream.create_appendable_table(schema, npartitions=2, key="internal")
    for part, numbers in enumerate(([1, 2, 3], [4, 5])):
        columns = {"seq_num": numbers, "time": map(float, numbers), "x": map(float, numbers)}
        rows = pa.table({name: list(values) for name, values in columns.items()}, schema)
        table.append_partition(part, rows)
    with closing(TiledStore(uri, api_key=KEY)) as store:
        rows = read_rows(store, "event", "desc")
        assert [row["seq_num"] for row in rows] == [1, 2, 3, 4, 5]
        assert read_rows(store, "event", "desc", 2, 4) == rows[2:4]


def test_what_is_new_shows_without_data(server, client, monkeypatch):
    documents = [
        ("start", start()),
        ("descriptor", descriptor()),
        ("event", event(1)),
        ("event", event(2)),
        ("stop", stop()),
        ("start", start("next", 1.6e9)),
    ]
    with closing(writing_store(server, client)) as store:
        asked = _watched(store, monkeypatch)
        states = [store.state()]
        for kind, doc in documents:
            store.insert(kind, doc)
            assert store.wait_for_changes(states[-1], 0), kind
            states.append(store.state())
            assert not store.wait_for_changes(states[-1], 0)
        assert len(set(states)) == len(states)
        assert {route for route, _ in asked} == {"metadata", "search"}
