"""Stream resources in HDF5 files: which frames belong to which event."""

import pickle

import h5py
import numpy as np
import pytest

from databroker.errors import DatasetMissing, FileDamaged, FileMissing, FramesMissing, NoHandler
from databroker.external.fields.grouping import grouping_of_events
from databroker.external.fields.stream_index import Claims
from databroker.external.locate import uri_of_path
from databroker.external.readers.base import Declared, FrameReader
from databroker.runs.stream.streamed import StreamedRows
from helpers.external import HDF5, frames, key, write
from helpers.external_arrays import cam, streamed_array


@pytest.fixture
def detector(run, files):
    """A detector as ophyd-async has it: frames of one event each, told in several steps."""
    data = frames(10, 4, 6)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    uri = write(files / "cam 1 ü.h5", data, chunks=(1, 4, 6))
    run.stream(HDF5, uri, dataset="/entry/data/data", chunk_shape=(1, 4, 6), swmr=True)
    for start, stop in ((0, 1), (1, 2), (2, 6), (6, 10)):
        run.stream_datum(start, stop)
    return data[:, np.newaxis], descriptor


def test_a_streamed_field_is_an_array(run, registry, detector, recwarn):
    data, descriptor = detector
    array = cam(run, registry, descriptor)
    assert (array.shape, array.dtype) == (data.shape, data.dtype)
    assert array.available == 10
    for index in (np.s_[:], np.s_[3], np.s_[2:5, 0, 1:3], np.s_[::-3, :, ::2], np.s_[[7, 0], 0, 2]):
        np.testing.assert_array_equal(array[index], data[index])
    np.testing.assert_array_equal(np.stack(list(array.values())), data)
    assert array.disagreement is None
    assert not recwarn.list


def test_an_array_needs_no_store_after_it_is_made(run, registry, detector):
    data, descriptor = detector
    array = pickle.loads(pickle.dumps(cam(run, registry, descriptor)))
    np.testing.assert_array_equal(array[4], data[4])


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask_reads_a_streamed_field(run, registry, detector, scheduler):
    pytest.importorskip("dask.array")
    data, descriptor = detector
    lazy = cam(run, registry, descriptor).to_dask(chunks=(4, 1, 4, 6))
    np.testing.assert_array_equal(lazy.compute(scheduler=scheduler), data)


def test_a_reference_says_where_a_value_is(run, registry, detector):
    _, descriptor = detector
    found = StreamedRows.of(run.store, run.uid, [descriptor]).fields["cam"]
    places = found.claims.match(np.zeros(2, int), np.array([1, 2]))
    assert found.references(places).to_pylist() == ["sres/0", "sres/1"]
    assert found.claims.seq_nums().tolist() == list(range(1, 11))


@pytest.mark.parametrize(
    ("declared", "multiplier", "join", "ndim", "found"),
    [
        ((1, 4, 6), None, "concat", 2, (1, True)),
        ((5, 4, 6), None, "concat", 2, (5, True)),
        ((5, 4, 6), 5, "concat", 2, (5, True)),
        ((1, 4, 6), 1, "concat", 2, (1, True)),
        ((4, 6), 1, "concat", 2, (1, False)),
        ((4, 6), 5, "concat", 2, (5, True)),
        ((1, 4, 6), 5, "concat", 2, (5, True)),
        ((4, 6), None, "concat", 2, (1, False)),
        ((4, 6), None, "stack", 2, (1, False)),
        ((), None, "concat", 0, (1, False)),
        ((1,), None, "concat", 0, (1, True)),
        ((3,), None, "concat", 0, (3, True)),
        ((3,), None, "concat", 1, (1, False)),
        (None, None, "concat", 2, (1, False)),
    ],
)
def test_the_frames_of_an_event(declared, multiplier, join, ndim, found):
    grouping = grouping_of_events(Declared(declared), multiplier, join, ndim)
    assert (grouping.each, grouping.own_axis) == found


@pytest.mark.parametrize(
    ("shape", "parameters", "result"),
    [
        ((5, 4, 6), {}, (5, 4, 6)),
        ((5, 4, 6), {"multiplier": 5}, (5, 4, 6)),
        ((4, 6), {"multiplier": 5}, (5, 4, 6)),
    ],
)
def test_an_event_may_have_several_frames(run, registry, files, shape, parameters, result):
    data = frames(20, 4, 6)
    descriptor = run.descriptor(cam=key(*shape))
    run.stream(HDF5, write(files / "a.h5", data), dataset="entry/data/data", **parameters)
    run.stream_datum(0, 4)
    array = cam(run, registry, descriptor, warn=False)
    expected = data.reshape(4, *result)
    assert array.shape == expected.shape
    for index in (np.s_[:], np.s_[1:3, 2], np.s_[:, 1:5:2, ::2, 1], np.s_[3, ::-1]):
        np.testing.assert_array_equal(array[index], expected[index])


def test_frames_may_be_stacked(run, registry, files):
    data = frames(3, 2, 4, 6)
    descriptor = run.descriptor(cam=key(2, 4, 6))
    uri = write(files / "a.h5", data)
    run.stream(HDF5, uri, dataset="/entry/data/data", join_method="stack")
    run.stream_datum(0, 3)
    np.testing.assert_array_equal(cam(run, registry, descriptor)[:], data)


@pytest.mark.parametrize("dtype", ["number", "array"])
def test_numbers_are_numbers(run, registry, files, dtype, recwarn):
    descriptor = run.descriptor(cam=key(1, dtype=dtype, numpy="<f8"))
    run.stream(HDF5, write(files / "a.h5", np.arange(5.0), "/counts"), dataset="/counts")
    run.stream_datum(0, 5)
    array = cam(run, registry, descriptor)
    assert array.shape == ((5,) if dtype == "number" else (5, 1))
    assert array[:].ravel().tolist() == [0, 1, 2, 3, 4]
    assert not recwarn.list


def test_text_is_text(run, registry, files):
    descriptor = run.descriptor(cam=key(dtype="string", numpy=""))
    uri = write(files / "a.h5", ["ä", "b"], "/names", dtype=h5py.string_dtype())
    run.stream(HDF5, uri, dataset="/names")
    run.stream_datum(0, 2)
    assert cam(run, registry, descriptor)[:].tolist() == ["ä", "b"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"slice": "(:, 1, :)"}, np.s_[:, 1, :]),
        ({"slice": ":,1:3,::2"}, np.s_[:, 1:3, ::2]),
        ({"slice": "..., 2"}, np.s_[..., 2]),
        ({"slice": "2:"}, np.s_[2:]),
        ({"slice": [{"start": 1}, 0]}, np.s_[1:, 0]),
        ({"slice": ":, 2:3", "squeeze": True}, np.s_[:, 2]),
        ({"path": "/entry/data/data", "dataset": None}, np.s_[:]),
        ({"dataset": ["entry", "data", "data"]}, np.s_[:]),
    ],
)
def test_a_part_of_a_dataset(run, registry, files, parameters, expected):
    data = frames(6, 4, 6)
    part = data[expected]
    descriptor = run.descriptor(cam=key(1, *part.shape[1:]))
    parameters = {"dataset": "/entry/data/data", **parameters}
    run.stream(HDF5, write(files / "a.h5", data), **parameters)
    run.stream_datum(0, len(part))
    array = cam(run, registry, descriptor)
    np.testing.assert_array_equal(array[:, 0], part)
    np.testing.assert_array_equal(array[1:3, 0, 1:3], part[1:3, 1:3])


def test_a_slice_that_says_nothing_is_told(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(HDF5, write(files / "a.h5", frames(2, 4, 6)), dataset="/entry/data/data", slice="x")
    run.stream_datum(0, 2)
    with pytest.raises(FileDamaged, match="'x'"):
        cam(run, registry, descriptor)[0]


def test_several_resources_of_a_field(run, registry, files):
    data = frames(9, 4, 6)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    for uid, first, stop in (("one", 0, 4), ("two", 4, 9)):
        uri = write(files / f"{uid}.h5", data[first:stop])
        run.stream(HDF5, uri, uid, dataset="/entry/data/data")
        run.stream_datum(0, stop - first, uid, first=first + 1)
    array = cam(run, registry, descriptor)
    assert len(array) == 9
    np.testing.assert_array_equal(array[2:7, 0], data[2:7])
    np.testing.assert_array_equal(array[::-1, 0, 1], data[::-1, 1])


def test_files_of_a_field_that_do_not_agree(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    for number, shape in enumerate([(2, 4, 6), (2, 5, 7)]):
        uri = write(files / f"{number}.h5", frames(*shape))
        run.stream(HDF5, uri, f"s{number}", dataset="/entry/data/data")
        run.stream_datum(0, 2, f"s{number}", first=2 * number + 1)
    array = cam(run, registry, descriptor)
    assert array[1].shape == (1, 4, 6)
    with pytest.raises(FileDamaged, match="do not agree"):
        array[2:]


@pytest.mark.parametrize("named", ["data_key", "name", None])
def test_older_stream_resources(run, registry, files, named):
    data = frames(3, 4, 6)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    write(files / "a.h5", data, "/entry/cam")
    doc = {
        "uid": "old",
        "run_start": run.uid,
        "spec": "AD_HDF5_SWMR_SLICE",
        "root": str(files),
        "resource_path": "a.h5",
        "path_semantics": "posix",
        "resource_kwargs": {"path": "/entry/cam", "swmr": True, "multiplier": 1},
    }
    if named == "data_key":
        doc["data_key"] = "cam"
    elif named:
        doc["resource_kwargs"]["name"] = "cam"
    run.store.insert("stream_resource", doc)
    run.stream_datum(0, 3, "old")
    np.testing.assert_array_equal(cam(run, registry, descriptor)[:, 0], data)


def test_a_root_map_serves_streams_too(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    write(files / "a b.h5", frames(2, 4, 6))
    run.stream(HDF5, "file://localhost/recorded/a%20b.h5", dataset="/entry/data/data")
    run.stream_datum(0, 2)
    array = cam(run, registry, descriptor)
    assert array.shape == (2, 1, 4, 6)
    with pytest.raises(FileMissing, match=r"'cam' of run 'run-1'.*root_map\['/recorded'\]"):
        array[0]
    registry.root_map["/recorded"] = str(files)
    assert array[1].shape == (1, 4, 6)


def test_events_without_a_frame(run, registry, detector):
    data, descriptor = detector
    array = cam(run, registry, descriptor, seq_nums=np.arange(1, 13))
    assert (len(array), array.available) == (12, 10)
    with pytest.raises(FramesMissing, match="event 11"):
        array[:]
    masked = cam(run, registry, descriptor, seq_nums=np.arange(1, 13), on_missing="mask")
    with pytest.warns(UserWarning, match="said once"):
        found = masked[:]
    np.testing.assert_array_equal(found[:10], data)
    assert np.isnan(found[10:]).all()


def test_one_resource_may_serve_two_streams(run, registry, files):
    data = frames(4, 4, 6)
    first, second = (run.descriptor(uid, uid, cam=key(1, 4, 6)) for uid in ("d", "dark"))
    run.stream(HDF5, write(files / "a.h5", data), dataset="/entry/data/data")
    run.stream_datum(0, 3)
    doc = {"stream_resource": "sres", "descriptor": "dark", "uid": "sres/dark"}
    doc |= {"indices": {"start": 3, "stop": 4}, "seq_nums": {"start": 1, "stop": 2}}
    run.store.insert("stream_datum", doc)
    np.testing.assert_array_equal(cam(run, registry, first)[:, 0], data[:3])
    np.testing.assert_array_equal(cam(run, registry, second)[:, 0], data[3:])


def test_a_dataset_that_is_missing_or_a_group(run, registry, files):
    descriptor = run.descriptor(cam=key(1, 4, 6))
    uri = write(files / "a.h5", frames(2, 4, 6))
    for uid, name in (("one", "/entry/other"), ("two", "/entry")):
        run.stream(HDF5, uri, uid, uid, dataset=name)
        run.stream_datum(0, 2, uid)
        keys = {**descriptor, "data_keys": {uid: key(1, 4, 6)}}
        array = streamed_array(run.store, registry, run.uid, [keys], uid)
        with pytest.raises(DatasetMissing, match=name):
            array[0]


def test_an_unknown_mimetype_names_the_mend_and_can_be_taught(run, registry, files):
    class Constant(FrameReader):
        def __init__(self, path, parameters, declared, guard):
            self.frame_shape, self.dtype = (2,), np.dtype("f8")

        def read(self, first, stop, inner):
            return np.ones((stop - first, 2))[(slice(None), *inner)]

        def count(self, first, stop):
            return stop - first

        def files(self, first, stop):
            return []

    descriptor = run.descriptor(cam=key(2, numpy="<f8"))
    run.stream("application/octet-stream", "file://localhost/x")
    run.stream_datum(0, 3)
    array = cam(run, registry, descriptor)
    with pytest.raises(NoHandler, match=r"db\.reg\.mimetypes\['application/octet-stream'\]"):
        array[0]
    registry.mimetypes["application/octet-stream"] = Constant
    assert array[:].tolist() == [[1, 1]] * 3


def test_a_million_stream_datums_are_a_few_claims():
    rows = np.arange(1_000_000)
    claims = Claims.of(np.stack([rows + 1, rows + 2, rows, rows // 600_000, 0 * rows], axis=1))
    assert len(claims.first) == 2
    asked = np.array([0, 1, 600_000, 600_001, 1_000_000, 1_000_001])
    part, place = claims.match(np.zeros(6, int), asked)
    assert part.tolist() == [-1, 0, 0, 1, 1, -1]
    assert place.tolist() == [0, 0, 599_999, 600_000, 999_999, 0]


def test_a_sparse_stack_reads_one_chunk(run, registry, files):
    with h5py.File(files / "sparse.h5", "w") as file:
        shape = (2500, 2048, 2048)
        dataset = file.create_dataset("/entry/data/data", shape, "u2", chunks=(1, 256, 256))
        dataset[1234] = frames(1, 2048, 2048)[0]
    descriptor = run.descriptor(cam=key(1, 2048, 2048))
    run.stream(HDF5, uri_of_path(str(files / "sparse.h5")), dataset="/entry/data/data")
    run.stream_datum(0, 2500)
    array = cam(run, registry, descriptor)
    assert array.nbytes > 20e9
    expected = frames(1, 2048, 2048)[0, 100:200, 100:200]
    np.testing.assert_array_equal(array[1234, 0, 100:200, 100:200], expected)


@pytest.mark.parametrize("multiplier", [None, 3])
def test_an_open_shape_has_one_frame_an_event_unless_it_is_said(run, registry, files, multiplier):
    descriptor = run.descriptor(cam={**key(numpy="<f8"), "shape": [None]})
    uri = write(files / "a.h5", np.arange(12.0))
    parameters = {} if multiplier is None else {"multiplier": multiplier}
    run.stream(HDF5, uri, dataset="/entry/data/data", **parameters)
    run.stream_datum(0, 4)
    expected = [0, 1, 2, 3] if multiplier is None else np.arange(12).reshape(4, 3).tolist()
    assert cam(run, registry, descriptor)[:].tolist() == expected
