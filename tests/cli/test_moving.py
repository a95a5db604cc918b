"""Runs are packed and brought in from the terminal: the examples run, and what is wrong is said."""

import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import databroker
from databroker import Broker
from databroker.cli import main
from databroker.cli.importing import import_files
from databroker.cli.packing import pack
from databroker.export import export


@pytest.fixture
def typed(capsys):
    """Run a command in this process; give its exit code, output and errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        return caught.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def labs(empty_home, monkeypatch):
    """Make the configurations that the examples name, and be in a folder with files to import."""
    monkeypatch.chdir(empty_home)
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    for name in ("example", "lab", "archive"):
        (folder / f"{name}.yml").write_text(f"driver: sqlite\npath: {empty_home}/{name}.db\n")
        with Broker.named(name) as db:
            more = {"plan_name": "scan", "sample": "good sample"}
            for n in range(5):
                db.insert("start", {"uid": f"{name}-{n}", "time": 1.72e9 + n, "scan_id": n, **more})
    return empty_home


@pytest.fixture
def files(labs):
    """Write files of documents of every form that the examples name."""
    with databroker.temp() as db:
        db.insert("start", {"uid": "new", "time": 1.0})
        for form, name in (("jsonl", "scan"), ("msgpack", "old"), ("json", "list")):
            export(db(), labs, form, name=name)
        (labs / "july").mkdir()
        export(db(), labs / "july", "jsonl", name="a")
        databroker.pack(db(), labs / "beamtime.zip")
    return labs


@pytest.mark.parametrize("example", pack.examples)
def test_each_example_of_pack_runs(labs, typed, example):
    code, out, _ = typed(*shlex.split(example)[1:])
    assert code == 0
    assert " in " in out
    path = labs / example.partition("--to ")[2].split()[0]
    assert databroker.packing.verify_pack(path)


@pytest.mark.parametrize("example", import_files.examples)
def test_each_example_of_import_runs(files, typed, example, monkeypatch):
    piped, _, command = example.rpartition("| ")
    words = shlex.split(command.replace("july/*.jsonl.gz", "july"))
    if piped:
        monkeypatch.setattr(sys, "stdin", (files / "scan.jsonl").open("rb"))
    code, out, _ = typed(*words[1:])
    if piped:
        sys.stdin.close()
    assert code == 0
    assert out.startswith("1 run new")


def test_what_is_refused_is_shown_and_told_by_the_exit_code(files, typed):
    with (files / "scan.jsonl").open("a") as file:
        file.write("\x1b[31mnonsense\n")
    code, out, _ = typed("import", "-b", "lab", "scan.jsonl")
    assert code == 1
    assert out.startswith("1 run new")
    assert "- scan.jsonl, line 2: it is no JSON" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("place", ["./july", "july.zip"])
@pytest.mark.parametrize(
    "command", [["import", "-b", "./home.db", "PACK"], ["copy", "PACK", "home.db"]]
)
def test_external_files_that_stay_in_a_pack_are_told(labs, typed, place, command):
    data = labs / "data"
    data.mkdir()
    np.save(data / "a.npy", [1, 2])
    with Broker.named("lab") as db:
        db.insert("start", {"uid": "files", "time": 1.8e9})
        where = {"root": str(data), "resource_path": "a.npy", "resource_kwargs": {}}
        db.insert("resource", {"uid": "r", "run_start": "files", "spec": "npy", **where})
    typed("pack", "files", "-b", "lab", "--to", place)
    words = [place if word == "PACK" else word for word in command]
    code, _, error = typed(*words)
    assert (code, error.count("\n")) == (0, 1)
    assert f"Not copied out of {Path(place)}: 1 external file, as no folder" in error
    assert "The runs find them where they were recorded." in error
    data.rename(labs / "elsewhere")
    _, _, error = typed(*words)
    assert "Not where they were recorded: 1 of them." in error
    entries = yaml.safe_load(error.partition("they are: ")[2])["root_map"]
    if place.endswith("zip"):
        assert "Unpack july.zip" in error
        shutil.unpack_archive(place, "july")
    (labs / "home.yml").write_text(
        yaml.safe_dump({"driver": "sqlite", "path": "home.db", "root_map": entries})
    )
    with Broker.from_config(yaml.safe_load((labs / "home.yml").read_text())) as home:
        assert not home["files"].files().missing
    assert typed("copy", place, "new.db", "--files", "files")[2] == ""


def test_check_compares_a_pack_with_its_checksums(labs, typed):
    typed("pack", "-2:", "-b", "lab", "--to", "july")
    code, out, _ = typed("check", "-b", "./july")
    assert (code, out.splitlines()[0]) == (0, "4 files are as packed.")
    (labs / "july" / "manifest.json").write_text("{}")
    code, out, _ = typed("check", "-b", "./july")
    assert code == 1
    assert "- manifest.json" in out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["pack", "--to", "x"], 2, "Say which runs"),
        (["pack", "-1"], 2, "--to"),
        (["pack", "-1", "--to", "lab.db", "-b", "lab"], 1, "there already"),
        (["pack", "--where", "scan_id=99", "--to", "x"], 3, "no runs"),
        (["import", "nothing.jsonl"], 4, "nothing at nothing.jsonl"),
        (["import"], 2, "FILE"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(labs, typed, arguments, code, says):
    found, out, err = typed(*arguments)
    assert (found, out) == (code, "")
    assert err.splitlines()[-1].startswith("databroker: ")
    assert says in err
