"""External fields in several threads and processes, and how many files are open meanwhile."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import h5py
import numpy as np
import pytest

from databroker import Broker
from databroker.external.handler_cache import MOST
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from helpers.external import FRAME, IMAGE, Both, Run
from helpers.ways import WAYS

HDF5 = "application/x-hdf5"


@pytest.fixture
def db(tmp_path):
    with Broker(SQLiteStore(tmp_path / "runs.db")) as made:
        yield made


@pytest.fixture
def both(db, files):
    return Both(db, files, 20)


# -- open files ------------------------------------------------------------------


def open_files(folder):
    """How many files of a folder this process has open."""
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return sum(os.path.realpath(link).startswith(f"{folder}/") for link in links)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="this system does not tell")
def test_a_bounded_number_of_files_is_open(files):
    db, count = Broker(MemoryStore()), MOST + 20
    run = Run(db.store)
    run.descriptor(img={**IMAGE, "shape": [1, 2, 2]}, cam={**FRAME, "shape": [1, 2, 2]})
    ids = []
    for number in range(count):
        path = files / f"{number}.h5"
        with h5py.File(path, "w") as file:
            file["/entry/data/data"] = np.full((1, 2, 2), number, "u2")
        run.resource("AD_HDF5", files, path.name, f"res{number}")
        ids += run.datums([{"point_number": 0}], f"res{number}")
        uri = uri_of_path(str(path))
        run.stream(HDF5, uri, f"stream{number}", dataset="/entry/data/data")
        run.stream_datum(0, 1, f"stream{number}", first=number + 1)
    run.events(ids)
    for way in WAYS:
        for field in ("img", "cam"):
            found = [value[0, 0, 0] for value in way(db[-1], field, "primary")]
            assert found == list(range(count))
            assert 0 < open_files(files) <= MOST
    assert all(each.exists for each in db[-1].files())
    assert open_files(files) <= MOST
    db.close()
    assert open_files(files) == 0


# -- threads ---------------------------------------------------------------------


class Counting:
    """A handler that knows how many threads used it at a time."""

    users = most = 0
    together = None

    def __init__(self, path):
        self.path = path

    def __call__(self, index):
        kind = type(self)
        kind.users += 1
        kind.most = max(kind.most, kind.users)
        if kind.together is not None:
            kind.together.wait()
        time.sleep(0.001)
        value = np.load(f"{self.path}_{index}.npy")
        kind.users -= 1
        return value


def test_a_handler_is_used_by_one_thread_at_a_time(db, both):
    class Fragile(Counting):
        pass

    db.reg.register_handler("NPY_SEQ", Fragile, overwrite=True)
    lazy = db[-1].streams["primary"]["img"].to_dask(chunks=(1, 4, 5))
    np.testing.assert_array_equal(lazy.compute(scheduler="threads", num_workers=4), both.img)
    assert Fragile.most == 1


def test_a_handler_that_says_so_is_used_by_several_threads(db, both):
    class Robust(Counting):
        thread_safe = True

    db.reg.register_handler("NPY_SEQ", Robust, overwrite=True)
    lazy = db[-1].streams["primary"]["img"].to_dask(chunks=(10, 4, 5))[[0, 10]]
    Robust.together = threading.Barrier(2, timeout=20)  # they meet in the handler, or never
    found = lazy.compute(scheduler="threads", num_workers=2)
    np.testing.assert_array_equal(found, both.img[[0, 10]])


def test_many_threads_read_one_header(db, both):
    header, wrong = db[-1], []

    def read(way):
        for name, data in (("img", both.img), ("cam", both.cam)):
            if not np.array_equal(np.asarray(way(header, name, "primary")), data):
                wrong.append((way, name))

    threads = [threading.Thread(target=read, args=(way,)) for way in WAYS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- processes -------------------------------------------------------------------


def sums(header):
    return [
        [int(value.sum()) for value in way(header, name, "primary")]
        for name in ("img", "cam")
        for way in WAYS
    ]


def expected(both):
    return [data.sum(axis=(1, 2)).tolist() for data in (both.img, both.cam) for _ in WAYS]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_both_sides_of_a_fork_read(db, both):
    import dask

    header = db[-1]
    with dask.config.set(scheduler="sync"):  # the threads of a pool stay behind in the parent
        assert sums(header) == expected(both)  # files are open when it forks
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            assert [*pool.map(sums, [header] * 4)] == [expected(both)] * 4
        assert sums(header) == expected(both)


# In a process of its own: what a cluster leaves behind ends with it.
CLUSTER = """
import pickle, sys
from distributed import Client, LocalCluster


def main():
    header, img, cam = pickle.load(open(sys.argv[1], "rb"))
    lazy = header.xarray_dask().chunk({"time": 5})
    found = lazy[["img", "cam"]].compute(scheduler="processes", num_workers=1)
    assert (found.img == img).all()
    assert (found.cam == cam).all()
    options = {"threads_per_worker": 2, "processes": True, "dashboard_address": None}
    with LocalCluster(n_workers=1, **options) as cluster, Client(cluster):
        assert (lazy.img.compute() == img).all()
        assert (lazy.cam.compute() == cam).all()
        array = header.streams["primary"]["cam"].to_dask(chunks=(4, 4, 6))
        assert array.mean().compute() == cam.mean()


if __name__ == "__main__":
    main()
"""


def test_other_processes_and_clusters_read(db, both, tmp_path):
    pytest.importorskip("distributed")
    list(db[-1].data("cam"))  # the file is open here
    run, script = tmp_path / "run.pickle", tmp_path / "cluster.py"
    run.write_bytes(pickle.dumps((db[-1], both.img, both.cam)))
    script.write_text(CLUSTER)
    command = [sys.executable, str(script), str(run)]
    done = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
