"""Whatever is wrong, a command says it in one line, and by the right exit code."""

import importlib
import sqlite3
from pathlib import Path

import pytest

from databroker import Broker
from databroker.cli import main
from databroker.cli.outcome import AWAY, CODES, INTERRUPTED, MISUSED, NO, NOT_THERE, outcome
from databroker.errors import FileMissing, NoHandler, NoSuchField
from databroker.stores.sql.engine.sqlite.failures import translate

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


def test_a_full_disk(typed, lab, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    full_disk = importlib.import_module("benchmarks.promises.full_disk")
    try:
        with full_disk.small_disk() as folder:
            full_disk.fill(folder / "filler", left=1000)
            code, error = typed("export", "aa1", "--format", "jsonl", "--folder", str(folder))
            assert code == NO
            assert "No space left on device" in error
            assert not list(Path(folder).glob("*.jsonl"))
            assert not list(Path(folder).glob(".*.part"))
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
