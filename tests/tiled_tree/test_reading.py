"""What a client of Tiled reads of a run is what the broker has of it."""

import json

import numpy as np
import pyarrow as pa
import pytest
from tiled.client.utils import ClientError
from websockets.exceptions import ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect

from helpers.tiled_server import KEY


def plain(value):
    """Return what JSON makes of a value."""
    return json.loads(json.dumps(value, default=np.ndarray.tolist))


@pytest.fixture(scope="module")
def performed(folder):
    """The uids of the runs of a RunEngine, by the names of their plans and their numbers."""
    from databroker import Broker

    with Broker.from_config({"driver": "sqlite", "path": str(folder / "runs.db")}) as db:
        return [run.uid for run in db(since="2020")][::-1]


def test_documents_are_those_of_the_broker(runs, db, performed):
    for uid in [*performed, "000-many"]:
        given = [(kind, plain(dict(doc))) for kind, doc in runs[uid].documents()]
        wanted = [(kind, plain(doc)) for kind, doc in db[uid].documents()]
        assert [kind.removesuffix("_page") for kind, _ in given] == [kind for kind, _ in wanted]
        assert [pair for pair in given if pair[0] != "datum_page"] == [
            pair for pair in wanted if pair[0] != "datum"
        ]


def test_metadata_are_start_and_stop(runs, db, performed):
    for uid in performed:
        assert plain(dict(runs[uid].start)) == plain(db[uid].start)
        assert plain(dict(runs[uid].stop or {})) == plain(db[uid].stop)


def test_tables_are_those_of_the_broker(runs, db, performed):
    for uid in performed:
        assert sorted(runs[uid]) == sorted(db[uid].stream_names)
        for name, stream in db[uid].streams.items():
            found = runs[uid][name].base["internal"].read()
            wanted = stream.table(convert_times=False)
            assert list(found["seq_num"]) == list(wanted.index)
            external = {key for doc in stream.descriptors for key, each in doc["data_keys"].items()
                        if each.get("external") or each["dtype"] == "array"}  # fmt: skip
            for column in wanted.columns.drop(list(external)):
                assert found[column].dtype == wanted[column].dtype or wanted[column].dtype == object
                assert np.array_equal(found[column], wanted[column]) or column == "nan"
            stamps = stream.timestamps.table(convert_times=False).drop(columns="time")
            for column in stamps.columns.drop(list(external)):
                assert list(found[f"ts_{column}"]) == list(stamps[column])


def test_images_are_those_of_the_broker(runs, db, performed):
    compared = 0
    for uid in performed:
        for name, stream in db[uid].streams.items():
            for field in stream.fields:
                mine = stream[field]
                if mine.ndim > 1:
                    theirs = runs[uid][name][field]
                    assert (theirs.shape, theirs.dtype) == (mine.shape, mine.dtype)
                    assert np.array_equal(theirs.read(), mine[...])
                    assert np.array_equal(theirs[1, ..., :2], mine[1, ..., :2])
                    assert np.array_equal(theirs.read_block((0,) * mine.ndim), mine[...])
                    compared += 1
    assert compared == 3


def test_a_dataset_is_that_of_the_broker(runs, db, performed):
    for uid in performed:
        for name, stream in db[uid].streams.items():
            found, wanted = runs[uid][name].read(), stream.read(convert_times=False)
            for field in stream.fields:
                assert np.array_equal(found[field], wanted[field]) or field == "nan", field
            assert np.array_equal(found["time"], wanted["time"])


def test_columns_are_arrays(runs, db):
    uid = next(iter(db(plan_name="odd"))).uid
    stream = runs[uid]["primary"]
    assert stream["text"].read().tolist() == ["a ü", "a ü"]
    assert stream["large"].read().tolist() == [2**53 + 1] * 2
    assert stream["flag"].read().tolist() == [True, True]
    assert stream["seq_num"].read().tolist() == [1, 2]
    with pytest.raises(KeyError):
        stream["nothing"]


def test_configuration_is_that_of_each_descriptor(runs, db):
    run = next(iter(db(plan_name="reconfigured")))
    client = runs[run.uid]
    told = [doc["configuration"]["det"]["data"]["det_Imax"] for doc in client.descriptors]
    assert told == [1, 2]
    try:
        config = client.v2["primary"]["config"]["det"].read()
    finally:
        client.v2.v3  # noqa: B018 - until then, every client of this process would be one of v2
    assert config["det_Imax"].values.tolist() == [1, 2]


def test_what_tiled_cannot_have_is_like_it(runs):
    run = runs.search(plan_name_is("odd values")).values().first()
    start, stream = run.start, run["primary"]
    assert np.isnan(start["nan"])
    assert start["large"] == float(2**70)
    assert start["half"] == "a\\ud800"
    table = stream.base["internal"].read()
    assert list(table.columns[:9]) == [
        "seq_num", "time", "time_data", "x", "a_b", "mixed", "ragged", "gap", "text",
    ]  # fmt: skip
    assert table["mixed"].fillna("none").tolist() == ["5", "x", "none"]
    # The client makes text of lists; what comes to it are lists.
    answer = runs.context.http_client.get(stream.base["internal"].item["links"]["full"])
    column = pa.ipc.open_file(answer.content).read_all().column("ragged")
    assert column.to_pylist() == [[1.5], [1.5] * 2, [1.5] * 3]
    assert np.isnan(table["gap"][1])
    assert table["gap"][2] == 3
    assert stream["mixed"].read().tolist() == ["5", "x", ""]
    documents = list(run.documents())
    assert documents[0][1]["large"] == 2**70


def plan_name_is(name):
    from tiled.queries import Eq

    return Eq("start.plan_name", name)


def test_a_missing_file_is_told(runs, db, folder):
    (folder / "files").rename(folder / "elsewhere")
    try:
        from tiled.client.utils import ClientError

        run = next(run for run in db() if any(kind == "resource" for kind, _ in run.documents()))
        with pytest.raises((ClientError, KeyError), match=r"img|files"):
            runs[run.uid]["primary"]["img"].read()
    finally:
        (folder / "elsewhere").rename(folder / "files")


def test_our_own_store_reads_it(uri, db, performed, monkeypatch):
    """What goes out by one door comes in by the other."""
    from databroker import Broker

    monkeypatch.setenv("TILED_API_KEY", KEY)
    with Broker.from_config({"driver": "tiled", "uri": uri}) as far:
        assert [run.uid for run in far()] == [run.uid for run in db()]
        assert [run.uid for run in far(scan_id=7)] == [run.uid for run in db(scan_id=7)]
        for uid in performed:
            assert far[uid].start == db[uid].start
            assert far[uid].stop == db[uid].stop
            for name in db[uid].stream_names:
                found, wanted = (broker[uid].xarray(name) for broker in (far, db))
                assert found.drop_attrs().identical(wanted.drop_attrs()), (uid, name)


def test_who_wants_news_is_told_that_there_are_none_this_way(server, runs):
    with pytest.raises(InvalidStatus) as raised:
        runs.subscribe().start()
    assert raised.value.response.status_code == 501
    assert b"tells no news" in raised.value.response.body
    address = f"ws://127.0.0.1:{server.port}/api/v1/stream/single/lab/runs"
    with connect(address) as socket:
        socket.send(json.dumps({"type": "auth", "api_key": KEY}))
        with pytest.raises(ConnectionClosedOK, match="tells no news"):
            socket.recv(timeout=10)


def test_who_would_write_is_told_that_runs_are_only_read(runs):
    with pytest.raises(ClientError, match="405: Runs of databroker are only read"):
        runs.create_container("another")
