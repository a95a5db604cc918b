"""Streams in NetCDF and Zarr: xarray reads what `Run.xarray` gives."""

import json
import os
import threading
import time

import numpy as np
import pytest

import databroker
from databroker.errors import ExternalDataMissing
from databroker.export import export
from databroker.export.losses import CHARACTERS
from databroker.runs.stream import layout
from databroker.runs.stream.stream import Stream
from helpers import scans
from helpers.external import IMAGE, Both, Run

xr = pytest.importorskip("xarray")
da = pytest.importorskip("dask.array")

FORMATS = ("netcdf", "zarr")
LOST = {"the time of each value", "the uids of events"}


@pytest.fixture
def db():
    with databroker.temp() as db:
        yield db


@pytest.fixture(params=FORMATS)
def format(request):
    return request.param


def exported(run, folder, format, **options):
    report = export(run, folder, format, name="{uid}", **options)
    assert report, report
    return {path.stem: read(path) for path in report.written}, set(report.losses)


def read(path):
    if path.suffix == ".zarr":
        return xr.open_zarr(path).load()
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        return dataset.load()


def assert_same(found, wanted):
    """Fail unless a dataset was read as it was: values, types, dimensions, units."""
    assert set(found.variables) == set(wanted.variables)
    for name, variable in wanted.variables.items():
        assert found[name].dtype == variable.dtype
        assert found[name].dims == variable.dims
        np.testing.assert_array_equal(found[name], variable)
        assert found[name].attrs == variable.attrs
    assert wanted.attrs.items() <= found.attrs.items()


@pytest.mark.parametrize("make", [scans.line, scans.grid, scans.images])
def test_what_is_read_is_the_dataset(db, tmp_path, format, make):
    run = make(db)
    found, losses = exported(run, tmp_path, format)
    assert losses == LOST
    (dataset,) = found.values()
    assert_same(dataset, run.xarray())
    assert json.loads(dataset.attrs["start"]) == run.start
    assert json.loads(dataset.attrs["stop"]) == run.stop


def test_every_stream_has_a_file(at_demo_home, tmp_path, format):
    with databroker.Broker.named("example") as db:
        (run,) = db(demo="baseline")
        found, _ = exported(run, tmp_path, format)
        assert set(found) == {f"{run.uid}_{name}" for name in run.streams}
        for name in run.streams:
            assert_same(found[f"{run.uid}_{name}"], run.xarray(name))


def test_external_images(db, tmp_path, format):
    both = Both(db, tmp_path)
    found, _ = exported(db[both.run.uid], tmp_path, format)
    (dataset,) = found.values()
    assert_same(dataset, db[both.run.uid].xarray())
    np.testing.assert_array_equal(dataset["cam"], both.cam)


@pytest.mark.filterwarnings("ignore:Some external data cannot be had:UserWarning")
def test_lost_files(db, tmp_path, format):
    both = Both(db, tmp_path)
    both.lose("img_3.npy")
    run = db[both.run.uid]
    with pytest.raises(ExternalDataMissing):
        run.xarray()
    report = export(run, tmp_path, format)
    assert "img_3.npy" in report.failed[0][1]
    assert [path.suffix for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    found, _ = exported(run, tmp_path, format, on_missing="mask")
    (dataset,) = found.values()
    assert np.isnan(dataset["img"][3]).all()
    np.testing.assert_array_equal(dataset["img"][4], both.img[4])


def test_values_that_differ_in_shape_are_left_out(db, tmp_path, format):
    both = Both(db, tmp_path)
    both.change("img_3.npy", np.zeros((2, 9), int))
    run = db[both.run.uid]
    found, losses = exported(run, tmp_path, format)
    assert losses == {*LOST, "values that differ in shape or type (img)"}
    (dataset,) = found.values()
    assert_same(dataset, run.xarray(fields=["det", "cam"]))
    assert len(list(tmp_path.glob("*.part"))) == 0


def test_texts_that_differ_in_number_are_left_out(db, tmp_path, format):
    """They are no numbers, and so are read before anything is written."""
    run = Run(db.store)
    run.descriptor(img={**IMAGE, "shape": [2]})
    run.events([["a", "b"], ["a", "b", "c"]])
    found, losses = exported(db["run-1"], tmp_path, format)
    assert losses == {*LOST, "values that differ in shape or type (img)"}
    assert set(found["run-1_primary"]) == {"det"}


def test_no_thread_writes_on_after_an_error(db, tmp_path, format, monkeypatch):
    run = scans.line(db)
    dataset = run.streams["primary"].to_dask()
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    at_work, is_done = threading.Event(), threading.Event()

    def slow_or_lost(block, block_info):
        if block_info[0]["chunk-location"] == (0,):
            at_work.wait(5)
            raise ExternalDataMissing("the disk is lost")
        at_work.set()
        time.sleep(0.3)  # in which the other chunk ends
        is_done.set()
        return block

    numbers = da.zeros(len(dataset.time), chunks=-(-len(dataset.time) // 2))
    slow = da.map_blocks(slow_or_lost, numbers, dtype=float)
    monkeypatch.setattr(
        Stream, "to_dask", lambda *args, **options: dataset.assign(slow=("time", slow))
    )
    report = export(run, tmp_path, format)
    assert "the disk is lost" in report.failed[0][1]
    assert is_done.is_set()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Some data have other shapes:UserWarning")
def test_odd_names_and_values(db, tmp_path, format):
    run = scans.odd(db)
    found, losses = exported(run, tmp_path, format)
    assert losses - LOST == {
        "which texts are missing (note)",
        *(f"values of mixed kinds, but as JSON ({name})" for name in ("mixed", "ragged", "big")),
        f"{CHARACTERS} (note)",
    }
    (dataset,) = found.values()
    wanted = run.xarray("primary 1")
    names = {item.attrs.get("data_key", name): name for name, item in dataset.items()}
    assert set(names) == set(run.streams["primary 1"].fields)
    for field in ("det-1", "det.1", "2θ/ω", "open", "some", "wave"):
        name = next(name for name in wanted if wanted[name].attrs.get("data_key", name) == field)
        assert dataset[names[field]].dtype == wanted[name].dtype
        np.testing.assert_array_equal(dataset[names[field]], wanted[name])
    assert dataset["det-1"].attrs["units"] == "µA"
    assert list(dataset["note"].values) == ["béta", "", r"a\x00b"]
    assert [json.loads(text) for text in dataset["ragged"].values] == [[], [0], [0, 1]]
    assert dataset["ragged"].attrs["encoding"] == "json"
    assert json.loads(dataset.attrs["start"])["text"] == "a\0b\ud800"


def test_a_stream_without_events(db, tmp_path, format):
    run = scans.line(db, points=0)
    found, _ = exported(run, tmp_path, format)
    (dataset,) = found.values()
    assert dataset.sizes["time"] == 0
    assert set(dataset) == {"motor", "det", "aux", "temp"}


def test_chunks_of_unlike_sizes(db, tmp_path, format, monkeypatch):
    """What is stored in several pieces is chunked as these are; Zarr knows one size only."""
    row = 8 * 100
    monkeypatch.setattr(layout, "PAGE_BYTES", 2 * row)
    monkeypatch.setattr(layout, "CHUNK_BYTES", 8 * row)
    run = scans.RunBuilder(db, "run")
    for first in (1, 6, 11):
        owner = run.descriptor({"wave": scans.number("array", [100])})
        waves = [np.full(100, n, float) for n in range(first, first + 5)]
        run.page(owner, range(first, first + 5), wave=waves)
    header = run.stop()
    assert header.streams["primary"].to_dask()["wave"].chunks[0] == (7, 8)
    found, _ = exported(header, tmp_path, format)
    (dataset,) = found.values()
    assert dataset["wave"][:, 7].values.tolist() == list(range(1, 16))
