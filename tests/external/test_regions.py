"""Where values are in HDF5 files: what is read there is what the field gives."""

import h5py
import numpy as np
import pytest

from databroker.external.locate import uri_of_path
from helpers.external import HDF5, frames, key, write
from helpers.external_arrays import array_of, cam


def read(regions):
    """The values of all events, one after the other."""
    found = []
    for _, region in regions:
        with h5py.File(region.path) as file:
            assert file[region.dataset].shape == region.shape
            found.append(file[region.dataset][region.key].ravel())
    return np.concatenate(found)


@pytest.mark.parametrize(
    ("declared", "stored", "parameters"),
    [
        ((4, 6), (6, 4, 6), {}),
        ((1, 4, 6), (6, 4, 6), {}),
        ((2, 4, 6), (12, 4, 6), {}),
        ((4,), (6, 3, 4, 8), {"slice": "(:,1,:,2)"}),
        ((4, 6), (12, 4, 6), {"slice": "(::2,:,:)"}),
        ((4, 6), (6, 1, 4, 6), {"squeeze": True}),
        ((), (6,), {}),
    ],
)
def test_where_streamed_values_are(run, registry, files, declared, stored, parameters):
    descriptor = run.descriptor(cam=key(*declared))
    uri = write(files / "cam.h5", frames(*stored))
    run.stream(HDF5, uri, dataset="/entry/data/data", **parameters)
    run.stream_datum(0, 2)
    run.stream_datum(4, 6, first=3)
    array = cam(run, registry, descriptor)
    regions = array.regions()
    assert [events for events, _ in regions] == [2, 2]
    np.testing.assert_array_equal(read(regions), array[:].ravel())


def test_where_the_values_of_datums_are(run, registry, files):
    write(files / "img.h5", frames(12, 6, 8))
    run.resource("AD_HDF5", files, "img.h5", frame_per_point=2)
    ids = run.datums([{"point_number": number} for number in (0, 1, 3)])
    array = array_of(run, registry, ids)
    regions = array.regions()
    assert [events for events, _ in regions] == [2, 1]
    np.testing.assert_array_equal(read(regions), array[:].ravel())
    assert array_of(run, registry, [*ids, None]).regions() is None


def test_values_in_other_files_are_in_no_region(run, registry, files):
    np.save(files / "cam.npy", frames(3, 4, 6))
    descriptor = run.descriptor(cam=key(4, 6))
    run.stream("application/x-npy", uri_of_path(str(files / "cam.npy")))
    run.stream_datum(0, 3)
    assert cam(run, registry, descriptor).regions() is None
