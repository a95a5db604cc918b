"""Runs with external data, and the files that they point to, written by real libraries."""

import h5py
import numpy as np

from databroker.external.locate import uri_of_path

HDF5 = "application/x-hdf5"
IMAGE = {"dtype": "array", "shape": [4, 5], "source": "sim", "external": "FILESTORE:"}
FRAME = {**IMAGE, "shape": [1, 4, 6], "dtype_numpy": "<u2", "external": "STREAM:"}
NUMBER = {"dtype": "number", "shape": [], "source": "sim"}
CAM = {
    "dtype": "array",
    "shape": [4, 6],
    "dtype_numpy": "<u2",
    "dims": ["y", "x"],
    "source": "sim",
    "external": "STREAM:",
}


def key(*shape, dtype="array", numpy="<u2"):
    return {
        "dtype": dtype,
        "shape": list(shape),
        "dtype_numpy": numpy,
        "source": "sim",
        "external": "STREAM:",
    }


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


def write(path, data, dataset="/entry/data/data", **options):
    with h5py.File(path, "w") as file:
        file.create_dataset(dataset, data=data, **options)
    return uri_of_path(str(path))


class Both:
    """A run of which each event has a number, an image of a datum, and one of a stream."""

    def __init__(self, db, files, events=5):
        self.run = Run(db.store)
        self.files = files
        self.img = frames(events, 4, 5)
        self.cam = frames(events, 4, 6) + 1000
        self.run.descriptor(cam=CAM)
        for number, image in enumerate(self.img):
            np.save(files / f"img_{number}.npy", image)
        self.run.resource("NPY_SEQ", files, "img")
        ids = self.run.datums([{"index": number} for number in range(events)])
        with h5py.File(files / "cam.h5", "w") as file:
            file.create_dataset("data", data=self.cam, chunks=(1, 4, 6))
        self.run.stream(HDF5, uri_of_path(str(files / "cam.h5")), dataset="data")
        self.run.events(ids)
        self.run.stream_datum(0, events)

    @property
    def references(self):
        return [f"sres/{number}" for number in range(len(self.cam))]

    def change(self, name, values):
        np.save(self.files / name, values)

    def lose(self, *names):
        for name in names:
            (self.files / name).unlink()
