"""Files under paths of all kinds: odd names, other systems, links, and where they are now."""

import h5py
import numpy as np
import pytest

from databroker import Broker
from databroker.errors import FileMissing
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from helpers.external import FRAME, IMAGE, Run, frames
from helpers.ways import check

DATA = "/entry/data/data"
HDF5 = "application/x-hdf5"
IMAGES = frames(3, 4, 5)
CAM = frames(3, 4, 6)


@pytest.fixture
def db():
    with Broker(MemoryStore()) as made:
        yield made


def write(folder):
    folder.mkdir(parents=True)
    for number, image in enumerate(IMAGES):
        np.save(folder / f"img_{number}.npy", image)
    with h5py.File(folder / "cam.h5", "w") as file:
        file[DATA] = CAM


def recorded(db, root, path, uri, **more):
    """A run whose documents say where the files are, or were."""
    run = Run(db.store)
    run.descriptor(img=IMAGE, cam={**FRAME, "shape": [4, 6]})
    resource = {"uid": "res", "run_start": run.uid, "spec": "NPY_SEQ", "resource_kwargs": {}}
    db.insert("resource", {**resource, "root": root, "resource_path": path, **more})
    run.stream(HDF5, uri, dataset=DATA)
    run.events(run.datums([{"index": number} for number in range(3)]))
    run.stream_datum(0, 3)
    return db[-1]


def check_both(header):
    check(header, "img", IMAGES)
    check(header, "cam", CAM)
    assert [each.exists for each in header.files()] == [True] * 4


@pytest.mark.parametrize(
    "name",
    [
        "with a blank",
        "ünïcödé 数据 🔬",
        "50% #1?&=+;",
        "%d {} %s",
        "[a-z]*",
        "~",
        "a'b\"c",
        "new\nline",
    ],
)
def test_odd_names(db, tmp_path, name):
    folder = tmp_path / name
    write(folder)
    check_both(recorded(db, str(tmp_path), f"{name}/img", uri_of_path(str(folder / "cam.h5"))))


def test_a_uri_that_nobody_escaped(db, tmp_path):
    folder = tmp_path / "ä #1? 5%"
    write(folder)
    check_both(recorded(db, str(folder), "img", f"file://localhost{folder}/cam.h5"))


@pytest.mark.parametrize("root", ["C:\\Data", "c:/data", "\\\\server\\share"])
def test_paths_of_windows(db, tmp_path, root):
    write(tmp_path / "here" / "Beam Time")
    uri = "file://localhost/C:/Data/Beam%20Time/cam.h5"
    header = recorded(db, root, "Beam Time\\img", uri, path_semantics="windows")
    with pytest.raises(FileMissing, match="root_map"):
        next(header.data("img"))
    db.reg.root_map = {root: str(tmp_path / "here"), "C:\\data": str(tmp_path / "here")}
    check_both(header)


def test_a_root_that_is_a_link(db, tmp_path):
    write(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    uri = uri_of_path(str(tmp_path / "link" / "cam.h5"))
    check_both(recorded(db, str(tmp_path / "link"), "img", uri))


def test_paths_without_a_root(db, tmp_path, monkeypatch):
    write(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    header = recorded(db, "", "data/img", uri_of_path(str(tmp_path / "data" / "cam.h5")))
    check_both(header)
    monkeypatch.chdir("/")
    with pytest.raises(FileMissing):
        next(header.data("img"))
    db.reg.root_map[""] = str(tmp_path)
    check_both(header)


def test_files_that_move_while_a_header_is_in_hand(db, tmp_path):
    write(tmp_path / "one")
    header = recorded(db, "/recorded", "img", "file://localhost/recorded/cam.h5")
    lazy = header.xarray_dask()
    for name in ("one", "two", "three"):
        db.reg.root_map["/recorded"] = str(tmp_path / name)
        check_both(header)
        np.testing.assert_array_equal(lazy.cam, CAM)
        np.testing.assert_array_equal(lazy.img, IMAGES)
        (tmp_path / name).rename(tmp_path / {"one": "two", "two": "three"}.get(name, "gone"))
    db.reg.close()  # what is open can be read wherever it went
    with pytest.raises(FileMissing, match="three"):
        next(header.data("cam"))
