"""Reading leaves files as they are: nothing is written, and nobody is kept from them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

import databroker
from databroker import Broker
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from helpers.external import FRAME, Run, frames
from helpers.ways import WAYS, check

zarr = pytest.importorskip("zarr")

DATA = "/entry/data/data"
HDF5 = "application/x-hdf5"
IMAGES = frames(3, 4, 6)
STREAMED = {
    "hdf5": (HDF5, "a.h5", {"dataset": DATA}),
    "hdf5_closed": (HDF5, "b.h5", {"dataset": DATA, "swmr": False}),
    "tiff": ("multipart/related;type=image/tiff", "", {"template": "img_{:d}.tiff"}),
    "npy": ("multipart/related;type=application/x-npy", "", {"filename": "img"}),
    "zarr": ("application/x-zarr", "a.zarr", {}),
    "csv": ("text/csv;header=absent", "a.csv", {}),
}
DATUMS = {
    "d_hdf5": ("AD_HDF5", "c.h5", "point_number", {}),
    "d_swmr": ("AD_HDF5_SWMR", "d.h5", "point_number", {}),
    "d_npy": ("NPY_SEQ", "img", "index", {}),
    "d_tiff": ("AD_TIFF", "", "point_number", {"template": "%s%s_%d.tiff", "filename": "img"}),
    "d_image": ("IMAGE_SEQ", "", "point_number", {"template": "%s%s_%d.tiff", "filename": "img"}),
}


@pytest.fixture
def files():
    """A folder that everybody may look into, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        folder = Path(place, "files")
        folder.mkdir()
        yield folder


@pytest.fixture
def db():
    with Broker(MemoryStore()) as made:
        yield made


@pytest.fixture
def header(db, files):
    """A run with a field of each kind of file."""
    for name in "abcd":
        with h5py.File(files / f"{name}.h5", "w") as file:
            file[DATA] = IMAGES
    for number, image in enumerate(IMAGES):
        np.save(files / f"img_{number}.npy", image)
        tifffile.imwrite(files / f"img_{number}.tiff", image)
    array = zarr.create_array(str(files / "a.zarr"), shape=(3, 4, 6), chunks=(1, 4, 6), dtype="u2")
    array[:] = IMAGES
    np.savetxt(files / "a.csv", IMAGES[:, 0], delimiter=",", fmt="%d")
    run = Run(db.store)
    datum = {**FRAME, "external": "FILESTORE:"}
    keys = {**dict.fromkeys(STREAMED, FRAME), **dict.fromkeys(DATUMS, datum)}
    keys["csv"] = {**FRAME, "shape": [6]}
    keys["npy"] = {**FRAME, "shape": [4, 6]}
    keys["d_npy"] = {**datum, "shape": [4, 6]}
    document = {"uid": "d", "run_start": run.uid, "time": 1.0, "name": "primary"}
    db.insert("descriptor", {**document, "data_keys": keys})
    for name, (mimetype, path, parameters) in STREAMED.items():
        uri = uri_of_path(str(files / path)) + ("" if path else "/")
        run.stream(mimetype, uri, name, name, **parameters)
        run.stream_datum(0, 3, name)
    ids = {}
    for name, (spec, path, argument, kwargs) in DATUMS.items():
        run.resource(spec, files.parent, f"{files.name}/{path}", name, **kwargs)
        ids[name] = run.datums([{argument: number} for number in range(3)], name)
    for number in range(3):
        event = {"uid": f"e{number}", "descriptor": "d", "seq_num": number + 1, "time": 2.0}
        data = {name: found[number] for name, found in ids.items()}
        db.insert("event", {**event, "data": data, "timestamps": dict.fromkeys(data, 2.0)})
    return db[-1]


def expected(name):
    if name == "csv":
        return IMAGES[:, 0]
    return IMAGES if "npy" in name else IMAGES[:, np.newaxis]


def read_all(header):
    for name in [*STREAMED, *DATUMS]:
        check(header, name, expected(name))


def state(folder):
    """All that there is to say of a folder, but when it was last read."""
    found = {}
    for place, folders, names in os.walk(folder):
        for path in [place, *(os.path.join(place, name) for name in (*folders, *names))]:
            status = os.stat(path)
            content = Path(path).read_bytes() if os.path.isfile(path) else None
            found[path] = (status.st_mode, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


def test_files_and_folders_stay_as_they_are(header, files, tmp_path):
    before = state(files)
    read_all(header)
    assert all(each.exists for each in header.files())
    with databroker.temp() as other:
        header.db.export(header, other, new_root=tmp_path / "copies")
        read_all(other[-1])
    assert state(files) == before


def test_a_user_who_may_only_read_can_read_all(header, files, request):
    for place, _, names in os.walk(files):
        for path in [place, *(os.path.join(place, name) for name in names)]:
            os.chmod(path, 0o555 if os.path.isdir(path) else 0o444)
    request.getfixturevalue("nobody")
    assert not os.access(files, os.W_OK, effective_ids=True)
    read_all(header)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fdinfo"), reason="this system does not tell")
def test_files_are_open_for_reading_only(header, files):
    read_all(header)
    seen = 0
    for number in os.listdir("/proc/self/fd"):
        if os.path.realpath(f"/proc/self/fd/{number}").startswith(f"{files}/"):
            with open(f"/proc/self/fdinfo/{number}") as info:
                flags = next(line.split()[1] for line in info if line.startswith("flags"))
            assert int(flags, 8) & os.O_ACCMODE == os.O_RDONLY
            seen += 1
    assert seen >= 4  # those of HDF5 are kept open


@pytest.mark.parametrize("way", WAYS)
def test_others_may_use_files_that_are_kept_open(header, files, way):
    fcntl = pytest.importorskip("fcntl")
    lazy = header.xarray_dask()
    for name in [*STREAMED, *DATUMS]:
        way(header, name, "primary")
    for name in "abcd":
        path = files / f"{name}.h5"
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with h5py.File(path) as file:
            assert file[DATA].shape == (3, 4, 6)
    code = "import h5py, sys\nfor path in sys.argv[1:]: h5py.File(path, 'a')['more'] = 1"
    paths = [str(files / f"{name}.h5") for name in "abcd"]
    subprocess.run([sys.executable, "-c", code, *paths], check=True)
    np.testing.assert_array_equal(lazy.hdf5, expected("hdf5"))
    read_all(header)


@pytest.fixture
def writer(files):
    """A file that this process is writing."""
    with h5py.File(files / "w.h5", "w", libver="latest") as file:
        file.create_dataset(DATA, data=IMAGES, maxshape=(None, 4, 6))
        file.flush()
        yield file


@pytest.fixture
def written(db, writer):
    run = Run(db.store, "written")
    run.descriptor("w", cam=FRAME)
    run.stream(HDF5, uri_of_path(writer.filename), dataset=DATA)
    run.events([None] * 3, descriptor="w")
    run.stream_datum(0, 3, descriptor="w")
    return db["written"]


def test_a_writer_of_this_process_keeps_its_lock(written, writer):
    fcntl = pytest.importorskip("fcntl")
    check(written, "cam", IMAGES[:, np.newaxis])
    with open(writer.filename, "rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_this_process_has_written_is_finished_when_it_says_so(written, writer):
    writer.swmr_mode = True
    check(written, "cam", IMAGES[:, np.newaxis])
    path = writer.filename
    writer.close()
    code = "import h5py, sys; h5py.File(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True)
