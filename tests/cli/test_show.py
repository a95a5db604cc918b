"""One run and its files: what a person sees."""

import re

import pytest

from databroker import Broker
from databroker.cli import main


def test_show(run):
    code, out, _ = run("show", "-b", "example", "-1")
    assert code == 0
    for said in (
        r"status +success",
        r"scan_id +8",
        r"plan +scan",
        r"devices +det vs motor",
        r"primary +5 +det, motor, motor_setpoint",
        r"operator +: Dan",
        r"sample +: good sample",
        r"  num +: 5",
    ):
        assert re.search(said, out), said


def test_show_tells_the_reason_and_all_streams(run):
    assert "fail: the shutter closed during the scan" in run("show", "5")[1]
    _, out, _ = run("show", "3")
    assert re.search(r"baseline +2 +", out)
    assert re.search(r"ring_current_monitor +13 +", out)


@pytest.mark.parametrize("number", [1, 8])
def test_a_run_may_be_named_by_its_uid_or_a_part_of_it(run, number):
    db = Broker.named("example")
    uid = db[number].uid
    db.store.close()
    # A part of a uid that happens to be digits would be a scan_id.
    part = next(uid[:n] for n in range(4, 37) if not uid[:n].isdigit())
    assert run("show", uid) == run("show", part) == run("show", str(number))


def test_a_name_in_the_place_of_a_run_is_told(run):
    code, out, err = run("show", "example")
    assert (code, out) == (3, "")
    assert "If the configuration is meant, type -b example" in err


def test_a_misspelt_name_in_the_place_of_a_run_is_told(run):
    code, out, err = run("show", "exmple")
    assert (code, out) == (3, "")
    assert "no run whose uid is or begins with 'exmple'" in err
    assert "Did you mean 'example'?" in err


def test_documents_do_not_command_the_terminal(empty_home, capsys):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    (folder / "lab.yml").write_text(f"driver: sqlite\npath: {empty_home}/lab.db\n")
    evil = "\x1b[2J[red]x[/red] \ud800"
    db = Broker.named("lab")
    db.insert("start", {"uid": "u1", "time": 1.0, "sample": evil, "plan_name": evil, evil: evil})
    db.store.close()
    for command in (["list", "-b", "lab"], ["show", "u1"]):
        with pytest.raises(SystemExit) as caught:
            main(command)
        out = capsys.readouterr().out
        assert not caught.value.code
        assert "\x1b" not in out
        assert "[red]x[/red]" in out


def test_files(run, at_demo_home):
    code, out, _ = run("files", "4")
    assert code == 0
    lines = out.splitlines()
    assert re.fullmatch(r"5 files, all there \(\d+\.\d kB\)", lines[0])
    assert lines[1].split() == ["exists", "size", "fields", "path"]
    assert all(re.fullmatch(r"yes +\d+\.\d kB  img     \S+_\d\.npy", line) for line in lines[2:])
    assert run("files", "4", "--missing") == (0, "None of 5 files is missing.\n", "")
    assert run("files", "-b", "example", "-1") == (0, "no external files\n", "")


def test_missing_files_are_told_and_end_with_an_error(empty_home, capsys):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    (folder / "lab.yml").write_text(f"driver: sqlite\npath: {empty_home}/lab.db\n")
    (empty_home / "a b").mkdir()
    with Broker.named("lab") as db:
        db.insert("start", {"uid": "u1", "time": 1.0})
        for n in range(50):
            if n:
                (empty_home / "a b" / f"{n}.npy").write_bytes(b"")
            resource = {"uid": f"r{n}", "run_start": "u1", "spec": "npy", "resource_kwargs": {}}
            db.insert(
                "resource", resource | {"root": f"{empty_home}/a b", "resource_path": f"{n}.npy"}
            )
    for command, lines in ((["files", "u1"], 52), (["files", "-b", "lab", "u1", "--missing"], 3)):
        with pytest.raises(SystemExit) as caught:
            main(command)
        shown = capsys.readouterr()
        assert caught.value.code == 1
        assert f"no    {empty_home}/a b/0.npy" in re.sub(" {4,}", "    ", shown.out)
        assert len(shown.out.splitlines()) == lines
        assert shown.err == ""
