"""The runs of a search for dask: read in pages, wherever they are computed."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest

from databroker.errors import InvalidQuery
from helpers import runs
from helpers.run_builder import RunBuilder, number
from helpers.runs import save

pytest.importorskip("dask.dataframe")


def small_runs(db):
    for count in range(10):
        run = RunBuilder(db, f"run {count}", scan_id=count, time=1000.0 + count, T=count / 2)
        keys = {"x": number(), "s": number("string"), "wave": number("array", [3])}
        owner = run.descriptor(keys if count % 3 else {"x": number("integer")})
        for row in range(count % 4):
            wave = {"s": "text", "wave": np.arange(3) + row} if count % 3 else {}
            run.event(owner, x=row if count % 2 else row / 2, **wave)
        run.stop()
    return db


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


# In a process of its own, as the one for arrays: what a cluster leaves behind ends with it.
CLUSTER = """
import json, os, sys
from distributed import Client, LocalCluster
from databroker import Broker


def opened():
    from databroker.stores import store_ref

    return len(store_ref._opened)


def main():
    configs = json.load(open(sys.argv[1]))
    options = dict(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        assert len({os.getpid(), *client.run(os.getpid).values()}) == 3
        for number, config in enumerate(configs, 1):
            with Broker.from_config(config) as db:
                lazy = db().to_dask(metadata=["T"], runs_per_partition=2)
                assert lazy.npartitions == 5
                table = db().table(metadata=["T"])
                assert lazy.x.sum().compute() == table.x.sum()
                means = lazy.groupby("T").x.mean().compute().sort_index()
                assert means.to_dict() == table.groupby("T").x.mean().to_dict()
                assert lazy[["uid", "s"]].compute().uid.tolist() == table.uid.tolist()
                starts = db().to_bag(2).filter(lambda pair: pair[0] == "start").count()
                assert starts.compute() == 10
                rows = db().tables().to_bag(2).map(lambda pair: len(pair[1])).sum()
                assert rows.compute() == len(table)
            # Each worker opened the store for itself, once for all of its tasks.
            assert set(client.run(opened).values()) == {number}


if __name__ == "__main__":
    main()
"""


def test_it_computes_on_a_cluster_of_processes(sqlite_db, postgresql_config, tmp_path):
    pytest.importorskip("distributed")
    from databroker import Broker

    small_runs(sqlite_db)
    with Broker.from_config(postgresql_config) as served:
        small_runs(served)
    configs, script = tmp_path / "configs.json", tmp_path / "cluster.py"
    local = {"driver": "sqlite", "path": str(sqlite_db.store.path)}
    configs.write_text(json.dumps([local, postgresql_config]))
    script.write_text(CLUSTER)
    command = [sys.executable, str(script), str(configs)]
    done = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
