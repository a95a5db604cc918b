"""Lazy data hold where the data are: they pickle small, and compute in other processes."""

import json
import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from databroker import Broker
from databroker.errors import StoreUnavailable
from databroker.stores.store_ref import OpenStores, StoreRef
from helpers.many_runs import small_runs


@pytest.fixture
def header(sqlite_db, new_run, key):
    run = new_run(sqlite_db)
    keys = {"x": key(), "wave": key("array", [1000], dtype_numpy="<f4"), "s": key("string")}
    owner = run.descriptor(keys, config={"cam": {"exposure": 0.5}})
    for first in range(0, 2000, 500):
        numbers = range(first + 1, first + 501)
        waves = [np.full(1000, n, "<f4") for n in numbers]
        run.page(
            owner, numbers, x=[n / 2 for n in numbers], wave=waves, s=[f"s{n}" for n in numbers]
        )
    return run.stop()


def test_what_is_pickled_is_small(header):
    dataset = header.xarray_dask().drop_vars(["time", "seq_num"])
    assert len(pickle.dumps(dataset)) < 40_000
    assert len(pickle.dumps(header.streams["primary"]["wave"])) < 4_000


# In a process of its own: what a cluster leaves behind (sockets, log records) ends with it.
CLUSTER = """
import json, os, pickle, sys
from distributed import Client, LocalCluster
from databroker import Broker


def read_twice(pickled):
    from databroker.stores import store_ref

    one, other = pickle.loads(pickled), pickle.loads(pickled)
    return float(one[0, 0]), float(other[-1, 0]), len(store_ref._opened)


def main():
    header = pickle.load(open(sys.argv[1], "rb"))
    dataset = header.xarray_dask().chunk({"time": 250})
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        assert len({os.getpid(), *client.run(os.getpid).values()}) == 3
        assert dataset.wave.mean("dim_0").compute().values.tolist() == list(range(1, 2001))
        assert dataset.x.sum().compute() == sum(range(1, 2001)) / 2
        assert dataset.s[-1].compute() == "s2000"
        stream = header.streams["primary"]
        assert stream.config["cam"].to_dask().exposure.sum().compute() == 1000
        # Each worker opens the store for itself, once for all of its tasks.
        found = client.run(read_twice, pickle.dumps(stream["wave"]))
        assert list(found.values()) == [(1.0, 2000.0, 1)] * 2
        for number, config in enumerate(json.load(open(sys.argv[2])), 2):
            with Broker.from_config(config) as db:
                many_runs(db)
            assert set(client.run(opened).values()) == {number}


def opened():
    from databroker.stores import store_ref

    return len(store_ref._opened)


def many_runs(db):
    lazy, table = db().to_dask(metadata=["T"], runs_per_partition=2), db().table(metadata=["T"])
    assert lazy.npartitions == 5
    means = lazy.groupby("T").x.mean().compute().sort_index()
    assert means.to_dict() == table.groupby("T").x.mean().to_dict()
    starts = db().to_bag(2).filter(lambda pair: pair[0] == "start").count()
    assert starts.compute() == 10
    rows = db().tables().to_bag(5).map(lambda pair: len(pair[1])).sum()
    assert rows.compute() == len(table)


if __name__ == "__main__":
    main()
"""


def test_it_computes_on_a_cluster_of_processes(header, tmp_path, postgresql_config):
    pytest.importorskip("distributed")
    run, script = tmp_path / "header.pickle", tmp_path / "cluster.py"
    configs = [{"driver": "sqlite", "path": str(tmp_path / "many.db")}, postgresql_config]
    for config in configs:
        with Broker.from_config(config) as db:
            small_runs(db)
    (tmp_path / "configs.json").write_text(json.dumps(configs))
    run.write_bytes(pickle.dumps(header))
    script.write_text(CLUSTER)
    command = [sys.executable, str(script), str(run), str(tmp_path / "configs.json")]
    done = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_memory_store_computes_in_threads_and_refuses_to_go_elsewhere(memory_db, new_run):
    run = new_run(memory_db)
    run.event(run.descriptor(["x"]), x=1.0)
    dataset = run.header.xarray_dask()
    assert dataset.x.compute(scheduler="threads").values.tolist() == [1.0]
    with pytest.raises(TypeError, match="memory store lives in one process"):
        pickle.dumps(dataset)
    with pytest.raises(TypeError, match="memory store lives in one process"):
        pickle.dumps(run.header.streams["primary"])


SCRIPT = """
import pickle, sys
header, stream, field, view = pickle.load(open(sys.argv[1], "rb"))
assert header.start["scan_id"] == 7 and header.stop["exit_status"] == "success"
assert len(header.table(fields=["x"])) == 2000
assert stream.read(["x"]).x.values[-1] == 1000.0
assert field[1999, 0] == 2000 and field.dtype == "float32"
assert view.table().exposure.tolist() == [0.5] * 2000
"""


def test_handles_go_to_another_process(header, tmp_path):
    stream = header.streams["primary"]
    things = (header, stream, stream["wave"], stream.config["cam"])
    path = tmp_path / "things.pickle"
    path.write_bytes(pickle.dumps(things))
    subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, timeout=60)


def _in_child(field, queue):
    # Without threads: those of dask's pool stay behind in the parent.
    last = field.to_dask()[-1, 0].compute(scheduler="sync")
    queue.put((os.getpid(), float(field[10, 0]), float(last)))


def test_a_forked_child_reads_with_a_connection_of_its_own(header):
    field = header.streams["primary"]["wave"]
    copy = pickle.loads(pickle.dumps(field))
    assert field[0, 0] == copy[0, 0] == 1
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    for each in (field, copy):
        child = context.Process(target=_in_child, args=(each, queue), daemon=True)
        child.start()
        pid, one, other = queue.get(timeout=30)
        child.join(30)
        assert (child.exitcode, one, other) == (0, 11.0, 2000.0)
        assert pid != os.getpid()
    assert field[5, 0] == copy[5, 0] == 6


def test_a_process_opens_a_store_once_and_forgets_the_oldest(tmp_path):
    from databroker.stores.sql import SQLiteStore

    stores = OpenStores(most=2)
    names = []
    for number in range(3):
        store = SQLiteStore(tmp_path / f"{number}.db")
        names.append(pickle.dumps(store))
        store.close()
    first = stores.get(names[0])
    assert stores.get(names[0]) is first
    stores.get(names[1])
    stores.get(names[2])
    assert len(stores) == 2
    assert stores.get(names[0]) is not first
    assert first.record("nobody") is None  # whoever still has it can go on
    stores.close()
    assert len(stores) == 0
    first.close()


def test_a_store_that_lacks_the_rows_there_is_said_so(header, tmp_path):
    from databroker.stores.sql import SQLiteStore

    field = header.streams["primary"]["wave"]
    other = SQLiteStore(tmp_path / "elsewhere.db")
    field._reader._store_ref = StoreRef(other)
    with pytest.raises(StoreUnavailable, match="another machine"):
        field[0]
    other.close()
