"""Whatever is wrong, a command says it in one line, and by the right exit code."""

import importlib
import re
import sqlite3
from pathlib import Path

import pytest

from databroker import Broker
from databroker.cli import main
from databroker.cli.outcome import AWAY, CODES, INTERRUPTED, MISUSED, NO, NOT_THERE, outcome
from databroker.errors import FileMissing, NoHandler, NoSuchField
from databroker.stores.sql.engine.sqlite.failures import translate
from helpers.run_builder import RunBuilder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def typed(capsys, empty_home, monkeypatch):
    monkeypatch.chdir(empty_home)

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.startswith("databroker: ")
        assert shown.err.count("\n") == 1
        return caught.value.code, shown.err

    return run


@pytest.fixture
def lab(empty_home):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    (folder / "lab.yml").write_text(f"driver: sqlite\npath: {empty_home}/lab.db\n")
    with Broker.named("lab") as db:
        for uid in ("aa1", "aa2"):
            db.insert("start", {"uid": uid, "time": 1.0, "note": "x" * 500_000})
    return empty_home


def test_no_configuration(typed):
    code, error = typed("list")
    assert code == NOT_THERE
    assert "databroker demo" in error


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["show", "bb"], NOT_THERE, "no run whose uid is or begins with 'bb'"),
        (["show", "aa"], NOT_THERE, "Several runs have a uid that begins with 'aa'"),
        (["export", "aa1", "--format", "excel"], MISUSED, "no format 'excel'"),
        (["export", "aa1", "--option", "foo=1"], MISUSED, "has no option 'foo'; its options are"),
        (["export", "aa1", "--table", "t.foo"], MISUSED, "files that end with"),
        (["export", "aa1", "--table", "text.csv"], NO, "With --overwrite"),
        (["export", "1:"], MISUSED, "must begin with a negative number"),
        (["show", "-3"], NOT_THERE, "only 2 runs"),
        (["table", "aa1"], NOT_THERE, "has no stream 'primary'"),
        (["list", "-b", "nowhere.db"], AWAY, "There is nothing at"),
        (["list", "-b", "text.db"], NO, "nothing that databroker can open"),
        (["list", "--since", "yesteryear"], MISUSED, "yesteryear"),
        (["list", "--where", '{"$nonsense": 1}'], MISUSED, "$nonsense"),
        (["export", "aa1", "--format", "jsonl", "--folder", "text.db"], NO, "text.db"),
        (["export", "aa1", "--format", "jsonl", "--folder", "text.db/a"], NO, "text.db/a"),
        (["export", "aa1", "--folder", "out", "--name", "{uid"], MISUSED, "no template"),
        (["backup", "text.db"], NO, "is there already"),
        (["backup", "none/at/all.db"], AWAY, "none/at"),
        (["backup"], MISUSED, "Missing argument 'PATH'"),
        (["replay", "--from", "gone"], MISUSED, "does not exist"),
    ],
    ids=lambda each: " ".join(each[:2]) if isinstance(each, list) else None,
)
def test_each_mistake_is_one_line(typed, lab, words, code, says):
    (lab / "text.db").write_text("no database")
    (lab / "text.csv").write_text("")
    found, error = typed(*words)
    assert (found, says in error) == (code, True), error


def test_a_file_that_cannot_be_made(tmp_path):
    path = tmp_path / "none" / "x.db"
    with pytest.raises(sqlite3.OperationalError) as caught:
        sqlite3.connect(path)
    assert "its folder may be written into" in str(translate(caught.value, path))


def test_external_data_that_cannot_be_had_are_no_name_that_is_not_there(capsys):
    assert {outcome(FileMissing("a")), outcome(NoHandler("b"))} == {NO}
    assert outcome(NoSuchField("c")) == NOT_THERE
    capsys.readouterr()


def test_a_server_that_is_away(typed, empty_home):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    uri = "postgresql://ann:s3cret@127.0.0.1:1/runs"
    (folder / "lab.yml").write_text(f"driver: postgresql\nuri: {uri}\nspill: false\n")
    code, error = typed("list")
    assert code == AWAY
    assert "s3cret" not in error


@pytest.mark.parametrize("words", [["list"], ["show", "scan"], ["status"]])
def test_that_a_server_is_away_is_said_once(empty_home, capsys, words):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    (folder / "lab.yml").write_text("driver: http\nuri: http://127.0.0.1:1/lab\n")
    with pytest.raises(SystemExit):
        main(words)
    error = capsys.readouterr().err
    assert error.count("cannot be reached") == 1
    assert ("Documents wait" in error) == (words == ["status"])


WRITTEN = {
    "a.csv": ["export", "--table", "a.csv", "scan"],
    "runs.xlsx": ["export", "--runs", "runs.xlsx", "scan"],
    "a.parquet": ["export", "--table", "a.parquet", "scan"],
    "scan.png": ["plot", "scan", "-o", "scan.png"],
    "scan.zip": ["pack", "scan", "--to", "scan.zip"],
    "scans": ["pack", "scan", "--to", "scans"],
    "copy.db": ["backup", "copy.db"],
}
"""What is written by commands that are told its name."""

IN_A_FOLDER = {
    "scan_primary.csv": ["export", "scan", "--name", "{uid}", "--format", "csv", "--folder", "."],
    "scan.jsonl": ["export", "scan", "--name", "{uid}", "--format", "jsonl", "--folder", "."],
    "scan.xlsx": ["export", "scan", "--name", "{uid}", "--format", "xlsx", "--folder", "."],
    "scan.h5": ["export", "scan", "--name", "{uid}", "--format", "nexus", "--folder", "."],
    "other.yml": ["config", "make", "other", "other.db", "--folder", "."],
}
"""What is written by commands that are told a folder."""


@pytest.fixture
def scan(lab):
    with Broker.named("lab") as db:
        run = RunBuilder(db, "scan")
        run.page(run.descriptor(["det"]), [1, 2], det=[1.0, 2.0])
        run.stop()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_folder_that_is_not_there(typed, scan, name):
    there = Path("none", name)
    _, error = typed(*(str(there) if word == name else word for word in WRITTEN[name]))
    assert re.search(rf"({there}: there is no folder|There is no folder \S+/none )", error)


def test_a_full_disk(typed, scan, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    full_disk = importlib.import_module("benchmarks.promises.full_disk")
    try:
        with full_disk.small_disk() as folder:
            full_disk.fill(folder / "filler", left=1000)
            there = sorted(folder.iterdir())
            for name, words in (WRITTEN | IN_A_FOLDER).items():
                replaced = {name: str(folder / name), ".": str(folder)}
                code, error = typed(*(replaced.get(word, word) for word in words))
                assert code == (AWAY if name == "copy.db" else NO)
                # One line, of the name that was typed, and of why.
                assert error.startswith(f"databroker: {folder / name}"), error
                assert re.search("No space left on device|disk is full", error)
                assert ".part" not in error
                assert sorted(folder.iterdir()) == there
    except full_disk.NoDisk as error:
        pytest.skip(f"no small disk can be had: {error}")


def test_an_interrupt_and_what_nobody_foresaw(capsys):
    assert outcome(KeyboardInterrupt()) == INTERRUPTED
    assert outcome(RuntimeError("odd\nthing")) == NO
    assert capsys.readouterr().err == (
        "databroker: interrupted\ndatabroker: RuntimeError: odd thing. This should not have "
        "happened; with --debug it is shown where it did.\n"
    )


def test_debug_shows_where_it_arose(empty_home, capsys):
    with pytest.raises(Exception, match="There is no configuration"):
        main(["list", "--debug"])
    with pytest.raises(Exception, match="There is no configuration"):
        main(["--debug", "list"])


def test_exit_codes_are_those_that_are_documented():
    assert set(CODES) == {0, NO, MISUSED, NOT_THERE, AWAY, INTERRUPTED}
