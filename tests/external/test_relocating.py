"""Files that moved: found by their names and folders, and the root map that leads to them."""

import os

import h5py
import numpy as np
import pytest
import tifffile
import yaml

import databroker
from databroker import Broker
from databroker.errors import NoSuchFolder
from databroker.external import Registry
from databroker.external.locate import place_of, uri_of_path
from databroker.relocation.root_map import Target, propose
from databroker.relocation.walk import look_through
from helpers.external import HDF5, Run, frames, key

TIFF = "multipart/related;type=image/tiff"
NPY = "multipart/related;type=application/x-npy"


class Single:
    """A handler for one file, whatever is in it."""

    def __init__(self, path, **kwargs):
        self._path = path

    def get_file_list(self, datum_kwargs):
        return [self._path]


@pytest.fixture
def db():
    made = databroker.temp()
    made.reg.register_handler("ONE", Single)
    return made


def one(db, *paths, root="", semantics="posix"):
    """A run with a resource for each path."""
    run = Run(db.store, f"run-{db.stats()['runs']}")
    for number, path in enumerate(paths):
        doc = {
            "uid": f"{run.uid}-{number}",
            "run_start": run.uid,
            "spec": "ONE",
            "root": root,
            "resource_path": path,
            "resource_kwargs": {},
            "path_semantics": semantics,
        }
        run.store.insert("resource", doc)
    return run


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def relocated(db, *folders, dry_run=True):
    """Relocate all runs; check that what is proposed is so."""
    before = dict(db.reg.root_map)
    found = databroker.relocate(db(), list(folders), dry_run=dry_run)
    assert (db.reg.root_map == before) == (dry_run or not found.root_map)
    db.reg.root_map.update(found.root_map)
    now = {file.path for file in db().files() if file.exists}
    assert set(found.found.values()) <= now
    assert len(db().files().missing) == len(found.missing)
    db.reg.root_map.clear()
    db.reg.root_map.update(before)
    return found


def test_one_entry_for_a_folder_that_moved_as_a_whole(db, tmp_path):
    one(db, "/old/2023/s1/a.h5", "/old/2023/s2/a.h5")
    one(db, "/old/2024/s1/a.h5")
    write(tmp_path, "2023/s1/a.h5", "2023/s2/a.h5", "2024/s1/a.h5", "2024/s1/other.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old": str(tmp_path)}
    assert found.found == {
        f"/old/{name}": str(tmp_path / name)
        for name in ("2023/s1/a.h5", "2023/s2/a.h5", "2024/s1/a.h5")
    }
    assert (found.missing, found.ambiguous) == ([], {})


def test_nothing_changes_before_it_is_asked_for(db, tmp_path):
    one(db, "/old/a.h5")
    write(tmp_path, "a.h5")
    assert not relocated(db, tmp_path).applied
    found = databroker.relocate(db[-1], search_in=tmp_path, dry_run=False)
    assert found.applied
    assert db.reg.root_map == found.root_map == {"/old": str(tmp_path)}
    assert db[-1].files()[0].exists
    assert repr(databroker.relocate(db[-1], search_in=tmp_path)) == "No file is missing."


def test_an_entry_is_as_general_as_what_speaks_for_it(db, tmp_path):
    one(db, "/old/deep/2023/a.h5")
    write(tmp_path, "x/2023/a.h5")
    assert relocated(db, tmp_path).root_map == {"/old/deep": str(tmp_path / "x")}


def test_files_that_are_found_now_stay_where_they_are(db, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    write(old, "2023/a.h5")
    write(new, "2023/a.h5", "2024/b.h5", "2025/c.h5")
    one(db, f"{old}/2023/a.h5", f"{old}/2024/b.h5", f"{old}/2025/c.h5")
    found = relocated(db, new)
    assert found.root_map == {f"{old}/{year}": f"{new}/{year}" for year in (2024, 2025)}


def test_an_entry_leaves_folders_alone_of_which_nothing_was_found(db, tmp_path):
    one(db, "/old/a/1.h5", "/old/b/2.h5")
    write(tmp_path, "a/1.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old/a": str(tmp_path / "a")}
    assert found.missing == ["/old/b/2.h5"]


def test_one_lost_file_among_many_does_not_cost_an_entry_for_each_of_the_others(db, tmp_path):
    one(db, *(f"/old/s{n}/{n}.h5" for n in range(10)))
    write(tmp_path, *(f"s{n}/{n}.h5" for n in range(9)))
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old": str(tmp_path)}
    assert found.missing == ["/old/s9/9.h5"]


def test_folders_that_went_to_different_places(db, tmp_path):
    one(db, *(f"/old/{name}/{name}.h5" for name in "abc"))
    write(tmp_path, "disk1/a/a.h5", "disk1/b/b.h5", "disk2/c/c.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {
        "/old": str(tmp_path / "disk1"),
        "/old/c": str(tmp_path / "disk2" / "c"),
    }


def test_a_file_that_went_elsewhere_alone(db, tmp_path):
    one(db, "/old/a/1.h5", "/old/a/2.h5", "/old/a/3.h5")
    write(tmp_path, "disk1/a/1.h5", "disk1/a/2.h5", "disk2/3.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {
        "/old": str(tmp_path / "disk1"),
        "/old/a/3.h5": str(tmp_path / "disk2" / "3.h5"),
    }


def test_of_files_with_one_name_the_folders_decide(db, tmp_path):
    one(db, *(f"/old/{year}/s{n}/data.h5" for year in (2023, 2024) for n in range(3)))
    write(tmp_path, *(f"{year}/s{n}/data.h5" for year in (2023, 2024) for n in range(3)))
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old": str(tmp_path)}


def test_equally_good_places_are_told_and_not_guessed(db, tmp_path):
    one(db, "/old/2024/a.h5", "/old/2024/b.h5")
    write(tmp_path, "one/2024/a.h5", "two/2024/a.h5", "one/2024/b.h5")
    found = relocated(db, tmp_path)
    assert found.ambiguous == {
        "/old/2024/a.h5": [str(tmp_path / part / "2024/a.h5") for part in ("one", "two")]
    }
    assert found.missing == ["/old/2024/a.h5"]
    # One file alone does not speak for another one.
    assert found.root_map == {"/old/2024/b.h5": str(tmp_path / "one/2024/b.h5")}
    assert "search_in" in repr(found)


def test_where_its_neighbours_are_a_file_is_found_too_and_the_other_place_told(db, tmp_path):
    one(db, *(f"/old/2024/{name}.h5" for name in "abcd"))
    write(tmp_path, *(f"one/2024/{name}.h5" for name in "abcd"), "two/2024/a.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old": str(tmp_path / "one")}
    assert found.found["/old/2024/a.h5"] == str(tmp_path / "one/2024/a.h5")
    assert list(found.ambiguous) == ["/old/2024/a.h5"]
    assert str(tmp_path / "two/2024/a.h5") in repr(found)


def test_a_lost_file_in_the_folder_of_another_one(db, tmp_path):
    one(db, "/old/2024/a.h5", "/old/2024/b.h5")
    write(tmp_path, "2024/a.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old": str(tmp_path)}
    assert found.missing == ["/old/2024/b.h5"]


def test_a_file_stands_for_one_recorded_path_only(db, tmp_path):
    one(db, "/old/s1/data.h5", "/old/s2/data.h5", "/old/s7/data.h5")
    write(tmp_path, "s1/data.h5", "s2/data.h5")
    found = relocated(db, tmp_path)
    assert found.missing == ["/old/s7/data.h5"]
    assert found.root_map == {"/old": str(tmp_path)}


def test_a_file_that_belongs_to_another_run_is_not_taken(db, tmp_path):
    write(tmp_path, "s1/data.h5")
    one(db, f"{tmp_path}/s1/data.h5")
    one(db, f"{tmp_path}/s7/data.h5")
    found = relocated(db, tmp_path)
    assert (found.root_map, found.ambiguous) == ({}, {})
    assert found.missing == [f"{tmp_path}/s7/data.h5"]


def test_a_file_that_belongs_to_another_run_does_not_hide_a_better_one(db, tmp_path):
    write(tmp_path, "2024/s1/data.h5", "new/s1/data.h5")
    one(db, f"{tmp_path}/2024/s1/data.h5")
    one(db, "/old/2024/s1/data.h5")
    assert relocated(db, tmp_path).root_map == {"/old/2024": str(tmp_path / "new")}


def test_one_file_that_fits_two_recorded_paths_is_not_guessed(db, tmp_path):
    one(db, "/old/s1/data.h5", "/old/s2/data.h5")
    write(tmp_path, "new/data.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {}
    assert found.ambiguous == {
        f"/old/{part}/data.h5": [str(tmp_path / "new/data.h5")] for part in ("s1", "s2")
    }


def test_where_only_names_agree_that_is_said(db, tmp_path):
    one(db, "/old/s1/data.h5")
    write(tmp_path, "s9/data.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old/s1": str(tmp_path / "s9")}
    assert "Only names speak for '/old/s1'" in repr(found)
    write(tmp_path, "s1/data.h5")
    assert "Only names" not in repr(relocated(db, tmp_path))


def test_an_entry_that_leads_nowhere_is_replaced(db, tmp_path):
    one(db, "/data/2024/a.h5", "/data/2025/b.h5")
    write(tmp_path, "2024/a.h5", "2025/b.h5")
    db.reg.root_map.update({"/data/": "/gone", "/data/2025": "/gone/too"})
    found = relocated(db, tmp_path)
    # As it is written there: with two entries for one folder, the other one would win.
    assert found.root_map == {"/data/": str(tmp_path), "/data/2025": str(tmp_path / "2025")}
    assert "beside the entries" not in repr(found)
    db.reg.root_map["/other"] = "/other"
    assert "beside the entries" in repr(relocated(db, tmp_path))


def test_an_entry_that_files_are_found_with_is_kept(db, tmp_path):
    write(tmp_path, "one/a/a.h5", "two/b/b.h5")
    one(db, "/data/a/a.h5", "/data/b/b.h5")
    db.reg.root_map["/data"] = str(tmp_path / "one")
    found = relocated(db, tmp_path / "two")
    assert found.root_map == {"/data/b": str(tmp_path / "two/b")}
    assert list(found.found) == [f"{tmp_path}/one/b/b.h5"]


def test_files_that_are_where_they_were_recorded_after_all(db, tmp_path):
    write(tmp_path, "2024/a.h5")
    one(db, f"{tmp_path}/2024/a.h5")
    db.reg.root_map[str(tmp_path)] = "/gone"
    assert relocated(db, tmp_path).root_map == {str(tmp_path): str(tmp_path)}


@pytest.mark.parametrize(
    ("root", "path", "semantics", "root_map"),
    [
        ("", "C:\\Data\\2024\\a.h5", "windows", {"C:/Data": "{new}"}),
        ("C:\\Data", "2024\\a.h5", "windows", {"C:/Data": "{new}"}),
        ("", "C:\\2024\\a.h5", "windows", {"C:/": "{new}"}),
        ("\\\\host\\share", "2024\\a.h5", "windows", {"/host/share": "{new}"}),
        ("/däta 1", "2024/a.h5", "posix", {"/däta 1": "{new}"}),
        ("6dd0c365", "2024/a.h5", "posix", {"6dd0c365": "{new}"}),
        ("", "2024/a.h5", "posix", {"": "{new}"}),
        ("/data/.", "x/../2024/a.h5", "posix", {"/data/x/..": "{new}"}),
    ],
)
def test_every_way_to_record_a_path(db, tmp_path, root, path, semantics, root_map):
    new = tmp_path / "neu ü"
    write(new, "2024/a.h5")
    one(db, path, root=root, semantics=semantics)
    found = relocated(db, tmp_path)
    assert found.root_map == {old: to.format(new=new) for old, to in root_map.items()}
    assert list(found.found.values()) == [str(new / "2024/a.h5")]


def test_an_entry_never_speaks_of_everything(db, tmp_path):
    write(tmp_path, "data/a.h5", "b.h5")
    one(db, "/data/a.h5")
    one(db, "/b.h5")
    assert relocated(db, tmp_path).root_map == {
        "/data": str(tmp_path / "data"),
        "/b.h5": str(tmp_path / "b.h5"),
    }


# -- whatever files a resource has -------------------------------------------


@pytest.fixture
def moved(db, tmp_path):
    """A run with a sequence, files of streams and a folder, written here and then moved."""
    old, new = tmp_path / "then", tmp_path / "now"
    run = Run(db.store)
    (old / "seq").mkdir(parents=True)
    (old / "tiffs").mkdir()
    for number in range(3):
        np.save(old / "seq" / f"img_{number}.npy", frames(3, 4, 5)[number])
        np.save(old / "seq" / f"abc_{number}.npy", frames(3, 4, 6)[number])
        tifffile.imwrite(old / "tiffs" / f"t_{number:03d}.tif", frames(3, 4, 6)[number])
    with h5py.File(old / "c am.h5", "w") as file:
        file["/entry/data/data"] = frames(3, 4, 6)
    run.descriptor(cam=key(1, 4, 6), tif=key(1, 4, 6), npy=key(4, 6))
    run.resource("NPY_SEQ", old, "seq/img")
    run.events(run.datums([{"index": number} for number in range(3)]))
    for uid, mimetype, path, more in (
        ("cam", HDF5, "c am.h5", {"dataset": "/entry/data/data"}),
        ("tif", TIFF, "tiffs/", {"template": "%s_%03d.tif", "filename": "t"}),
        ("npy", NPY, "seq/abc", {}),
    ):
        slash = "/" if path.endswith("/") else ""
        run.stream(mimetype, uri_of_path(str(old / path)) + slash, uid, uid, **more)
        run.stream_datum(0, 3, uid)
    os.rename(old, new)
    return old, new


def test_sequences_and_streams_are_found(db, moved):
    old, new = moved
    assert len(db[-1].files().missing) == 10
    found = relocated(db, new, dry_run=False)
    assert found.root_map == {str(old): str(new)}
    assert len(found.found) == 10
    assert found.found[f"{old}/tiffs/t_001.tif"] == f"{new}/tiffs/t_001.tif"
    assert not found.missing


def test_after_that_the_data_is_read(db, moved):
    _, new = moved
    databroker.relocate(db[-1], new.parent, dry_run=False)
    assert [img.tolist() for img in db[-1].data("img")] == frames(3, 4, 5).tolist()
    assert all(file.exists and not file.problem for file in db[-1].files())


def test_a_sequence_of_which_a_file_is_lost(db, moved):
    old, new = moved
    (new / "seq" / "img_1.npy").unlink()
    found = relocated(db, new)
    assert found.root_map == {str(old): str(new)}
    assert found.missing == [f"{old}/seq/img_1.npy"]


def test_the_fuller_of_two_places_is_taken(db, moved, tmp_path):
    old, new = moved
    write(tmp_path / "backup", "seq/img_1.npy")
    assert relocated(db, tmp_path).root_map == {str(old): str(new)}


def test_a_part_of_a_sequence_moves_nothing(db, tmp_path):
    """Two of three files are where they should be: a place with the third alone is none."""
    run = Run(db.store)
    for number in (0, 2):
        write(tmp_path / "old", f"img_{number}.npy")
    write(tmp_path / "new", "img_1.npy")
    run.resource("NPY_SEQ", tmp_path / "old", "img")
    run.datums([{"index": number} for number in range(3)])
    found = relocated(db, tmp_path)
    assert (found.root_map, found.ambiguous) == ({}, {})
    assert found.missing == [f"{tmp_path}/old/img_1.npy"]


def test_a_zarr_folder_is_found(db, tmp_path):
    zarr = pytest.importorskip("zarr")
    made = zarr.create_array(str(tmp_path / "new/a.zarr"), shape=(2, 4, 6), dtype="u2")
    made[:] = frames(2, 4, 6)
    run = Run(db.store)
    run.descriptor(cam=key(1, 4, 6))
    run.stream("application/x-zarr", "file://localhost/old/a.zarr")
    run.stream_datum(0, 2)
    for folder in (tmp_path, tmp_path / "new", tmp_path / "new/a.zarr"):
        assert relocated(db, folder).root_map == {"/old": str(tmp_path / "new")}


def test_a_file_that_is_not_what_the_documents_speak_of(db, tmp_path):
    """Found by its name, but another kind of thing: it is told as a problem, and still found."""
    write(tmp_path, "a.h5")
    run = Run(db.store)
    run.descriptor(cam=key(1, 4, 6))
    run.stream(HDF5, "file://localhost/old/a.h5")
    run.stream_datum(0, 2)
    assert relocated(db, tmp_path).root_map == {"/old": str(tmp_path)}


# -- where it looks ----------------------------------------------------------


def test_nothing_outside_of_the_allowed_roots_is_proposed(tmp_path):
    write(tmp_path, "open/a/1.h5", "secret/b/2.h5")
    (tmp_path / "open" / "b").symlink_to(tmp_path / "secret" / "b")
    db = Broker(databroker.temp().store, registry=Registry(allowed_roots=[str(tmp_path / "open")]))
    db.reg.register_handler("ONE", Single)
    one(db, "/old/a/1.h5", "/old/b/2.h5")
    found = relocated(db, tmp_path)
    assert found.root_map == {"/old/a": str(tmp_path / "open/a")}
    assert found.missing == ["/old/b/2.h5"]
    assert found.refused == {"/old/b/2.h5": str(tmp_path / "secret/b/2.h5")}
    assert "allowed_roots" in repr(found)


def test_links_in_a_circle_and_to_one_place(db, tmp_path):
    write(tmp_path, "real/2024/a.h5")
    (tmp_path / "real" / "2024" / "circle").symlink_to(tmp_path)
    (tmp_path / "also").symlink_to(tmp_path / "real")
    (tmp_path / "also.h5").symlink_to(tmp_path / "real/2024/a.h5")
    one(db, "/old/2024/a.h5")
    assert relocated(db, tmp_path).root_map == {"/old": str(tmp_path / "real")}
    assert relocated(db, tmp_path / "also").root_map == {"/old": str(tmp_path / "also")}


def test_a_link_to_a_file_is_a_place_like_another(db, tmp_path):
    write(tmp_path / "store", "0815")
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024/a.h5").symlink_to(tmp_path / "store/0815")
    (tmp_path / "2024/b.h5").symlink_to(tmp_path / "store/gone")
    one(db, "/old/2024/a.h5", "/old/2024/b.h5")
    found = relocated(db, tmp_path)
    assert list(found.found) == ["/old/2024/a.h5"]
    assert found.missing == ["/old/2024/b.h5"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_folders_that_may_not_be_read_are_passed_over(db, tmp_path):
    write(tmp_path, "closed/a.h5", "open/a.h5")
    (tmp_path / "closed").chmod(0)
    one(db, "/old/a.h5")
    try:
        assert relocated(db, tmp_path).root_map == {"/old": str(tmp_path / "open")}
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_folder_that_vanishes_is_passed_over(tmp_path, monkeypatch):
    write(tmp_path, "gone/a.h5", "open/a.h5")
    scandir = os.scandir

    def failing(path):
        if str(path).endswith("gone"):
            raise PermissionError(13, "no", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    heard = []
    found = look_through([tmp_path], {"a.h5"}, lambda *told: heard.append(told))
    assert found == [str(tmp_path / "open/a.h5")]
    assert [told[0] for told in heard] == [1, 2]


def test_a_folder_to_look_in_that_is_not_there(db, tmp_path):
    one(db, "/old/a.h5")
    with pytest.raises(NoSuchFolder, match="nothing-here"):
        databroker.relocate(db[-1], tmp_path / "nothing-here")
    with pytest.raises(NotADirectoryError):
        databroker.relocate(db[-1], [tmp_path, __file__])


def test_several_folders_are_looked_through(db, tmp_path):
    write(tmp_path, "one/x/1.h5", "two/y/2.h5", "three/x/1.h5")
    one(db, "/old/x/1.h5", "/old/y/2.h5")
    found = relocated(db, tmp_path / "one", tmp_path / "two", tmp_path / "one/x")
    assert len(found.found) == 2


# -- what it takes and says --------------------------------------------------


def test_headers_of_two_brokers_are_refused(db, tmp_path):
    one(db, "/old/a.h5")
    other = databroker.temp()
    one(other, "/old/b.h5")
    with pytest.raises(ValueError, match="several brokers"):
        databroker.relocate([db[-1], other[-1]], tmp_path)
    with pytest.raises(TypeError):
        databroker.relocate("b2c1", tmp_path)


def test_without_runs_or_files_nothing_is_missing(db, tmp_path):
    assert repr(databroker.relocate(db(), tmp_path)) == "No file is missing."
    one(db)
    found = databroker.relocate([db[-1]], tmp_path)
    assert (repr(found), found.root_map) == ("No file is missing.", {})


def test_what_it_prints_can_be_used(tmp_path):
    file = tmp_path / "lab.yml"
    write(tmp_path, "new: ü/2024/a.h5")
    db = Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "runs.db")}, name="lab")
    db.reg.register_handler("ONE", Single)
    one(db, "C:\\'old': #1\\2024\\a.h5", "/lost.h5", semantics="windows")
    said = repr(databroker.relocate(db(), tmp_path))
    assert said.startswith("1 of 2 missing files found.")
    assert "the configuration lab" in said
    assert "Not found:\n  /lost.h5" in said
    lines = said.partition("root_map:")[2].partition("\n\n")[0]
    file.write_text(f"driver: sqlite\npath: {tmp_path}/runs.db\nroot_map:{lines}\n")
    with Broker.from_config(yaml.safe_load(file.read_text())) as again:
        again.reg.register_handler("ONE", Single)
        assert len(again[-1].files().missing) == 1
    (line,) = [line for line in said.splitlines() if line.startswith("db.")]
    exec(line, {"db": db})
    assert len(db[-1].files().missing) == 1
    db.close()


def test_a_long_report_is_shortened(db, tmp_path):
    one(db, *(f"/old/{n}.h5" for n in range(500)))
    found = databroker.relocate(db[-1], tmp_path)
    assert len(found.missing) == 500
    assert len(repr(found).splitlines()) < 20
    assert "and 490 more" in repr(found)


# -- the root map alone ------------------------------------------------------


def aim(path, target, root_map=None):
    return Target(place_of({"root": "", "resource_path": path}, root_map), target)


def test_many_paths_are_no_trouble():
    aims = [aim(f"/old/{n % 100}/{n}.h5", f"/new/{n % 100}/{n}.h5") for n in range(20_000)]
    aims += [aim(f"/old/x/{n}.h5", f"/x{n}/{n}.h5") for n in range(200)]
    entries = propose(aims, {})
    assert entries["/old"] == "/new"
    assert len(entries) == 201
    for each in aims:
        path = each.place.recorded
        assert place_of({"root": "", "resource_path": path}, entries).path == each.target


def test_paths_that_cannot_be_had_both(db):
    aims = [aim("/old/a.h5", "/one/a.h5"), aim("/old/a.h5", "/two/a.h5")]
    assert propose(aims, {}) == {"/old": "/one"}
