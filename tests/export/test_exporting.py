"""Runs become files: whole ones, none written over, each of one run."""

import json
import os

import pytest

import databroker
from databroker.errors import CopyRefused, InvalidKey, NoHandler, NotSupported
from databroker.export import Format, Part, export, formats
from databroker.export.naming import file_name
from databroker.stores.files import JSONLStore, MsgpackStore
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import insert_all, whole_run


@pytest.fixture
def db():
    with databroker.temp() as db:
        for uid in "abc":
            insert_all(db.store, whole_run(uid))
        yield db


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


class Uids(Format):
    suffix, about = ".txt", "uids"

    def parts(self, run, choice):
        def write(path):
            path.write_text(run.uid)
            yield "all else"

        yield Part(write)


class Failing(Format):
    suffix, about = ".txt", "what fails"

    def __init__(self, error=None, uid="b"):
        self.error, self.uid = error or NoHandler("there is none"), uid

    def parts(self, run, choice):
        def write(path):
            path.write_text("half of it")
            if run.uid == self.uid:
                raise self.error
            return ()

        yield Part(write)


@pytest.mark.parametrize("store", [JSONLStore, MsgpackStore])
def test_documents_are_read_again_as_they_were(db, tmp_path, store):
    report = export(db(), tmp_path, store.format.suffix[1:])
    assert len(report.written) == 3
    with databroker.open(tmp_path) as found:
        # What came last is the newest, and exported first.
        documents = [pair for uid in "cba" for pair in whole_run(uid)]
        assert_identical(answers(found.store, documents), expected(documents))


def test_json_is_one_array_of_documents(db, tmp_path):
    export(db["a"], tmp_path, "json", name="{uid}")
    found = json.loads((tmp_path / "a.json").read_text())
    assert found == [list(pair) for pair in db["a"].documents()]


def test_a_part_of_a_run(db, tmp_path):
    export(db["a"], tmp_path, "json", name="{uid}", streams="none")
    found = json.loads((tmp_path / "a.json").read_text())
    assert not {"descriptor", "event"} & {kind for kind, _ in found}
    assert {"start", "stop"} < {kind for kind, _ in found}


def test_what_is_there_is_left_unless_it_is_asked_for(db, tmp_path):
    export(db["a"], tmp_path, Uids(), name="{uid}")
    (tmp_path / "a.txt").write_text("mine")
    report = export(db(), tmp_path, Uids(), name="{uid}")
    assert (len(report.written), report.kept) == (2, [tmp_path / "a.txt"])
    assert "1 there already" in repr(report)
    assert (tmp_path / "a.txt").read_text() == "mine"
    export(db(), tmp_path, Uids(), name="{uid}", overwrite=True)
    assert (tmp_path / "a.txt").read_text() == "a"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NoHandler("there is none"), "there is none"),
        (ValueError("odd"), "ValueError: odd. This should not have happened"),
    ],
)
def test_a_run_that_fails_does_not_hold_up_others(db, tmp_path, error, said):
    report = export(db(), tmp_path, Failing(error), name="{uid}")
    assert not report
    assert report.failed == [("b", said)]
    assert names(tmp_path) == ["a.txt", "c.txt"]
    assert f"- run 'b': {said}" in repr(report)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_was_broken_off_leaves_whole_files_and_goes_on(db, tmp_path, error):
    with pytest.raises(type(error)):
        export(db(), tmp_path, Failing(error), name="{uid}")
    assert names(tmp_path) == ["c.txt"]
    report = export(db(), tmp_path, Failing(uid=None), name="{uid}")
    assert (len(report.written), len(report.kept)) == (2, 1)


def test_losses_are_told(db, tmp_path):
    report = export(db(), tmp_path, Uids(), name="{uid}")
    assert report.losses == {"all else": 3}
    assert "Not held by these files: all else." in repr(report)


def test_two_runs_in_one_file_are_refused(db, tmp_path):
    with pytest.raises(CopyRefused, match="tell more of a run"):
        export(db(), tmp_path, Uids(), name="same")


def test_progress_is_told_run_by_run(db, tmp_path):
    told = []
    export(db(), tmp_path, Uids(), progress=lambda n, report: told.append((n, len(report.written))))
    assert told == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{scan_id:05}-{sample}", "00012-Ni-Cu"),
        ("{date:%Y-%m}/{uid:.4}", "2001-09/0ce9"),
        ("{nothing}_{uid:.4}", "0ce9"),
        ("{nothing}-{sample[0]}_x", "N_x"),
        ("../{uid:.4}", "0ce9"),
        ("/{evil}", "etc-passwd"),
        ("{nothing}", "0ce9b8a2"),
    ],
)
def test_names(template, name):
    with databroker.temp() as db:
        start = {"uid": "0ce9b8a2", "time": 1e9, "scan_id": 12, "evil": "/etc/passwd"}
        db.insert("start", {**start, "sample": "Ni/Cu"})
        assert file_name(template, db[-1], {}) == name


@pytest.mark.parametrize("time", [1e300, -1e300])
def test_a_time_that_is_none_is_left_out_of_names(time):
    with databroker.temp() as db:
        db.insert("start", {"uid": "0ce9b8a2", "time": time})
        assert file_name("{date:%Y}_{uid:.4}", db[-1], {}) == "0ce9"


@pytest.mark.parametrize("template", ["{uid", "{uid:d}", "{sample.x}", "{scan_id[a]}"])
def test_what_is_no_template(db, template):
    with pytest.raises(InvalidKey, match="no template"):
        file_name(template, db["a"], {})


def test_formats_that_are_not_there(db, tmp_path):
    with pytest.raises(NotSupported, match="Did you mean 'json'"):
        export(db(), tmp_path, "json1")
    with pytest.raises(NotSupported, match="'jsonl' has no option 'colour'; it has none"):
        export(db(), tmp_path, "jsonl", colour="red")
    with pytest.raises(NotSupported, match=r"'csv' has no option 'colour'; .*units.*fill"):
        export(db(), tmp_path, "csv", colour="red")
    assert os.listdir(tmp_path) == []


def test_every_format_says_what_it_is_for():
    for name, about in formats().items():
        assert about, name
