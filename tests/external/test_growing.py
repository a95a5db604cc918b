"""Files that are still being written: what is there is readable, and more later."""

import h5py
import numpy as np
import pytest
import tifffile

from databroker.errors import FramesMissing
from databroker.external import Filler
from databroker.external.locate import uri_of_path
from helpers.external import HDF5, frames, key
from helpers.external_arrays import cam, streamed_array


@pytest.mark.parametrize("asked", [True, False])
def test_an_hdf5_file_that_grows(run, registry, writer, asked):
    path, write = writer("swmr")
    write(3)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(HDF5, uri_of_path(str(path)), dataset="/entry/data/data", swmr=asked)
    run.stream_datum(0, 5)
    array = cam(run, registry, descriptor)
    assert (len(array), array.available) == (5, 3)
    assert array[:3, 0, 0, 0].tolist() == [0, 1, 2]
    with pytest.raises(FramesMissing, match="3 frames so far, and frame 4 is wanted"):
        array[4]
    write(5)
    assert array.available == 5
    assert array[3:, 0, 0, 0].tolist() == [3, 4]
    run.stream_datum(5, 8)
    write(7)
    later = cam(run, registry, descriptor, on_missing="mask")
    assert (len(later), later.available) == (8, 7)
    with pytest.warns(UserWarning, match="frame 7"):
        assert np.isnan(later[:, 0, 0, 0]).tolist() == [False] * 7 + [True]
    registry.close()


def test_datums_of_a_file_that_grows(run, registry, writer):
    path, write = writer("swmr")
    write(1)
    run.resource("AD_HDF5_SWMR", path.parent, path.name)
    run.datums([{"point_number": number} for number in range(3)])
    filler = Filler(run.store, registry, run.uid)
    assert filler.value("res/0")[0, 0, 0] == 0
    with pytest.raises(FramesMissing):
        filler.value("res/2")
    write(3)
    assert filler.value("res/2")[0, 0, 0] == 2
    registry.close()


def test_a_file_that_is_written_anew_is_opened_again(run, registry, files):
    path = files / "a.h5"

    def write(count):
        with h5py.File(path, "w") as file:
            file["/entry/data/data"] = frames(count, 4, 6)

    write(2)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(HDF5, uri_of_path(str(path)), dataset="/entry/data/data", swmr=False)
    run.stream_datum(0, 4)
    array = cam(run, registry, descriptor)
    assert array.available == 2
    registry.close()
    write(4)
    assert array.available == 4


def test_a_sequence_that_grows(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    uri = uri_of_path(str(files)) + "/"
    run.stream("multipart/related;type=image/tiff", uri, template="{:d}.tif")
    run.stream_datum(0, 3)
    array = cam(run, registry, descriptor)
    assert (array.shape, array.available) == ((3, 1, 4, 6), 0)
    data = frames(3, 4, 6)
    for number in range(3):
        tifffile.imwrite(files / f"{number}.tif", data[number])
        assert array.available == number + 1
        np.testing.assert_array_equal(array[number, 0], data[number])


def test_text_that_grows(run, registry, files):
    path = files / "a.csv"
    descriptor = run.descriptor(cam=key(1, 2, numpy="<f8"))
    run.stream("text/csv;header=absent", uri_of_path(str(path)))
    run.stream_datum(0, 5000)
    path.write_text("")
    array = cam(run, registry, descriptor)
    assert array.available == 0
    with open(path, "a") as file:
        file.write("1,2\n3,")  # half a line
        file.flush()
        assert array[0].tolist() == [[1, 2]]
        file.write("4\n")
        file.flush()
        assert array.available == 2
        assert array[1].tolist() == [[3, 4]]
        file.writelines(f"{n},{n + 1}\n" for n in range(2, 5000))
    assert array.available == 5000
    assert array[4998:, 0, 0].tolist() == [4998, 4999]
    assert array[2500, 0].tolist() == [2500, 2501]


def test_zarr_that_grows(run, registry, files):
    zarr = pytest.importorskip("zarr")
    path = str(files / "a.zarr")
    made = zarr.create_array(path, shape=(2, 4, 6), chunks=(1, 4, 6), dtype="u2")
    made[:] = 1
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream("application/x-zarr", uri_of_path(path))
    run.stream_datum(0, 3)
    array = streamed_array(run.store, registry, run.uid, [descriptor], "cam")
    assert array.available == 2
    made.resize((3, 4, 6))
    made[2] = 7
    assert array.available == 3
    assert array[2, 0, 0, 0] == 7
