"""Stream resources in numbered files, Zarr arrays and text."""

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from databroker.errors import DatasetMissing, FileDamaged, FileMissing, FileRefused
from databroker.external import Registry
from databroker.external.locate import uri_of_path
from databroker.external.readers.numbered_files import numbered_name
from helpers.external import frames, key
from helpers.external_arrays import cam, streamed_array

TIFF = "multipart/related;type=image/tiff"
JPEG = "multipart/related;type=image/jpeg"
NPY = "multipart/related;type=application/x-npy"
ZARR = "application/x-zarr"
CSV = "text/csv;header=absent"


@pytest.mark.parametrize(
    ("template", "filename", "name"),
    [
        ("%s%s_%6.6d.tiff", "img", "img_000007.tiff"),
        ("%s_%06d.tif", "img", "img_000007.tif"),
        ("img_{:04d}.tif", "", "img_0007.tif"),
        ("{0:d}.tif", "", "7.tif"),
        ("{}.tif", "", "7.tif"),
        ("%s_%d.npy", "100%d{}%s", "100%d{}%s_7.npy"),
        ("100%%_%d.tif", "", "100%_7.tif"),
        ("%s", "only", "only"),
        # A template is data: attributes of objects are out of its reach.
        ("{0.__class__}_%d", "", "{0.__class__}_7"),
    ],
)
def test_names_are_made_from_templates(template, filename, name):
    assert numbered_name(template, 7, filename) == name


def folder(files, name="seq"):
    made = files / name
    made.mkdir()
    return made, uri_of_path(str(made)) + "/"


@pytest.mark.parametrize(
    ("shape", "in_file"),
    [((1, 4, 6), 1), ((4, 6), 1), ((2, 4, 6), 1), ((4, 4, 6), 2)],
    ids=["one frame", "no axis", "two files an event", "two files of two"],
)
def test_tiff_sequences(run, registry, files, shape, in_file):
    place, uri = folder(files, "bilder ä")
    each = shape[0] if len(shape) == 3 else 1
    data = frames(5 * each, 4, 6)
    for number, start in enumerate(range(0, len(data), in_file)):
        image = data[start : start + in_file]
        tifffile.imwrite(place / f"img_{number:06d}.tiff", image if in_file > 1 else image[0])
    descriptor = run.descriptor(cam=key(*shape))
    chunk = (in_file, 4, 6)
    run.stream(TIFF, uri, template="%s%s_%6.6d.tiff", filename="img", chunk_shape=chunk)
    run.stream_datum(0, 5)
    array = cam(run, registry, descriptor)
    expected = data.reshape(5, *shape)
    assert (array.shape, array.dtype) == (expected.shape, expected.dtype)
    assert array.available == 5
    for index in (np.s_[:], np.s_[3], np.s_[1:4, ..., 2:4], np.s_[::-1, 0]):
        np.testing.assert_array_equal(array[index], expected[index])


def test_jpeg_sequences_of_colour_images(run, registry, files):
    place, uri = folder(files)
    data = np.stack([np.full((8, 8, 3), value, "u1") for value in (10, 100, 200)])
    for number, image in enumerate(data):
        imageio.imwrite(place / f"{number:04d}.jpg", image, quality=100)
    descriptor = run.descriptor(cam=key(1, 8, 8, 3, numpy="|u1"))
    run.stream(JPEG, uri, template="{:04d}.jpg")
    run.stream_datum(0, 3)
    array = cam(run, registry, descriptor)
    assert array.shape == (3, 1, 8, 8, 3)
    assert abs(array[:, 0].astype(int) - data).max() <= 2


def test_npy_sequences(run, registry, files):
    data = frames(4, 4, 6)
    for number, image in enumerate(data):
        np.save(files / f"abc_{number}.npy", image)
    descriptor = run.descriptor(cam=key(4, 6))
    run.stream(NPY, uri_of_path(str(files)) + "/", filename="abc")
    run.stream(NPY, uri_of_path(str(files / "abc")), "other", "old", template="%s_%d.npy")
    run.stream_datum(0, 4)
    run.stream_datum(0, 4, "other")
    np.testing.assert_array_equal(cam(run, registry, descriptor)[:], data)
    named = {**descriptor, "data_keys": {"old": key(4, 6)}}
    array = streamed_array(run.store, registry, run.uid, [named], "old")
    np.testing.assert_array_equal(array[1:3, ::2], data[1:3, ::2])


def test_a_missing_file_of_a_sequence(run, registry, files):
    place, uri = folder(files)
    data = frames(4, 4, 6)
    for number in (0, 1, 3):
        tifffile.imwrite(place / f"{number}.tif", data[number])
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(TIFF, uri, template="{:d}.tif")
    run.stream_datum(0, 4)
    array = cam(run, registry, descriptor)
    assert array.available == 3
    np.testing.assert_array_equal(array[3, 0], data[3])
    with pytest.raises(FileMissing, match=r"2\.tif"):
        array[:]


@pytest.mark.parametrize("content", [b"", b"no picture", b"II*\0\x10\0\0\0"])
def test_a_damaged_picture(run, registry, files, content):
    place, uri = folder(files)
    (place / "0.tif").write_bytes(content)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(TIFF, uri, template="{:d}.tif")
    run.stream_datum(0, 1)
    with pytest.raises(OSError, match="'cam' of run 'run-1'"):
        cam(run, registry, descriptor)[0]


def test_a_picture_of_another_size(run, registry, files):
    place, uri = folder(files)
    tifffile.imwrite(place / "0.tif", frames(1, 4, 6)[0])
    tifffile.imwrite(place / "1.tif", frames(1, 6, 8)[0])
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(TIFF, uri, template="{:d}.tif")
    run.stream_datum(0, 2)
    with pytest.raises(FileDamaged, match=r"1\.tif"):
        cam(run, registry, descriptor)[:, 0, 0, 0]


def test_templates_are_guarded(run, files):
    place, uri = folder(files)
    tifffile.imwrite(files / "secret_0.tif", frames(1, 4, 6)[0])
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(TIFF, uri, template="../secret_{:d}.tif")
    run.stream_datum(0, 1)
    assert cam(run, Registry(), descriptor)[:].shape == (1, 1, 4, 6)
    with pytest.raises(FileRefused):
        cam(run, Registry(allowed_roots=[str(place)]), descriptor)[:]


@pytest.mark.parametrize("dataset", ["", "entry/cam"])
def test_zarr_arrays(run, registry, files, dataset):
    zarr = pytest.importorskip("zarr")
    data = frames(6, 4, 6)
    path = str(files / "a.zarr")
    if dataset:
        made = zarr.open_group(path, mode="w").create_array(
            dataset, shape=data.shape, chunks=(2, 4, 3), dtype=data.dtype
        )
    else:
        made = zarr.create_array(path, shape=data.shape, chunks=(2, 4, 3), dtype=data.dtype)
    made[:] = data
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(ZARR, uri_of_path(path), **({"dataset": dataset} if dataset else {}))
    run.stream_datum(0, 6)
    array = cam(run, registry, descriptor)
    np.testing.assert_array_equal(array[:, 0], data)
    np.testing.assert_array_equal(array[1:5:2, 0, 1, 2:], data[1:5:2, 1, 2:])


def test_zarr_that_is_not_there(run, registry, files):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(str(files / "group.zarr"), mode="w")
    for uid, name, error in (("a", "none.zarr", FileMissing), ("b", "group.zarr", DatasetMissing)):
        descriptor = run.descriptor(uid, uid, **{uid: key(1, 4, 6)})
        run.stream(ZARR, uri_of_path(str(files / name)), uid, uid)
        run.stream_datum(0, 1, uid, descriptor=uid)
        array = streamed_array(run.store, registry, run.uid, [descriptor], uid)
        with pytest.raises(error):
            array[0]
    assert sorted(path.name for path in files.iterdir()) == ["group.zarr"]


@pytest.mark.parametrize("what", ["a file", "an empty folder", "half of the metadata"])
def test_what_is_no_zarr_array_is_there_nevertheless(run, registry, files, what):
    pytest.importorskip("zarr")
    path = files / "a.zarr"
    if what == "a file":
        path.write_text("something else")
    else:
        path.mkdir()
    if what == "half of the metadata":
        (path / "zarr.json").write_text('{"shape": [3')
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(ZARR, uri_of_path(str(path)))
    run.stream_datum(0, 1)
    with pytest.raises(FileDamaged, match="is no Zarr array or group, or not a whole one"):
        cam(run, registry, descriptor)[0]


@pytest.mark.parametrize(
    ("mimetype", "header", "parameters"),
    [
        (CSV, "", {}),
        ("text/csv; header=present", "a,b,c\n", {}),
        ("text/csv", "# comment\n", {"comment": "#"}),
        (CSV, "", {"sep": ";"}),
    ],
)
def test_text_files(run, registry, files, mimetype, header, parameters):
    data = np.arange(18.0).reshape(6, 3)
    lines = [parameters.get("sep", ",").join(map(str, row)) for row in data]
    (files / "a.csv").write_text(header + "\n".join(lines) + "\n")
    descriptor = run.descriptor(cam=key(2, 3, numpy="<f8"))
    run.stream(mimetype, uri_of_path(str(files / "a.csv")), **parameters)
    run.stream_datum(0, 3)
    array = cam(run, registry, descriptor)
    np.testing.assert_array_equal(array[:], data.reshape(3, 2, 3))
    np.testing.assert_array_equal(array[1:, 1, ::2], data.reshape(3, 2, 3)[1:, 1, ::2])
