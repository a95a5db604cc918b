"""The tables of many runs as Arrow and in Parquet files."""

import gc
from contextlib import closing

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from pyarrow import parquet

from databroker.testing.conformance.base import quick
from helpers.many_runs import few_runs
from helpers.run_builder import RunBuilder, opened


@pytest.fixture
def db(memory_db):
    """Runs whose fields hold now this and now that."""
    for number, cells in enumerate(([1, 2], [0.5, None], [True, True], ["a", "\ud800"], [None])):
        run = RunBuilder(memory_db, f"run {number}", scan_id=number, time=1000.0 + number)
        owner = run.descriptor(["x", "wave"])
        for cell in cells:
            run.event(owner, x=cell, wave=np.arange(3) + number)
        run.stop()
    return memory_db


def test_pages_with_other_types_have_one_schema(db, monkeypatch):
    monkeypatch.setattr("databroker.stores.many.PAGE_RUNS", 1)
    table = db(scan_id={"$lt": 2}).tables(["x"]).to_arrow()
    assert table.schema.names == ["seq_num", "uid", "scan_id", "time", "x"]
    assert table["x"].type == pa.float64()
    assert table["x"].to_pylist() == [0.5, None, 1.0, 2.0]
    assert table["time"].type == pa.timestamp("ns")
    assert table["uid"].to_pylist() == ["run 1"] * 2 + ["run 0"] * 2


@pytest.mark.parametrize("together", [1, 500])
def test_what_no_type_holds_is_text(db, monkeypatch, together):
    monkeypatch.setattr("databroker.stores.many.PAGE_RUNS", together)
    table = db().tables().to_arrow()
    assert table["x"].type == pa.string()
    assert table["x"].to_pylist()[:5] == [None, "a", r"\ud800", "True", "True"]
    assert table["wave"].type == pa.list_(pa.int64())
    assert table["wave"].to_pylist()[0] == [4, 5, 6]


def test_a_reader_gives_batches_and_closes_its_file(db, monkeypatch):
    monkeypatch.setattr("databroker.runs.arrow_tables._IN_MEMORY", 1)
    monkeypatch.setattr("databroker.stores.many.PAGE_RUNS", 2)
    sizes = [batch.num_rows for batch in db().tables().reader()]
    assert sum(sizes) == 9
    assert len(sizes) == 3
    db().tables().reader()  # a file that is still open would be a warning
    begun = db().tables().reader()
    begun.read_next_batch()
    del begun
    gc.collect()


def test_a_parquet_file_is_written_whole_or_not_at_all(db, tmp_path, monkeypatch):
    monkeypatch.setattr("databroker.runs.arrow_tables._ROW_GROUP", 4)
    monkeypatch.setattr("databroker.stores.many.PAGE_RUNS", 2)
    path = tmp_path / "runs.parquet"
    tables = db().tables(metadata=["plan_name"], index=True)
    tables.to_parquet(path)
    assert parquet.read_table(path).equals(tables.to_arrow())
    assert parquet.read_metadata(path).num_row_groups == 2

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail)
    with pytest.raises(KeyboardInterrupt):
        tables.to_parquet(path)
    assert [each.name for each in tmp_path.iterdir()] == ["runs.parquet"]
    assert parquet.read_table(path).num_rows == 9


def test_without_runs_there_are_no_columns(memory_db, tmp_path):
    assert memory_db().tables().to_arrow().shape == (0, 0)
    memory_db().tables().to_parquet(tmp_path / "none.parquet")


@quick(10)
@given(documents=few_runs())
@pytest.mark.filterwarnings("ignore::databroker.errors.NothingFoundWarning")
@pytest.mark.filterwarnings("ignore::databroker.errors.LossyDocumentWarning")
def test_any_runs_are_an_arrow_table(tmp_path_factory, documents):
    with closing(opened("memory", tmp_path_factory.getbasetemp())) as db:
        db.store.insert_many(documents)
        frame, table = db().table(), db().tables().to_arrow()
    if len(frame):
        assert table.num_rows == len(frame)
        assert table.schema.names[1:3] == list(frame.columns[:2])
        for name in frame.select_dtypes("float64"):
            found = table[name].to_numpy()
            np.testing.assert_array_equal(found, frame[name].to_numpy())
