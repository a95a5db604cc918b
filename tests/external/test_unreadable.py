"""Data that cannot be had: whichever way it is asked for, the same is said, and the rest is had."""

import os
import re

import h5py
import numpy as np
import pytest
import yaml

from databroker import Broker
from databroker.errors import (
    DatasetMissing,
    FileDamaged,
    FileForbidden,
    FileMissing,
    HandlerFailed,
    NoHandler,
)
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from helpers.external import FRAME, IMAGE, Run, frames
from helpers.ways import ARRAYS, WAYS

DATA = "/entry/data/data"
HDF5 = "application/x-hdf5"
SEQUENCE = "multipart/related;type=image/tiff"


class Unmade:
    def __init__(self, path):
        raise RuntimeError("not today")


class Uncallable:
    def __init__(self, path):
        pass

    def __call__(self, index):
        raise KeyError("not this one")


@pytest.fixture
def db():
    with Broker(MemoryStore()) as made:
        made.reg.register_handler("UNMADE", Unmade)
        made.reg.register_handler("UNCALLABLE", Uncallable)
        yield made


def truncated(files):
    with h5py.File(files / "x.h5", "w") as file:
        file[DATA] = frames(3, 100, 100)
    os.truncate(files / "x.h5", 20_000)


def empty(files):
    (files / "x.h5").touch()
    (files / "x_0.npy").touch()


def folders(files):
    for name in ("x.h5", "x_0.npy", "x_0.tif", "x.csv"):
        (files / name).mkdir()


def circle(files):
    for name in ("x.h5", "x_0.npy"):
        (files / name).symlink_to(files / name)


def another(files):
    with h5py.File(files / "x.h5", "w") as file:
        file["/elsewhere"] = frames(3, 4, 6)


def nothing(files):
    pass


DATUMS = [
    (truncated, "AD_HDF5", "x.h5", {"point_number": 0}, FileDamaged),
    (empty, "AD_HDF5", "x.h5", {"point_number": 0}, FileDamaged),
    (empty, "NPY_SEQ", "x", {"index": 0}, FileDamaged),
    (folders, "AD_HDF5", "x.h5", {"point_number": 0}, FileDamaged),
    (folders, "NPY_SEQ", "x", {"index": 0}, FileDamaged),
    (circle, "AD_HDF5", "x.h5", {"point_number": 0}, FileDamaged),
    (circle, "NPY_SEQ", "x", {"index": 0}, FileDamaged),
    (another, "AD_HDF5", "x.h5", {"point_number": 0}, DatasetMissing),
    (nothing, "AD_HDF5", "x.h5", {"point_number": 0}, FileMissing),
    (nothing, "NPY_SEQ", "x", {"index": 0}, FileMissing),
    (nothing, "UNMADE", "x", {"index": 0}, HandlerFailed),
    (nothing, "UNCALLABLE", "x", {"index": 0}, HandlerFailed),
    (nothing, "UNHEARD_OF", "x", {"index": 0}, NoHandler),
]
STREAMS = [
    (truncated, HDF5, "x.h5", {"dataset": DATA}, FileDamaged),
    (empty, HDF5, "x.h5", {"dataset": DATA}, FileDamaged),
    (folders, HDF5, "x.h5", {"dataset": DATA}, FileDamaged),
    (folders, SEQUENCE, "", {"template": "x_{:d}.tif"}, FileDamaged),
    (folders, "text/csv", "x.csv", {}, FileDamaged),
    (circle, HDF5, "x.h5", {"dataset": DATA}, FileDamaged),
    (another, HDF5, "x.h5", {"dataset": DATA}, DatasetMissing),
    (nothing, HDF5, "x.h5", {"dataset": DATA}, FileMissing),
    (nothing, "application/x-unheard", "x", {}, NoHandler),
]


def check_unreadable(header, field, error):
    for way in WAYS:
        with pytest.raises(error) as caught:
            way(header, field, "primary")
        assert f"Field {field!r} of run 'run-1'" in str(caught.value), way.__name__
        with pytest.warns(UserWarning, match=f"Field {field!r}"):
            (found,) = way(header, field, "primary", on_missing="mask")
        assert np.isnan(found).all() if way in ARRAYS else found is None or np.isnan(found).all()
    table = header.table(fields=["det"], fill=True)
    assert table["det"].tolist() == header.xarray(fields=["det"]).det.values.tolist() == [0.0]
    assert header.table()[field].notna().all()
    for shown in (header.files(), header.files()._repr_html_(), str(header), header._repr_html_()):
        assert shown  # and nothing is raised


@pytest.mark.parametrize(("prepare", "spec", "path", "kwargs", "error"), DATUMS)
def test_datums(db, files, prepare, spec, path, kwargs, error):
    prepare(files)
    run = Run(db.store)
    run.descriptor(img=IMAGE)
    run.resource(spec, files, path)
    run.events(run.datums([kwargs]))
    check_unreadable(db[-1], "img", error)


@pytest.mark.parametrize(("prepare", "mimetype", "path", "parameters", "error"), STREAMS)
def test_streams(db, files, prepare, mimetype, path, parameters, error):
    prepare(files)
    run = Run(db.store)
    run.descriptor(cam=FRAME)
    run.stream(mimetype, uri_of_path(str(files / path)) + ("" if path else "/"), **parameters)
    run.events([None])
    run.stream_datum(0, 1)
    check_unreadable(db[-1], "cam", error)


def test_files_of_somebody_else(db, files, request):
    another(files)
    np.save(files / "x_0.npy", frames(1, 4, 5)[0])
    for path in files.iterdir():
        path.chmod(0)
    run = Run(db.store)
    run.descriptor(img=IMAGE, cam=FRAME)
    run.resource("NPY_SEQ", files, "x")
    run.stream(HDF5, uri_of_path(str(files / "x.h5")), dataset=DATA)
    run.events(run.datums([{"index": 0}]))
    run.stream_datum(0, 1)
    request.getfixturevalue("nobody")
    for field in ("img", "cam"):
        check_unreadable(db[-1], field, FileForbidden)


def test_what_the_message_says_mends_it(db, tmp_path):
    old, new = tmp_path / "it's old", tmp_path / "new"
    run = Run(db.store)
    run.descriptor(img=IMAGE)
    run.resource("NPY_SEQ", old, "x")
    run.events(run.datums([{"index": 0}]))
    new.mkdir()
    np.save(new / "x_0.npy", frames(1, 4, 5)[0])
    with pytest.raises(FileMissing) as caught:
        next(db[-1].data("img"))
    written, code = re.search(
        r"(root_map: .*?); or in Python, (.*?) \(", str(caught.value)
    ).groups()
    entries = yaml.safe_load(written.replace("/where/they/are", str(new)))
    assert entries == {"root_map": {str(old): str(new)}}
    exec(code.replace("/where/they/are", str(new)), {"db": db})
    assert dict(db.reg.root_map) == entries["root_map"]
    assert next(db[-1].data("img")).shape == (4, 5)
