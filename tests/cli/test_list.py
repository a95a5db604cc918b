"""Lists of configurations, of runs and of indexes: what a person sees."""

import re
import shutil

import pytest

from databroker import Broker
from databroker.cli import main


def test_config_list_shows_the_configurations(run):
    code, out, _ = run("config", "list")
    assert code == 0
    assert out.splitlines()[1].split() == [
        *("example", "Demonstration", "runs,", "made", "by", "'databroker", "demo'")
    ]


def test_broken_configurations_are_marked(empty_home, run_at_lab, recwarn):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    (folder / "good.yml").write_text("driver: memory\ndescription: A good one\n")
    (folder / "key.yml").write_text("driver: sqlite\npth: runs.db\n")
    (folder / "yaml.yml").write_text("driver: [sqlite\n")
    (folder / "good.yaml").write_text("driver: memory\n")
    code, out, err = run_at_lab("config", "list")
    assert code == 0
    said = {line.split()[0]: line for line in out.splitlines()}
    assert "A good one" in said["good"]
    assert re.search(r"broken: \S+key.yml, line 2: there is no key 'pth'", said["key"])
    assert re.search(r"broken: \S+yaml.yml, line 2: this is not YAML", said["yaml"])
    assert err.splitlines() == [
        f"databroker: warning: Several files are called 'good': {folder}/good.yml is used, "
        f"{folder}/good.yaml is not."
    ]
    assert not recwarn.list
    # Other commands do not repeat it.
    assert run_at_lab("list", "-b", "good")[2] == ""


def test_on_a_fresh_machine_list_says_what_to_do(empty_home, capsys):
    with pytest.raises(SystemExit):
        main(["list"])
    assert "databroker demo" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["config", "list"])
    assert "databroker demo" in capsys.readouterr().out


def test_list_of_a_configuration_shows_its_newest_runs(run):
    code, out, _ = run("list", "-b", "example")
    assert code == 0
    lines = out.splitlines()
    captions = ["scan_id", "uid", "started", "(UTC)", "plan", "devices", "sample", "status"]
    assert lines[0].split() == captions
    assert [line.split()[0] for line in lines[1:]] == [str(n) for n in range(8, 0, -1)]
    db = Broker.named("example")
    newest = db[-1]
    for said in (newest.uid[:8], "scan", "det vs motor", "good sample", "success"):
        assert said in lines[1]
    assert {line.split()[-1] for line in lines[1:]} == {"success", "fail", "abort", "unknown"}
    db.store.close()


def test_list_says_when_there_are_more(run):
    _, out, _ = run("list", "-b", "example", "--limit", "3")
    assert len(out.splitlines()) == 5
    assert "these are the newest 3" in out
    assert "more" not in run("list", "-b", "example", "--limit", "8")[1]


def test_in_a_narrow_terminal_uids_and_times_stay_whole(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    _, out, _ = run("list", "-b", "example")
    assert len(re.findall(r"^ +\d  [0-9a-f]{8}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", out, re.M)) == 8


def test_each_run_is_one_line_of_a_terminal(run, monkeypatch):
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = run("list", "-b", "example")[1].splitlines()
        assert len(lines) == 9
        assert max(map(len, lines)) <= width


def test_a_column_that_no_run_fills_is_left_out(lab, run_at_lab):
    with lab() as db:
        db.insert("start", {"uid": "u1", "time": 1.0, "plan_name": "count"})
    out = run_at_lab("list", "-b", "lab")[1]
    assert out.splitlines()[0].split() == ["uid", "started", "(UTC)", "plan", "status"]


def test_a_caption_names_both_times_of_a_zone(lab, run_at_lab):
    with lab("timezone: America/New_York\n") as db:
        for n, time in enumerate((1.7e9, 1.715e9)):
            db.insert("start", {"uid": f"u{n}", "time": time})
    lines = run_at_lab("list", "-b", "lab")[1].splitlines()
    assert "started (EDT/EST)" in lines[0]
    assert "2024-05-06 08:53:20" in lines[1]
    assert "2023-11-14 17:13:20" in lines[2]


def test_times_are_shown_with_their_zone(at_demo_home, capsys, monkeypatch):
    file = at_demo_home / ".config/databroker/example.yml"
    other = at_demo_home / "tokyo"
    other.mkdir(exist_ok=True)
    (other / "tokyo.yml").write_text(file.read_text() + "timezone: Asia/Tokyo\n")
    monkeypatch.setenv("DATABROKER_PATH", str(other))
    for command in (
        ["table", "-b", "tokyo", "-1"],
        ["show", "-b", "tokyo", "-1"],
        ["list", "-b", "tokyo"],
    ):
        with pytest.raises(SystemExit):
            main(command)
        assert "JST" in capsys.readouterr().out


def test_indexes_of_folders_that_are_gone_are_listed_and_removed(run_at_lab, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run_at_lab("indexes", "--kept") == (0, "No index of files is kept.\n", "")
    for driver, name in (("jsonl", "stays"), ("msgpack", "goes")):
        with Broker.from_config({"driver": driver, "paths": str(tmp_path / name)}) as db:
            db.insert("start", {"uid": name, "time": 1.0})
    shutil.rmtree(tmp_path / "goes")
    kept = tmp_path / "cache/databroker/files"
    (kept / "jsonl-2-0.db").write_bytes(b"no database")
    shown = re.sub(r" +[\d.]+ [kM]?B ", " ", run_at_lab("indexes", "--kept")[1])
    damaged = f"no files: {kept}/jsonl-2-0.db"
    lines = {f"there {tmp_path}/stays", f"gone {tmp_path}/goes", f"gone {damaged}"}
    assert {" ".join(line.split()) for line in shown.splitlines()} == lines
    assert len(list(kept.glob("*.db"))) == 3  # to list them removes nothing
    out = run_at_lab("indexes", "--remove-gone")[1]
    assert len(re.findall(r"^removed .*(?:goes|jsonl-2-0.db)$", out, re.MULTILINE)) == 2
    assert len(list(kept.glob("*.db"))) == 1
    assert run_at_lab("indexes", "--kept")[1].split()[0] == "there"
    assert run_at_lab("list", "-b", str(tmp_path / "stays"))[0] == 0
