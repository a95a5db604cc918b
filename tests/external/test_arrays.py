"""External fields as arrays: what is read, and what they are."""

import pickle
import tracemalloc

import h5py
import numpy as np
import pytest

from databroker.errors import DatabrokerError, FileMissing, NoHandler
from databroker.external import LazyArray, Registry
from databroker.external.fields.lazy_array import asked
from databroker.external.readers.hdf5 import Hdf5Dataset
from helpers.external import IMAGE, frames
from helpers.external_arrays import array_of, datum_array


@pytest.fixture
def stack(run, files):
    """An area detector's file: 12 points of 2 frames each, and the ids of its datums."""
    data = frames(24, 6, 8)
    with h5py.File(files / "stack.h5", "w") as file:
        file.create_dataset("/entry/data/data", data=data, chunks=(1, 6, 8))
    run.resource("AD_HDF5", files, "stack.h5", frame_per_point=2)
    ids = run.datums([{"point_number": number} for number in range(12)])
    return data.reshape(12, 2, 6, 8), ids


INDICES = [
    np.s_[:],
    np.s_[...],
    np.s_[3],
    np.s_[-1],
    np.s_[2:5],
    np.s_[::-2],
    np.s_[5:2],
    np.s_[[4, 1, 1]],
    np.s_[np.arange(12) % 3 == 0],
    np.s_[1, 0],
    np.s_[1, ..., 0],
    np.s_[..., 2:4],
    np.s_[:, 1, 2:5, ::3],
    np.s_[2:4, :, ::-1, -2],
    np.s_[0, 0, 5:1],
    np.s_[[0, 3], :, 1:3],
    np.s_[[0, 3], [0, 1]],
    np.s_[:, :, [0, 2, 3]],
    np.s_[7, 1, 5, 7],
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_slicing_is_that_of_numpy(run, registry, stack, index):
    data, ids = stack
    found = array_of(run, registry, ids)[index]
    np.testing.assert_array_equal(found, data[index])
    assert np.shape(found) == np.shape(data[index])


@pytest.mark.parametrize("index", [12, -13, (0, 2), (0, 0, 0, 0, 0), (None, 0), (..., ...)])
def test_what_is_not_there_is_an_index_error(run, registry, stack, index):
    with pytest.raises(IndexError):
        array_of(run, registry, stack[1])[index]


def test_an_array_says_what_it_is(run, registry, stack):
    data, ids = stack
    array = array_of(run, registry, ids)
    assert (array.shape, array.dtype, array.ndim, len(array)) == (data.shape, data.dtype, 4, 12)
    assert (array.size, array.nbytes) == (data.size, data.nbytes)
    assert array.chunks == ((12,), (2,), (6,), (8,))
    assert array.available == 12
    assert repr(array) == "<LazyArray 'img' shape=(12, 2, 6, 8) dtype=uint16>"
    np.testing.assert_array_equal(np.asarray(array), data)
    assert np.asarray(array, "f4").dtype == "f4"
    np.testing.assert_array_equal(np.stack(list(array)), data)
    assert array.disagreement is None


def test_nothing_is_opened_before_it_is_asked_for(run, registry):
    run.resource("AD_HDF5", "/nowhere", "a.h5")
    ids = run.datums([{"point_number": 0}] * 3)
    array = array_of(run, registry, ids)
    assert (array.shape, array.dtype) == ((3, 2, 6, 8), np.dtype("f8"))
    assert array.available == 0
    with pytest.raises(FileMissing, match="'img' of run 'run-1'"):
        array[0]


def test_only_what_a_slice_needs_is_read(run, registry, stack, monkeypatch):
    data, ids = stack
    asked_for = []
    read = Hdf5Dataset.read

    def spy(self, key):
        found = read(self, key)
        asked_for.append(found.size)
        return found

    monkeypatch.setattr(Hdf5Dataset, "read", spy)
    array = array_of(run, registry, ids)
    assert array.shape == data.shape
    assert asked_for == []
    assert array[5, 1, 2:4, 3] == pytest.approx(data[5, 1, 2:4, 3])
    assert asked_for == [2]


def test_a_file_as_large_as_a_disk_opens_at_once(run, registry, files):
    corner = frames(1, 100, 100)[0]
    with h5py.File(files / "sparse.h5", "w") as file:
        shape = (250, 6400, 6400)
        dataset = file.create_dataset("/entry/data/data", shape, "u2", chunks=(1, 256, 256))
        dataset[123, 100:200, 100:200] = corner
    assert (files / "sparse.h5").stat().st_size < 2**20
    run.resource("AD_HDF5", files, "sparse.h5")
    ids = run.datums([{"point_number": number} for number in range(250)])
    array = array_of(run, registry, ids, {**IMAGE, "shape": [1, 6400, 6400]})
    assert array.nbytes > 20e9
    tracemalloc.start()
    found = array[123, 0, 100:200, 100:200]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found, corner)
    assert peak < 2**20
    assert not array[0, 0, :5, :5].any()


def test_a_loop_holds_a_few_frames(run, registry, files):
    with h5py.File(files / "a.h5", "w") as file:
        file.create_dataset("/entry/data/data", (400, 512, 512), "u2", chunks=(1, 512, 512))
    run.resource("AD_HDF5", files, "a.h5")
    ids = run.datums([{"point_number": number} for number in range(400)])
    array = array_of(run, registry, ids, {**IMAGE, "shape": [1, 512, 512]})
    tracemalloc.start()
    count = sum(1 for value in array.values() if value.shape == (1, 512, 512))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 400
    assert peak < 16 * 2**20 < array.nbytes / 10


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "processes"])
def test_dask_reads_in_threads_and_processes(run, registry, stack, scheduler):
    pytest.importorskip("dask.array")
    data, ids = stack
    lazy = array_of(run, registry, ids).to_dask(chunks=(5, 2, 6, 8))
    assert (lazy.shape, lazy.dtype) == (data.shape, data.dtype)
    # Other processes open the store by its pickled configuration.
    if scheduler == "processes":
        key = {**IMAGE, "shape": [2, 6, 8]}
        array = datum_array(run.store, registry, run.uid, "img", ids, key)
        lazy = array.to_dask(chunks=(6, 2, 6, 8))
    np.testing.assert_array_equal(lazy[:, 1].compute(scheduler=scheduler), data[:, 1])


def test_dask_hands_slices_down(run, registry, stack, monkeypatch):
    dask_array = pytest.importorskip("dask.array")
    data, ids = stack
    sizes = []
    read = Hdf5Dataset.read
    monkeypatch.setattr(
        Hdf5Dataset, "read", lambda self, key: sizes.append(read(self, key).size) or read(self, key)
    )
    lazy = array_of(run, registry, ids).to_dask()
    assert isinstance(lazy, dask_array.Array)
    assert sizes == []
    assert lazy[7, 0, 1, 2].compute(scheduler="synchronous") == data[7, 0, 1, 2]
    assert sum(sizes) == 1


def test_the_same_field_has_the_same_name_for_dask_and_another_has_not(run, registry, stack):
    pytest.importorskip("dask.array")
    names = [array_of(run, registry, ids).to_dask().name for ids in (stack[1], stack[1])]
    other = array_of(run, registry, stack[1][:5]).to_dask().name
    assert names[0] == names[1] != other


def test_an_array_pickles_without_data_or_files(run, stack):
    data, ids = stack
    registry = Registry()
    array = datum_array(run.store, registry, run.uid, "img", ids, IMAGE, warn=False)
    assert array[0, 0, 0, 0] == 0
    pickled = pickle.dumps(array)
    registry.close()
    assert len(pickled) < 10_000
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(again[3], data[3])


def test_a_form_that_is_not_as_declared_is_told_once(run, registry, stack, recwarn):
    data, ids = stack
    key = {**IMAGE, "shape": [8, 6], "dtype_numpy": "<f4"}
    array = array_of(run, registry, ids, key)
    with pytest.warns(UserWarning, match=r"shape \[2, 6, 8\], not \[8, 6\] and dtype"):
        found = array[0]
    assert (found.shape, array[1].dtype) == ((2, 6, 8), data.dtype)
    assert not recwarn.list


@pytest.mark.parametrize("shape", [[6, 8, 0], [None, 6, 8], [-1, 6, 8], None])
def test_a_shape_that_is_left_open_is_no_disagreement(run, registry, stack, shape, recwarn):
    assert array_of(run, registry, stack[1], {**IMAGE, "shape": shape})[0].shape == (2, 6, 8)
    assert not recwarn.list


@pytest.mark.parametrize("on_missing", ["mask", "skip"])
def test_missing_values_are_masked(run, registry, files, on_missing, recwarn):
    data = frames(4, 2, 3)
    for number in (0, 1, 3):
        np.save(files / f"a_{number}.npy", data[number])
    run.resource("NPY_SEQ", files, "a")
    ids = run.datums([{"index": number} for number in range(4)])
    key = {**IMAGE, "shape": [2, 3]}
    with pytest.raises(FileMissing):
        array_of(run, registry, ids, key)[:]
    array = array_of(run, registry, ids, key, on_missing=on_missing)
    assert array.available == 3
    with pytest.warns(UserWarning, match=r"a_2\.npy"):
        found = array[:]
    values = list(array.values())
    assert not recwarn.list
    assert found.dtype == array.dtype == np.dtype("f8")
    np.testing.assert_array_equal(found[[0, 1, 3]], data[[0, 1, 3]])
    assert np.isnan(found[2]).all()
    assert len(values) == (4 if on_missing == "mask" else 3)


def test_a_field_of_which_nothing_is_there_is_all_nan(run, registry):
    run.resource("newton", "/", "x")
    ids = run.datums([{}] * 3)
    array = array_of(run, registry, ids, on_missing="mask")
    with pytest.warns(UserWarning, match="newton"):
        assert np.isnan(array[:, 0, 0, 0]).all()
    with pytest.raises(NoHandler):
        array_of(run, registry, ids)[0]


def test_values_of_different_shapes_are_no_array(run, registry, files):
    for number, size in enumerate((2, 3)):
        np.save(files / f"a_{number}.npy", np.zeros(size))
    run.resource("NPY_SEQ", files, "a")
    ids = run.datums([{"index": 0}, {"index": 1}])
    array = array_of(run, registry, ids, {"shape": [2]})
    with pytest.raises(DatabrokerError, match=r"its shape is \[3\], and others have \[2\]"):
        array[:]


def test_a_stream_without_events_is_an_empty_array(run, registry):
    array = array_of(run, registry, [])
    assert array[:].shape == (0, 2, 6, 8)
    assert list(array) == []
    assert array.chunks[0] == (0,)


def test_large_values_are_cut_along_the_files_own_chunks():
    from databroker.external.fields.reader import FieldReader, Look

    class Large(FieldReader):
        rows = 3

        def read(self, places, shape, inner, out): ...

        def look(self):
            return Look((20_000, 10_000), np.dtype("u2"), 1, (256, 256))

    chunks = LazyArray("x", Large()).chunks
    assert chunks[0] == (1, 1, 1)
    assert sum(chunks[1]) == 20_000
    assert set(chunks[1][:-1]) | set(chunks[2][:-1]) <= {n * 256 for n in range(1, 80)}
    assert chunks[1][0] * chunks[2][0] * 2 <= 16 * 2**20


def test_an_index_is_taken_apart():
    wanted = asked((slice(None, None, -1), slice(4, 1, -1), 3), (3, 6, 5))
    assert wanted.places.tolist() == [2, 1, 0]
    assert wanted.inner == (slice(2, 5, 1), slice(3, 4, 1))
    assert wanted.finish == (slice(None), slice(None, None, -1), 0)
