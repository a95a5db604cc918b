"""The runs of a search for dask: read in pages, wherever they are computed."""

import pickle

import numpy as np
import pytest

from databroker.errors import InvalidQuery, StoreUnavailable
from helpers import runs
from helpers.many_runs import small_runs
from helpers.run_builder import RunBuilder, opened
from helpers.runs import save

pytest.importorskip("dask.dataframe")
cloudpickle = pytest.importorskip("cloudpickle")


def assert_as_table(found, wanted):
    assert list(found.columns) == list(wanted.columns)
    assert found.index.tolist() == wanted.index.tolist()
    for name, column in found.items():
        if column.dtype == object:
            for one, other in zip(column, wanted[name], strict=True):
                np.testing.assert_equal(one, other)
        else:
            np.testing.assert_array_equal(column, wanted[name])


@pytest.mark.parametrize("size", [1, 3, 500])
def test_a_dataframe_is_the_table(sqlite_db, size):
    results = small_runs(sqlite_db)()
    lazy = results.to_dask(metadata=["T", "time"], runs_per_partition=size)
    assert lazy.npartitions == -(-10 // size)
    found = lazy.compute(scheduler="sync")
    assert_as_table(found, results.table(metadata=["T", "time"]))
    assert found.dtypes.to_dict() == lazy.dtypes.to_dict()
    assert lazy.dtypes["x"] == np.float64
    assert lazy.dtypes["s"] == lazy.dtypes["wave"] == np.dtype(object)


def test_fields_and_streams(sqlite_db):
    for make in (runs.plain, runs.two_sets_of_keys, runs.without_primary, runs.nameless):
        save(sqlite_db, make())
    results = sqlite_db()
    for fields in (["det"], "motor", ["mo.*"], ["det", "plan_name", "motor_velocity", "time"]):
        lazy = results.to_dask(fields, runs_per_partition=2)
        assert_as_table(lazy.compute(scheduler="sync"), results.table(fields))
    lazy = results.to_dask(stream="baseline", convert_times=False)
    assert_as_table(
        lazy.compute(scheduler="sync"), results.table(stream="baseline", convert_times=False)
    )


def test_what_is_declared_otherwise_is_told(memory_db):
    run = RunBuilder(memory_db)
    owner = run.descriptor(["x"])
    run.event(owner, x="text")
    with pytest.raises(InvalidQuery, match="'x' is declared as a number, and holds 'text'"):
        memory_db().to_dask().compute(scheduler="sync")
    with pytest.raises(InvalidQuery, match="from 1 upwards"):
        memory_db().to_dask(runs_per_partition=0)
    with pytest.raises(InvalidQuery, match="several levels"):
        memory_db().tables(index=True).to_dask()
    ((uid, table),) = memory_db().tables().to_bag().compute(scheduler="sync")
    assert (uid, table["x"].tolist()) == ("run", ["text"])


def test_a_store_without_the_runs_is_told(sqlite_db, tmp_path):
    results = small_runs(sqlite_db)()
    # What is unpickled beside the original would be that.
    pickled = [cloudpickle.dumps(lazy) for lazy in (results.to_dask(), results.to_bag())]
    sqlite_db.close()
    (tmp_path / "runs.db").rename(tmp_path / "elsewhere.db")
    opened("sqlite", tmp_path).close()
    for each in map(pickle.loads, pickled):
        with pytest.raises(StoreUnavailable, match="has only 0 of 10 runs"):
            each.compute(scheduler="sync")


def test_without_runs(memory_db):
    assert len(memory_db().to_dask().compute(scheduler="sync")) == 0
    assert memory_db().to_bag().compute(scheduler="sync") == []


def test_a_bag_has_all_documents(sqlite_db):
    results = small_runs(sqlite_db)()
    wanted = [(kind, dict(doc)) for header in results for kind, doc in header.documents()]
    found = results.to_bag(runs_per_partition=4).compute(scheduler="sync")
    assert [kind for kind, _ in found] == [kind for kind, _ in wanted]
    assert found[0] == wanted[0]


def test_what_is_pickled_is_small(sqlite_db):
    lazy = small_runs(sqlite_db)().to_dask()
    assert len(pickle.dumps(lazy)) < 10_000
