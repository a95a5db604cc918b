"""Fields whose values differ in dtype, or are text: the same however they are read."""

import h5py
import numpy as np
import pytest

from databroker import Broker
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from helpers.external import Run

HDF5 = "application/x-hdf5"
DTYPES = ("u2", "f4", "i8", "f8")


@pytest.fixture
def db():
    with Broker(MemoryStore()) as made:
        yield made


def streamed(db, files, arrays, events=True, **key):
    """A run of which each event's value is in a stream resource of its own."""
    run = Run(db.store)
    key = {"dtype": "array", "shape": [2], "source": "sim", "external": "STREAM:", **key}
    run.descriptor(cam=key)
    for number, values in enumerate(arrays):
        with h5py.File(files / f"{number}.h5", "w") as file:
            file["data"] = values
        uri = uri_of_path(str(files / f"{number}.h5"))
        run.stream(HDF5, uri, f"r{number}", dataset="data")
        run.stream_datum(0, len(values), f"r{number}", first=number * len(values) + 1)
    if events:
        run.events([None] * sum(map(len, arrays)))
    return db[-1]


@pytest.mark.parametrize("later", DTYPES[1:])
@pytest.mark.filterwarnings("ignore:.*another form:UserWarning")
def test_files_of_two_dtypes_have_their_common_dtype(db, files, later):
    values = [np.full((1, 2), 1, "u2"), np.full((1, 2), 2, later)]
    header = streamed(db, files, values)
    for found in (
        header.xarray(fields=["cam"]).cam.values,
        header.xarray_dask(fields=["cam"]).cam.values,
        header.streams["primary"]["cam"][:],
    ):
        assert found.dtype == np.result_type("u2", later)
        assert found.tolist() == [[1, 1], [2, 2]]


@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize("later", DTYPES[1:])
@pytest.mark.filterwarnings("ignore:.*another form:UserWarning")
def test_datums_of_two_dtypes_have_their_common_dtype(db, files, later, rows):
    run = Run(db.store)
    run.descriptor()
    for number in range(rows):
        np.save(files / f"img_{number}.npy", np.full((4, 5), number, "u2" if number < 2 else later))
    run.resource("NPY_SEQ", files, "img")
    run.events(run.datums([{"index": number} for number in range(rows)]))
    header = db[-1]
    for found in (
        header.xarray().img.values,
        header.xarray_dask().img.values,
        header.streams["primary"]["img"][:],
    ):
        assert found.dtype == np.result_type("u2", later)
        assert found[:, 0, 0].tolist() == list(range(rows))


def test_the_one_datum_of_another_dtype_is_found_where_all_are_loaded(db, files):
    run = Run(db.store)
    run.descriptor()
    for number in range(60):
        np.save(files / f"img_{number}.npy", np.full((4, 5), number, "f4" if number == 9 else "u2"))
    run.resource("NPY_SEQ", files, "img")
    run.events(run.datums([{"index": number} for number in range(60)]))
    found = db[-1].xarray().img.values
    assert found.dtype == np.float32
    assert found[:, 0, 0].tolist() == list(range(60))


TEXTS = {
    "text": (h5py.string_dtype(), ["ä", "b", "longer"]),
    "short text": ("S3", ["a", "bcd", "c"]),
    "texts": (h5py.string_dtype(), [["ä", "b"], ["c", "longer"], ["e", "f"]]),
    "short texts": ("S3", [["a", "bcd"], ["c", "d"], ["e", "f"]]),
}


@pytest.mark.parametrize("events", [True, False], ids=["events", "flown"])
@pytest.mark.parametrize(("dtype", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_streamed_dataset_of_text_reads_everywhere(db, files, recwarn, dtype, expected, events):
    shape = list(np.shape(expected)[1:])
    data = np.array(expected, object if dtype != "S3" else "S3").astype(dtype)
    header = streamed(db, files, [data], events, dtype="array" if shape else "string", shape=shape)
    stream = header.streams["primary"]
    found = {
        "table": header.table(fill=True)["cam"],
        "data": header.data("cam"),
        "dataset": header.xarray().cam.values,
        "lazy": header.xarray_dask().cam.values,
        "field": stream["cam"][:],
        "loop": stream["cam"],
        "masked": header.xarray(on_missing="mask").cam.values,
        "delayed": [value.compute() for value in header.data("cam", fill="delayed")],
    }
    if events:
        found["events"] = [event["data"]["cam"] for event in header.events(fill=True)]
    for how, values in found.items():
        texts = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
        assert texts == expected, how
    assert "cam" in header.preview("cam")._repr_html_()
    assert not recwarn.list
