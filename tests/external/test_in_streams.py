"""External fields where users meet them: headers, streams, tables, datasets."""

import pickle

import h5py
import numpy as np
import pandas as pd
import pytest

from databroker import Broker
from databroker.errors import ExternalDataMissing, FileMissing, FramesMissing, NoHandler
from databroker.external import LazyArray
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from helpers.external import CAM, HDF5, NUMBER, Both, Run, frames

KINDS = ("memory", "sqlite", "served")
here = pytest.mark.parametrize("db", KINDS[:2], indirect=True)
"""Of a served broker, the server has what the test is about: handlers, root map, files."""


@pytest.fixture(params=KINDS)
def db(request, tmp_path):
    if request.param == "served":
        yield request.getfixturevalue("served")
        return
    memory = request.param == "memory"
    made = Broker(MemoryStore() if memory else SQLiteStore(tmp_path / "runs.db"))
    yield made
    made.close()


@pytest.fixture
def both(db, files):
    return Both(db, files)


def flown(db, files, rows=6, descriptors=("d",)):
    """A run that recorded frames without any event, as fly scans do."""
    run = Run(db.store)
    data = frames(rows, 4, 6)
    with h5py.File(files / "cam.h5", "w") as file:
        file["data"] = data
    run.stream(HDF5, uri_of_path(str(files / "cam.h5")), dataset="data")
    each = rows // len(descriptors)
    for number, uid in enumerate(descriptors):
        configuration = {"cam": {"data": {"exposure": number + 0.5}, "timestamps": {}}}
        db.store.insert(
            "descriptor",
            {
                "uid": uid,
                "run_start": run.uid,
                "time": 1.0 + number,
                "name": "primary",
                "data_keys": {"cam": CAM},
                "object_keys": {"cam": ["cam"]},
                "configuration": configuration,
            },
        )
        run.stream_datum(number * each, (number + 1) * each, descriptor=uid)
    return data


# -- events ------------------------------------------------------------------


def test_data_yields_values_or_references(db, both):
    header = db[-1]
    np.testing.assert_array_equal(list(header.data("img")), both.img)
    np.testing.assert_array_equal(list(header.data("cam")), both.cam)
    assert list(header.data("cam", fill=False)) == both.references
    assert list(header.data("img", fill=False)) == [f"res/{number}" for number in range(5)]
    assert list(header.data("cam", fill=["img"])) == both.references


def test_a_table_has_references_unless_filled(db, both):
    header = db[-1]
    table = header.table()
    assert list(table.columns) == ["time", "img", "det", "cam"]
    assert table["cam"].tolist() == both.references
    for fill in (True, ["cam"], "cam"):
        filled = header.table(fill=fill)
        np.testing.assert_array_equal(np.stack(filled["cam"]), both.cam)
    assert header.table(fill=["cam"])["img"].tolist() == table["img"].tolist()
    pd.testing.assert_frame_equal(header.table(fill=[]), table)
    assert header.table(fields=["det"], fill=True).columns.tolist() == ["time", "det"]


def test_events_and_documents_are_filled_when_asked(db, both):
    header = db[-1]
    assert all("cam" not in event["data"] for event in header.events())
    for events in (
        list(header.events(fill=True)),
        [doc for kind, doc in header.documents(fill=True) if kind == "event"],
    ):
        np.testing.assert_array_equal([event["data"]["cam"] for event in events], both.cam)
        np.testing.assert_array_equal([event["data"]["img"] for event in events], both.img)
        assert [event["filled"]["cam"] for event in events] == both.references
    (first, *_) = header.events(fields=["cam"], fill=True)
    assert list(first["data"]) == ["cam"]
    assert list(header.events(fields=["cam"])) == []


def test_filled_documents_can_be_inserted_elsewhere_and_read_without_files(db, both):
    other = Broker(MemoryStore())
    for kind, document in db[-1].documents(fill=True):
        other.insert(kind, document)
    both.lose("cam.h5", *(f"img_{number}.npy" for number in range(5)))
    header = other[-1]
    np.testing.assert_array_equal(np.stack(header.table(fill=True)["cam"]), both.cam)
    np.testing.assert_array_equal(list(header.data("img")), both.img)
    dataset = header.xarray()
    np.testing.assert_array_equal(dataset.cam, both.cam)
    np.testing.assert_array_equal(header.streams["primary"]["cam"][2], both.cam[2])


# -- arrays and datasets -----------------------------------------------------


def test_a_field_is_an_array_that_reads_what_is_asked(db, both):
    stream = db[-1].streams["primary"]
    for name, data in (("img", both.img), ("cam", both.cam)):
        array = stream[name]
        assert isinstance(array, LazyArray)
        assert (array.shape, array.dtype) == (data.shape, data.dtype)
        np.testing.assert_array_equal(array[1:4, 2, ::2], data[1:4, 2, ::2])
    assert stream["img"] is stream["img"]


def test_datasets_hold_external_data(db, both):
    header = db[-1]
    dataset, lazy = header.xarray(), header.xarray_dask()
    for found in (dataset, lazy.compute()):
        np.testing.assert_array_equal(found.img, both.img)
        np.testing.assert_array_equal(found.cam, both.cam)
        assert found.cam.dims == ("time", "y", "x")
        assert found.cam.dtype == np.uint16
        assert found.det.values.tolist() == [0, 1, 2, 3, 4]
    assert float(lazy.cam.mean()) == both.cam.mean()
    assert lazy.cam.chunks is not None
    only = header.xarray(fields=["det"])
    assert list(only) == ["det"]
    assert header.xarray(fill=["img"]).cam.values.tolist() == both.references


def test_a_lazy_dataset_goes_to_other_processes(tmp_path, files):
    with_file = Broker(SQLiteStore(tmp_path / "runs.db"))
    both = Both(with_file, files)
    lazy = with_file[-1].xarray_dask()
    again = pickle.loads(pickle.dumps(lazy))
    with_file.close()
    np.testing.assert_array_equal(again.img, both.img)
    np.testing.assert_array_equal(again.cam, both.cam)


def test_values_of_unlike_shape_are_given_each_as_it_is(db, both):
    np.save(both.files / "img_2.npy", np.zeros((2, 2), np.uint16))
    header = db[-1]
    values = header.xarray().img.values
    assert [value.shape for value in values] == [(4, 5), (4, 5), (2, 2), (4, 5), (4, 5)]
    with pytest.raises(ValueError, match=r"its shape is \[2, 2\], and others have \[4, 5\]"):
        header.xarray_dask().img.compute()


@pytest.mark.filterwarnings("ignore:The data of 'img' have another form:UserWarning")
def test_what_events_hold_instead_of_arrays_is_given_as_it_is(db):
    run = Run(db.store)
    run.descriptor()
    run.events([[1.0, 2.0], {"a": 1}, 3.5])
    array, mapping, value = db[-1].xarray().img.values
    assert (array.tolist(), mapping, value) == ([1, 2], {"a": 1}, 3.5)


def test_shape_and_dtype_of_the_files_win_with_one_warning(db, both):
    for number in range(5):
        np.save(both.files / f"img_{number}.npy", np.full((3, 2), number, np.float32))
    with pytest.warns(UserWarning, match="another form") as told:
        lazy = db[-1].xarray_dask()
    assert (lazy.img.shape, lazy.img.dtype) == ((5, 3, 2), np.float32)
    assert [str(each.message) for each in told if "img" in str(each.message)] == [
        "The data of 'img' have another form than their descriptor says, and are given as they "
        "are: shape [3, 2], not [4, 5]."
    ]


def test_images_of_a_field_in_files(db, both):
    with pytest.warns(UserWarning, match="deprecated"):
        images = db.get_images(db[-1], "cam")
    assert (len(images), images.frame_shape, images.pixel_type) == (5, (4, 6), np.uint16)
    np.testing.assert_array_equal(images[3], both.cam[3])
    np.testing.assert_array_equal(np.asarray(images[1:3]), both.cam[1:3])


# -- streams without events --------------------------------------------------


def test_a_stream_without_events_has_a_row_for_each_value(db, files):
    data = flown(db, files)
    header = db[-1]
    stream = header.streams["primary"]
    assert stream.num_events == 6
    table = header.table()
    assert table.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert table["time"].isna().all()
    assert table["cam"].tolist() == [f"sres/{number}" for number in range(6)]
    np.testing.assert_array_equal(np.stack(header.table(fill=True)["cam"]), data)
    np.testing.assert_array_equal(list(header.data("cam")), data)
    np.testing.assert_array_equal(stream["cam"][:], data)
    assert list(header.events(fill=True)) == []
    for dataset in (header.xarray(), header.xarray_dask().compute()):
        np.testing.assert_array_equal(dataset.cam, data)
        assert dataset.seq_num.values.tolist() == [1, 2, 3, 4, 5, 6]
        assert np.isnan(dataset.time).all()
    with pytest.warns(UserWarning, match="deprecated"):
        images = db.get_images(header, "cam")
    np.testing.assert_array_equal(np.asarray(images), data)


def test_each_row_without_an_event_has_the_configuration_of_its_descriptor(db, files):
    flown(db, files, descriptors=("d", "e"))
    header = db[-1]
    exposures = [0.5, 0.5, 0.5, 1.5, 1.5, 1.5]
    assert header.table(fields=["exposure"])["exposure"].tolist() == exposures
    config = header.streams["primary"].config["cam"]
    assert config.read().exposure.values.tolist() == exposures
    assert config.to_dask().compute().exposure.values.tolist() == exposures
    changes = header.streams["primary"].config_changes()
    assert changes["seq_num"].tolist() == [4]


def test_a_lazy_dataset_without_events_goes_to_other_processes(tmp_path, files):
    db = Broker(SQLiteStore(tmp_path / "runs.db"))
    data = flown(db, files, descriptors=("d", "e"))
    lazy = db[-1].xarray_dask(fields=["cam", "exposure"])
    references = db[-1].xarray_dask(fill=False)
    again, texts = pickle.loads(pickle.dumps((lazy, references)))
    db.close()
    np.testing.assert_array_equal(again.cam, data)
    assert again.exposure.values.tolist() == [0.5, 0.5, 0.5, 1.5, 1.5, 1.5]
    assert texts.cam.values.tolist() == [f"sres/{number}" for number in range(6)]


def test_a_run_that_flew_is_shown_with_its_rows(db, files):
    flown(db, files)
    assert "6" in str(db[-1]).split("primary")[1].splitlines()[0]


# -- runs that go on ---------------------------------------------------------


def test_what_has_come_is_there_and_a_later_read_sees_more(db, files):
    run = Run(db.store)
    run.descriptor(cam=CAM)
    data = frames(6, 4, 6)
    with h5py.File(files / "cam.h5", "w") as file:
        file.create_dataset("data", data=data[:3], maxshape=(None, 4, 6), chunks=(1, 4, 6))
    run.stream(HDF5, uri_of_path(str(files / "cam.h5")), dataset="data")
    run.stream_datum(0, 5)  # more than is in the file
    run.events([None] * 6)  # more than is in the stream datums
    stream = db[-1].streams["primary"]
    assert stream["cam"].available == 3
    np.testing.assert_array_equal(stream["cam"][:3], data[:3])
    values = stream.data("cam")
    np.testing.assert_array_equal([next(values) for _ in range(3)], data[:3])
    with pytest.raises(FramesMissing, match=r"has 3 frames so far.*announce 5"):
        next(values)
    with pytest.warns(UserWarning, match="said once"):
        assert len(list(stream.data("cam", on_missing="skip"))) == 3
    with pytest.raises(FramesMissing, match="event 6"):
        stream["cam"][5]
    db.reg.close()  # one process cannot read and write a file by two handles
    with h5py.File(files / "cam.h5", "a") as file:
        file["data"].resize(6, axis=0)
        file["data"][:] = data
    assert stream["cam"].available == 5
    np.testing.assert_array_equal(stream["cam"][:5], data[:5])
    run.stream_datum(5, 6)
    np.testing.assert_array_equal(list(stream.data("cam")), data)


# -- what cannot be had ------------------------------------------------------


def test_scalars_are_never_held_hostage(db, both):
    both.lose("cam.h5", "img_1.npy")
    header = db[-1]
    assert header.table()["det"].tolist() == [0, 1, 2, 3, 4]
    assert header.table(fields=["det"], fill=True)["det"].tolist() == [0, 1, 2, 3, 4]
    assert list(header.data("det")) == [0, 1, 2, 3, 4]
    assert header.xarray(fields=["det"]).det.values.tolist() == [0, 1, 2, 3, 4]
    lazy = header.xarray_dask()
    assert lazy.det.values.tolist() == [0, 1, 2, 3, 4]
    assert lazy.cam.shape == (5, 4, 6)  # as declared
    with pytest.raises(FileMissing):
        lazy.cam.compute()


@pytest.mark.parametrize("read", [lambda h: h.table(fill=True), lambda h: h.xarray()])
def test_errors_say_how_to_have_the_rest(db, both, read):
    both.lose("img_1.npy")
    with pytest.raises(FileMissing, match=r"Field 'img' of run 'run-1' \(datum 'res/1'") as caught:
        read(db[-1])
    assert caught.value.__notes__ == ["The rest can be had: on_missing='mask', or fill=False."]


@pytest.mark.filterwarnings("ignore:Some external data cannot be had")
def test_missing_data_is_masked(db, both):
    both.lose("cam.h5", "img_1.npy")
    header = db[-1]
    table = header.table(fill=True, on_missing="mask")
    assert [value is None for value in table["img"]] == [False, True, False, False, False]
    assert table["cam"].tolist() == [None] * 5
    assert [value is None for value in header.data("img", on_missing="mask")] == [
        *(False, True, False, False, False)
    ]
    events = list(header.events(fill=True, on_missing="mask"))
    assert events[1]["data"]["img"] is None
    assert events[1]["filled"]["img"] is False
    lazy = header.xarray_dask(on_missing="mask")
    for dataset in (header.xarray(on_missing="mask"), lazy.compute()):
        assert np.isnan(dataset.img).all(axis=(1, 2)).values.tolist() == [
            *(False, True, False, False, False)
        ]
        np.testing.assert_array_equal(dataset.img[2], both.img[2])
        assert np.isnan(dataset.cam).all()
    array = header.streams["primary"].array("img", on_missing="mask")
    assert np.isnan(array[1]).all()


@pytest.mark.filterwarnings("ignore:Some external data cannot be had")
def test_missing_data_is_skipped(db, both):
    both.lose("cam.h5", "img_1.npy")
    header = db[-1]
    table = header.table(fill=True, on_missing="skip")
    assert table["img"].iloc[1] == "res/1"
    assert table["cam"].tolist() == both.references
    assert len(list(header.data("img", on_missing="skip"))) == 4
    assert list(header.data("cam", on_missing="skip")) == []


def test_each_field_warns_once(db, both):
    both.lose(*(f"img_{number}.npy" for number in range(5)), "cam.h5")
    with pytest.warns(UserWarning, match="said once") as told:
        db[-1].table(fill=True, on_missing="mask")
    assert len(told) == 2


def test_on_missing_is_one_of_three(db, both):
    header = db[-1]
    for call in (header.table, header.xarray, header.xarray_dask):
        with pytest.raises(ValueError, match="'raise', 'mask' or 'skip', not 'drop'"):
            call(fill=True, on_missing="drop")


def test_a_stream_resource_that_nothing_reads(db, both):
    both.run.stream("application/x-new", "file://localhost/new", uid="other", data_key="cam2")
    both.run.descriptor("e", name="second", cam2=CAM)
    both.run.stream_datum(0, 2, uid="other", descriptor="e")
    header = db[-1]
    assert header.table("second")["cam2"].tolist() == ["other/0", "other/1"]
    with pytest.raises(NoHandler, match="application/x-new"):
        list(header.data("cam2", "second"))


def test_rows_of_descriptors_without_the_field(db, both):
    both.run.store.insert(
        "descriptor",
        {
            "uid": "late",
            "run_start": both.run.uid,
            "time": 9.0,
            "name": "primary",
            "data_keys": {"det": NUMBER},
        },
    )
    both.run.store.insert(
        "event",
        {
            "uid": "late-1",
            "descriptor": "late",
            "seq_num": 6,
            "time": 9.5,
            "data": {"det": 5.0},
            "timestamps": {"det": 9.5},
        },
    )
    header = db[-1]
    for name, data in (("img", both.img), ("cam", both.cam)):
        np.testing.assert_array_equal(list(header.data(name)), data)
        cells = header.table(fill=True)[name].tolist()
        assert cells[5] is None
        np.testing.assert_array_equal(cells[:5], data)
        for found in (header.xarray()[name], header.xarray_dask()[name].compute()):
            np.testing.assert_array_equal(found[:5], data)
            assert np.isnan(found[5]).all()
    assert [sorted(event["data"]) for event in header.events(fill=True)][4:] == [
        ["cam", "det", "img"],
        ["det"],
    ]


@here
def test_a_handler_registered_after_the_header_was_made(db, both):
    class Sevens:
        def __init__(self, path):
            pass

        def __call__(self, index):
            return np.full((2, 2), 7)

    header = db[-1]
    stream = header.streams["primary"]
    assert stream["img"][0].shape == (4, 5)
    db.reg.register_handler("NPY_SEQ", Sevens, overwrite=True)
    assert next(header.data("img")).tolist() == [[7, 7], [7, 7]]
    with pytest.warns(UserWarning, match="another form than their descriptor says"):
        assert header.xarray().img.shape == (5, 2, 2)


@here
def test_a_moved_folder_is_one_line(db, both, tmp_path):
    header = db[-1]
    stream = header.streams["primary"]
    before = stream["cam"], stream["img"]
    moved = tmp_path / "moved to ä"
    both.files.rename(moved)
    with pytest.raises(ExternalDataMissing, match="root_map"):
        header.table(fill=True)
    db.reg.root_map[str(both.files)] = str(moved)
    np.testing.assert_array_equal(np.stack(header.table(fill=True)["cam"]), both.cam)
    for array, data in zip(before, (both.cam, both.img), strict=True):
        np.testing.assert_array_equal(array[:], data)


@here
def test_transforms_mend_resources_before_they_are_read(db, both, tmp_path):
    moved = tmp_path / "moved"
    both.files.rename(moved)
    mended = Broker(db.store, transforms={"resource": lambda doc: {**doc, "root": str(moved)}})
    np.testing.assert_array_equal(list(mended[-1].data("img")), both.img)
    np.testing.assert_array_equal(mended[-1].streams["primary"]["img"][:], both.img)


def test_a_file_that_was_replaced_is_opened_anew(db, both):
    assert next(db[-1].data("cam"))[0, 0] == 1000
    with h5py.File(both.files / "new.h5", "w") as file:
        file["data"] = both.cam + 1
    (both.files / "new.h5").replace(both.files / "cam.h5")
    np.testing.assert_array_equal(list(db[-1].data("cam")), both.cam + 1)


def test_a_lazy_dataset_made_before_its_files_keeps_its_promise(db, both):
    both.lose(*(f"img_{number}.npy" for number in range(5)))
    lazy = db[-1].xarray_dask().img
    assert lazy.shape == (5, 4, 5)  # as declared
    for number in range(5):
        np.save(both.files / f"img_{number}.npy", np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match=r"its shape is \[3, 2\], and others have \[4, 5\]"):
        lazy.compute()


def test_rows_without_a_time_are_aligned_with_nothing(db, files):
    flown(db, files)
    run_uid = db[-1].uid
    monitor = {"uid": "m", "run_start": run_uid, "time": 1.0, "name": "ring"}
    db.insert("descriptor", {**monitor, "data_keys": {"x": NUMBER}})
    event = {"uid": "m-1", "descriptor": "m", "seq_num": 1, "time": 2.0}
    db.insert("event", {**event, "data": {"x": 5.0}, "timestamps": {"x": 2.0}})
    for how in ("previous", "nearest", "linear"):
        assert np.isnan(db[-1].align(how=how).x).all()
        assert db[-1].align("ring", how=how).cam.values.tolist() == [None]


def test_old_resources_that_do_not_say_whose_they_are_come_with_the_run(db, files):
    run = Run(db.store)
    run.descriptor()
    np.save(files / "img_0.npy", np.ones((4, 5)))
    run.resource("NPY_SEQ", files, "img", run_start=False)
    run.events(run.datums([{"index": 0}]))
    kinds = [kind for kind, _ in db[-1].documents()]
    assert kinds == ["start", "descriptor", "resource", "datum", "event"]
    other = Broker(MemoryStore())
    for kind, document in db[-1].documents():
        other.insert(kind, document)
    np.testing.assert_array_equal(list(other[-1].data("img")), [np.ones((4, 5))])


# -- what events hold --------------------------------------------------------


@pytest.fixture
def mislabelled(db, files):
    """A run whose data key promises stream resources, and whose events have datum ids."""
    run = Run(db.store)
    key = {"dtype": "array", "shape": [1, 4, 5], "source": "file", "external": "STREAM:"}
    run.descriptor(img=key, cam=CAM)
    images = frames(3, 4, 5)
    for number, image in enumerate(images):
        np.save(files / f"img_{number}.npy", image)
    run.resource("NPY_SEQ", files, "img", run_start=False)
    run.events(run.datums([{"index": number} for number in range(3)]))
    with h5py.File(files / "cam.h5", "w") as file:
        file["data"] = images + 1000
    return run, images


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a streamed field"])
@pytest.mark.filterwarnings("ignore:.*another form:UserWarning")
def test_datum_ids_under_a_key_that_says_stream_are_datums(db, mislabelled, files, beside):
    run, images = mislabelled
    if beside:
        run.stream(HDF5, uri_of_path(str(files / "cam.h5")), dataset="data")
        run.stream_datum(0, 3)
    header = db[-1]
    ids = [f"res/{number}" for number in range(3)]
    assert header.table()["img"].tolist() == list(header.data("img", fill=False)) == ids
    np.testing.assert_array_equal(np.stack(header.table(fill=["img"])["img"]), images)
    np.testing.assert_array_equal(list(header.data("img")), images)
    np.testing.assert_array_equal(header.streams["primary"]["img"][:], images)
    np.testing.assert_array_equal(header.xarray(fields=["img"]).img, images)
    np.testing.assert_array_equal(header.xarray_dask(fields=["img"]).img, images)
    filled = [event["data"]["img"] for event in header.events(fill=["img"])]
    np.testing.assert_array_equal(filled, images)
    if beside:
        np.testing.assert_array_equal(np.stack(header.table(fill=True)["cam"]), images + 1000)
    if not beside:  # old resources, which do not say whose they are
        kinds = [kind for kind, _ in header.documents()]
        assert kinds.count("resource") == 1
        assert kinds.count("datum") == 3


@here
def test_files_of_datum_ids_under_a_key_that_says_stream_are_listed(db, mislabelled, files):
    assert [file.path for file in db[-1].files() if "img" in file.path] == [
        str(files / f"img_{number}.npy") for number in range(3)
    ]


def test_events_of_one_field_may_hold_datums_and_have_frames(db, both):
    key = {**CAM, "shape": [4, 5]}
    both.run.descriptor("d2", cam=key)
    document = {"uid": "later", "descriptor": "d2", "seq_num": 6, "time": 9.0}
    document |= {"data": {"cam": "res/3", "img": None, "det": 5.0}, "timestamps": {}}
    db.insert("event", document)
    cells = db[-1].table(fill=["cam"])["cam"].tolist()
    np.testing.assert_array_equal(cells[:5], both.cam)
    np.testing.assert_array_equal(cells[5], both.img[3])
