"""Handlers by spec, on files of the libraries that write them."""

import subprocess
import sys

import h5py
import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from databroker.errors import HandlerFailed, MissingExtra
from databroker.external import Filler, Registry
from helpers.external import frames


@pytest.fixture
def value(run, files):
    """What one datum of a resource gives, our own handlers being used where there are others."""

    def read(spec, path, datum=None, discover=True, **kwargs):
        registry = Registry(discover=discover)
        run.resource(spec, files, path, **kwargs)
        run.datums([{}] if datum is None else [datum])
        found = Filler(run.store, registry).value("res/0")
        registry.close()
        return found

    return read


def test_npy(value, files):
    np.save(files / "a.npy", frames(3, 2))
    np.testing.assert_array_equal(value("npy", "a.npy"), frames(3, 2))


def test_npy_framewise(value, files):
    np.save(files / "a.npy", frames(3, 2))
    np.testing.assert_array_equal(
        value("npy_FRAMEWISE", "a.npy", {"frame_no": 1}, mmap_mode="r"), frames(3, 2)[1]
    )


@pytest.mark.parametrize("name", ["a.tif", "a.png", "ü b.TIFF"])
def test_single_images(value, files, name):
    image = frames(1, 8, 9)[0]
    if name.endswith("png"):
        imageio.imwrite(files / name, image)
    else:
        tifffile.imwrite(files / name, image)
    np.testing.assert_array_equal(value("SINGLE_TIFF", name), image)


def test_image_sequences(value, files):
    data = frames(4, 8, 9)
    for number, image in enumerate(data):
        imageio.imwrite(files / f"img_{number:04d}.png", image)
    found = value(
        "IMAGE_SEQ",
        "",
        {"point_number": 1},
        template="%s%s_%4.4d.png",
        filename="img",
        frame_per_point=2,
    )
    np.testing.assert_array_equal(found, data[2:])


def test_area_detector_tiffs(value, files):
    pytest.importorskip("area_detector_handlers")
    for number, image in enumerate(frames(2, 8, 9)):
        tifffile.imwrite(files / f"img_{number:06d}.tiff", image)
    found = value("AD_TIFF", "", {"point_number": 1}, template="%s%s_%6.6d.tiff", filename="img")
    np.testing.assert_array_equal(found, frames(2, 8, 9)[1:])


def test_columns_of_text(value, files):
    (files / "a.dat").write_text("# x y\n1 2\n3 4\n")
    assert value("DAT", "a.dat").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("datum", "expected"), [({}, [[1, 2], [3, 4]]), ({"column": "y"}, [2, 4])])
def test_tables_of_text(value, files, datum, expected):
    (files / "a.csv").write_text("x,y\n1,2\n3,4\n")
    assert value("CSV", "a.csv", datum).tolist() == expected


@pytest.mark.parametrize(
    ("kwargs", "datum", "expected"),
    [
        ({"key": "/a"}, {"point_number": 1}, np.s_[1:2]),
        ({"key": "/a", "frame_per_point": 3}, {"point_number": 1}, np.s_[3:6]),
        # The last point may have fewer.
        ({"key": "/a", "frame_per_point": 4}, {"point_number": 1}, np.s_[4:6]),
        ({"dataset": "/a"}, {"frame": 2}, np.s_[2]),
        ({}, {"index": 2}, np.s_[2]),
        ({}, {}, np.s_[:]),
    ],
)
def test_plain_hdf5(value, files, kwargs, datum, expected):
    with h5py.File(files / "a.h5", "w") as file:
        file["/a"] = frames(6, 2, 3)
    np.testing.assert_array_equal(value("HDF5", "a.h5", datum, **kwargs), frames(6, 2, 3)[expected])


@pytest.mark.parametrize("spec", ["AD_HDF5", "AD_HDF5_SWMR", "TPX_HDF5"])
def test_area_detector_hdf5_files_read_as_by_area_detector_handlers(files, spec):
    pytest.importorskip("area_detector_handlers")
    from databroker.external.handlers.adapter import as_array
    from databroker.external.handlers.builtin import replacement_for

    theirs = Registry().handler_reg[spec]
    place = "/entry/instrument/detector/data" if spec == "TPX_HDF5" else "/entry/data/data"
    with h5py.File(files / "a.h5", "w", libver="latest") as file:
        file[place] = frames(5, 2, 3)
    assert replacement_for(theirs) is not theirs
    path = str(files / "a.h5")
    ours = replacement_for(theirs)(path, frame_per_point=2)
    for point in range(3):
        # Made anew each time: the one for SWMR fails when it is called again.
        other = theirs(path, frame_per_point=2)
        np.testing.assert_array_equal(ours(point_number=point), as_array(other(point_number=point)))
        other._file.close()
    assert ours.get_file_list([{}]) == [path]
    ours.close()


def test_a_subclass_stands_for_itself():
    handlers = pytest.importorskip("area_detector_handlers.handlers")
    from databroker.external.handlers.builtin import replacement_for

    class Mine(handlers.AreaDetectorHDF5Handler): ...

    assert replacement_for(Mine) is Mine


@pytest.mark.parametrize(
    ("spec", "datum", "expected"),
    [
        ("MAPS_SPECTRUM", {"x": 1, "y": 2}, np.s_[:, 1, 2]),
        ("MAPS_PLANE", {"e_index": 3}, np.s_[3]),
    ],
)
def test_maps(value, files, spec, datum, expected):
    with h5py.File(files / "a.h5", "w") as file:
        file["MAPS/xrf"] = frames(5, 3, 4)
    found = value(spec, "a.h5", datum, dset_path="xrf")
    np.testing.assert_array_equal(found, frames(5, 3, 4)[expected])


def test_images_that_ophyd_simulates(store, registry, tmp_path):
    sim = pytest.importorskip("ophyd.sim")
    bluesky = pytest.importorskip("bluesky")
    from bluesky.plans import count

    image = sim.SynSignalWithRegistry(
        func=lambda: np.arange(12.0).reshape(3, 4), name="img", save_path=str(tmp_path)
    )
    engine = bluesky.RunEngine({})
    (uid,) = engine(count([image], 3), store.insert)
    ids = []
    for kind, doc in store.documents(uid):
        if kind == "descriptor":
            from databroker.columns import ALL, to_rows
            from databroker.stores.rows import batches_of

            for batch in batches_of(store, "event", doc["uid"], ALL):
                ids += [row["data"]["img"] for row in to_rows("event", doc["uid"], batch)]
    values = list(Filler(store, registry, uid).values(ids, "img"))
    assert [value.tolist() for value in values] == [np.arange(12.0).reshape(3, 4).tolist()] * 3


def test_a_missing_package_names_the_extra(value, files, monkeypatch):
    import sys

    from databroker.errors import MissingExtra

    (files / "a.tif").write_bytes(b"II*\0")
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(MissingExtra, match=r"pip install 'databroker\[images\]'"):
        value("SINGLE_TIFF", "a.tif")


WRITE_BITSHUFFLE = """
import sys, h5py, hdf5plugin, numpy
with h5py.File(sys.argv[1], "w") as file:
    data = numpy.arange(60, dtype="u2").reshape(3, 4, 5)
    options = hdf5plugin.Bitshuffle(cname="lz4")
    file.create_dataset("entry/data/data", data=data, chunks=(1, 4, 5), **options)
"""


def test_frames_that_a_detector_compressed_in_its_own_way(run, registry, files, monkeypatch):
    pytest.importorskip("hdf5plugin")
    command = [sys.executable, "-c", WRITE_BITSHUFFLE, str(files / "a.h5")]
    subprocess.run(command, check=True)
    run.resource("AD_HDF5", files, "a.h5")
    run.datums([{"point_number": number} for number in range(3)])
    with monkeypatch.context() as patch:
        patch.setattr(h5py.h5z, "filter_avail", lambda code: False)
        patch.setitem(sys.modules, "hdf5plugin", None)
        with pytest.raises(MissingExtra, match=r"databroker\[filters\]"):
            Filler(run.store, registry).value("res/1")
    value = Filler(run.store, registry).value("res/1")
    np.testing.assert_array_equal(value, [np.arange(20, 40).reshape(4, 5)])


def test_a_datum_that_asks_for_a_frame_before_the_first(value, files):
    with h5py.File(files / "a.h5", "w") as file:
        file["entry/data/data"] = frames(3, 2, 2)
    with pytest.raises(HandlerFailed, match="asks for frame -1"):
        value("AD_HDF5", "a.h5", {"point_number": -1})
