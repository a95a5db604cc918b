"""Images in TIFF files: a page for each, and what is known of it."""

import json

import numpy as np
import pytest

import databroker
from databroker.errors import NotSupported
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


def test_a_run_without_images_has_no_file_which_is_told(db, tmp_path):
    run = scans.line(db)
    report = export(run, tmp_path, "tiff")
    assert not report
    assert report.empty == [run.uid]
    assert repr(report) == "0 files written.\n1 run with nothing for such files."
    image_run(db, np.zeros((2, 3, 4)))
    assert export(db(), tmp_path, "tiff")  # there is something of another one


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


def pages(path):
    """What is said of each page, and its image."""
    with tifffile.TiffFile(path) as file:
        return [(json.loads(page.description), page.asarray()) for page in file.pages]


def test_images_that_differ_in_shape_are_pages_of_different_sizes(db, tmp_path):
    both = Both(db, tmp_path)
    other = np.arange(6, dtype="f8").reshape(2, 3)
    both.change("img_3.npy", other)
    files, losses = exported(db[both.run.uid], tmp_path, fields=["img", "det"])
    assert losses == {"metadata and configuration", "the time of each value"}
    found = pages(files["run-1_primary_img"])
    assert [said["det"] for said, _ in found] == [0, 1, 2, 3, 4]
    assert [said["seq_num"] for said, _ in found] == [1, 2, 3, 4, 5]
    for (_, image), wanted in zip(found, [*both.img[:3], other, both.img[4]], strict=True):
        assert image.dtype == wanted.dtype
        np.testing.assert_array_equal(image, wanted)


@pytest.mark.filterwarnings("ignore:Some external data cannot be had:UserWarning")
def test_images_that_differ_in_shape_and_lost_ones(db, tmp_path):
    both = Both(db, tmp_path)
    both.change("img_2.npy", np.array(0.5))  # a number is no image
    both.change("img_4.npy", np.zeros((0, 3)))
    both.change("img_3.npy", np.zeros((2, 3)))
    both.lose("img_1.npy")
    files, losses = exported(db[both.run.uid], tmp_path, fields="img", on_missing="mask")
    assert "events without an image (img)" in losses
    assert [said["seq_num"] for said, _ in pages(files["run-1_primary_img"])] == [1, 4]


def test_images_of_events_that_differ_in_shape(db, tmp_path):
    run = scans.RunBuilder(db, "run")
    keys = {"img": scans.number("array", [2, 3]), "det": scans.DET, "note": scans.number("string")}
    owner = run.descriptor(keys)
    images = [np.ones((2, 3)), None, np.zeros((4, 5))]
    for n, image in enumerate(images):
        run.event(owner, img=image, det=n / 2, note="=x")
    files, losses = exported(run.stop(), tmp_path)
    assert "events without an image (img)" in losses
    found = pages(files["run_primary_img"])
    assert [(said["seq_num"], said["det"]) for said, _ in found] == [(1, 0), (3, 1)]
    assert all("img" not in said for said, _ in found)
    for (_, image), wanted in zip(found, [images[0], images[2]], strict=True):
        np.testing.assert_array_equal(image, wanted)


def test_a_file_is_no_place_to_skip_images(db, tmp_path):
    with pytest.raises(NotSupported, match="on_missing is 'raise' or 'mask', not 'skip'"):
        export(scans.images(db), tmp_path, "tiff", on_missing="skip")
