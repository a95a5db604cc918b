"""Images in TIFF files: a page for each, and what is known of it."""

import json

import numpy as np
import pytest

import databroker
from databroker.export import export, tiff
from helpers import scans
from helpers.external import Both

tifffile = pytest.importorskip("tifffile")


@pytest.fixture
def db():
    with databroker.temp() as db:
        yield db


def exported(run, folder, **options):
    report = export(run, folder, "tiff", name="{uid}", **options)
    assert report, report
    return {path.stem: path for path in report.written}, set(report.losses)


def image_run(db, values, **key):
    """A run of images that the events hold."""
    run = scans.RunBuilder(db, "run")
    owner = run.descriptor(
        {"img": scans.number("array", values.shape[1:], **key), "det": scans.DET}
    )
    for n, value in enumerate(values):
        run.event(owner, img=value, det=n / 2)
    return run.stop()


def test_each_field_of_images_has_a_file(db, tmp_path):
    both = Both(db, tmp_path)
    files, losses = exported(db[both.run.uid], tmp_path)
    assert list(files) == ["run-1_primary_img", "run-1_primary_cam"]
    for name, wanted in (("img", both.img), ("cam", both.cam)):
        found = tifffile.imread(files[f"run-1_primary_{name}"])
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)
    assert losses == {
        "metadata and configuration",
        "the time of each value",
        "arrays (cam)",
        "arrays (img)",
    }


def test_pages_say_what_they_are(db, tmp_path):
    files, _ = exported(scans.images(db), tmp_path)
    with tifffile.TiffFile(files["images_primary_img"]) as file:
        assert not file.is_bigtiff
        said = [json.loads(page.description) for page in file.pages]
    assert [page["motor"] for page in said] == [0, 1, 2]
    run = {"uid": "images", "scan_id": 7, "stream": "primary", "field": "img"}
    assert run.items() < said[1].items()
    assert (said[1]["seq_num"], said[1]["time"]) == (2, 1002.0)


def test_a_run_without_images_has_no_file(db, tmp_path):
    assert exported(scans.line(db), tmp_path) == ({}, set())


@pytest.mark.parametrize(
    ("dtype", "shape", "pages"),
    [
        ("u1", (4, 6), (3, 4, 6)),
        ("i8", (4, 6), (3, 4, 6)),
        ("f4", (2, 4, 6), (6, 4, 6)),
        ("?", (4, 6), (3, 4, 6)),
        ("u1", (4, 6, 3), (3, 4, 6, 3)),
        ("f8", (4, 6, 3), (12, 6, 3)),
    ],
)
def test_images_of_all_kinds(db, tmp_path, dtype, shape, pages):
    values = (np.arange(3 * np.prod(shape)).reshape(3, *shape) % 200).astype(dtype)
    files, _ = exported(image_run(db, values, dtype_numpy=np.dtype(dtype).str), tmp_path)
    found = tifffile.imread(files["run_primary_img"])
    assert found.dtype == (np.uint8 if dtype == "?" else dtype)
    np.testing.assert_array_equal(found, values.reshape(pages))


def test_large_files_are_bigtiff(db, tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_LARGEST", 10_000)
    values = np.arange(5 * 24, dtype="u2").reshape(5, 4, 6)
    files, _ = exported(image_run(db, values, dtype_numpy="<u2"), tmp_path)
    with tifffile.TiffFile(files["run_primary_img"]) as file:
        assert file.is_bigtiff
        np.testing.assert_array_equal(file.asarray(), values)


@pytest.mark.filterwarnings("ignore:Some external data cannot be had:UserWarning")
def test_lost_files(db, tmp_path):
    both = Both(db, tmp_path)
    both.lose("img_3.npy")
    report = export(db[both.run.uid], tmp_path, "tiff", fields="img")
    assert "img_3.npy" in report.failed[0][1]
    files, _ = exported(db[both.run.uid], tmp_path, on_missing="mask")
    found = tifffile.imread(files["run-1_primary_img"])
    assert np.isnan(found[3]).all()
    np.testing.assert_array_equal(found[4], both.img[4])
