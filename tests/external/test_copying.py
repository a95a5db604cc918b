"""The files of a run copied elsewhere, and the documents that point to the copies."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from databroker.errors import CopyDiffers, CopyFailed, CopyRefused, FileMissing, FileRefused
from databroker.external import Filler, copy_run, external_files
from databroker.external.files import atomic_copy
from databroker.external.files.atomic_copy import PART, copy_file
from databroker.external.locate import uri_of_path
from databroker.stores.memory import MemoryStore
from databroker.v1 import Registry
from helpers.external import HDF5, Run, frames, key
from helpers.external_arrays import cam, streamed_array


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
    tiffs = streamed_array(other.store, registry, run.uid, [everything], "tif")
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


def test_a_resource_that_is_its_root(run, registry, files, tmp_path):
    class Folder:
        def __init__(self, path):
            self._path = path

        def get_file_list(self, datum_kwargs):
            return [os.path.join(self._path, name) for name in os.listdir(self._path)]

    (files / "scan").mkdir()
    np.save(files / "scan" / "img_0.npy", np.ones(2))
    registry.register_handler("FOLDER", Folder)
    run.resource("FOLDER", files / "scan", "")
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert copied.files == [
        (str(files / "scan" / "img_0.npy"), str(tmp_path / "new" / "img_0.npy"))
    ]


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
    (tmp_path / "new" / "a b" / f"img_2.npy{PART}").write_bytes(b"half")
    assert len(copy_run(run.store, registry, run.uid, new).files) == 7
    assert os.stat(first[1]).st_ino == before
    assert not (tmp_path / "new" / "a b" / f"img_2.npy{PART}").exists()


def test_nothing_is_overwritten(files, tmp_path):
    old, new = files / "a", tmp_path / "b"
    old.write_bytes(b"1234")
    assert copy_file(str(old), str(new))
    assert not copy_file(str(old), str(new))
    new.write_bytes(b"4321")
    for verify in (True, False):  # images often have all one size
        with pytest.raises(CopyRefused):
            copy_file(str(old), str(new), verify)
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


# -- what may go wrong -------------------------------------------------------


def test_two_runs_with_files_of_one_name(store, registry, files, tmp_path):
    """Each keeps its own, though they are copied one after the other."""
    values = {}
    for uid in ("one", "two"):
        run = Run(store, uid)
        (files / uid).mkdir()
        np.save(files / uid / "img_0.npy", np.full(2, len(uid) + ord(uid[0])))
        run.resource("NPY_SEQ", files / uid, "img", uid=uid)
        run.datums([{"index": 0}], uid)
        for verify in (False, True):  # again: each goes where it went before
            copied = copy_run(store, registry, uid, str(tmp_path / "new"), verify=verify)
            ((old, new),) = copied.files
            assert values.setdefault(uid, new) == new
            assert Path(old).read_bytes() == Path(new).read_bytes()
            assert registry.place(copied.documents[uid]).path == new.removesuffix("_0.npy")
    assert values["one"] == str(tmp_path / "new" / "img_0.npy")
    assert values["two"] == str(tmp_path / "new") + str(files / "two" / "img_0.npy")


def test_files_of_two_folders_are_never_mixed(store, registry, files, tmp_path):
    """A part that one array has and the other one lacks would be read as its own."""
    zarr = pytest.importorskip("zarr")
    for uid, rows in (("one", 2), ("two", 1)):
        run = Run(store, uid)
        (files / uid).mkdir()
        made = zarr.create_array(
            str(files / uid / "a.zarr"), shape=(2, 4, 6), chunks=(1, 4, 6), dtype="u2", fill_value=0
        )
        made[:rows] = frames(rows, 4, 6) + 1
        run.descriptor(uid, cam=key(1, 4, 6))
        run.resource("ZARR_FOLDER", files / uid, "a.zarr", uid=uid)
        os.utime(files / uid / "a.zarr" / "zarr.json", (1, 1))

    class Folder:
        def __init__(self, path):
            self._path = path

        def get_file_list(self, datum_kwargs):
            return [self._path]

    registry.register_handler("ZARR_FOLDER", Folder)
    for uid in ("one", "two"):
        copied = copy_run(store, registry, uid, str(tmp_path / "new"))
        copy = zarr.open_array(registry.place(copied.documents[uid]).path, mode="r")
        original = zarr.open_array(str(files / uid / "a.zarr"), mode="r")
        np.testing.assert_array_equal(copy[:], original[:])


def test_two_resources_of_one_file(run, registry, files, tmp_path):
    with h5py.File(files / "a.h5", "w") as file:
        file["/x"] = file["/y"] = frames(2, 4, 6)
    run.descriptor(x=key(1, 4, 6), y=key(1, 4, 6))
    for name in "xy":
        run.stream(HDF5, uri_of_path(str(files / "a.h5")), name, name, dataset=f"/{name}")
        run.stream_datum(0, 2, name)
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert len(copied.files) == 1
    assert copied.documents["x"]["uri"] == copied.documents["y"]["uri"]
    (listed,) = external_files(run.store, registry, run.uid)
    assert listed.fields == ("x", "y")


def test_files_that_a_file_links_to_go_with_it(run, registry, files, tmp_path):
    (files / "raw").mkdir()
    with h5py.File(files / "raw" / "0.h5", "w") as file:
        file["data"] = frames(2, 4, 6)
    with h5py.File(files / "master.h5", "w") as file:
        file["/entry/data"] = h5py.ExternalLink("raw/0.h5", "/data")
    descriptor = run.descriptor(cam=key(1, 4, 6))
    run.stream(HDF5, uri_of_path(str(files / "master.h5")), dataset="/entry/data")
    run.stream_datum(0, 2)
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert [os.path.basename(new) for _, new in copied.files] == ["master.h5", "0.h5"]
    registry.close()
    files.rename(tmp_path / "gone")
    other = moved(run, copied)
    other.stream_datum(0, 2)
    np.testing.assert_array_equal(cam(other, registry, descriptor)[:, 0], frames(2, 4, 6))


def test_a_root_that_is_a_link(run, registry, files, tmp_path):
    (files / "real").mkdir()
    (files / "link").symlink_to(files / "real")
    np.save(files / "real" / "img_0.npy", np.ones(2))

    class Resolving:
        def __init__(self, path):
            self._path = path

        def get_file_list(self, datum_kwargs):
            return [os.path.realpath(self._path) + "_0.npy"]

    registry.register_handler("RESOLVING", Resolving)
    for spec in ("NPY_SEQ", "RESOLVING"):
        run.resource(spec, files / "link", "img", uid=spec)
        run.datums([{"index": 0}], spec)
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert {new for _, new in copied.files} == {str(tmp_path / "new" / "img_0.npy")}
    (tmp_path / "linked").symlink_to(tmp_path / "new")
    again = copy_run(run.store, registry, run.uid, str(tmp_path / "linked"))
    assert again.documents["NPY_SEQ"]["root"] == str(tmp_path / "linked")


def test_a_new_root_inside_of_the_old_one(run, registry, files):
    np.save(files / "img_0.npy", np.ones(2))
    run.resource("NPY_SEQ", files, "img")
    run.datums([{"index": 0}])
    for _ in range(2):
        copied = copy_run(run.store, registry, run.uid, str(files / "copies"))
        assert copied.files == [(str(files / "img_0.npy"), str(files / "copies" / "img_0.npy"))]
    assert sorted(path.name for path in files.rglob("*")) == ["copies", "img_0.npy", "img_0.npy"]


def test_a_folder_is_not_copied_into_itself(run, registry, files):
    zarr = pytest.importorskip("zarr")
    zarr.create_array(str(files / "a.zarr"), shape=(2, 4, 6), dtype="u2")[:] = 1
    run.descriptor(cam=key(1, 4, 6))
    run.stream("application/x-zarr", uri_of_path(str(files / "a.zarr")))
    run.stream_datum(0, 2)
    with pytest.raises(CopyRefused, match="inside of"):
        copy_run(run.store, registry, run.uid, str(files / "a.zarr" / "copies"))


def test_the_new_root_may_be_the_old_one(run, registry, files):
    np.save(files / "img_0.npy", np.ones(2))
    run.resource("NPY_SEQ", files, "img")
    run.datums([{"index": 0}])
    copied = copy_run(run.store, registry, run.uid, str(files))
    assert copied.files == [(str(files / "img_0.npy"),) * 2]


def test_links_in_a_folder_do_not_lead_out_of_the_allowed_roots(run, files, tmp_path):
    zarr = pytest.importorskip("zarr")
    zarr.create_array(str(files / "a.zarr"), shape=(2, 4, 6), dtype="u2")[:] = 1
    (tmp_path / "secret").write_text("x")
    (files / "a.zarr" / "x").symlink_to(tmp_path / "secret")
    run.descriptor(cam=key(1, 4, 6))
    run.stream("application/x-zarr", uri_of_path(str(files / "a.zarr")))
    run.stream_datum(0, 2)
    registry = Registry(allowed_roots=[str(files)])
    with pytest.raises(FileRefused):
        copy_run(run.store, registry, run.uid, str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_a_resource_of_which_nothing_is_there_points_where_it_did(run, registry, files, tmp_path):
    np.save(files / "img_0.npy", np.ones(2))
    run.resource("NPY_SEQ", files, "img")
    run.datums([{"index": 0}])
    lost = run.resource("NPY_SEQ", files, "lost", uid="lost")
    run.datums([{"index": 0}], "lost")
    copied = copy_run(run.store, registry, run.uid, str(tmp_path / "new"), on_missing="skip")
    assert len(copied.files) == 1
    assert copied.documents["lost"] == lost
    with pytest.raises(ValueError, match="'raise' or 'skip'"):
        copy_run(run.store, registry, run.uid, str(tmp_path / "new"), on_missing="mask")


def full(monkeypatch, folder, after):
    """Let the disk of a folder be full after so many bytes."""
    real = atomic_copy.copy_bytes

    def pour(old, target):
        if Path(target.name).parent == folder:
            target.write(Path(old).read_bytes()[:after])
            target.flush()
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(old, target)

    monkeypatch.setattr(atomic_copy, "copy_bytes", pour)


def test_a_full_disk_is_told_and_leaves_no_half_file(files, tmp_path, monkeypatch):
    (files / "a").write_bytes(b"1234")
    full(monkeypatch, tmp_path / "new", 2)
    with pytest.raises(CopyFailed, match="No space left") as caught:
        copy_file(str(files / "a"), str(tmp_path / "new" / "a"))
    assert caught.value.errno == errno.ENOSPC
    assert str(tmp_path / "new" / "a") in str(caught.value)
    assert list((tmp_path / "new").iterdir()) == []
    monkeypatch.undo()
    assert copy_file(str(files / "a"), str(tmp_path / "new" / "a"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_disk_that_is_really_full(files, tmp_path):
    """Writes to this device fail as those to a full disk do."""
    (files / "a").write_bytes(bytes(100))
    with open("/dev/full", "wb", buffering=0) as target, pytest.raises(OSError, match="No space"):
        atomic_copy.copy_bytes(str(files / "a"), target)


def test_a_file_that_changes_while_it_is_copied(files, tmp_path, monkeypatch):
    old = files / "a"
    old.write_bytes(bytes(100))
    real = atomic_copy.hashlib.sha256

    class Meanwhile:
        def __init__(self):
            self.digest = real().digest
            self._others = iter([b"more"])

        def update(self, block):
            with old.open("ab") as file:
                file.write(next(self._others, b""))

    monkeypatch.setattr(atomic_copy.hashlib, "sha256", Meanwhile)
    with pytest.raises(CopyDiffers, match="changed while"):
        copy_file(str(old), str(tmp_path / "new" / "a"))
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_disk_spoils_is_noticed(files, tmp_path, monkeypatch):
    (files / "a").write_bytes(b"1234")
    monkeypatch.setattr(atomic_copy, "_checksum", lambda path: b"another")
    with pytest.raises(CopyDiffers, match="sound"):
        copy_file(str(files / "a"), str(tmp_path / "new" / "a"))
    assert list((tmp_path / "new").iterdir()) == []


def test_what_is_left_of_a_process_that_was_killed_is_written_anew(files, tmp_path):
    (files / "a").write_bytes(b"1234")
    code = (
        "import os, sys\n"
        "from databroker.external.files import atomic_copy\n"
        "def pour(old, target):\n"
        "    target.write(b'a longer half')\n"
        "    target.flush()\n"
        "    os.kill(os.getpid(), 9)\n"
        "atomic_copy.copy_bytes = pour\n"
        "atomic_copy.copy_file(sys.argv[1], sys.argv[2])\n"
    )
    new = tmp_path / "new" / "a"
    done = subprocess.run([sys.executable, "-c", code, files / "a", new], check=False)
    assert done.returncode == -9
    assert [path.name for path in new.parent.iterdir()] == [f"a{PART}"]
    assert copy_file(str(files / "a"), str(new))
    assert new.read_bytes() == b"1234"
    assert [path.name for path in new.parent.iterdir()] == ["a"]


def test_a_copy_that_another_process_is_just_making_is_left_alone(files, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    (files / "a").write_bytes(b"1234")
    new = tmp_path / "a"
    with open(f"{new}{PART}", "wb") as theirs:
        theirs.write(b"12")
        theirs.flush()
        fcntl.flock(theirs, fcntl.LOCK_EX)
        with pytest.raises(CopyRefused, match="Another process"):
            copy_file(str(files / "a"), str(new))
    assert Path(f"{new}{PART}").read_bytes() == b"12"


@pytest.mark.parametrize("there", ["folder", "broken link"])
def test_what_is_no_file_is_not_overwritten_either(files, tmp_path, there):
    (files / "a").write_bytes(b"")
    new = tmp_path / "a"
    new.mkdir() if there == "folder" else new.symlink_to(tmp_path / "nothing")
    with pytest.raises(CopyRefused):
        copy_file(str(files / "a"), str(new), verify=False)


def test_a_folder_that_cannot_be_made(files, tmp_path):
    (files / "a").write_bytes(b"1")
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(CopyFailed, match="file/a"):
        copy_file(str(files / "a"), str(tmp_path / "file" / "a"))
    with pytest.raises(CopyFailed, match="cannot be copied"):
        copy_file(str(files / "none"), str(tmp_path / "new" / "a"))


# -- db.reg.copy_files, as in databroker 1.x ---------------------------------


def test_copy_files_of_a_resource(run, registry, files, everything, tmp_path):
    registry = Registry.bound(registry, run.store)
    heard = []
    pairs = registry.copy_files(
        run.store.resource("res"), str(tmp_path / "new"), True, lambda *told: heard.append(told)
    )
    assert next(pairs) == (str(files / "a b" / "img_0.npy"), str(tmp_path / "new/a b/img_0.npy"))
    assert len(list(pairs)) == 2
    assert len(heard) == 3


def test_copy_files_needs_a_run_and_warns_without_a_root(run, registry, files, tmp_path):
    np.save(files / "img_0.npy", np.ones(2))
    registry = Registry.bound(registry, run.store)
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
        Registry.bound(registry, run.store).copy_files(resource, str(tmp_path / "new"))
