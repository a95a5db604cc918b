"""External files go with their runs, where that is asked for; old resources go with theirs."""

import pytest

import databroker
from databroker import Broker
from databroker.errors import CopyRefused
from databroker.stores.memory import MemoryStore
from helpers.runs import EXTERNAL, descriptor, event, image_files, plain, save, start, stop


@pytest.fixture
def source(tmp_path):
    db = databroker.temp()
    save(db, image_files(tmp_path / "then"))
    save(db, plain())
    return db


def values(db, uid="files-run"):
    return [int(image[0, 0]) for image in db[uid].data("img")]


@pytest.mark.parametrize("named", [True, False])
def test_resources_go_with_their_runs(tmp_path, named):
    source, target = databroker.temp(), databroker.temp()
    save(source, image_files(tmp_path / "then", named=named))
    report = databroker.copy(source, target)
    assert report.rows == 6
    assert values(target) == [0, 1, 2]
    digests = {
        each.digest for run in (report, databroker.copy(target, temp())) for each in run.runs
    }
    assert len(digests) == 1
    assert not databroker.copy(source, target).copied


def test_an_old_resource_may_belong_to_several_runs(tmp_path):
    source, target = databroker.temp(), databroker.temp()
    datum = {"resource": "files-res", "datum_kwargs": {"index": 0}}
    more = [("datum", datum | {"datum_id": f"files-res/{n}"}) for n in range(3, 200)]
    save(source, [*image_files(tmp_path / "then", named=False), *more])
    second = [start("second"), descriptor("second", "main", "primary", {"img": EXTERNAL})]
    save(source, [*second, event("second", "main", 1, {"img": "files-res/1"}), stop("second")])
    report = databroker.copy(source, target)
    assert [run.outcome for run in report.runs] == ["copied", "copied"]
    assert values(target, "second-run") == [1]
    again = databroker.copy(target, temp())
    assert [run.digest for run in again.runs] == [run.digest for run in report.runs]


def temp():
    return databroker.temp()


def test_files_are_copied_and_the_documents_point_to_the_copies(source, tmp_path):
    target = temp()
    report = databroker.copy(source, target, files=tmp_path / "now")
    assert report
    assert len(report.files) == 3
    assert ", 3 files in " in repr(report)
    (tmp_path / "then").rename(tmp_path / "gone")
    assert values(target) == [0, 1, 2]
    (tmp_path / "gone").rename(tmp_path / "then")
    again = databroker.copy(source, target, files=tmp_path / "now")
    assert [run.outcome for run in again.runs] == ["there", "there"]
    assert again.files == report.files


def test_files_of_runs_that_point_elsewhere_are_not_copied(source, tmp_path):
    target = temp()
    databroker.copy(source, target)
    report = databroker.copy(source, target, files=tmp_path / "now")
    (failed,) = report.failed
    assert "points to other files" in failed.problem
    assert not (tmp_path / "now").exists()


def test_a_missing_file_keeps_its_run_back(source, tmp_path):
    (tmp_path / "then/img_1.npy").unlink()
    target = temp()
    (failed,) = databroker.copy(source, target, files=tmp_path / "now").failed
    assert "there is no file" in failed.problem
    assert [run.uid for run in target()] == ["plain-run"]


def test_true_is_a_folder_beside_the_file(source, tmp_path):
    report = databroker.copy(source, tmp_path / "home.db", files=True)
    assert {new.split("/img_")[0] for _, new in report.files} == {str(tmp_path / "home-files")}
    with Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "home.db")}) as db:
        assert values(db) == [0, 1, 2]
    with pytest.raises(CopyRefused, match="Name one"):
        databroker.copy(source, MemoryStore(), files=True)
