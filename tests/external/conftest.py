"""Runs with external data, and the files that they point to, written by real libraries."""

import h5py
import numpy as np
import pytest
import tifffile

from databroker.external import Registry
from databroker.external.locate import uri_of_path
from databroker.stores.registry import open_store

IMAGE = {"dtype": "array", "shape": [4, 5], "source": "sim", "external": "FILESTORE:"}
FRAME = {**IMAGE, "shape": [1, 4, 6], "dtype_numpy": "<u2", "external": "STREAM:"}
NUMBER = {"dtype": "number", "shape": [], "source": "sim"}


def frames(rows, *shape, dtype="u2"):
    """Frames in which every element is different."""
    return np.arange(rows * int(np.prod(shape)), dtype=dtype).reshape(rows, *shape)


class Run:
    """A run in a store, filled piece by piece."""

    def __init__(self, store, uid="run-1"):
        self.store = store
        self.uid = uid
        store.insert("start", {"uid": uid, "time": 1.0})

    def descriptor(self, uid="d", name="primary", **keys):
        keys = {"img": IMAGE, "det": NUMBER, **keys}
        doc = {"uid": uid, "run_start": self.uid, "time": 1.0, "name": name, "data_keys": keys}
        self.store.insert("descriptor", doc)
        return doc

    def resource(self, spec, root, path, uid="res", run_start=True, **kwargs):
        doc = {
            "uid": uid,
            "spec": spec,
            "root": str(root),
            "resource_path": str(path),
            "resource_kwargs": kwargs,
            "path_semantics": "posix",
        }
        if run_start:
            doc["run_start"] = self.uid
        self.store.insert("resource", doc)
        return doc

    def datums(self, kwargs, resource="res"):
        ids = [f"{resource}/{number}" for number in range(len(kwargs))]
        if kwargs:
            page = {"datum_id": ids, "resource": resource}
            page["datum_kwargs"] = {key: [each[key] for each in kwargs] for key in kwargs[0]}
            self.store.insert("datum_page", page)
        return ids

    def events(self, ids, field="img", descriptor="d"):
        for number, datum_id in enumerate(ids):
            self.store.insert(
                "event",
                {
                    "uid": f"{descriptor}-{number}",
                    "descriptor": descriptor,
                    "seq_num": number + 1,
                    "time": 2.0 + number,
                    "data": {field: datum_id, "det": float(number)},
                    "timestamps": {field: 2.0, "det": 2.0},
                    "filled": {field: False},
                },
            )

    def stream(self, mimetype, uri, uid="sres", data_key="cam", **parameters):
        doc = {
            "uid": uid,
            "run_start": self.uid,
            "data_key": data_key,
            "mimetype": mimetype,
            "uri": uri,
            "parameters": parameters,
        }
        self.store.insert("stream_resource", doc)
        return doc

    def stream_datum(self, start, stop, uid="sres", first=None, descriptor="d"):
        first = start + 1 if first is None else first
        self.store.insert(
            "stream_datum",
            {
                "uid": f"{uid}/{first}",
                "stream_resource": uid,
                "descriptor": descriptor,
                "indices": {"start": start, "stop": stop},
                "seq_nums": {"start": first, "stop": first + stop - start},
            },
        )


class Source:
    """What leads an array to its store, as a locator does."""

    def __init__(self, store):
        self.store = store


@pytest.fixture
def store(tmp_path):
    opened = open_store("sqlite", path=tmp_path / "runs.db")
    yield opened
    opened.close()


@pytest.fixture
def run(store):
    return Run(store)


@pytest.fixture
def registry():
    made = Registry()
    yield made
    made.close()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def everything(run, files):
    """A run with a sequence, an HDF5 file of two fields, a streamed file, and a folder of TIFFs."""
    (files / "a b").mkdir()
    for number in range(3):
        np.save(files / "a b" / f"img_{number}.npy", frames(3, 4, 5)[number])
    with h5py.File(files / "cam.h5", "w") as file:
        file["/entry/data/data"] = frames(3, 4, 6)
    descriptor = run.descriptor(cam=FRAME, tif=FRAME)
    run.resource("NPY_SEQ", files, "a b/img")
    run.events(run.datums([{"index": number} for number in range(3)]))
    run.stream("application/x-hdf5", uri_of_path(str(files / "cam.h5")), dataset="/entry/data/data")
    run.stream_datum(0, 3)
    (files / "tiffs").mkdir()
    for number in range(3):
        tifffile.imwrite(files / "tiffs" / f"{number}.tif", frames(3, 4, 6)[number])
    uri = uri_of_path(str(files / "tiffs")) + "/"
    run.stream("multipart/related;type=image/tiff", uri, "tiffs", "tif", template="{:d}.tif")
    run.stream_datum(0, 3, "tiffs")
    return descriptor
