"""Ragged, mixed and missing data: table, dataset and documents give them as they are."""

import numpy as np
import pytest

from databroker import Broker
from databroker.stores.sql import SQLiteStore

pytestmark = pytest.mark.filterwarnings("ignore:Some data have other shapes:UserWarning")

COLUMNS = {
    "ragged": [[1, 2], [3], [1, 2, 3]],
    "ragged_arrays": [np.arange(2.0), np.arange(3.0), np.arange(4.0)],
    "empty_lists": [[], [1], [2, 3]],
    "text": ["a", "b\x00", ""],
    "text_or_none": ["a", None, "c"],
    "flags": [True, False, True],
    "flags_or_none": [True, None, False],
    "nothing": [None, None, None],
    "numbers_or_none": [1, None, 2.5],
    "mixed": [1, "two", [3.0]],
    "lists_of_text": [["a", "b"], ["c"], []],
    "large": [2**70, 1, -(2**63)],
    "dictionaries": [{"a": 1}, {"a": {"b": [1, 2]}}, {}],
    "arrays_or_none": [np.arange(3), None, np.arange(3)],
    "flag_arrays_or_none": [np.array([True]), None, np.array([False])],
    "mixed_lists": [[1, 2.5], [3, 4], [5.5, 6.5]],
    "infinite": [np.inf, -np.inf, np.nan],
    "small": [np.array([1, 2], "<i1")] * 3,
    "letters": [np.array(["ab", "c"])] * 3,
    "words": [["a", "bcd"], ["", "e"], ["fghij", "k"]],
    "word_arrays": [np.array(["a", "bcd"]), np.array(["", "e"]), np.array(["fghij", "k"])],
    "words_or_none": [["a", "bcd"], None, ["fghij", "k"]],
    "word_arrays_or_none": [np.array(["a", "b"]), None, np.array(["cde", "f"])],
    "words_with_zeros": [["a", "b\0"], ["c", "d"], ["", "\0"]],
    "empty": [[], [], []],
    "lists_of_empty": [[[], []]] * 3,
    "two_dtypes": [np.array([1, 2], "<u2"), np.array([0.5, 1.5], "<f4"), np.array([3, 4], "<i8")],
    "records": [np.array([(1, 2.0)], [("n", "<i4"), ("x", "<f8")])] * 3,
}
FORMS = {
    "flags": ("bool", ()),
    "numbers_or_none": ("float64", ()),
    "arrays_or_none": ("float64", (3,)),
    "mixed_lists": ("float64", (2,)),
    "infinite": ("float64", ()),
    "small": ("int8", (2,)),
    "letters": ("<U2", (2,)),
    "words": ("<U5", (2,)),
    "word_arrays": ("<U5", (2,)),
    "words_or_none": ("object", (2,)),
    "word_arrays_or_none": ("object", (2,)),
    "words_with_zeros": ("object", (2,)),
    "empty": ("float64", (0,)),
    "lists_of_empty": ("float64", (2, 0)),
    "two_dtypes": ("float64", (2,)),
    "records": ([("n", "<i4"), ("x", "<f8")], (1,)),
}


def equal(one, other):
    if isinstance(one, np.ndarray) and one.dtype == object:
        return one.tolist() == list(other)  # NumPy would cut text that ends with zeros
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        if one.shape == other.shape and one.dtype.kind in "fc" and other.dtype.kind in "fc":
            return np.array_equal(one, other, equal_nan=True)
        return np.array_equal(one, other)
    return one == other or (one != one and other != other)


@pytest.fixture(params=["events", "page", "stopped"])
def header(request, db, new_run, key):
    run = new_run(db)
    owner = run.descriptor({name: key("array", [2]) for name in COLUMNS})
    if request.param == "page":
        run.page(owner, range(1, 4), **COLUMNS)
    else:
        for row in range(3):
            run.event(owner, data={name: values[row] for name, values in COLUMNS.items()})
    return run.stop() if request.param == "stopped" else run.header


def assert_values(found):
    """Fail unless columns hold what was put in; numbers that are missing may be NaN."""
    for name, column in COLUMNS.items():
        for one, other in zip(found[name], column, strict=True):
            nan = other is None and isinstance(one, float | np.ndarray) and np.all(one != one)
            nan |= other is None and isinstance(one, np.ndarray) and one.tolist() == [None, None]
            assert nan or equal(one, other), (name, one, other)


def test_documents_give_the_values(header):
    events = [event["data"] for event in header.events()]
    assert_values({name: [data[name] for data in events] for name in COLUMNS})


def test_the_table_gives_the_values(header):
    assert_values(header.table())


def test_the_dataset_gives_the_values(header):
    dataset = header.xarray()
    assert_values({name: dataset[name].values for name in COLUMNS})
    for name in COLUMNS:
        dtype, shape = FORMS.get(name, ("object", ()))
        assert (dataset[name].dtype, dataset[name].shape[1:]) == (np.dtype(dtype), shape), name


def test_the_lazy_dataset_gives_what_the_other_gives(header):
    dataset, lazy = header.xarray(), header.xarray_dask()
    for name in COLUMNS:
        one, other = dataset[name], lazy[name]
        assert (one.dtype, one.shape, one.dims) == (other.dtype, other.shape, other.dims), name
        computed = other.data.compute(scheduler="sync")
        assert computed.dtype == one.dtype
        assert all(map(equal, computed, one.values)), name


@pytest.mark.parametrize("chunks", [None, 1])
def test_some_events_of_the_lazy_dataset_are_those_of_the_other(header, chunks):
    dataset, lazy = header.xarray(), header.xarray_dask()
    lazy = lazy if chunks is None else lazy.chunk(time=chunks)
    for rows in (1, -1, slice(1, 2), [0, 2]):
        one, other = dataset.isel(time=rows), lazy.isel(time=rows).compute()
        for name in COLUMNS:
            assert one[name].values.dtype == other[name].values.dtype, name
            assert repr(one[name].values) == repr(other[name].values), name


def test_one_event_of_the_lazy_dataset_comes_from_other_processes(tmp_path, new_run, key):
    with Broker(SQLiteStore(tmp_path / "runs.db")) as db:
        run = new_run(db)
        owner = run.descriptor({"ragged": key("array", [2])})
        for values in ([1, 2], [3], ["a"]):
            run.event(owner, ragged=values)
        lazy = run.stop().xarray_dask().ragged.isel(time=2)
        assert lazy.data.compute(scheduler="processes").tolist() == ["a"]


def test_one_field_gives_what_the_dataset_gives(header):
    dataset, stream = header.xarray(), header.streams["primary"]
    for name in COLUMNS:
        values, field = dataset[name].values, stream[name]
        assert (field.dtype, field.shape) == (values.dtype, values.shape), name
        assert all(map(equal, field[:], values)), name
        assert equal(field[1], values[1]), name


def test_text_in_arrays_of_the_declared_shape_is_no_mismatch(db, new_run, key, recwarn):
    names = ("words", "word_arrays", "words_or_none", "words_with_zeros")
    run = new_run(db)
    owner = run.descriptor({name: key("array", [2], dtype_numpy="<U9") for name in names})
    for row in range(3):
        run.event(owner, data={name: COLUMNS[name][row] for name in names})
    header = run.stop()
    for dataset in (header.xarray(), header.xarray_dask().compute()):
        assert {dataset[name].shape for name in names} == {(3, 2)}
        assert dataset.words.dtype == dataset.word_arrays.dtype == np.dtype("<U9")
        assert dataset.words.values[2].tolist() == ["fghij", "k"]
    assert header.streams["primary"]["words"].dtype == np.dtype("<U9")
    assert not recwarn.list


def test_a_key_that_only_one_descriptor_has_is_missing_in_the_events_of_the_other(db, new_run, key):
    run = new_run(db)
    one = run.descriptor({"a": key(), "wave": key("array", [2]), "s": key("string")})
    other = run.descriptor({"a": key(), "b": key("integer")}, time=1001.0)
    run.event(one, seq_num=1, a=1, wave=[1, 2], s="x")
    run.event(other, seq_num=2, a=2, b=5)
    header = run.stop()
    for dataset in (header.xarray(), header.xarray_dask().compute()):
        assert list(dataset.data_vars) == ["a", "wave", "s", "b"]
        assert dataset.a.values.tolist() == [1, 2]
        assert equal(dataset.wave.values, np.array([[1, 2], [np.nan, np.nan]]))
        assert equal(dataset.b.values, np.array([np.nan, 5.0]))
        assert dataset.s.values[0] == "x"
        assert dataset.s.isnull().values.tolist() == [False, True]
    assert header.xarray().s.values[1] is None
    assert header.table()["b"].isna().tolist() == [True, False]
    assert [sorted(event["data"]) for event in header.events()] == [["a", "s", "wave"], ["a", "b"]]


def test_a_stream_without_events_has_the_declared_variables(db, new_run, key):
    run = new_run(db)
    run.descriptor(
        {
            "n": key("integer"),
            "s": key("string"),
            "flag": key("boolean"),
            "img": key("array", [2, 3], dtype_numpy="<u2"),
            "open": key("array", [None]),
        }
    )
    header = run.header
    for dataset in (header.xarray(), header.xarray_dask()):
        assert dict(dataset.sizes)["time"] == 0
        assert dataset.img.shape == (0, 2, 3)
        assert dataset.img.dtype == np.uint16
        assert (dataset.n.dtype, dataset.s.dtype) == ("float64", "object")
        assert (dataset.flag.dtype, dataset.open.shape) == ("bool", (0,))
    stream = header.streams["primary"]
    assert stream["img"][:].shape == (0, 2, 3)
    assert list(stream["img"]) == []
    assert (stream.num_events, list(stream.events()), len(stream.table())) == (0, [], 0)
    assert len(stream.timestamps.read().time) == 0
    with pytest.raises(IndexError):
        stream["img"][0]


def test_equal_shapes_that_change_with_the_descriptor_are_no_mismatch(db, new_run, key, recwarn):
    run = new_run(db)
    one = run.descriptor({"roi": key("array", [2])})
    other = run.descriptor({"roi": key("array", [3])}, time=1001.0)
    run.event(one, seq_num=1, roi=[1, 2])
    run.event(other, seq_num=2, roi=[1, 2, 3])
    roi = run.header.xarray().roi
    assert [value.tolist() for value in roi.values] == [[1, 2], [1, 2, 3]]
    assert not recwarn.list


def test_ids_of_external_data_are_no_mismatch(db, new_run, key, recwarn):
    run = new_run(db)
    owner = run.descriptor({"img": key("array", [48, 64], external="FILESTORE:")})
    run.event(owner, img="resource/0")
    header = run.header
    for dataset in (header.xarray(fill=False), header.xarray_dask(fill=False).compute()):
        assert dataset.img.values.tolist() == ["resource/0"]
    assert not recwarn.list


def test_the_name_of_a_field_may_hold_half_a_character(db, new_run):
    run = new_run(db)
    owner = run.descriptor(["\ud800"])
    assert list(run.header.table()) == ["time", "\ud800"]
    run.event(owner, 1, **{"\ud800": 5})
    stream = run.stop().streams["primary"]
    assert stream.table()["\ud800"].tolist() == [5]
    assert list(stream.timestamps.table()) == ["time", "\ud800"]
