"""The files of a run: listed, copied, and the documents that point to the copies."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from databroker.external import Filler, Registry, copy_run, external_files, streamed_array
from databroker.external.copying import CopyRefused, copy_file
from databroker.external.failures import FileMissing, FileRefused
from databroker.external.paths import uri_of_path
from databroker.stores.memory import MemoryStore

from .conftest import Run, Source, frames
from .test_streamed import HDF5, cam, key


@pytest.fixture
def everything(run, files):
    """A run with a sequence, an HDF5 file of two fields, a streamed file, and a folder of TIFFs."""
    (files / "a b").mkdir()
    for number in range(3):
        np.save(files / "a b" / f"img_{number}.npy", frames(3, 4, 5)[number])
    with h5py.File(files / "cam.h5", "w") as file:
        file["/entry/data/data"] = frames(3, 4, 6)
    descriptor = run.descriptor(cam=key(1, 4, 6), tif=key(1, 4, 6))
    run.resource("NPY_SEQ", files, "a b/img")
    run.events(run.datums([{"index": number} for number in range(3)]))
    run.stream(HDF5, uri_of_path(str(files / "cam.h5")), dataset="/entry/data/data")
    run.stream_datum(0, 3)
    (files / "tiffs").mkdir()
    for number in range(3):
        tifffile.imwrite(files / "tiffs" / f"{number}.tif", frames(3, 4, 6)[number])
    uri = uri_of_path(str(files / "tiffs")) + "/"
    run.stream("multipart/related;type=image/tiff", uri, "tiffs", "tif", template="{:d}.tif")
    run.stream_datum(0, 3, "tiffs")
    return descriptor


def test_the_files_of_a_run_are_listed(run, registry, files, everything):
    (files / "a b" / "img_1.npy").unlink()
    (files / "tiffs" / "2.tif").unlink()
    found = list(external_files(run.store, registry, run.uid))
    assert [(os.path.relpath(each.path, files), each.exists) for each in found] == [
        ("a b/img_0.npy", True),
        ("a b/img_1.npy", False),
        ("a b/img_2.npy", True),
        ("cam.h5", True),
        ("tiffs/0.tif", True),
        ("tiffs/1.tif", True),
        ("tiffs/2.tif", False),
    ]
    assert found[0].size == (files / "a b" / "img_0.npy").stat().st_size
    assert found[1].size is None
    assert [found[place].fields for place in (0, 3, 4)] == [("img",), ("cam",), ("tif",)]
    assert [found[place].spec for place in (0, 3)] == ["NPY_SEQ", HDF5]
    assert found[0].recorded == str(files / "a b" / "img")
    assert {each.problem for each in found} == {None}


def test_what_cannot_be_listed_says_why(run, files):
    run.descriptor()
    run.resource("newton", files, "x", uid="unknown")
    run.resource("AD_HDF5", files, "gone.h5", uid="gone")
    run.resource("NPY_SEQ", "/etc", "passwd", uid="foreign")
    run.stream("application/octet-stream", "file://localhost/odd", "odd")
    registry = Registry(allowed_roots=[str(files), "/odd"])
    found = {each.resource: each for each in external_files(run.store, registry, run.uid)}
    assert "newton" in found["unknown"].problem
    assert "gone.h5" in found["gone"].problem
    assert "allowed_roots" in found["foreign"].problem
    assert found["odd"].path == "/odd"
    assert not any(each.exists for each in found.values())


def test_ids_that_say_nothing_of_their_resource(run, registry, files):
    np.save(files / "img_0.npy", np.zeros(2))
    run.descriptor()
    run.resource("NPY_SEQ", files, "img")
    datum = {"datum_id": "some-uuid", "resource": "res", "datum_kwargs": {"index": 0}}
    run.store.insert("datum", datum)
    run.events(["some-uuid"])
    (found,) = external_files(run.store, registry, run.uid)
    assert (found.path, found.fields) == (str(files / "img_0.npy"), ("img",))


def moved(run, copied, start="moved"):
    """The run in another store, with the documents that point to the copies."""
    other = Run(MemoryStore(), run.uid)
    for kind, doc in run.store.documents(run.uid):
        other.store.insert(kind, copied.documents.get(doc["uid"], doc))
    return other


def test_a_run_is_copied_with_its_files(run, registry, files, everything, tmp_path):
    heard = []
    copied = copy_run(
        run.store,
        registry,
        run.uid,
        str(tmp_path / "new ü"),
        progress=lambda *told: heard.append(told),
    )
    assert [told[:2] for told in heard] == [(number, 7) for number in range(7)]
    assert [told[2:] for told in heard] == copied.files
    for old, new in copied.files:
        assert Path(old).read_bytes() == Path(new).read_bytes()
        assert os.stat(old).st_mtime_ns == os.stat(new).st_mtime_ns
    assert copied.documents["res"]["root"] == str(tmp_path / "new ü")
    assert copied.documents["res"]["resource_path"] == "a b/img"
    files.rename(tmp_path / "gone")
    registry.close()
    other = moved(run, copied)
    other.datums([{"index": number} for number in range(3)])
    other.stream_datum(0, 3)
    other.stream_datum(0, 3, "tiffs")
    assert Filler(other.store, registry).value("res/2").tolist() == frames(3, 4, 5)[2].tolist()
    array = cam(other, registry, everything)
    np.testing.assert_array_equal(array[:, 0], frames(3, 4, 6))
    tiffs = streamed_array(Source(other.store), registry, run.uid, [everything], "tif")
    np.testing.assert_array_equal(tiffs[:, 0], frames(3, 4, 6))


@pytest.mark.parametrize(
    ("root", "path", "new_path"),
    [
        ("{files}", "sub/img", "sub/img"),
        ("{files}/", "sub/img", "sub/img"),
        ("{files}/sub", "img", "img"),
        ("{files}", "{files}/sub/img", "sub/img"),
        ("", "{files}/sub/img", "{bare}/sub/img"),
        ("/unrelated", "{files}/sub/img", "{bare}/sub/img"),
        ("{files}/sub", "../sub/img", "img"),
        ("{files}/elsewhere", "../sub/img", "{bare}/sub/img"),
    ],
)
def test_files_keep_their_path_below_a_new_root(
    run, registry, files, tmp_path, root, path, new_path
):
    names = {"files": str(files), "bare": str(files).strip("/")}
    root, path, new_path = (text.format(**names) for text in (root, path, new_path))
    (files / "sub").mkdir()
    (files / "elsewhere").mkdir()
    np.save(files / "sub" / "img_0.npy", np.ones(2))
    run.resource("NPY_SEQ", root, path)
    run.datums([{"index": 0}])
    new = tmp_path / "new"
    copied = copy_run(run.store, registry, run.uid, str(new))
    ((old, there),) = copied.files
    assert os.path.samefile(old, files / "sub" / "img_0.npy")
    assert there == f"{new / new_path}_0.npy"
    assert copied.documents["res"]["resource_path"] == new_path
    assert registry.place(copied.documents["res"]).path == str(new / new_path)


def test_a_root_map_tells_where_to_copy_from(run, files, tmp_path):
    np.save(files / "img_0.npy", np.ones(2))
    run.resource("NPY_SEQ", "/recorded/2024", "img")
    run.datums([{"index": 0}])
    registry = Registry(root_map={"/recorded/2024": str(files)})
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert copied.files == [(str(files / "img_0.npy"), str(tmp_path / "new" / "img_0.npy"))]


def test_files_of_the_same_name_are_kept_apart(run, registry, files, tmp_path):
    for name in ("one", "two"):
        (files / name).mkdir()
        np.save(files / name / "img_0.npy", np.full(2, len(name + name[-1:])))
        run.resource("NPY_SEQ", files / name, "img", uid=name)
        run.datums([{"index": 0}], name)
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert len({new for _, new in copied.files}) == 2
    for old, new in copied.files:
        np.testing.assert_array_equal(np.load(old), np.load(new))


def test_copying_goes_on_where_it_was_broken_off(run, registry, files, everything, tmp_path):
    new = str(tmp_path / "new")

    def stop(number, total, old, path):
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_run(run.store, registry, run.uid, new, progress=stop)
    first = copy_file(str(files / "cam.h5"), f"{new}/x.h5"), f"{new}/a b/img_0.npy"
    before = os.stat(first[1]).st_ino
    (tmp_path / "new" / "a b" / "img_2.npy.part").write_bytes(b"half")
    assert len(copy_run(run.store, registry, run.uid, new).files) == 7
    assert os.stat(first[1]).st_ino == before
    assert not (tmp_path / "new" / "a b" / "img_2.npy.part").exists()


def test_nothing_is_overwritten(files, tmp_path):
    old, new = files / "a", tmp_path / "b"
    old.write_bytes(b"1234")
    assert copy_file(str(old), str(new))
    assert not copy_file(str(old), str(new))
    new.write_bytes(b"4321")
    assert not copy_file(str(old), str(new), verify=False)
    with pytest.raises(CopyRefused):
        copy_file(str(old), str(new))
    new.write_bytes(b"more than that")
    with pytest.raises(FileExistsError):
        copy_file(str(old), str(new), verify=False)
    assert new.read_bytes() == b"more than that"
    assert not copy_file(str(old), str(old))


def test_a_missing_file_stops_the_copy_before_it_begins(run, registry, files, everything, tmp_path):
    (files / "a b" / "img_1.npy").unlink()
    with pytest.raises(FileMissing, match=r"img_1\.npy"):
        copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"), on_missing="skip")
    assert len(copied.files) == 6


def test_nothing_outside_of_the_allowed_roots_is_copied(run, files, tmp_path):
    (files / "inside").mkdir()
    (files / "secret").write_text("x")
    run.resource("newton", files / "inside", "../secret")
    registry = Registry(allowed_roots=[str(files / "inside")])
    with pytest.raises(FileRefused):
        copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_zarr_folder_is_copied_whole(run, registry, files, tmp_path):
    zarr = pytest.importorskip("zarr")
    made = zarr.create_array(str(files / "a.zarr"), shape=(2, 4, 6), chunks=(1, 4, 6), dtype="u2")
    made[:] = frames(2, 4, 6)
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream("application/x-zarr", uri_of_path(str(files / "a.zarr")))
    run.stream_datum(0, 2)
    (listed,) = external_files(run.store, registry, run.uid)
    assert listed.exists
    assert listed.size > 96
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert len(copied.files) >= 3
    other = moved(run, copied)
    other.stream_datum(0, 2)
    np.testing.assert_array_equal(cam(other, registry, descriptor)[:, 0], frames(2, 4, 6))


# -- db.reg.copy_files, as in databroker 1.x ---------------------------------


def test_copy_files_of_a_resource(run, registry, files, everything, tmp_path):
    registry.store = run.store
    heard = []
    pairs = registry.copy_files(
        run.store.resource("res"), str(tmp_path / "new"), True, lambda *told: heard.append(told)
    )
    assert next(pairs) == (str(files / "a b" / "img_0.npy"), str(tmp_path / "new/a b/img_0.npy"))
    assert len(list(pairs)) == 2
    assert len(heard) == 3


def test_copy_files_needs_a_run_and_warns_without_a_root(run, registry, files, tmp_path):
    np.save(files / "img_0.npy", np.ones(2))
    registry.store = run.store
    resource = run.resource("NPY_SEQ", "", files / "img", run_start=False)
    run.datums([{"index": 0}])
    with pytest.raises(ValueError, match="run_start_uid"):
        registry.copy_files(resource, str(tmp_path / "new"))

    def hook(*told):
        raise RuntimeError("hooks may fail")

    with pytest.warns(UserWarning, match="no root"):
        pairs = list(
            registry.copy_files(resource, str(tmp_path / "new"), False, hook, run_start_uid=run.uid)
        )
    assert pairs[0][1] == str(tmp_path / "new") + str(files / "img_0.npy")


def test_a_file_outside_of_its_root_is_not_copied(run, registry, files, tmp_path):
    (files / "inside").mkdir()

    class Sly:
        def __init__(self, path): ...
        def get_file_list(self, datum_kwargs):
            return [str(files / "outside.txt")]

    (files / "outside.txt").write_text("x")
    registry.register_handler("SLY", Sly)
    resource = run.resource("SLY", files / "inside", "a.h5")
    with pytest.raises(RuntimeError, match=r"outside\.txt"):
        registry.copy_files(resource, str(tmp_path / "new"))
