"""Files of detectors that fabio reads: CBF, EDF, MarCCD and SPE, as datums and streamed."""

import gzip
import os
import struct
import sys
import tracemalloc

import numpy as np
import pytest
import tifffile

from databroker.errors import FileDamaged, FileRefused, MissingExtra
from databroker.external import Filler, Registry
from databroker.external.locate import uri_of_path
from helpers.external import frames, key
from helpers.external_arrays import cam

fabio = pytest.importorskip("fabio")

SHAPE = (24, 100)  # the header of a MarCCD file takes 4 kB


def write_cbf(path, images):
    (image,) = images
    fabio.cbfimage.CbfImage(data=image.astype("i4")).write(str(path))


def write_edf(path, images):
    found = fabio.edfimage.EdfImage(data=images[0])
    for image in images[1:]:
        found.append_frame(data=image)
    found.write(str(path))


def write_mar(path, images):
    (image,) = images
    tifffile.imwrite(path, image)


def write_spe(path, images):
    """As WinView does, of which fabio writes nothing."""
    header = bytearray(4100)
    struct.pack_into("<H", header, 42, images.shape[2])
    struct.pack_into("<H", header, 656, images.shape[1])
    struct.pack_into("<h", header, 108, 3)
    struct.pack_into("<i", header, 1446, len(images))
    header[20:29], header[172:178] = b"01Jan2024", b"120000"
    path.write_bytes(bytes(header) + images.astype("<u2").tobytes())


WRITERS = {"cbf": write_cbf, "edf": write_edf, "marccd": write_mar, "spe": write_spe}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("joined", [True, False])
def test_a_file_for_each_event(run, registry, files, name, joined):
    data = frames(4, *SHAPE)
    for number, image in enumerate(data):
        WRITERS[name](files / f"img_{number:03d}.{name}", image[np.newaxis])
    descriptor = run.descriptor(
        cam=key(1, *SHAPE, numpy=None) if joined else key(*SHAPE, numpy=None)
    )
    mimetype = f"multipart/related; type=image/x-{name}"
    uri = uri_of_path(str(files)) + "/"
    run.stream(mimetype, uri, template=f"%s_%03d.{name}", filename="img")
    run.stream_datum(0, 4)
    array = cam(run, registry, descriptor, warn=False)
    expected = data[:, np.newaxis] if joined else data
    np.testing.assert_array_equal(array[:], expected)
    np.testing.assert_array_equal(array[1:3, ..., 5:20:3], expected[1:3, ..., 5:20:3])
    assert [len(each) for each in array.values()] == [len(each) for each in expected]


@pytest.mark.parametrize("name", ["edf", "spe"])
def test_one_file_for_all_events(run, registry, files, name):
    data = frames(6, *SHAPE)
    WRITERS[name](files / "a", data)
    descriptor = run.descriptor(cam=key(2, *SHAPE))
    run.stream(f"image/x-{name}", uri_of_path(str(files / "a")))
    run.stream_datum(0, 3)
    array = cam(run, registry, descriptor)
    assert (array.shape, array.dtype, array.available) == ((3, 2, *SHAPE), np.dtype("u2"), 3)
    np.testing.assert_array_equal(array[1:, 1, 3:9], data.reshape(3, 2, *SHAPE)[1:, 1, 3:9])


def test_a_file_of_many_images_is_read_in_little_memory(run, registry, files, monkeypatch):
    monkeypatch.setattr("databroker.external.readers.images.LARGEST", 2**20)
    data = frames(64, 256, 512)
    write_edf(files / "a.edf", data)
    descriptor = run.descriptor(cam=key(256, 512))
    run.stream("image/x-edf", uri_of_path(str(files / "a.edf")))
    run.stream_datum(0, 64)
    array = cam(run, registry, descriptor)
    assert array[0, 0, 1] == 1
    tracemalloc.start()
    for number in range(64):
        assert array[number, 5, 7] == data[number, 5, 7]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < data.nbytes / 2


@pytest.mark.parametrize("name", ["cbf", "marccd"])
def test_one_file_of_one_image(run, registry, files, name):
    data = frames(1, *SHAPE)
    WRITERS[name](files / "a", data)
    descriptor = run.descriptor(cam=key(*SHAPE))
    run.stream(f"image/x-{name}", uri_of_path(str(files / "a")))
    run.stream_datum(0, 1)
    np.testing.assert_array_equal(cam(run, registry, descriptor, warn=False)[:], data)


def test_more_frames_may_come(run, registry, files):
    data = frames(4, *SHAPE)
    write_edf(files / "a.edf", data[:2])
    descriptor = run.descriptor(cam=key(*SHAPE))
    run.stream("image/x-edf", uri_of_path(str(files / "a.edf")))
    run.stream_datum(0, 4)
    array = cam(run, registry, descriptor)
    assert array.available == 2
    write_edf(files / "a.edf", data)
    os.utime(files / "a.edf", (1, 1))
    assert array.available == 4
    np.testing.assert_array_equal(array[:], data)


def test_packed_files_are_unpacked_here(run, registry, files):
    data = frames(2, *SHAPE)
    write_edf(files / "a.edf", data)
    (files / "a.edf.gz").write_bytes(gzip.compress((files / "a.edf").read_bytes()))
    descriptor = run.descriptor(cam=key(*SHAPE))
    run.stream("image/x-edf", uri_of_path(str(files / "a.edf.gz")))
    run.stream_datum(0, 2)
    np.testing.assert_array_equal(cam(run, registry, descriptor)[:], data)


@pytest.mark.parametrize("each", [1, 2])
def test_pilatus_detectors(run, registry, files, each):
    data = frames(4, *SHAPE)
    for number, image in enumerate(data, 1):
        write_cbf(files / f"img_{number:05d}.cbf", image[np.newaxis])
    run.resource(
        "AD_CBF", files, "", template="%s%s_%5.5d.cbf", filename="img", frame_per_point=each
    )
    ids = run.datums([{"point_number": number} for number in range(4 // each)])
    found = list(Filler(run.store, registry).values(ids, "img"))
    np.testing.assert_array_equal(found, data if each == 1 else data.reshape(2, 2, *SHAPE))


@pytest.mark.parametrize("discover", [True, False])
def test_spe_files_of_area_detectors(run, files, discover):
    data = frames(6, *SHAPE)
    for point in range(3):
        write_spe(files / f"img_{point}.spe", data[2 * point : 2 * point + 2])
    own = {} if discover else {"AD_SPE": "databroker.external.handlers.builtin:SpeSequence"}
    registry = Registry(own, discover=discover)
    run.resource("AD_SPE", files, "", template="%s%s_%d.spe", filename="img", frame_per_point=2)
    ids = run.datums([{"point_number": point} for point in range(3)])
    found = list(Filler(run.store, registry).values(ids, "img"))
    np.testing.assert_array_equal(found, data.reshape(3, 2, *SHAPE))


@pytest.mark.parametrize("name", ["a.cbf", "a.edf", "a.mccd", "a.spe", "A.EDF"])
def test_a_single_image_of_any_format(run, registry, files, name):
    image = frames(1, *SHAPE)
    writers = {**WRITERS, "mccd": write_mar}
    writers[name.lower().partition(".")[2]](files / name, image)
    run.resource("SINGLE_TIFF", files, name)
    (datum,) = run.datums([{}])
    np.testing.assert_array_equal(Filler(run.store, registry).value(datum), image[0])


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_no_such_file_is_told(run, registry, files, name):
    (files / "a").write_bytes(b"something else" * 1000)
    descriptor = run.descriptor(cam=key(*SHAPE))
    run.stream(f"image/x-{name}", uri_of_path(str(files / "a")))
    run.stream_datum(0, 1)
    with pytest.raises(OSError, match="'cam' of run 'run-1'"):
        cam(run, registry, descriptor)[:]


def test_images_of_one_file_that_differ(run, registry, files):
    first = fabio.edfimage.EdfImage(data=np.zeros((4, 6), "u2"))
    first.append_frame(data=np.zeros((6, 8), "u2"))
    first.write(str(files / "a.edf"))
    descriptor = run.descriptor(cam=key(4, 6))
    run.stream("image/x-edf", uri_of_path(str(files / "a.edf")))
    run.stream_datum(0, 2)
    with pytest.raises(FileDamaged, match="not of one shape"):
        cam(run, registry, descriptor)[:]


@pytest.mark.parametrize("mimetype", ["image/x-edf", "multipart/related;type=image/x-edf"])
def test_data_beside_a_header_are_guarded(run, files, mimetype):
    inside, outside = files / "inside", files / "outside"
    inside.mkdir()
    outside.mkdir()
    image = frames(1, 4, 6)[0]
    (outside / "secret").write_bytes(image.tobytes())
    general = "{\nEDF_DataFormatVersion = 2.40 ;\n"
    header = (
        "{\nEDF_DataBlockID = 0.Image.Psd ;\nEDF_BinarySize = 0 ;\nEDF_HeaderSize = 1024 ;\n"
        f"EDF_BinaryFileName = a.bin ;\nEDF_BinaryFileSize = {image.nbytes} ;\n"
        "ByteOrder = LowByteFirst ;\nDataType = UnsignedShort ;\n"
        "Dim_1 = 6 ;\nDim_2 = 4 ;\nImage = 0 ;\nHeaderID = EH:000000:000000:000000 ;\nSize = 48 ;\n"
    )
    blocks = general.encode().ljust(510) + b"}\n", header.encode().ljust(1022) + b"}\n"
    (inside / "0.edf").write_bytes(b"".join(blocks))
    (inside / "a.bin").symlink_to(outside / "secret")
    several = mimetype.startswith("multipart")
    descriptor = run.descriptor(cam=key(4, 6))
    uri = uri_of_path(str(inside)) + "/" if several else uri_of_path(str(inside / "0.edf"))
    run.stream(mimetype, uri, **({"template": "{:d}.edf"} if several else {}))
    run.stream_datum(0, 1)
    np.testing.assert_array_equal(cam(run, Registry(), descriptor)[0], image)
    with pytest.raises(FileRefused, match=r"a\.bin is outside"):
        cam(run, Registry(allowed_roots=[str(inside)]), descriptor)[0]


def test_a_missing_package_names_the_extra(run, registry, files, monkeypatch):
    write_cbf(files / "a.cbf", frames(1, *SHAPE))
    descriptor = run.descriptor(cam=key(*SHAPE))
    run.stream("image/x-cbf", uri_of_path(str(files / "a.cbf")))
    run.stream_datum(0, 1)
    for name in ("fabio", "fabio.cbfimage", "fabio.fabioutils"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"pip install 'databroker\[images\]'"):
        cam(run, registry, descriptor)[:]
