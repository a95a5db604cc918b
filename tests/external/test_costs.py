"""What reading costs: how many calls and bytes; and values that cannot stand in one array."""

import os
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from databroker.errors import FileDamaged, FramesMissing, ShapesDiffer
from databroker.external import Filler, Registry
from databroker.external.fields.datum_field import Loader
from databroker.external.locate import uri_of_path
from databroker.external.readers.hdf5 import Hdf5Dataset
from helpers.external import HDF5, IMAGE, frames, key
from helpers.external_arrays import array_of, cam


def bytes_read():
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("rchar"))


tells_bytes = pytest.mark.skipif(
    not os.path.exists("/proc/self/io"), reason="this system does not tell what was read"
)


@pytest.fixture
def reads(monkeypatch):
    """The sizes of what is read of HDF5 datasets."""
    sizes = []
    read_into = Hdf5Dataset.read_into

    def spy(self, key, out):
        sizes.append(out.size)
        read_into(self, key, out)

    monkeypatch.setattr(Hdf5Dataset, "read_into", spy)
    return sizes


def write(path, data, **options):
    with h5py.File(path, "w") as file:
        file.create_dataset("/entry/data/data", data=data, **options)
    return uri_of_path(str(path))


@pytest.mark.parametrize(
    ("kwargs", "index", "calls"),
    [
        ("point_number", np.s_[:], [20 * 48]),
        ("point_number", np.s_[:, 1:, 2:4, 3], [2] * 10),
        ("point_number", np.s_[[1, 2, 3, 7]], [3 * 96, 96]),
        ("point_number", np.s_[::-1], [96] * 10),
        ("frame", np.s_[2:8], [6 * 48]),
        ("frame", np.s_[2:8, 1, ::2], [6 * 4]),
    ],
)
def test_datums_of_one_file_are_read_together(run, registry, files, reads, kwargs, index, calls):
    data = frames(20, 6, 8)
    write(files / "a.h5", data)
    spec = {"key": "/entry/data/data", "frame_per_point": 2}
    run.resource("HDF5", files, "a.h5", **spec)
    registry.register_handler("HDF5", "databroker.external.handlers.builtin:Hdf5Slices", True)
    ids = run.datums([{kwargs: number} for number in range(10)])
    expected = data.reshape(10, 2, 6, 8) if kwargs == "point_number" else data[:10]
    array = array_of(run, registry, ids, warn=False)
    np.testing.assert_array_equal(array[index], expected[index])
    assert reads == calls


def test_large_values_are_read_without_a_copy(run, registry, files):
    data = frames(4, 1024, 1024)
    write(files / "a.h5", data, chunks=(1, 1024, 1024))
    run.resource("AD_HDF5", files, "a.h5")
    ids = run.datums([{"point_number": number} for number in range(4)])
    array = array_of(run, registry, ids, warn=False)
    assert array.dtype == "u2"
    tracemalloc.start()
    found = array[1:3]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(found[:, 0], data[1:3])
    assert peak < 1.2 * found.nbytes


def test_a_handler_may_read_many_at_once(run, registry):
    calls = []

    class Numbers:
        def __init__(self, path): ...

        def __call__(self, n):
            return np.full(3, n)

        def form(self, n):
            return (3,), np.dtype(int)

        def part(self, inner, n):
            return self(n)[inner]

        def read_into(self, out, inner, datums):
            calls.append(len(datums))
            numbers = [kwargs["n"] for kwargs in datums]
            if 7 in numbers:
                raise RuntimeError("seven")
            out[...] = np.array(numbers)[:, np.newaxis]

        def blocks(self, n):
            return 5, 3

    registry.register_handler("N", Numbers)
    for uid in "ab":
        run.resource("N", "/", "x", uid)
    ids = [*run.datums([{"n": n} for n in range(5)], "a"), *run.datums([{"n": 5}, {"n": 6}], "b")]
    array = array_of(run, registry, ids, {**IMAGE, "shape": [3]})
    assert array.shape == (7, 3)
    assert array[:, 1].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert calls == [5, 2]
    # What cannot be read at once is read one by one, which tells what it is.
    run.resource("N", "/", "x", "c")
    ids = run.datums([{"n": 1}, {"n": 7}], "c")
    assert array_of(run, registry, ids, {**IMAGE, "shape": [3]})[:, 0].tolist() == [1, 7]


def test_the_first_datum_that_is_not_there_is_named(run, registry, files):
    write(files / "a.h5", frames(3, 6, 8))
    run.resource("AD_HDF5", files, "a.h5")
    ids = run.datums([{"point_number": number} for number in range(5)])
    with pytest.raises(FramesMissing, match="datum 'res/3'"):
        array_of(run, registry, ids, warn=False)[:]


def test_chunks_for_dask_follow_those_of_the_file(run, registry, files):
    shape = (60, 1024, 1024)
    for chunk in (1, 5):
        with h5py.File(files / f"{chunk}.h5", "w") as file:
            file.create_dataset("/entry/data/data", shape, "u2", chunks=(chunk, 1024, 1024))
        run.resource("AD_HDF5", files, f"{chunk}.h5", f"r{chunk}")
        ids = run.datums([{"point_number": number} for number in range(60)], f"r{chunk}")
        array = array_of(run, registry, ids, warn=False)
        assert set(array.chunks[0][:-1]) == {8 // chunk * chunk}


@tells_bytes
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("gzip", [False, True])
def test_a_part_of_a_frame_costs_one_chunk(run, registry, files, streamed, gzip):
    chunk = (1, 512, 2048)
    packed = {"compression": "gzip", "compression_opts": 1} if gzip else {}
    with h5py.File(files / "a.h5", "w") as file:
        shape = (2000, 2048, 2048)
        dataset = file.create_dataset("/entry/data/data", shape, "u2", chunks=chunk, **packed)
        dataset[1234] = np.random.default_rng(1).integers(0, 2**16, (2048, 2048), "u2")
        expected = dataset[1234, 100:200, 100:200]
    array = pointing(run, registry, files / "a.h5", 2000, 2048, streamed)
    assert array.shape[0] == 2000  # what the file is like is known
    before = bytes_read()
    found = array[1234, 0, 100:200, 100:200]
    after = bytes_read()
    np.testing.assert_array_equal(found, expected)
    assert after - before < 2 * np.prod(chunk) + 2**16


@tells_bytes
@pytest.mark.parametrize("streamed", [False, True])
def test_a_compressed_chunk_of_several_frames_is_unpacked_once(run, registry, files, streamed):
    data = np.random.default_rng(1).integers(0, 2**8, (16, 1200, 1200), "u1")
    chunks = (8, 1200, 1200)  # larger than what HDF5 keeps by itself
    write(files / "a.h5", data, chunks=chunks, compression="gzip", compression_opts=1)
    array = pointing(run, registry, files / "a.h5", 16, 1200, streamed)
    before = bytes_read()
    for number in range(16):
        np.testing.assert_array_equal(array[number, 0], data[number])
    assert bytes_read() - before < 1.5 * data.nbytes


def pointing(run, registry, path, count, side, streamed):
    """Return a field of one frame an event that points to a file."""
    if streamed:
        descriptor = run.descriptor(cam=key(1, side, side))
        run.stream(HDF5, uri_of_path(str(path)), dataset="/entry/data/data")
        run.stream_datum(0, count)
        return cam(run, registry, descriptor, warn=False)
    run.resource("AD_HDF5", path.parent, path.name)
    ids = run.datums([{"point_number": number} for number in range(count)])
    return array_of(run, registry, ids, warn=False)


@tells_bytes
@pytest.mark.parametrize("link", [None, h5py.SoftLink, h5py.ExternalLink])
def test_files_are_closed_whatever_leads_to_the_dataset(run, registry, files, link):
    packed = {"compression": "gzip", "chunks": (8, 1200, 1200)}
    uri = write(files / "a.h5", np.zeros((8, 1200, 1200), "u1"), **packed)
    name = "/entry/data/data"
    if link is not None:
        name = "/link"
        target = ("/entry/data/data",) if link is h5py.SoftLink else ("a.h5", "/entry/data/data")
        with h5py.File(files / "b.h5", "a") as file:
            if link is h5py.SoftLink:
                file["/entry/data/data"] = np.zeros((8, 12, 12), "u1")
            file["/link"] = link(*target)
        uri = uri_of_path(str(files / "b.h5"))
    descriptor = run.descriptor(cam=key(1, 1200, 1200))
    run.stream(HDF5, uri, dataset=name)
    run.stream_datum(0, 8)
    assert not cam(run, registry, descriptor, warn=False)[3].any()
    registry.close()
    opened = [os.path.realpath(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd")]
    assert not [path for path in opened if path.startswith(os.path.realpath(files))]


# -- events without a value, and values of different types ---------------------


@pytest.mark.parametrize("given", [list, np.array])
def test_events_without_a_value_are_nan(run, registry, files, given):
    data = frames(3, 6, 8)
    write(files / "a.h5", data)
    run.resource("AD_HDF5", files, "a.h5")
    one, two, three = run.datums([{"point_number": number} for number in range(3)])
    array = array_of(run, registry, given([None, one, None, two, three]), warn=False)
    assert (array.shape, array.dtype, array.available) == ((5, 1, 6, 8), np.dtype("f8"), 3)
    found = array[:]
    np.testing.assert_array_equal(found[[1, 3, 4], 0], data)
    assert np.isnan(found[[0, 2]]).all()
    assert [np.isnan(value).all() for value in array.values()] == [True, False, True, False, False]
    np.testing.assert_array_equal(array[3:, 0, 2], data[1:, 2])
    skipped = array_of(run, registry, given([None, one]), warn=False, on_missing="skip")
    np.testing.assert_array_equal(list(skipped.values())[1][0], data[0])


def test_a_field_that_no_event_has_is_nan_as_declared(run, registry):
    declared = {**IMAGE, "shape": [6, 8], "dtype_numpy": "<u2"}
    array = array_of(run, registry, [None] * 3, declared)
    assert (array.shape, array.dtype) == ((3, 6, 8), np.dtype("f8"))
    assert np.isnan(array[:]).all()
    assert array_of(run, registry, [], declared).dtype == np.dtype("u2")


def test_gaps_are_no_excuse_for_a_file_that_is_missing(run, registry, files):
    write(files / "a.h5", frames(1, 6, 8))
    run.resource("AD_HDF5", files, "a.h5")
    ids = run.datums([{"point_number": number} for number in range(2)])
    with pytest.raises(FramesMissing):
        array_of(run, registry, [None, *ids], warn=False)[:]


def test_values_that_events_have_themselves_are_taken(run, registry, files):
    data = frames(3, 6, 8)
    np.save(files / "a_0.npy", data[0])
    run.resource("NPY_SEQ", files, "a")
    (datum,) = run.datums([{"index": 0}])
    key = {**IMAGE, "shape": [6, 8]}
    for ids in ([datum, data[1], data[2].tolist()], [data[0], data[1], data[2].tolist()]):
        array = array_of(run, registry, ids, key)
        assert (array.dtype, array.available) == (data.dtype, 3)
        np.testing.assert_array_equal(array[:, 1:3], data[:, 1:3])
    mixed = array_of(run, registry, [datum, np.full((6, 8), 0.5)], key)[:]
    assert (mixed.dtype, mixed[1, 0, 0]) == (np.dtype("f8"), 0.5)
    with pytest.raises(ShapesDiffer):
        array_of(run, registry, [datum, np.full((6, 8), 0.5).tolist()], key)[:]


def test_values_of_two_types_have_the_one_that_loses_no_digits(run, registry, files):
    for number, dtype in enumerate(("u1", "u2", "u1")):
        np.save(files / f"a_{number}.npy", np.full((6, 8), 200, dtype))
    run.resource("NPY_SEQ", files, "a")
    ids = run.datums([{"index": number} for number in range(3)])
    key = {**IMAGE, "shape": [6, 8]}
    found = array_of(run, registry, ids, key)
    assert found.dtype == found[:].dtype == np.dtype("u2")
    assert [value.dtype for value in Filler(run.store, registry).values(ids, "img")] == [
        np.dtype(dtype) for dtype in ("u1", "u2", "u1")
    ]


def test_files_of_a_streamed_field_of_different_types(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    for number, dtype in enumerate(("u1", "u2")):
        uri = write(files / f"{number}.h5", np.ones((2, 4, 6), dtype))
        run.stream(HDF5, uri, f"s{number}", dataset="/entry/data/data")
        run.stream_datum(0, 2, f"s{number}", first=2 * number + 1)
    array = cam(run, registry, descriptor, warn=False)
    assert array.dtype == array[:].dtype == np.dtype("u2")
    assert array[:].all()


def test_files_of_a_sequence_of_different_types(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    for number, dtype in enumerate(("u1", "u2")):
        tifffile.imwrite(files / f"{number}.tif", np.full((4, 6), 200 + 100 * number, dtype))
    uri = uri_of_path(str(files)) + "/"
    run.stream("multipart/related;type=image/tiff", uri, template="{:d}.tif")
    run.stream_datum(0, 2)
    with pytest.raises(FileDamaged, match="uint16"):
        cam(run, registry, descriptor, warn=False)[:]


def test_what_a_datum_stands_for_is_looked_at_without_reading_it(run, registry, files):
    data = frames(3, 4, 5)
    for number, image in enumerate(data):
        np.save(files / f"img_{number}.npy", image)
    run.resource("NPY_SEQ", files, "img")
    run.datums([{"index": number} for number in range(3)])
    loader = Loader(run.store, registry, run.uid)
    assert loader.look("res/0")[:2] == ((4, 5), np.dtype("u2"))
    out = np.empty((2, 2, 2), "u2")
    loader.read(["res/2", "res/0"], (4, 5), (slice(1, 3, 1), slice(0, 2, 1)), out)
    np.testing.assert_array_equal(out, data[[2, 0], 1:3, :2])


def test_files_out_of_the_allowed_roots_are_not_read_with_others(run, files):
    np.save(files / "img_0.npy", np.ones(2))
    run.resource("NPY_SEQ", files, "img")
    ids = run.datums([{"index": 0}])
    registry = Registry(allowed_roots=[str(files / "other")])
    with pytest.raises(PermissionError):
        array_of(run, registry, ids, {**IMAGE, "shape": [2]})[:]


# -- one value after the other ---------------------------------------------------


class Counting:
    """Counts how many values were loaded, and fails for some."""

    loaded = ()

    def __init__(self, path):
        self.opened = path

    def __call__(self, n):
        if n % 10 == 9:
            raise OSError("nine")
        self.loaded.append(n)
        return np.full(4, n)


@pytest.fixture
def counted(run, registry, monkeypatch):
    monkeypatch.setattr(Counting, "loaded", [])
    registry.register_handler("COUNT", Counting)
    run.resource("COUNT", "/", "x")
    return run.datums([{"n": n} for n in range(40)])


def test_values_are_loaded_a_few_ahead_but_never_many(run, registry, counted):
    values = Filler(run.store, registry).values([n for n in counted if not n.endswith("9")], "img")
    for asked in range(1, 30):
        assert next(values)[0] == asked - 1 + (asked - 1) // 9
        assert len(Counting.loaded) <= 2 * asked
    assert len(set(Counting.loaded)) == len(Counting.loaded)


@pytest.mark.parametrize("on_missing", ["mask", "skip"])
def test_what_is_loaded_ahead_may_be_missing(run, registry, counted, on_missing):
    filler = Filler(run.store, registry, on_missing=on_missing)
    with pytest.warns(UserWarning, match="nine"):
        found = [None if value is None else value[0] for value in filler.values(counted, "img")]
    expected = [None if n % 10 == 9 else n for n in range(40)]
    assert found == [n for n in expected if n is not None or on_missing == "mask"]


def test_values_before_one_that_is_missing_are_had(run, registry, counted):
    values = Filler(run.store, registry).values(counted, "img")
    assert [next(values)[0] for _ in range(9)] == list(range(9))
    with pytest.raises(OSError, match="datum 'res/9'"):
        next(values)


def test_one_datum_of_two_events_is_two_arrays(run, registry, counted):
    one, two, three = Filler(run.store, registry).values([counted[0], counted[1], counted[1]], "x")
    two[:] = 7
    assert (one[0], three[0]) == (0, 1)


def test_large_values_are_loaded_one_by_one(run, registry, monkeypatch):
    class Large(Counting):
        def __call__(self, n):
            self.loaded.append(n)
            return np.zeros(2**20)

    monkeypatch.setattr(Counting, "loaded", [])
    registry.register_handler("LARGE", Large)
    run.resource("LARGE", "/", "x")
    ids = run.datums([{"n": n} for n in range(8)])
    for number, _ in enumerate(Filler(run.store, registry).values(ids, "img"), 1):
        assert len(Counting.loaded) == number
