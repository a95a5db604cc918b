"""Runs that go on: what is in their files by now is read, and what comes later, later."""

import numpy as np
import pytest
import tifffile

from databroker import Broker
from databroker.errors import ExternalDataMissing, FileMissing, FramesMissing
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from helpers.external import FRAME, IMAGE, Run, frames
from helpers.ways import WAYS, check

HDF5 = "application/x-hdf5"
TIFF = "multipart/related;type=image/tiff"


@pytest.fixture
def db():
    with Broker(MemoryStore()) as made:
        yield made


@pytest.fixture
def run(db):
    return Run(db.store)


def written(rows):
    """What the other process writes: frames with their number in them."""
    return np.arange(rows, dtype="u2")[:, None, None, None] * np.ones((1, 4, 6), "u2")


def check_so_far(header, field, there, announced, error):
    """Raise unless all ways give the first few values, and tell of the others."""
    for way in WAYS:
        with pytest.raises(error):
            way(header, field, "primary")
        with pytest.warns(UserWarning, match="Some external data cannot be had"):
            found = way(header, field, "primary", on_missing="mask")
        assert len(found) == announced
        assert [value.tolist() for value in found[: len(there)]] == there.tolist()
        assert all(value is None or np.isnan(value).all() for value in found[len(there) :])
    array = header.streams["primary"][field]
    assert (len(array), array.available) == (announced, len(there))
    np.testing.assert_array_equal(array[: len(there)], there)
    np.testing.assert_array_equal(array.to_dask()[: len(there)].compute(), there)
    values = header.data(field)
    assert [next(values).tolist() for _ in there] == there.tolist()
    with pytest.raises(error):
        next(values)


@pytest.mark.parametrize("has_events", [True, False])
def test_a_file_that_another_process_writes(db, run, writer, has_events):
    path, write = writer("swmr")
    write(3)
    run.descriptor(cam=FRAME)
    run.stream(HDF5, uri_of_path(str(path)), dataset="/entry/data/data")
    run.stream_datum(0, 5)
    if has_events:
        run.events([None] * 5)
    header = db[-1]
    lazy, array = header.xarray_dask(), header.streams["primary"]["cam"]
    check_so_far(header, "cam", written(3), 5, FramesMissing)
    told = r"has 3 frames so far, and frame 4 is wanted.* The documents announce 5 events in it\."
    with pytest.raises(FramesMissing, match=told):
        array[-1]
    write(5)
    check(header, "cam", written(5), events=has_events)
    np.testing.assert_array_equal(array[:], written(5))  # what was made before sees it, too
    np.testing.assert_array_equal(lazy.cam, written(5))
    write(6)  # of which no document knows yet
    check(header, "cam", written(5), events=has_events)
    run.stream_datum(5, 8)
    if not has_events:
        assert len(array) == 5
        check_so_far(header, "cam", written(6), 8, FramesMissing)
        write(8)
        check(header, "cam", written(8), events=False)


def test_datums_of_a_file_that_another_process_writes(db, run, writer):
    path, write = writer("swmr")
    write(2)
    run.descriptor(img={**IMAGE, "shape": [1, 4, 6]})
    run.resource("AD_HDF5_SWMR", path.parent, path.name)
    run.events(run.datums([{"point_number": number} for number in range(4)]))
    header = db[-1]
    lazy = header.xarray_dask()
    check_so_far(header, "img", written(2), 4, FramesMissing)
    write(4)
    check(header, "img", written(4))
    np.testing.assert_array_equal(lazy.img, written(4))


def test_images_that_arrive_after_their_documents(db, run, files):
    data = frames(4, 4, 5)
    run.descriptor(img={**IMAGE, "dtype_numpy": "<u2"}, cam={**FRAME, "shape": [4, 5]})
    run.resource("NPY_SEQ", files, "img")
    ids = run.datums([{"index": number} for number in range(4)])
    run.stream(TIFF, uri_of_path(str(files)) + "/", template="img_{:d}.tif")
    run.stream_datum(0, 4)
    run.events(ids)
    header = db[-1]
    lazy = header.xarray_dask()
    for count in range(4):
        for field in ("img", "cam"):
            check_so_far(header, field, data[:count], 4, FileMissing)
        np.save(files / f"img_{count}.npy", data[count])
        tifffile.imwrite(files / f"img_{count}.tif", data[count])
    for field in ("img", "cam"):
        check(header, field, data)
        np.testing.assert_array_equal(lazy[field], data)


def test_a_stream_resource_before_its_first_value(db, run, files):
    run.descriptor(cam=FRAME)
    run.stream(HDF5, uri_of_path(str(files / "not yet.h5")), dataset="/entry/data/data")
    header = db[-1]
    for way in WAYS:
        assert len(way(header, "cam", "primary")) == 0
    assert header.table(fill=True).empty
    assert [each.exists for each in header.files()] == [False]
    run.events([None])
    with pytest.raises(ExternalDataMissing, match="no stream datum says where"):
        header.table(fill=True)
    with pytest.warns(UserWarning, match="no stream datum says where"):
        assert header.table(fill=True, on_missing="skip")["det"].tolist() == [0]
