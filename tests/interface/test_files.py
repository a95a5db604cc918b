"""The files of runs as users meet them: listed, measured, exported."""

import os
from pathlib import Path

import pytest

import databroker
from databroker import Broker
from databroker.errors import ConflictingDocument, DatabrokerError, ExternalDataMissing
from databroker.external import Registry
from databroker.external.files import atomic_copy
from databroker.runs.files import Files
from helpers.runs import FIRST, external, image_files, plain, save


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "then"


@pytest.fixture
def header(db, folder):
    return save(db, image_files(folder))


def values(header):
    return [int(img[0, 0]) for img in header.data("img")]


# -- listed ------------------------------------------------------------------


def test_a_header_lists_its_files(header, folder):
    (folder / "img_1.npy").unlink()
    files = header.files()
    assert isinstance(files, Files)
    assert [Path(file.path).name for file in files] == [f"img_{n}.npy" for n in range(3)]
    assert [file.exists for file in files] == [True, False, True]
    assert {(file.run, file.fields) for file in files} == {(header.uid, ("img",))}
    assert [file.path for file in files.missing] == [str(folder / "img_1.npy")]
    assert files.total == 2 * (folder / "img_0.npy").stat().st_size
    where = "at the server" if header.session.store.capabilities.external else "there"
    assert repr(files).startswith(f"3 files, 2 {where} (")


def test_a_run_without_files_has_none(db):
    assert save(db, plain()).files() == []


def test_results_list_the_files_of_all_runs(db, folder):
    for n in range(3):
        save(db, image_files(folder / str(n), f"run{n}", FIRST + n))
    save(db, plain("none", FIRST + 10))
    heard = []
    files = db(plan_name="scan").files(lambda *told: heard.append(told))
    assert [file.run for file in files] == [f"run{n}-run" for n in (2, 1, 0) for _ in range(3)]
    assert heard == [(1, "none-run"), (2, "run2-run"), (3, "run1-run"), (4, "run0-run")]
    assert len(db(scan_id=2).files()) == 3
    assert len(db().limit(2).files()) == 3


def test_a_run_of_which_nothing_can_be_found_out_does_not_end_the_list(db, folder):
    save(db, external())
    save(db, image_files(folder, time=FIRST + 1))
    files = db().files()
    assert [file.exists for file in files] == [True, True, True, False]
    assert "NOWHERE" in files[-1].problem


def test_the_root_map_is_heeded_at_once(header, folder, tmp_path):
    folder.rename(tmp_path / "now")
    assert len(header.files().missing) == 3
    header.db.reg.root_map[str(folder)] = str(tmp_path / "now")
    assert not header.files().missing


def test_the_transforms_of_a_configuration_are_heeded(folder):
    db = Broker(
        databroker.temp().store,
        transforms={"resource": lambda doc: {**doc, "root": str(folder)}},
    )
    documents = image_files(folder)
    documents[1][1]["root"] = "/wrong"
    assert not save(db, documents).files().missing


def test_files_of_a_resource_as_v2_gives_them(db, header, folder):
    run = db.v2[header.uid]
    resource = next(doc for kind, doc in header.documents() if kind == "resource")
    paths = [str(folder / f"img_{n}.npy") for n in range(3)]
    assert run.get_file_list(resource) == paths
    os.unlink(paths[0])
    assert run.get_file_list(resource) == paths


# -- measured ----------------------------------------------------------------


def test_the_size_of_an_export_is_that_of_its_files(db, header, folder):
    files = header.files().total
    assert files == 3 * (folder / "img_0.npy").stat().st_size
    assert db.export_size(save(db, plain("other"))) == 0
    assert db.export_size(header) == files / 1e9
    assert db.export_size([header, header]) == 2 * db.export_size(header)


def test_a_missing_file_has_no_size(db, header, folder):
    (folder / "img_1.npy").unlink()
    with pytest.raises(ExternalDataMissing, match=r"img_1\.npy"):
        db.export_size(header)


def test_a_file_outside_of_the_allowed_roots_has_no_size_either(db, header, folder, tmp_path):
    registry = Registry(allowed_roots=[str(tmp_path / "elsewhere")])
    strict = Broker(db.store, registry=registry)
    file = strict[header.uid].files()[0]
    assert file.at_server or "allowed_roots" in file.problem  # the server has its own
    with pytest.raises(PermissionError, match="allowed_roots"):
        strict.export_size(strict[header.uid])
    with pytest.raises(PermissionError, match="allowed_roots"):
        strict.export(strict[header.uid], databroker.temp(), tmp_path / "new")


# -- exported ----------------------------------------------------------------


def test_a_run_is_exported_with_its_files(db, header, folder, tmp_path):
    other = databroker.temp()
    pairs = db.export(header, other, new_root=tmp_path / "new")
    assert pairs == [
        (str(folder / f"img_{n}.npy"), str(tmp_path / "new" / f"img_{n}.npy")) for n in range(3)
    ]
    before = values(header)
    folder.rename(tmp_path / "gone")
    assert values(other[header.uid]) == before
    assert not other[-1].files().missing
    # The original still points to where it did.
    assert len(header.files().missing) == 3


@pytest.mark.parametrize("root", ["", None, "/"])
def test_whatever_the_root_the_copy_is_found(db, tmp_path, root):
    """In databroker 1.x, a copy without a root pointed to the original."""
    folder = tmp_path / "then"
    header = save(db, image_files(folder, root=root))
    before = values(header)
    other = databroker.temp()
    db.export(header, other, new_root=str(tmp_path / "new"))
    folder.rename(tmp_path / "gone")
    assert values(other[-1]) == before


def test_several_runs_with_files_of_the_same_names(db, tmp_path):
    for name in ("a", "bb", "ccc"):
        number = len(name)
        save(db, image_files(tmp_path / name, name, FIRST + number, first=number))
    other = databroker.temp()
    for _ in range(2):  # again: nothing changes
        pairs = db.export(db(), other, str(tmp_path / "new"))
        assert len({new for _, new in pairs}) == 9
        assert [values(header) for header in other()] == [values(header) for header in db()]


def test_resources_of_old_times_are_exported_too(db, tmp_path):
    header = save(db, image_files(tmp_path / "then", named=False))
    for new_root in (None, str(tmp_path / "new")):
        other = databroker.temp()
        assert len(db.export(header, other, new_root)) == (3 if new_root else 0)
        assert values(other[-1]) == values(header)
        assert len(other[-1].files()) == 3


def test_a_missing_file_and_nothing_happens(db, header, folder, tmp_path):
    (folder / "img_1.npy").unlink()
    other = databroker.temp()
    with pytest.raises(ExternalDataMissing, match=r"img_1\.npy"):
        db.export(header, other, new_root=str(tmp_path / "new"))
    assert other.stats()["runs"] == 0
    assert not (tmp_path / "new").exists()
    pairs = db.export(header, other, str(tmp_path / "new"), {"on_missing": "skip"})
    assert len(pairs) == 2
    assert [file.exists for file in other[-1].files()] == [True, False, True]


def test_runs_before_the_one_with_a_missing_file_are_there(db, tmp_path):
    for name in ("a", "bb"):
        save(db, image_files(tmp_path / name, name, FIRST + len(name)))
    (tmp_path / "a" / "img_0.npy").unlink()
    other = databroker.temp()
    with pytest.raises(ExternalDataMissing):
        db.export(db(), other, str(tmp_path / "new"))
    assert [header.uid for header in other()] == ["bb-run"]


def test_a_broken_export_goes_on(db, header, tmp_path):
    other = databroker.temp()

    def stop(number, total, old, new):
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.export(header, other, str(tmp_path / "new"), {"progress": stop})
    assert other.stats()["runs"] == 0
    copies = {path: path.stat().st_ino for path in (tmp_path / "new").iterdir()}
    assert len(copies) == 2
    assert len(db.export(header, other, str(tmp_path / "new"))) == 3
    assert all(path.stat().st_ino == number for path, number in copies.items())
    assert values(other[-1]) == values(header)


@pytest.mark.parametrize("name", ["progress", "file_rename_hook"])
def test_progress_is_reported(db, header, folder, tmp_path, name):
    heard = []

    def hear(*told):
        heard.append(told)
        raise RuntimeError("reporting does not stop the work")

    pairs = db.export(header, databroker.temp(), str(tmp_path / "new"), {name: hear})
    assert heard == [(number, 3, *pair) for number, pair in enumerate(pairs)]


@pytest.mark.parametrize(
    "wrong", [{"verfy": True}, {"progress": print, "file_rename_hook": lambda *told: None}]
)
def test_what_export_cannot_be_told_is_refused(db, header, tmp_path, wrong):
    with pytest.raises(TypeError, match=r"copy_kwargs|same"):
        db.export(header, databroker.temp(), str(tmp_path / "new"), wrong)
    with pytest.raises(ValueError, match="on_missing"):
        db.export(header, databroker.temp(), str(tmp_path / "new"), {"on_missing": "mask"})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("verify", [True, False])
def test_copies_are_verified_unless_one_says_no(db, header, tmp_path, monkeypatch, verify):
    looked = []
    real = atomic_copy._checksum
    monkeypatch.setattr(atomic_copy, "_checksum", lambda path: looked.append(path) or real(path))
    db.export(header, databroker.temp(), str(tmp_path / "new"), {"verify": verify})
    assert len(looked) == (3 if verify else 0)


def test_where_the_run_is_already_nothing_is_copied(db, header, tmp_path):
    """Documents never change: one broker cannot point to two places."""
    other = databroker.temp()
    db.export(header, other)
    for there in (db, other):
        with pytest.raises(ConflictingDocument, match="root map"):
            db.export(header, there, new_root=str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_anything_with_insert_gets_the_documents_of_the_copies(db, header, tmp_path):
    class Receiver(dict):
        def insert(self, kind, document):
            self.setdefault(kind, []).append(document)

    receiver = Receiver()
    db.export(header, receiver, new_root=str(tmp_path / "new"))
    (resource,) = receiver["resource"]
    assert resource["root"] == str(tmp_path / "new")
    assert [len(receiver[kind]) for kind in ("start", "datum", "event", "stop")] == [1, 3, 3, 1]


def test_another_file_where_a_copy_should_be(db, header, folder, tmp_path):
    """The copy goes beside it, below its whole path; if that is taken too, it is an error."""
    new = tmp_path / "new"
    new.mkdir()
    (new / "img_0.npy").write_bytes(b"of somebody else")
    other = databroker.temp()
    db.export(header, other, new)
    assert values(other[-1]) == values(header)
    assert (new / "img_0.npy").read_bytes() == b"of somebody else"
    whole = new / str(folder / "img_0.npy").lstrip("/")
    whole.write_bytes(b"of somebody else")
    with pytest.raises(DatabrokerError, match="another file"):
        db.export(header, databroker.temp(), new)
    assert whole.read_bytes() == b"of somebody else"
