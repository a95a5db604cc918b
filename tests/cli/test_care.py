"""The commands that make, check and keep: what a person sees."""

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from databroker import Broker
from databroker.cli import main


@pytest.fixture
def typed(capsys, empty_home):
    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        shown = capsys.readouterr()
        return caught.value.code or 0, shown.out, shown.err

    return run


@pytest.fixture
def lab(typed, empty_home):
    typed("config", "make", "lab", str(empty_home / "lab.db"))
    with Broker.named("lab") as db:
        yield db


def save(db, uid, events=3, counted=3, files=()):
    db.insert("start", {"uid": uid, "time": 1.7e9})
    keys = {"det": {"dtype": "number", "shape": [], "source": "sim"}}
    run = {"run_start": uid, "time": 1.7e9}
    for n, path in enumerate(files):
        place = {"root": "/", "resource_path": str(path), "spec": "npy", "resource_kwargs": {}}
        db.insert("resource", {"uid": f"{uid}-r{n}", "run_start": uid, **place})
    db.insert("descriptor", {"uid": f"{uid}-d", "name": "primary", "data_keys": keys, **run})
    for n in range(1, events + 1):
        event = {"uid": f"{uid}-{n}", "descriptor": f"{uid}-d", "time": 1.7e9, "seq_num": n}
        db.insert("event", {**event, "data": {"det": n}, "timestamps": {"det": 1.7e9}})
    stop = {"uid": f"{uid}-s", "exit_status": "success", "num_events": {"primary": counted}}
    db.insert("stop", {**stop, **run})


def test_a_configuration_is_made_and_works(typed, empty_home, monkeypatch):
    monkeypatch.chdir(empty_home)
    code, out, _ = typed("config", "make", "lab", "runs.db", "--description", "Ours")
    path = empty_home / ".config/databroker/lab.yml"
    assert (code, out) == (0, f"Written: {path}\nTry it: databroker list -b lab\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert typed("list", "-b", "lab")[:1] == (0,)
    assert (empty_home / "runs.db").exists()
    _, shown, _ = typed("config", "show", "lab")
    assert shown == f"# {path}\ndriver: sqlite\npath: {empty_home}/runs.db\ndescription: Ours\n"
    code, _, error = typed("config", "make", "lab", "others.db")
    assert code == 1
    assert "is there already" in error
    assert "runs.db" in path.read_text()
    assert typed("config", "make", "lab", "others.db", "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lab", "mysql://host/x"], "sqlite"),
        (["lab", "--set", "driver=sqlit", "--set", "path=a.db"], "Did you mean 'sqlite'"),
        (["lab", "--set", "path"], "write key=value"),
        (["a/b", "a.db"], "can be no name"),
    ],
)
def test_what_makes_no_configuration(typed, empty_home, words, says):
    code, _, error = typed("config", "make", *words)
    if code:
        assert says in error
        assert not (empty_home / ".config/databroker").exists()
    else:
        assert says in (empty_home / ".config/databroker/lab.yml").read_text()


def test_passwords_are_not_shown(typed, empty_home):
    typed("config", "make", "lab", "postgresql://ann:s3cret@host/runs")
    assert "s3cret" in (empty_home / ".config/databroker/lab.yml").read_text()
    assert "s3cret" not in typed("config", "show", "lab")[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [(["lab"], "say PLACE, where the runs are"), ([], "say NAME, how it is called")],
)
def test_where_nobody_can_be_asked_all_must_be_said(typed, words, says):
    code, _, error = typed("config", "make", *words)
    assert (code, error.count("\n")) == (2, 1)
    assert says in error
    assert "See 'databroker config make --help'." in error


@pytest.mark.parametrize(("words", "typed"), [(["lab"], b"\n"), ([], b"lab\n\n")])
def test_in_a_terminal_what_is_left_out_is_asked_for(empty_home, words, typed):
    terminal, end = os.openpty()
    command = [sys.executable, "-m", "databroker", "config", "make", *words]
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=subprocess.PIPE) as process:
        os.close(end)
        os.write(terminal, typed)
        asked = process.stderr.read().decode()
    os.close(terminal)
    assert ("The name of the configuration" in asked) == (not words)
    assert "Where are the runs?" in asked
    text = (empty_home / ".config/databroker/lab.yml").read_text()
    assert text.endswith("databroker/lab.db\n")


def test_where_says_which_folders_and_what_is_in_them(typed, lab, empty_home):
    _, out, _ = typed("config", "where")
    assert f"1. {empty_home}/.config/databroker: lab\n" in out
    assert "there is no such folder" in out


def test_a_check_of_what_is_right(typed, lab):
    save(lab, "good")
    code, out, error = typed("check")
    assert code == 0
    assert out.count("checked: all is as it was written.") == 2
    assert error == ""


def test_a_check_says_what_is_not_as_it_should_be(typed, lab, tmp_path):
    save(lab, "good")
    save(lab, "counted", counted=5)
    save(lab, "files", files=[tmp_path / "none.npy"])
    code, out, _ = typed("check")
    assert code == 1
    assert "Run 'counted': its stop document counts 5 events in 'primary', and there are 3." in out
    assert f"Run 'files': 1 external file missing: {tmp_path}/none.npy." in out
    assert "good" not in out
    assert typed("check", "good")[0] == 0
    assert typed("check", "files", "--no-files")[0] == 0
    assert typed("check", "files", "good")[0] == 1


def test_a_check_finds_gaps(typed, lab):
    save(lab, "gap", events=2, counted=3)
    event = {"uid": "late", "descriptor": "gap-d", "time": 1.7e9, "seq_num": 9}
    lab.insert("event", {**event, "data": {"det": 9}, "timestamps": {"det": 1.7e9}})
    code, out, _ = typed("check", "gap")
    assert code == 1
    assert "of the events 1 to 9 in 'primary', 6 are missing" in out


def test_an_index_is_repaired_only_if_one_says_so(typed, lab, empty_home):
    save(lab, "good")
    assert lab(uid="good").count() == 1
    lab.close()
    with sqlite3.connect(empty_home / "lab.db") as database:
        database.execute("delete from texts")
    database.close()
    assert typed("check")[0] == 1
    assert typed("check")[0] == 1
    code, out, _ = typed("check", "--repair")
    assert (code, "(mended)" in out) == (0, True)
    assert typed("check")[0] == 0
    assert typed("check", "good", "--repair")[0] == 2


def test_a_backup_is_a_copy_and_overwrites_nothing(typed, lab, tmp_path):
    save(lab, "good")
    path = tmp_path / "copy.db"
    assert typed("backup", str(path))[:2] == (0, f"Written: {path}\n")
    assert "good" in typed("list", "-b", str(path))[1]
    code, _, error = typed("backup", str(path))
    assert code == 1
    assert "never overwrites" in error


def test_doctor_ends_with_an_error_where_something_is_bad(typed, lab, empty_home):
    code, out, _ = typed("doctor")
    assert code == 0
    assert "extra" in out
    assert typed("doctor", "--brief")[1] == "All is as it should be.\n"
    with (empty_home / ".config/databroker/lab.yml").open("a") as file:
        file.write("root_map: {/old: /nowhere/at/all}\n")
    code, out, _ = typed("doctor", "--brief")
    assert code == 1
    assert "root map  /old is now /nowhere/at/all, which is not there" in out
    assert "→ mount it" in out
