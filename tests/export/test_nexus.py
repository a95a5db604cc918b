"""Runs in NeXus form: nexusformat finds no fault, silx what to draw, h5py the values."""

import json
import re
import warnings
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from silx.io.nxdata import get_default

import databroker
from databroker.documents.encode import same
from databroker.errors import NotSupported
from databroker.export import export
from databroker.export.losses import CHARACTERS
from databroker.testing import strategies
from databroker.testing.conformance.base import insert_all, quick
from helpers import scans
from helpers.external import HDF5, IMAGE, Both, Run, frames, key, write

with np.printoptions():  # which it changes for everybody
    from nexusformat.nexus.validate import validate_file

pytest.importorskip("xarray")


@pytest.fixture
def db():
    with databroker.temp() as db:
        yield db


def exported(run, folder, **options):
    report = export(run, folder, "nexus", name="{uid}", **options)
    assert report, report
    (path,) = report.written
    assert validate_file(path) == (0, 0)
    return path, set(report.losses)


@contextmanager
def default_of(path):
    """What silx draws of a file before anything is chosen."""
    with h5py.File(path) as file:
        found = get_default(file)
        assert found is not None
        assert found.is_valid
        assert not found.issues
        yield found


def assert_holds(group, stream):
    """Fail unless a group has the fields of a stream: values, types and units."""
    table = stream.table(convert_times=False, fill=True)
    assert group["seq_num"][:].tolist() == table.index.tolist()
    names = {item.attrs.get("long_name", name): name for name, item in group.items()}
    for field in stream.fields:
        dataset, array = group[names[field]], stream[field]
        assert dataset.dtype == array.dtype
        assert dataset.shape == array.shape
        np.testing.assert_array_equal(dataset[...], array[...])
        np.testing.assert_array_equal(list(dataset), list(table[field]))
        assert dataset.attrs.get("units") == array.data_key.get("units")
    np.testing.assert_array_equal(group["time"][:], table["time"])


def test_a_scan(db, tmp_path):
    run = scans.line(db)
    path, losses = exported(run, tmp_path)
    assert losses == set()
    with default_of(path) as drawn:
        assert (drawn.signal_dataset_name, drawn.axes_dataset_names) == ("det", ["motor"])
        assert drawn.auxiliary_signals_dataset_names == ["aux"]
        assert drawn.title == "scan 7"
        assert drawn.signal.attrs["units"] == "counts"
        assert_holds(drawn.group, run.streams["primary"])
        entry = drawn.group.parent
        assert entry["instrument/dev_det/gain"][()] == 2
        assert entry["instrument/dev_det/gain"].attrs["units"] == "s"
        assert entry["timestamps/primary/det"][:].tolist() == [1001.25 + n for n in range(5)]
        assert drawn.group["elapsed_time"][:].tolist() == [1, 2, 3, 4, 5]


def test_what_is_known_of_a_run(db, tmp_path):
    run = scans.line(db)
    path, _ = exported(run, tmp_path)
    with h5py.File(path) as file:
        entry = file["entry"]
        words = ["start_time", "entry_identifier", "entry_identifier_uuid", "sample/name"]
        words += ["user/name", "plan/plan_name", "stop/exit_status"]
        start, *found = [entry[word].asstr()[()] for word in words]
        assert start.startswith("1970-01-01T")
        assert found == ["7", "line", "Ni/Cu", "Ana", "scan", "success"]
        assert entry["metadata/sample/mass"][()] == 2.5


def test_all_documents_are_in_a_note(db, tmp_path):
    run = scans.odd(db)
    path, _ = exported(run, tmp_path)
    with h5py.File(path) as file:
        lines = file["entry/documents/data"][:].tobytes()
    (tmp_path / "all.jsonl").write_bytes(lines)
    with databroker.open(tmp_path / "all.jsonl") as found:
        assert same(list(found[-1].documents()), list(run.documents()))
    path, losses = exported(run, tmp_path / "less", documents=False)
    assert "documents" in losses
    with h5py.File(path) as file:
        assert "documents" not in file["entry"]


@pytest.mark.parametrize("done", [None, 10])
def test_a_grid_is_an_image_whichever_way_the_motor_went(db, tmp_path, done):
    path, _ = exported(scans.grid(db, done=done), tmp_path)
    with default_of(path) as drawn:
        assert drawn.group.name == "/entry/primary_grid"
        assert (drawn.signal_dataset_name, drawn.axes_dataset_names) == ("det", ["y", "x"])
        wanted = np.array([[0, 1, 2, 3], [10, 11, 12, 13], [20, 21, 22, 23]], float)
        if done == 10:
            wanted[2, 2:] = np.nan
        np.testing.assert_array_equal(drawn.signal[...], wanted)
        assert [axis[:].tolist() for axis in drawn.axes] == [[0, 1, 2], [0, 1, 2, 3]]
        assert drawn.axes[0].attrs["units"] == "mm"
        assert drawn.group.attrs["x_indices"] == 1
        assert_holds(drawn.group.parent["primary"], db["grid"].streams["primary"])


def test_what_is_on_no_grid_is_a_list(db, tmp_path):
    path, _ = exported(scans.grid(db, off=0.15), tmp_path)
    with default_of(path) as drawn:
        assert (drawn.signal_dataset_name, drawn.signal.shape) == ("det", (12,))
        assert drawn.axes_dataset_names == ["elapsed_time"]
        assert {"x_indices", "y_indices"} < set(drawn.group.attrs)


def test_images(db, tmp_path):
    run = scans.images(db)
    path, _ = exported(run, tmp_path, compression="gzip")
    with default_of(path) as drawn:
        assert (drawn.signal_dataset_name, drawn.axes_dataset_names) == (
            "img",
            ["motor", None, None],
        )
        assert drawn.interpretation == "image"
        assert_holds(drawn.group, run.streams["primary"])


def test_images_beside_numbers_can_be_drawn_too(db, tmp_path):
    both = Both(db, tmp_path)
    path, _ = exported(db[both.run.uid], tmp_path)
    with default_of(path) as drawn:
        assert drawn.signal_dataset_name == "det"
        entry = drawn.group.parent
        assert entry["primary_cam"].attrs["signal"] == "cam"
        assert entry["primary_cam/cam"] == entry["primary/cam"]
        np.testing.assert_array_equal(entry["primary/cam"], both.cam)
        np.testing.assert_array_equal(entry["primary/img"], both.img)
        assert entry["primary/cam"].dtype == "u2"
        assert not entry["primary/cam"].is_virtual


def test_odd_names_and_values(db, tmp_path):
    run = scans.odd(db)
    path, losses = exported(run, tmp_path)
    assert losses == {
        "which texts are missing (note)",
        *(f"values of mixed kinds, but as JSON ({name})" for name in ("mixed", "ragged", "big")),
        f"{CHARACTERS} (note)",
    }
    with h5py.File(path) as file:
        group = file["entry/primary_1"]
        assert group.attrs["long_name"] == "primary 1"
        names = {item.attrs.get("long_name", name): name for name, item in group.items()}
        assert set(run.streams["primary 1"].fields) < set(names)
        assert names["det-1"] != names["det.1"]
        assert group[names["det-1"]].attrs["units"] == "µA"
        assert np.isnan(group[names["2θ/ω"]]).all()
        assert group["open"][:].tolist() == [False, True, False]
        assert group["open"].dtype == bool
        np.testing.assert_array_equal(group["some"], [0, np.nan, 2])
        assert group["note"].asstr()[:].tolist() == ["béta", "", r"a\x00b"]
        assert [json.loads(text) for text in group["mixed"]] == [1, {"a": 2}, True]
        assert [json.loads(text) for text in group["ragged"]] == [[], [0], [0, 1]]
        assert [json.loads(text) for text in group["big"]] == [2**70 + n for n in range(3)]
        assert group["wave"].shape == (3, 3)
        assert file["entry/metadata/text"].asstr()[()] == r"a\x00b\ud800"
        assert file["entry/metadata/a_b/c_d"].attrs["encoding"] == "json"


def test_baselines_and_monitors_are_groups(at_demo_home, tmp_path):
    with databroker.Broker.named("example") as db:
        (run,) = db(demo="baseline")
        path, _ = exported(run, tmp_path)
        with default_of(path) as drawn:
            assert drawn.group.name == "/entry/primary"
            entry = drawn.group.parent
            assert entry["baseline"].attrs["NX_class"] == "NXcollection"
            assert entry["ring_current_monitor"].attrs["axes"].tolist() == ["elapsed_time"]
            for name, stream in run.streams.items():
                assert_holds(entry[name], stream)


def test_a_run_without_events(db, tmp_path):
    db.insert("start", {"uid": "empty", "time": 1.0})
    path, _ = exported(db["empty"], tmp_path)
    with h5py.File(path) as file:
        assert file["entry/title"].asstr()[()] == "run"


def test_configuration_that_changed_is_told(db, tmp_path):
    run = scans.RunBuilder(db, "run")
    for gain in (1, 2):
        run.event(run.descriptor(["det"], config={"dev_det": {"gain": gain}}), gain, det=1.0)
    _, losses = exported(run.stop(), tmp_path)
    assert losses == {"configuration after it changed, but in the documents"}


# -- external data -----------------------------------------------------------


@pytest.fixture
def linked(db, tmp_path):
    """A run of frames in two HDF5 files of a stream, and of datums of another one."""
    run = Run(db.store)
    run.descriptor(img={**IMAGE, "shape": [2, 4, 5]}, cam=key(2, 4, 6))
    data = frames(12, 4, 5)
    write(tmp_path / "ad.h5", data)
    run.resource("AD_HDF5", tmp_path, "ad.h5", frame_per_point=2)
    for uid, first in (("one", 0), ("two", 6)):
        run.stream(HDF5, write(tmp_path / f"{uid}.h5", frames(6, 4, 6) + first), uid=uid)
        run.stream_datum(0, 3, uid=uid, first=first // 2 + 1)
    run.events(run.datums([{"point_number": number} for number in [0, 1, 2, 5, 4, 3]]))
    return db[run.uid]


def test_hdf5_files_are_linked_where_that_is_asked_for(linked, tmp_path):
    path, _ = exported(linked, tmp_path / "links", images="link")
    with h5py.File(path) as file:
        group = file["entry/primary"]
        for field in ("img", "cam"):
            assert group[field].is_virtual
            assert len(group[field].virtual_sources()) > 1
        assert_holds(group, linked.streams["primary"])
    copied, _ = exported(linked, tmp_path / "copies")
    with h5py.File(copied) as file:
        assert not file["entry/primary/cam"].is_virtual
        assert_holds(file["entry/primary"], linked.streams["primary"])


def test_other_files_are_copied_whatever_is_asked_for(db, tmp_path):
    both = Both(db, tmp_path)
    path, _ = exported(db[both.run.uid], tmp_path, images="link")
    with h5py.File(path) as file:
        assert file["entry/primary/cam"].is_virtual
        assert not file["entry/primary/img"].is_virtual
        np.testing.assert_array_equal(file["entry/primary/img"], both.img)


@pytest.mark.parametrize("images", ["copy", "link"])
@pytest.mark.filterwarnings("ignore:Some external data cannot be had:UserWarning")
def test_lost_files(db, tmp_path, images):
    both = Both(db, tmp_path)
    both.lose("cam.h5", "img_3.npy")
    report = export(db[both.run.uid], tmp_path, "nexus", images=images)
    assert "cam.h5" in report.failed[0][1] or "img_3.npy" in report.failed[0][1]
    path, _ = exported(db[both.run.uid], tmp_path, images=images, on_missing="mask")
    with h5py.File(path) as file:
        assert np.isnan(file["entry/primary/cam"]).all()
        found = file["entry/primary/img"][...]
    assert np.isnan(found[3]).all()
    np.testing.assert_array_equal(np.delete(found, 3, 0), np.delete(both.img, 3, 0))


def test_frames_that_differ_in_shape_are_left_out_and_told(db, tmp_path):
    both = Both(db, tmp_path)
    np.save(tmp_path / "img_2.npy", np.zeros((7, 7)))
    path, losses = exported(db[both.run.uid], tmp_path)
    assert losses == {"values that differ in shape or type (img)"}
    with h5py.File(path) as file:
        assert "img" not in file["entry/primary"]


@pytest.mark.parametrize("option", [{"images": "no"}, {"compression": "zip"}])
def test_options_that_are_none(db, tmp_path, option):
    with pytest.raises(NotSupported):
        export(scans.line(db), tmp_path, "nexus", **option)


# -- what others recorded ----------------------------------------------------

RECORDED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.filterwarnings("ignore:Some external data cannot be had:UserWarning")
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded runs are not here")
@pytest.mark.parametrize("folder", ["tutorial-jsonl"])
def test_recorded_runs(tmp_path, folder):
    with databroker.open(RECORDED / folder) as db:
        for run in db():
            path, _ = exported(run, tmp_path, on_missing="mask")
            with h5py.File(path) as file:
                for name, stream in run.streams.items():
                    times = stream.table([], convert_times=False)["time"]
                    np.testing.assert_array_equal(file["entry"][name]["time"], times)


# -- odd runs ----------------------------------------------------------------

_OF_NAMES = ("Units of NX_ANY not specified", "not a valid NX_FLOAT")  # of x, y and z


@quick(10)
@given(documents=strategies.runs())
def test_any_run_is_exported(tmp_path_factory, caplog, documents):
    folder = tmp_path_factory.mktemp("any")
    with databroker.temp() as db, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        insert_all(db.store, documents)
        for format in ("nexus", "netcdf", "zarr", "tiff"):
            report = export(db(), folder, format, name=f"{format}_{{uid}}")
            told = "there is no datum|no handler|changes: events"
            assert all(re.search(told, why) for _, why in report.failed), report
    for path in folder.glob("nexus*"):
        caplog.clear()
        said, errors = validate_file(path)
        assert errors == 0, caplog.text
        assert said == sum(caplog.text.count(text) for text in _OF_NAMES), caplog.text
