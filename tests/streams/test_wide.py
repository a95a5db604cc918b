"""Streams of many columns: what is done for each column does not grow with their number."""

import pytest

from databroker import Broker
from databroker.columns import batches
from databroker.runs.stream.layout import Layout
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore

pytest.importorskip("xarray")

READERS = {
    "read": lambda header: header.xarray("baseline"),
    "named fields": lambda header: header.xarray("baseline", header.streams["baseline"].fields),
    "to_dask": lambda header: header.xarray_dask("baseline"),
    "computed": lambda header: header.xarray_dask("baseline").compute(),
    "v2": lambda header: header.db.v2[header.uid].baseline.read(),
    "timestamps": lambda header: header.streams["baseline"].timestamps.read(),
    "table of timestamps": lambda header: header.streams["baseline"].timestamps.table(),
    "align": lambda header: header.align(),
    "align on": lambda header: header.align("baseline", "linear"),
    "documents": lambda header: list(header.documents()),
    "table": lambda header: header.table("baseline"),
}


def insert_run(db, width, ended):
    db.insert("start", {"uid": "wide", "time": 1.0})
    for stream, names in (("baseline", [f"x{n}" for n in range(width)]), ("primary", ["x1"])):
        key = {"dtype": "number", "shape": [], "source": "sim", "dtype_numpy": "<f4"}
        document = {"uid": stream, "run_start": "wide", "time": 1.0, "name": stream}
        document |= {"data_keys": dict.fromkeys(names, key), "object_keys": {"dev": names}}
        db.insert("descriptor", document)
        for row in range(2):
            document = {"uid": f"{stream}{row}", "descriptor": stream, "seq_num": row + 1}
            document |= {"time": 2.0 + row, "data": dict.fromkeys(names, float(row))}
            db.insert("event", {**document, "timestamps": dict.fromkeys(names, 2.0)})
    if ended:
        db.insert("stop", {"uid": "stop", "run_start": "wide", "time": 9.0})


@pytest.mark.parametrize("ended", [True, False], ids=["ended", "running"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_columns_are_looked_up_a_few_times_each(monkeypatch, tmp_path, kind, ended, read):
    looked_up = []
    column_at = batches._column_at
    monkeypatch.setattr(
        batches, "_column_at", lambda *place: looked_up.append(1) or column_at(*place)
    )
    counts = []
    for width in (20, 80):
        store = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / f"{width}.db")
        with Broker(store) as db:
            insert_run(db, width, ended)
            looked_up.clear()
            read(db[-1])
            counts.append(len(looked_up))
    few, many = counts
    assert few < many < 5 * few  # for four times as many columns


@pytest.mark.parametrize("how", ["previous", "nearest", "linear"])
def test_wide_streams_are_aligned_as_narrow_ones(how):
    with Broker(MemoryStore()) as db:
        insert_run(db, 30, True)
        aligned = db[-1].align(how=how)
        assert sorted(aligned.data_vars) == sorted(
            ["x1", *(f"x{n}" for n in range(30) if n != 1), "baseline_x1"]
        )
        assert aligned["x7"].values.tolist() == aligned["baseline_x1"].values.tolist() == [0.0, 1.0]


def test_each_page_is_read_once_for_all_columns(monkeypatch, tmp_path):
    read, counts = [], []
    whole = Layout.read

    def counted(self, store, window, selection):
        read.append(window)
        return whole(self, store, window, selection)

    monkeypatch.setattr(Layout, "read", counted)
    monkeypatch.setattr("databroker.runs.stream.layout.PAGE_BYTES", 2_000)
    for width in (5, 10):
        with Broker(SQLiteStore(tmp_path / f"{width}.db")) as db:
            insert_run(db, width, ended=True)
            names = [f"x{n}" for n in range(width)]
            page = {"descriptor": "baseline", "uid": [f"p{n}" for n in range(200)], "filled": {}}
            page |= {"seq_num": list(range(3, 203)), "time": [3.0] * 200}
            values = dict.fromkeys(names, [1.0] * 200)
            db.insert("event_page", {**page, "data": values, "timestamps": values})
            lazy = db["wide"].xarray_dask("baseline")
            read.clear()
            lazy.compute()
            counts.append((len(read), len(set(read))))
    assert all(times == windows > 1 for times, windows in counts), counts
