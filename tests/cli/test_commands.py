"""The commands, on the demonstration: what a person sees."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from databroker import Broker, __version__
from databroker.cli import demo, main


def test_demo_shows_the_table_and_what_to_type(demo_output):
    assert "Configuration 'example' created: " in demo_output.stdout
    assert "8 runs added." in demo_output.stdout
    assert re.search(r"time +det +motor +motor_setpoint", demo_output.stdout)
    for value in ("0.606531", "0.135335", "0.011109", "0.000335", "0.000004"):
        assert value in demo_output.stdout
    assert lines_to_type(demo_output)[1:] == [
        "from databroker import Broker",
        "db = Broker.named('example')",
        "db[-1].table()",
    ]


def lines_to_type(demo_output):
    """What the demonstration says to type: the last lines of its output."""
    return re.findall(r"^    (.*)", demo_output.stdout.partition("Type next:")[2], re.MULTILINE)


def test_what_demo_says_to_type_works_in_the_same_shell(demo_output, at_demo_home):
    terminal, end = os.openpty()
    # A prompt with colours and history would read the terminal in its own way.
    environment = os.environ | {"TERM": "dumb", "PYTHON_BASIC_REPL": "1"}
    with subprocess.Popen(["sh"], stdin=end, stdout=end, stderr=end, env=environment) as shell:
        os.close(end)
        typed = [*lines_to_type(demo_output), "exit()", "exit"]
        os.write(terminal, "".join(f"{line}\n" for line in typed).encode())
        shown = b""
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # how a terminal says that nobody is at its other end
            pass
    os.close(terminal)
    assert b"0.606531" in shown
    assert shell.returncode == 0


def test_what_demo_says_to_type_starts_this_python(monkeypatch, tmp_path):
    here = tmp_path / "a folder"
    there = here / ".venv/bin"
    there.mkdir(parents=True)
    python = there / "python"
    python.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.chdir(here)
    monkeypatch.setenv("PATH", "/nowhere")
    assert demo.what_starts_python() == ".venv/bin/python"
    monkeypatch.chdir(there)
    assert demo.what_starts_python() == "./python"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/python").symlink_to(sys.executable)  # of another environment
    monkeypatch.setenv("PATH", str(tmp_path / "elsewhere"))
    assert demo.what_starts_python() == f"'{python}'"
    monkeypatch.setenv("PATH", str(there))
    assert demo.what_starts_python() == "python"


def test_demo_makes_no_noise(demo_output):
    assert demo_output.stderr == ""  # which is no terminal
    for noise in ("Pausing", "Aborting", "Traceback", "Run aborted", "ShutterClosed"):
        assert noise not in demo_output.stdout + demo_output.stderr


def test_a_second_demo_says_that_it_added_nothing(run):
    code, out, _ = run("demo")
    assert code == 0
    assert "Configuration 'example' kept: " in out
    assert "Nothing was added: all 8 runs are there already." in out
    assert "0.606531" in out


def test_config_list_shows_the_configurations(run):
    code, out, _ = run("config", "list")
    assert code == 0
    assert out.splitlines()[1].split() == [
        *("example", "Demonstration", "runs,", "made", "by", "'databroker", "demo'")
    ]


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


def test_the_configuration_may_be_left_out(run):
    assert run("show") == run("show", "-b", "example", "-1")


def test_a_name_in_the_place_of_a_run_is_told(run):
    code, out, err = run("show", "example")
    assert (code, out) == (3, "")
    assert "If the configuration is meant, type -b example" in err


def test_a_misspelt_name_in_the_place_of_a_run_is_told(run):
    code, out, err = run("show", "exmple")
    assert (code, out) == (3, "")
    assert "no run whose uid is or begins with 'exmple'" in err
    assert "Did you mean 'example'?" in err


@pytest.mark.parametrize("number", [1, 8])
def test_a_run_may_be_named_by_its_uid_or_a_part_of_it(run, number):
    db = Broker.named("example")
    uid = db[number].uid
    db.store.close()
    # A part of a uid that happens to be digits would be a scan_id.
    part = next(uid[:n] for n in range(4, 37) if not uid[:n].isdigit())
    assert run("show", uid) == run("show", part) == run("show", str(number))


def test_table(run):
    code, out, _ = run("table", "-1")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["time", "det", "motor", "motor_setpoint"]
    assert lines[2].endswith("0.606531    1.0             1.0")
    assert lines[7].startswith("The times are of 20")
    assert len(lines) == 8


def test_table_of_a_stream_and_of_fields(run):
    _, out, _ = run("table", "3", "--stream", "baseline", "--fields", "temperature, motor")
    assert set(out.splitlines()[0].split()) == {"time", "temperature", "motor"}
    assert len(out.splitlines()) == 5


def number(**more):
    return {"dtype": "number", "shape": [], "source": "sim"} | more


def save(db, uid, columns, events=5, step=1.0, began=1.7e9):
    """Save a run with these values, made from the number of the event."""
    db.insert("start", {"uid": uid, "time": began})
    keys = {name: number() for name in columns(0)}
    descriptor = {"uid": f"{uid}-d", "run_start": uid, "time": began, "name": "primary"}
    db.insert("descriptor", descriptor | {"data_keys": keys})
    for n in range(events):
        data = columns(n)
        event = {"uid": f"{uid}-{n}", "descriptor": f"{uid}-d", "time": began + n * step}
        stamps = dict.fromkeys(data, began)
        db.insert("event", event | {"seq_num": n + 1, "data": data, "timestamps": stamps})


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("columns", [3, 20, 100])
def test_each_row_is_one_line_and_what_has_no_room_is_told(
    lab, run_at_lab, monkeypatch, columns, width
):
    with lab() as db:
        save(db, "u1", lambda n: {f"column_{k}": n * k / 3 for k in range(columns)}, events=30)
    monkeypatch.setenv("COLUMNS", str(width))
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    rows = [line for line in lines if re.match(r"\d+ +\d\d:\d\d:\d\d\.\d{3} ", line)]
    assert [int(row.split()[0]) for row in rows] == list(range(1, 31))
    assert max(map(len, lines)) <= width
    shown = re.findall(r"column_(\d+)", lines[0])
    assert len(rows[0].split()) == len(shown) + 2
    told = " ".join(lines[32:])
    assert "The times are of 2023-11-14 UTC." in told
    left_out = columns - len(shown)
    named = re.findall(r"column_(\d+)", told)
    more = re.search(r"and (\d+) more", told)
    assert len(named) + (int(more[1]) if more else 0) == left_out
    assert not set(named) & set(shown)
    assert ("Choose columns with --fields." in told) == bool(left_out)


def test_in_a_pipe_every_column_is_given(lab, run_at_lab, monkeypatch):
    with lab() as db:
        save(db, "u1", lambda n: {f"column_{k}": n * k / 3 for k in range(100)})
    monkeypatch.delenv("COLUMNS")
    out = run_at_lab("table", "-b", "lab")[1]
    assert len(out.splitlines()[0].split()) == 101
    assert "Left out" not in out


def test_long_columns_yield_to_others(lab, run_at_lab, monkeypatch):
    with lab() as db:
        save(db, "u1", lambda n: {"text": "x" * 500, "det": n / 3, "motor": float(n)})
    monkeypatch.setenv("COLUMNS", "60")
    out = run_at_lab("table", "-b", "lab")[1]
    assert out.splitlines()[0].split() == ["time", "det", "motor"]
    assert "Left out, as there is no room: text." in out
    monkeypatch.setenv("COLUMNS", "80")
    assert run_at_lab("table", "-b", "lab")[1].splitlines()[0].split() == [
        *("time", "text", "det", "motor")
    ]


def test_a_name_longer_than_the_terminal_is_cut(lab, run_at_lab, monkeypatch):
    with lab() as db:
        save(db, "u1", lambda n: {"x" * 200: n, "y" * 200: n})
    monkeypatch.setenv("COLUMNS", "80")
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert re.search(r"time  x+…$", lines[0])
    assert lines[2].split()[2] == "0"


def test_arrays_are_told_by_what_they_are(lab, run_at_lab):
    with lab() as db:
        row = {"wave": np.arange(500.0), "image": np.zeros((48, 64), "u2"), "few": [1, 2]}
        save(db, "u1", lambda n: row | {"none": None, "odd": "\x1b[2J"})
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert re.split("  +", lines[2])[2:] == [
        *("500 float64", "48 x 64 uint16", "[1 2]", "None", r"\x1b[2J")
    ]


def test_times_of_several_days_have_their_date(lab, run_at_lab):
    with lab("timezone: Asia/Tokyo\n") as db:
        save(db, "u1", lambda n: {"det": n}, step=40_000)
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert lines[2].split()[1:3] == ["2023-11-15", "07:13:20"]
    assert lines[-1] == "The times are in JST."


def test_of_a_long_table_the_ends_are_shown(lab, run_at_lab):
    with lab() as db:
        save(db, "u1", lambda n: {"det": n}, events=1000)
    lines = run_at_lab("table", "-b", "lab")[1].splitlines()
    assert [line.split()[0] for line in lines[2:23]] == [
        *map(str, range(1, 11)),
        "...",
        *map(str, range(991, 1001)),
    ]
    assert lines[-1] == "These are the first and last 10 of 1,000 rows."


def test_a_stream_without_events_says_so(lab, run_at_lab):
    with lab() as db:
        save(db, "u1", lambda n: {"det": n}, events=0)
    assert run_at_lab("table", "-b", "lab")[1] == "The stream 'primary' has no events.\n"


def test_files(run, at_demo_home):
    code, out, _ = run("files", "4")
    assert code == 0
    lines = out.splitlines()
    assert re.fullmatch(r"5 files, all there \(\d+\.\d kB\)", lines[0])
    assert lines[1].split() == ["exists", "size", "fields", "path"]
    assert all(re.fullmatch(r"yes +\d+\.\d kB  img     \S+_\d\.npy", line) for line in lines[2:])
    assert run("files", "4", "--missing") == (0, "None of 5 files is missing.\n", "")
    assert run("files", "-b", "example", "-1") == (0, "no external files\n", "")


@pytest.mark.parametrize("name", ["runs.parquet", "runs.arrow", "runs.csv", "runs.xlsx"])
def test_export(run, at_demo_home, tmp_path, name):
    path = tmp_path / name
    arguments = ["--table", str(path), "-w", "plan_name=scan", "--since", "2000"]
    arguments += ["--fields", "det, motor", "-m", "plan_name"]
    code, out, _ = run("export", *arguments)
    assert (code, out.splitlines()[0]) == (0, f"Written: {path}")
    read = {".parquet": pd.read_parquet, ".arrow": pd.read_feather, ".csv": pd.read_csv}
    read |= {".xlsx": pd.read_excel}
    found = read[path.suffix](path)
    with Broker.named("example") as db:
        wanted = db(plan_name="scan").table(["det", "motor"], metadata=["plan_name"]).reset_index()
    assert list(found.columns) == list(wanted.columns)
    assert found["det"].tolist() == pytest.approx(wanted["det"].tolist())
    assert set(found["plan_name"]) == {"scan"}
    assert list(tmp_path.iterdir()) == [path]
    before = path.read_bytes()
    code, _, error = run("export", *arguments)
    assert (code, error) == (
        1,
        f"databroker: {path} is there already. With --overwrite, it is replaced.\n",
    )
    assert path.read_bytes() == before
    assert run("export", *arguments, "--overwrite")[0] == 0


def test_export_of_what_the_runs_are(run, at_demo_home, tmp_path):
    path = tmp_path / "runs.csv"
    code, out, _ = run("export", "--since", "2000", "--runs", str(path), "-m", "detectors")
    assert (code, out) == (0, f"Written: {path}\n")
    with Broker.named("example") as db:
        wanted = db().to_frame(timezone="UTC")
    found = pd.read_csv(path)
    assert list(found.columns) == [*wanted.columns, "detectors"]
    assert found["uid"].tolist() == wanted["uid"].tolist()
    times = pd.to_datetime(found["time"], format="ISO8601")
    assert times.tolist() == wanted["time"].tolist()


def test_what_cannot_be_exported(run, tmp_path):
    code, _, error = run("export", "-1", "--table", str(tmp_path / "runs.doc"))
    assert (code, error.count("\n")) == (2, 1)
    assert " .csv, .xlsx, .parquet, .arrow, not 'runs.doc'" in error
    code, _, error = run("export", "1", "--table", str(tmp_path / "none" / "runs.csv"))
    assert code == 1
    assert "none/runs.csv: there is no folder to make it in" in error
    code, _, error = run("export", "1", "--table", str(tmp_path / "a.csv"), "-f", "nonsense")
    assert code == 3
    assert "There is no field 'nonsense'" in error
    code, _, error = run("export", "1", "--format", "jsn")
    assert code == 2
    assert "Did you mean 'json'?" in error
    assert list(tmp_path.iterdir()) == []


def test_export_of_each_run_into_its_own_file(run, tmp_path):
    arguments = ["export", "-3:", "--format", "jsonl", "--folder", str(tmp_path)]
    arguments += ["--name", "{plan_name}/{scan_id:03}"]
    code, out, _ = run(*arguments)
    assert (code, out) == (0, "3 files written.\n")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jsonl"))
    assert found == ["count/007.jsonl", "rel_scan/006.jsonl", "scan/008.jsonl"]
    assert "3 there already" in run(*arguments)[1]
    assert run("list", "-b", f"{tmp_path}/scan")[1].count("success") == 1


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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "-b", "exmple"], "Did you mean 'example'?"),
        (["show", "-b", "nope"], "There is no configuration 'nope'"),
        (["show", "-99"], ""),
        (["show", "zzz"], "zzz"),
        (["show", "4711"], "4711"),
        (["show", ""], ""),
        (["table", "-1", "--stream", "primry"], "Did you mean 'primary'? Its streams: primary."),
        (["table", "-1", "--fields", "nope"], "nope"),
    ],
)
def test_an_error_is_one_line(run, arguments, says):
    code, out, err = run(*arguments)
    assert code == 3
    assert out == ""
    assert err.startswith("databroker: ")
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export"], "Say which runs"),
        (["show", "a", "b"], "One run is meant"),
        (["show", "-5:"], "One run is meant"),
        (["list", "--where", "sample"], "'sample' is no condition"),
        (["list", "--where", "{sample"], "is not JSON"),
        (
            ["table", "-1", "--feilds", "det"],
            "There is no option --feilds. Did you mean '--fields'?",
        ),
        (["list", "--limit", "0"], "--limit"),
        (["lst"], "lst"),
    ],
)
def test_a_command_that_makes_no_sense_says_how_to_use_it(run, arguments, says):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(r"See 'databroker( \w+)? --help'", err)
    assert says in err


LOADED = """
import sys
from databroker.cli import main
try:
    main(sys.argv[2:])
except SystemExit:
    print([name for name in sys.argv[1].split() if name in sys.modules])
"""
HEAVY = "pandas numpy pyarrow rich.console regex bluesky ophyd typer pydantic importlib.metadata"


def loaded(command, names):
    """Return which modules are loaded once a command has run in a process of its own."""
    process = [sys.executable, "-c", LOADED, names, *command]
    done = subprocess.run(process, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_help_is_quick(at_demo_home):
    others = "databroker.cli.demo databroker.cli.listing"
    assert loaded(["show", "--help"], f"{HEAVY} yaml sqlite3 {others}") == "[]"
    assert loaded(["--help"], f"{HEAVY} yaml sqlite3 databroker.config") == "[]"


def test_a_list_loads_nothing_that_it_does_not_need(at_demo_home):
    assert (
        loaded(["config", "list"], f"{HEAVY} sqlite3 databroker.broker databroker.times.zones")
        == "[]"
    )
    ours = "sql.integrity sql.engine.sqlite.backup"
    names = " ".join(f"databroker.stores.{name}" for name in ours.split())
    names += " databroker.runs.stream.stream databroker.columns databroker.times.bounds"
    names += " databroker.external.locate databroker.query.parse databroker.stores.contents"
    assert loaded(["list", "-b", "example"], f"{HEAVY} {names}") == "[]"


def test_what_a_run_is_made_of_is_shown_without_numpy(at_demo_home):
    assert loaded(["show", "-b", "example"], f"{HEAVY} databroker.columns.batches") == "[]"


def test_without_a_command_help_is_shown(run):
    out = run()[1] + run()[2]
    assert "Usage: databroker" in out
    for command in ("demo", "list", "show", "table", "files", "copy", "export"):
        assert f"  {command} " in out


def test_python_dash_m(at_demo_home):
    command = [sys.executable, "-m", "databroker", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"databroker {__version__}\n"


def test_a_reader_that_goes_away_is_no_error(at_demo_home):
    command = f"{sys.executable} -m databroker show -1 | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("uid")
    assert "Traceback" not in done.stderr


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


def test_of_several_configurations_one_must_be_chosen(empty_home, capsys):
    folder = empty_home / ".config/databroker"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        (folder / f"{name}.yml").write_text("driver: memory\n")
    with pytest.raises(SystemExit) as caught:
        main(["show", "-1"])
    assert caught.value.code == 3
    assert "Say by -b which configuration is meant: one, two." in capsys.readouterr().err


def test_the_output_in_a_pipe_is_not_cut(at_demo_home):
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "databroker", "list", "-b", "example"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert "…" not in done.stdout


def test_progress_is_told_where_errors_go_in_a_terminal(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "rows/s" in run("copy", "example", str(tmp_path / "home.db"))[2]


def test_copy_says_what_became_of_the_runs(run, tmp_path):
    target = str(tmp_path / "home.db")
    code, out, err = run("copy", "example", target, "-w", "plan_name=scan")
    assert code == 0
    assert re.match(r"\d+ runs? copied: [\d ]+ events and datums, .*B in .* s\.\nWhat was", out)
    assert err == ""  # which is no terminal
    assert re.search(r"copied, \d+ there already", run("copy", "example", target)[1])
    with Broker.from_config({"driver": "sqlite", "path": target}) as db:
        assert db().count() == 8
        db.insert("start", {"uid": "odd", "time": 1.0, "sample": "Fe"})
    with Broker.from_config({"driver": "sqlite", "path": str(tmp_path / "odd.db")}) as odd:
        odd.insert("start", {"uid": "odd", "time": 1.0, "sample": "Cu"})
    code, out, _ = run("copy", str(tmp_path / "odd.db"), target, "-t", "nowhere", "--no-verify")
    assert code == 0
    assert out.startswith("No runs: 0 events and datums, 0 B in ")
    code, out, _ = run("copy", str(tmp_path / "odd.db"), target)
    assert code == 1
    assert "1 run failed" in out
    assert "- 'odd': start document 'odd' is already stored with other content" in out


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
