"""Which broker a command asks: one or several, by name, variable or path."""

import re
import shutil

import pandas as pd
import pytest

from databroker import Broker
from databroker.cli import main
from databroker.stores.memory import MemoryStore
from helpers.lab import save
from helpers.serving import served


@pytest.fixture
def two(lab, empty_home):
    """Have the configurations 'lab' and 'old', and a folder of files, each with a run."""
    with lab() as db:
        save(db, "9f3a", lambda n: {"det": n}, began=1.0)
    folder = empty_home / ".config/databroker"
    (folder / "old.yml").write_text(f"driver: sqlite\npath: {empty_home}/old.db\n")
    with Broker.named("old") as db:
        save(db, "b2c1", lambda n: {"det": 10 * n}, began=2.0)
    files = {"driver": "jsonl", "paths": str(empty_home / "runs")}
    with Broker.from_config(files) as db:
        save(db, "c3d2", lambda n: {"det": 100 * n}, began=3.0)
    return empty_home


def test_several_sources_are_a_configuration_like_others(lab, run_at_lab, empty_home):
    with lab() as db:
        db.insert("start", {"uid": "9f3a", "time": 1.0})
    folder = empty_home / ".config/databroker"
    (folder / "old.yml").write_text(f"driver: sqlite\npath: {empty_home}/old.db\n")
    with Broker.named("old") as db:
        db.insert("start", {"uid": "b2c1", "time": 2.0})
    (folder / "all.yml").write_text("driver: federation\nmembers: [lab, old]\n")
    _, listed, _ = run_at_lab("list", "-b", "all")
    assert [line.split()[0] for line in listed.splitlines()[1:3]] == ["b2c1", "9f3a"]
    assert "source   lab" in run_at_lab("show", "-b", "all", "9f3a")[1]
    assert "source" not in run_at_lab("show", "-b", "lab", "9f3a")[1]
    assert re.search(r"store +2 sources: lab .*\nruns +2", run_at_lab("status", "-b", "all")[1])


def test_several_names_are_one_broker_in_every_command(two, run_at_lab, tmp_path):
    both = ("-b", "lab", "--broker", "old")
    _, out, _ = run_at_lab("list", *both)
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["b2c1", "9f3a"]
    assert "source   lab" in run_at_lab("show", *both, "9f3a")[1]
    assert "source   old" in run_at_lab("show", *both)[1]
    assert "source   lab" in run_at_lab("show", "-2", *both)[1]
    assert run_at_lab("table", *both, "9f3a")[1].splitlines()[3].split()[2] == "1"
    assert run_at_lab("files", *both, "b2c1")[:2] == (0, "no external files\n")
    assert re.search(r"store +2 sources: lab .*\nruns +2", run_at_lab("status", *both)[1])
    assert run_at_lab("replay", *both)[:2] == (0, "Nothing waits to be sent.\n")
    assert run_at_lab("export", "-2:", *both, "--table", str(tmp_path / "both.csv"))[0] == 0
    assert set(pd.read_csv(tmp_path / "both.csv")["uid"]) == {"9f3a", "b2c1"}
    assert run_at_lab("copy", "lab", "old", str(tmp_path / "both.db"), "--since", "1970")[0] == 0
    assert (
        run_at_lab("list", "-b", str(tmp_path / "both.db"))[1].splitlines()[1:]
        == out.splitlines()[1:]
    )
    code, _, error = run_at_lab("indexes", *both)
    assert code == 1
    assert "has no indexes" in error


def test_the_broker_may_be_named_by_a_variable(two, run_at_lab, monkeypatch):
    monkeypatch.setenv("DATABROKER", "old")
    assert run_at_lab("list") == run_at_lab("list", "-b", "old")
    assert run_at_lab("list", "-b", "lab") != run_at_lab("list")
    monkeypatch.setenv("DATABROKER", "old lab")
    assert run_at_lab("list") == run_at_lab("list", "-b", "old", "-b", "lab")


def test_the_broker_may_be_named_before_the_command(run_at_lab, two):
    behind = run_at_lab("list", "-b", "old", "-b", "lab")
    assert behind[0] == 0
    assert run_at_lab("-b", "old", "--broker", "lab", "list") == behind
    assert run_at_lab("-b", "old")[0] == 2


def test_several_may_be_paths(two, run_at_lab, monkeypatch):
    monkeypatch.chdir(two)
    shutil.make_archive("packed", "zip", "runs")
    _, out, _ = run_at_lab("list", "-b", "packed.zip", "-b", "./old.db", "-b", "lab")
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["c3d2", "b2c1", "9f3a"]
    assert "source   ./old.db" in run_at_lab("show", "-b", "lab", "-b", "./old.db", "b2c1")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["list", "-b", "lab", "old"], 2, "unexpected extra argument"),
        (["show", "-b", "lab", "-b", "old", "-1", "-2"], 2, "One run is meant"),
        (["export", "-b", "lab", "-b", "old"], 2, "Say which runs"),
        (["list", "-b", "lab", "-b", "od"], 3, "Did you mean 'old'?"),
        (["list", "-b", "lab", "-b", "./nowhere"], 4, "There is nothing at"),
    ],
)
def test_mistakes_with_several_names(two, run_at_lab, arguments, code, says):
    found, out, error = run_at_lab(*arguments)
    assert (found, out) == (code, "")
    assert says in error


def test_the_configuration_may_be_left_out(run):
    assert run("show") == run("show", "-b", "example", "-1")


def test_of_several_configurations_one_must_be_chosen(empty_home, capsys):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        (folder / f"{name}.yml").write_text("driver: memory\n")
    with pytest.raises(SystemExit) as caught:
        main(["show", "-1"])
    assert caught.value.code == 3
    assert "Say by -b which configuration is meant: one, two." in capsys.readouterr().err


@pytest.fixture
def at_work(empty_home, tmp_path, monkeypatch, typed):
    """A folder with a file and a folder of runs, in which commands are typed."""
    monkeypatch.chdir(tmp_path)
    for config in ({"driver": "sqlite", "path": "home.db"}, {"driver": "jsonl", "paths": "runs"}):
        with Broker.from_config(config) as db:
            db.insert("start", {"uid": config["driver"], "time": 1.0, "sample": "Ni"})
    return typed


@pytest.mark.parametrize(
    ("path", "uid"),
    [("home.db", "sqlite"), ("./runs", "jsonl"), ("runs/", "jsonl"), ("runs/jsonl.jsonl", "jsonl")],
)
def test_a_path_stands_for_a_name(at_work, path, uid):
    for words in (("list", "-b", path), ("show", "-b", path), ("show", uid[:3], "-b", path)):
        code, output, errors = at_work(*words)
        assert (code, errors) == (0, "")
        assert uid in output


def test_a_name_that_is_a_path_too_is_told(at_work):
    code, _, errors = at_work("list", "-b", "runs")
    assert code == 3
    assert "type ./runs" in errors


def test_a_path_at_which_nothing_is_is_told(at_work):
    code, _, errors = at_work("list", "-b", "nothing/here")
    assert code == 4
    assert "There is nothing at" in errors


def test_a_server_is_named_by_its_address(run_at_lab):
    store = MemoryStore()
    store.insert("start", {"uid": "remote", "time": 1.0})
    with served(store) as server:
        assert run_at_lab("list", "--uids", "-b", server.uri)[:2] == (0, "remote\n")
        assert run_at_lab("config", "make", "far", server.uri)[0] == 0
        assert run_at_lab("list", "--uids", "-b", "far")[:2] == (0, "remote\n")
