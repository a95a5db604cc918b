"""Packs are whole, are read wherever they are, and say what is not as it was."""

import os
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import databroker
from databroker import Broker
from databroker.errors import (
    CopyDiffers,
    CopyRefused,
    FileMissing,
    NoSuchRun,
    NotSupported,
    StoreDamaged,
    StoreUnavailable,
)
from databroker.external.files.packing import top_of
from databroker.external.locate import uri_of_path
from databroker.packing import pack, verify_pack
from databroker.packing.sums import parse_sum_line, sum_line
from databroker.stores.memory import MemoryStore
from databroker.testing import answers, assert_identical, expected, strategies
from databroker.testing.conformance.base import insert_all, whole_run
from helpers.external import HDF5, frames, key
from helpers.external import Run as ExternalRun
from helpers.runs import image_files, plain, save, start

FORMS = ["msgpack", "jsonl"]
PLACES = ["july [1]", "july.zip"]


@pytest.fixture
def lab(tmp_path):
    """A broker with runs of each kind: two with files, one of them without a root."""
    folder = tmp_path / "lab" / "data"
    with databroker.temp() as db:
        save(db, image_files(folder / "2024"))
        save(db, image_files(folder, "bare", root=""))
        save(db, plain("a"))
        save(db, [("start", {"uid": "odd/uid", "time": 1.0})])
        yield db


def documents(db, uid):
    return list(db[uid].documents())


def values(db, uid="files-run"):
    return [int(image[0, 0]) for image in db[uid].data("img")]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", FORMS)
def test_a_pack_is_read_after_all_else_is_gone(lab, tmp_path, place, form):
    before = {run.uid: documents(lab, run.uid) for run in lab()}
    report = pack(lab(), tmp_path / place, format=form)
    assert (report.runs, report.files, bool(report)) == (4, 6, True)
    shutil.rmtree(tmp_path / "lab")
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / place).rename(tmp_path / "elsewhere" / place)
    check = verify_pack(moved)
    assert check, check
    assert check.checked == 4 + 6 + 2
    assert not check.added
    with databroker.open(moved) as db:
        assert {run.uid: documents(db, run.uid) for run in db()} == before
        assert values(db) == values(db, "bare-run") == [0, 1, 2]
        assert not db.store.capabilities.writable


@pytest.mark.parametrize("place", PLACES)
def test_runs_of_a_pack_are_copied_as_they_were(lab, tmp_path, place):
    runs = [*whole_run("x"), *whole_run("y")]
    insert_all(lab.store, runs)
    pack([lab["x"], lab["y"], lab["x"]], tmp_path / place, files=False)
    assert databroker.copy(tmp_path / place, tmp_path / "home.db")
    with databroker.open(tmp_path / "home.db") as db:
        assert_identical(answers(db.store, runs), expected(runs))
    # To where they came from nothing is copied.
    assert databroker.copy(tmp_path / place, lab).copied == []


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=strategies.runs())
def test_any_run_comes_back(tmp_path, documents):
    path = tmp_path / "july"
    with databroker.temp() as db, Broker(MemoryStore()) as other:
        db.insert_many(documents)
        pack(db(), path, files=False, overwrite=True)
        assert databroker.copy(path, other)
        kept = list(db[-1].stored_documents())
        assert_identical(list(other[-1].stored_documents()), kept)


def test_files_go_along_with_what_is_copied_out_of_a_pack(lab, tmp_path):
    pack(lab["files-run"], tmp_path / "july.zip")
    shutil.rmtree(tmp_path / "lab")
    report = databroker.copy(tmp_path / "july.zip", tmp_path / "home.db", files=True)
    assert len(report.files) == 3
    with databroker.open(tmp_path / "home.db") as db:
        assert values(db) == [0, 1, 2]


@pytest.mark.parametrize("place", PLACES)
def test_streamed_files_and_folders_that_are_arrays_go_along(tmp_path, place):
    import h5py
    import zarr

    data = frames(4, 2, 3)
    (tmp_path / "lab").mkdir()
    with h5py.File(tmp_path / "lab" / "a b.h5", "w") as file:
        file["x"] = data
    array = zarr.open_array(tmp_path / "lab" / "z.zarr", mode="w", shape=data.shape, dtype="u2")
    array[:] = data
    with databroker.temp() as db:
        run = ExternalRun(db)
        run.descriptor(img=key(2, 3), cam=key(2, 3))
        hdf5, zarr_array = (
            uri_of_path(str(tmp_path / "lab" / name)) for name in ("a b.h5", "z.zarr")
        )
        run.stream(HDF5, hdf5, "sres-img", "img", dataset="x", chunk_shape=[1, 2, 3])
        run.stream("application/x-zarr", zarr_array, "sres-cam", "cam", chunk_shape=[1, 2, 3])
        for uid in ("sres-img", "sres-cam"):
            run.stream_datum(0, 4, uid)
        pack(db(), tmp_path / place)
        shutil.rmtree(tmp_path / "lab")
        with databroker.open(tmp_path / place) as packed:
            for field in ("img", "cam"):
                np.testing.assert_array_equal(list(packed["run-1"].data(field)), data)


def test_the_list_of_checksums_is_one_for_sha256sum(lab, tmp_path):
    pack(lab(), tmp_path / "july")
    command = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(command, cwd=tmp_path / "july", check=False).returncode == 0
    for name in ("a\\b", "a\nb", "\\n", "a\rb", " x"):
        assert parse_sum_line(sum_line(name, "0a")) == (name, "0a")


def test_what_is_not_as_packed_is_named(lab, tmp_path):
    pack(lab(), tmp_path / "july")
    (tmp_path / "july" / "documents" / "a-run.msgpack").write_bytes(b"")
    (tmp_path / "july" / "manifest.json").unlink()
    (tmp_path / "july" / "notes.txt").touch()
    check = verify_pack(tmp_path / "july")
    assert not check
    assert (check.differing, check.lacking) == (["documents/a-run.msgpack"], ["manifest.json"])
    assert check.added == ["notes.txt"]
    assert "- documents/a-run.msgpack" in repr(check)


def test_a_zip_of_a_folder_that_is_a_pack_is_verified_and_read(lab, tmp_path):
    pack(lab(), tmp_path / "july")
    made = shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path, "july")
    assert verify_pack(made).checked == 12
    with databroker.open(made) as db:
        assert values(db) == [0, 1, 2]


def test_a_damaged_zip_says_what_of_it_is(lab, tmp_path):
    path = tmp_path / "july.zip"
    pack(lab(), path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as packed:
        info = packed.getinfo("documents/a-run.msgpack")
    place = info.header_offset + 30 + len(info.filename) + 40
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    assert verify_pack(path).differing == ["documents/a-run.msgpack"]
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreDamaged, match="cut short"):
        verify_pack(path)


def test_what_has_no_checksums_says_so(tmp_path):
    with pytest.raises(StoreUnavailable, match="nothing at"):
        verify_pack(tmp_path / "nothing")
    with pytest.raises(NotSupported, match="SHA256SUMS"):
        verify_pack(tmp_path)
    (tmp_path / "SHA256SUMS").write_text("nonsense")
    with pytest.raises(StoreDamaged, match="nonsense"):
        verify_pack(tmp_path)


@pytest.mark.parametrize("place", PLACES)
def test_a_missing_file_is_an_error_or_is_told(lab, tmp_path, place):
    gone = tmp_path / "lab" / "data" / "2024" / "img_1.npy"
    gone.unlink()
    with pytest.raises(FileMissing, match=r"img_1\.npy"):
        pack(lab(), tmp_path / place)
    assert not [path for path in tmp_path.iterdir() if path.name != "lab"]
    report = pack(lab(), tmp_path / place, on_missing="skip")
    assert not report
    assert report.missing == [("files-run", str(gone))]
    assert str(gone) in repr(report)
    with databroker.open(tmp_path / place) as db:
        assert values(db, "bare-run") == [0, 1, 2]
        folder = db.reg.root_map[str(gone.parent)].partition("external_files")[0]
    with open(os.path.join(folder, "manifest.json")) as file:
        assert str(gone) in file.read()


def test_files_may_stay_where_they_are(lab, tmp_path):
    assert pack(lab(), tmp_path / "july", files=False).files == 0
    assert not (tmp_path / "july" / "external_files").exists()
    with databroker.open(tmp_path / "july") as db:
        assert values(db) == [0, 1, 2]


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_overwritten_unless_it_is_asked_for(lab, tmp_path, place):
    pack(lab["a-run"], tmp_path / place)
    with pytest.raises(CopyRefused, match="there already"):
        pack(lab(), tmp_path / place)
    assert pack(lab(), tmp_path / place, overwrite=True).runs == 4
    assert verify_pack(tmp_path / place)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    with pytest.raises(CopyRefused, match="no pack"):
        pack(lab(), tmp_path / "photos", overwrite=True)
    assert (tmp_path / "photos" / "a.jpg").exists()


class Interrupted(BaseException):
    """Nobody's error."""


@pytest.mark.parametrize("place", PLACES)
def test_a_pack_is_there_when_it_is_whole_and_not_before(lab, tmp_path, place, monkeypatch):
    def told(progress):
        if progress.runs == 2:
            raise Interrupted

    monkeypatch.setattr("databroker.broker.moving.progress._PAUSE", 0)
    with pytest.raises(Interrupted):
        pack(lab(), tmp_path / place, progress=told)
    assert [path.name for path in tmp_path.iterdir()] == ["lab"]


def test_progress_tells_bytes(lab, tmp_path):
    seen = []
    report = pack(lab(), tmp_path / "july", progress=seen.append)
    assert (seen[-1].runs, seen[-1].of) == (4, 4)
    assert seen[-1].bytes > 6 * 128
    assert report.bytes > seen[-1].bytes  # the catalog is no run's


def test_a_file_that_grows_meanwhile_is_no_copy(lab, tmp_path, monkeypatch):
    from databroker.external.files import atomic_copy

    monkeypatch.setattr(atomic_copy, "_BLOCK", 100)
    path = tmp_path / "lab" / "data" / "2024" / "img_0.npy"
    blocks = atomic_copy.blocks(str(path))
    next(blocks)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(CopyDiffers, match="changed while"):
        list(blocks)


def test_two_files_that_are_recorded_as_one_are_refused(tmp_path):
    there = {"driver": "memory", "root_map": {str(tmp_path / "x"): str(tmp_path / "y")}}
    with databroker.temp() as one, Broker.from_config(there) as other:
        save(one, image_files(tmp_path / "x"))
        shutil.copytree(tmp_path / "x", tmp_path / "y")
        again = {"uid": "again", "run_start": "more-run"}
        save(other, [start("more"), ("resource", image_files(tmp_path / "x")[1][1] | again)])
        datum = {"datum_id": "again/0", "resource": "again", "datum_kwargs": {"index": 0}}
        other.insert("datum", datum)
        with pytest.raises(CopyRefused, match="recorded as one"):
            pack([one["files-run"], other["more-run"]], tmp_path / "july")


def test_what_cannot_be_packed_says_why(lab, tmp_path):
    with pytest.raises(NoSuchRun, match="no runs"):
        pack(lab(scan_id=99), tmp_path / "july")
    with pytest.raises(NotSupported, match="csv"):
        pack(lab(), tmp_path / "july", format="csv")
    with pytest.raises(ValueError, match="on_missing"):
        pack(lab(), tmp_path / "july", on_missing="ignore")
    with pytest.raises(TypeError, match="headers"):
        pack("a-run", tmp_path / "july")
    assert [path.name for path in tmp_path.iterdir()] == ["lab"]


def test_roots_cannot_say_more_than_a_path(tmp_path):
    folder = tmp_path / "{{ env(HOME) }}"
    with databroker.temp() as db:
        save(db, image_files(folder))
        with pytest.raises(CopyRefused, match=r"catalog\.yml"):
            pack(db(), tmp_path / "july")


def test_the_first_folder_of_a_path():
    assert top_of("/a.h5") == "/"
    assert top_of("C:/a.h5", windows=True) == "c:"
    assert top_of("data/a.h5") == ""
