"""The commands that look at runs, as people and as programs use them."""

import csv
import io
import json
import math
import re
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from databroker import Broker
from databroker._util.formulas import unguarded
from databroker.cli import run_changes
from databroker.cli.run_changes import Watch
from databroker.errors import StoreAway
from databroker.runs.following import follower
from databroker.stores.sql.store import SQLStore
from helpers.interruptible import interruptible
from helpers.run_builder import RunBuilder, number


@pytest.fixture
def read(run):
    """Run a command where the demonstration is, and read the JSON or the CSV that it prints."""

    def read(*arguments):
        _, out, error = run(*arguments)
        assert error == ""
        if "--csv" in arguments:
            return list(csv.DictReader(io.StringIO(out)))
        return json.loads(out, parse_constant=pytest.fail)

    return read


# -- lists ---------------------------------------------------------------------


def test_a_list_for_programs_has_stable_columns(read):
    rows = read("list", "--json")
    columns = ["uid", "scan_id", "time", "plan_name", "status", "num_events"]
    assert list(rows[0]) == columns
    with Broker.named("example") as db:
        wanted = db().to_frame(convert_times=False)
    for name in columns:
        assert [row[name] for row in rows] == wanted[name].tolist()
    assert [list(row.values()) for row in read("list", "--csv")] == [
        [str(value) for value in row.values()] for row in rows
    ]


def test_a_list_of_chosen_columns(run, read):
    names = "scan_id,uid,started,sample.name,sample,devices,stop.num_events.primary,num_events"
    _, out, _ = run("list", "-c", names, "-n", "5")
    captions = ["scan_id", "uid", "started", "(UTC)", "sample.name", "sample", "devices"]
    assert out.splitlines()[0].split()[:7] == captions
    assert re.search(r"4  \w{8}  \S+ \S+  Ni foil +Ni foil +img, det vs motor +5 +5$", out, re.M)
    rows = read("list", "--json", "--columns", names, "-n", "5")
    assert list(rows[0]) == names.split(",")
    four, seven = rows[4], rows[1]
    assert (four["sample.name"], four["sample"], four["devices"]) == (
        *("Ni foil", "Ni foil", "img, det vs motor"),
    )
    assert (seven["stop.num_events.primary"], seven["num_events"]) == (None, 4)
    assert type(four["started"]) is float
    assert len(four["uid"]) == 36


@pytest.mark.filterwarnings("always")
def test_a_column_that_was_asked_for_stays_when_it_is_empty(run):
    _, out, errors = run("list", "-c", "uid,operater,sample,stop.reason", "-w", "scan_id=3")
    assert out.splitlines()[0].split() == ["uid", "operater", "sample", "stop.reason"]
    assert "no run has the key 'operater'. Did you mean 'operator'?" in errors
    assert errors.count("\n") == 1


def test_runs_of_several_brokers_are_looked_at_together(lab, run_at_lab, empty_home):
    with lab() as db:
        RunBuilder(db, "one", time=1.0, sample="Ni")
    path = str(empty_home / "other.db")
    with Broker.from_config({"driver": "sqlite", "path": path}) as db:
        RunBuilder(db, "two", time=2.0, sample="Cu").descriptor(["det"])
    both = ["-b", "lab", "-b", path]
    _, out, _ = run_at_lab("search", *both, "scan_id=7", "--json", "-c", "uid,source,sample")
    assert json.loads(out) == [
        {"uid": "two", "source": path, "sample": "Cu"},
        {"uid": "one", "source": "lab", "sample": "Ni"},
    ]
    code, out, _ = run_at_lab("diff", *both, "one", "two")
    assert code == 1
    assert re.search("sample +Ni → Cu", out)
    assert run_at_lab("streams", *both, "one") == (0, "No streams yet.\n", "")


def test_uids_alone_are_whole(run, read):
    _, out, _ = run("list", "--uids", "-w", "plan_name=scan")
    assert out.splitlines() == [
        row["uid"] for row in read("list", "--json", "--where", "plan_name=scan")
    ]
    assert {len(line) for line in out.splitlines()} == {36}
    assert run("search", "plan_name=scan", "--uids")[1] == out


def test_of_nothing_programs_get_an_empty_list(run):
    nothing = ["--where", "plan_name=none"]
    assert run("list", "--json", *nothing) == (0, "[]\n", "")
    assert run("list", "--csv", "-c", "uid", *nothing) == (0, "uid\n", "")
    assert run("list", "--uids", *nothing) == (0, "", "")


# -- searches ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "scan_ids"),
    [
        (["good", "sample"], [8, 6, 1]),
        (["good sample"], [8, 6, 1]),
        (["good", "plan_name=scan"], [8]),
        (["scan_id>2", "scan_id<=4"], [4, 3]),
        (['{"scan_id": {"$in": [2, 5]}}'], [5, 2]),
        (["motor=eta"], [3]),
        (["plan_name~^rel"], [6]),
        (['"good sample" -peak'], [8, 1]),
        (["status=abort"], [6]),
        (["--since", "2000", "--until", "3000", "foil"], [4, 2]),
        (["--until", "2000"], []),
    ],
)
def test_a_search_takes_words_conditions_and_queries(run, read, words, scan_ids):
    rows = read("search", "--json", "-c", "scan_id", *words)
    assert [row["scan_id"] for row in rows] == scan_ids
    assert run("search", "--count", *words)[1] == f"{len(scan_ids)}\n"


def test_a_search_says_how_many_there_are(run):
    _, out, _ = run("search", "-n", "2", "sample")
    assert out.splitlines()[-1] == "These are the newest 2 of 4 runs."
    assert "newest" not in run("search", "sample")[1]
    assert run("search", "nowhere") == (0, "No run is like that.\n", "")


# -- one run -------------------------------------------------------------------


def test_show_for_programs(read):
    shown = read("show", "4", "--json")
    with Broker.named("example") as db:
        assert (shown["start"], shown["stop"]) == (db[4].start, db[4].stop)
    assert (shown["uid"], shown["status"]) == (shown["start"]["uid"], "success")
    (primary,) = shown["streams"]
    assert (primary["stream"], primary["num_events"]) == ("primary", 5)
    assert primary["fields"][0] == {
        "field": "img",
        "dtype": "array",
        "shape": [48, 64],
        "units": None,
        "source": "SIM:img",
        "external": "FILESTORE",
    }
    assert read("show", "7", "--json")["stop"] is None


def test_streams(run, read):
    _, out, _ = run("streams", "4")
    assert out.splitlines()[0].split() == [
        *("stream", "num_events", "field", "dtype", "shape", "source", "external"),
    ]
    assert re.search(r"^primary +5  img +array +48 x 64  SIM:img", out, re.M)
    assert re.search(r"^ {15,}det +number +SIM:det$", out, re.M)
    counts = {row["stream"]: row["num_events"] for row in read("streams", "3", "--json")}
    assert counts == {"baseline": 2, "ring_current_monitor": 13, "primary": 13}
    rows = read("streams", "3", "--csv")
    baseline = {row["field"] for row in rows if row["stream"] == "baseline"}
    assert baseline == {"motor", "motor_setpoint", "temperature"}


def test_a_run_without_streams_has_an_empty_list_of_them(lab, run_at_lab):
    with lab() as db:
        RunBuilder(db)
    assert run_at_lab("streams") == (0, "No streams yet.\n", "")
    assert run_at_lab("streams", "--json") == (0, "[]\n", "")


def test_files_for_programs(read):
    rows = read("files", "4", "--json")
    assert len(rows) == 5
    assert {(row["exists"], row["spec"], *row["fields"]) for row in rows} == {
        (True, "NPY_SEQ", "img")
    }
    assert [row["path"] for row in read("files", "4", "--csv")] == [row["path"] for row in rows]


# -- tables --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "seq_nums", "told"),
    [
        (["--head", "2"], [1, 2], "These are the first 2 of 25 rows."),
        (["--tail", "1"], [25], "These are the last 1 of 25 rows."),
        (["--head", "1", "--tail", "2"], [1, 24, 25], "the first 1 and the last 2 of 25 rows."),
        (["--head", "2", "--tail", "2"], [1, 2, 24, 25], "These are the first and last 2 of 25"),
        (["--head", "20", "--tail", "20"], [*range(1, 26)], "The times are of"),
    ],
)
def test_the_ends_of_a_table(run, read, ends, seq_nums, told):
    _, out, _ = run("table", "2", *ends)
    assert [int(n) for n in re.findall(r"^(\d+) ", out, re.M)] == seq_nums
    assert told in out.splitlines()[-1]
    if len(seq_nums) < 25:
        assert [row["seq_num"] for row in read("table", "2", "--json", *ends)] == seq_nums


def test_a_table_for_programs_has_all_rows_exactly(lab, run_at_lab):
    values = {"ints": 2**60 + 1, "floats": 0.1 + 0.2, "text": 'a,"b"\nc', "truth": True}
    with lab() as db:
        run = RunBuilder(db)
        fields = {**values, "array": np.array([1, 2]), "nan": math.nan, "far": math.inf, "none": 1}
        descriptor = run.descriptor(list(fields))
        other = run.descriptor({"late": number()}, time=1001.0)
        for _ in range(99):
            run.event(descriptor, data=fields | {"none": None})
        run.event(other, seq_num=100, late=5)
        run.stop()
    code, out, _ = run_at_lab("table", "--json")
    rows = json.loads(out, parse_constant=pytest.fail)
    assert (code, len(rows)) == (0, 100)
    assert {name: rows[0][name] for name in values} == values
    assert rows[0]["time"] == 1001.0
    assert [rows[0][name] for name in ("array", "nan", "far", "none", "late")] == [
        *([1, 2], None, None, None, None),
    ]
    assert (rows[99]["late"], rows[99]["ints"]) == (5, None)
    rows = list(csv.DictReader(io.StringIO(run_at_lab("table", "--csv")[1])))
    assert len(rows) == 100
    assert list(rows[0].values()) == [
        *("1", "1001.0", "1152921504606846977", "0.30000000000000004", 'a,"b"\nc', "true"),
        *("[1, 2]", "", "inf", "", ""),
    ]


@pytest.fixture
def long_run(lab):
    """A run of many rows, the last of which have another field."""
    with lab() as db:
        run = RunBuilder(db)
        descriptor = run.descriptor(["det"])
        for first in range(0, 20_000, 2_000):
            rows = range(first, first + 2_000)
            run.page(descriptor, [n + 1 for n in rows], det=list(rows))
        run.page(run.descriptor(["late"], time=1001.0), range(20_001, 20_011), late=[0.5] * 10)
        run.stop()


@pytest.fixture
def rows_read(monkeypatch):
    """Count the rows that are read of a store: with data, and only to see in which order."""
    counted = {"data": 0, "order": 0}
    reader = SQLStore._reader

    def counting(self, kind, extent, stop, selection):
        made = reader(self, kind, extent, stop, selection)
        rows = made.rows

        def read(first, stop):
            counted["data" if selection.data else "order"] += stop - first
            return rows(first, stop)

        made.rows = read
        return made

    monkeypatch.setattr(SQLStore, "_reader", counting)
    return counted


@pytest.mark.parametrize(
    ("arguments", "most", "seq_nums"),
    [
        (["--head", "2"], 2, [1, 2]),
        (["--tail", "3"], 3, [20_008, 20_009, 20_010]),
        (["--head", "1", "--tail", "1"], 2, [1, 20_010]),
        (["--head", "2", "--json"], 2, [1, 2]),
        (["--tail", "12", "--csv"], 12, [*range(19_999, 20_011)]),
        ([], 20, [*range(1, 11), *range(20_001, 20_011)]),
    ],
)
def test_no_more_of_a_table_is_read_than_is_shown(
    long_run, run_at_lab, rows_read, arguments, most, seq_nums
):
    out = run_at_lab("table", *arguments)[1]
    found = re.findall(r'^(?:{"seq_num": )?(\d+)\b', out, re.M)
    assert list(map(int, found)) == seq_nums
    assert rows_read["data"] == most
    assert rows_read["order"] <= 2 * 2_000  # of the blocks at the ends


def test_a_table_for_programs_has_rows_without_the_fields_too(long_run, run_at_lab):
    ends = ("--head", "1", "--tail", "1", "--json")
    for field, found in (("det", [0, None]), ("late", [None, 0.5]), ("time", [1001, 21_010])):
        rows = json.loads(run_at_lab("table", *ends, "--fields", field)[1])
        assert [row[field] for row in rows] == found
        assert [row["seq_num"] for row in rows] == [1, 20_010]


def test_no_cell_is_a_formula(lab, run_at_lab):
    texts = ["=1+1", "+cmd", "-x", "@SUM(A1)", "-5", "Ni", "'=x"]
    with lab() as db:
        run = RunBuilder(db, sample="=1+1")
        run.page(run.descriptor(["=f"]), range(1, 8), **{"=f": texts})
        run.stop()
    out = list(csv.DictReader(io.StringIO(run_at_lab("table", "--csv")[1])))
    assert [row["'=f"] for row in out] == [
        *("'=1+1", "'+cmd", "'-x", "'@SUM(A1)", "-5", "Ni", "''=x")
    ]
    assert [unguarded(row["'=f"]) for row in out] == texts
    assert run_at_lab("list", "--csv", "-c", "sample")[1].splitlines() == ["sample", "'=1+1"]
    rows = json.loads(run_at_lab("table", "--json")[1])
    assert [row["=f"] for row in rows] == texts


def test_fields_beside_the_events_are_columns_too(read):
    rows = read("table", "8", "--json", "--fields", "det,motor_velocity,plan_name")
    assert list(rows[0]) == ["seq_num", "time", "det", "motor_velocity", "plan_name"]
    assert (rows[0]["motor_velocity"], rows[0]["plan_name"]) == (1, "scan")


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_what_programs_get_commands_no_terminal(lab, run_at_lab, form):
    evil = "\x1b[2J\x7f\x9b\u202e\ud800"
    with lab() as db:
        run = RunBuilder(db, sample=evil)
        run.event(run.descriptor([evil, "det"]), data={evil: evil, "det": evil})
        run.stop()
    for command in (
        ["list", "-c", "sample"],
        ["table"],
        ["streams"],
        ["files"],
        ["diff", "7", "7"],
    ):
        _, out, _ = run_at_lab(*command, form)
        assert out.replace("\n", "").isprintable(), command
    assert json.loads(run_at_lab("list", "-c", "sample", "--json")[1]) == [{"sample": evil}]


# -- differences ---------------------------------------------------------------


def test_differences(run, read):
    code, out, _ = run("diff", "1", "8")
    assert code == 1
    lines = out.splitlines()
    assert re.fullmatch(r"\d+ differences", lines[0])
    assert re.fullmatch(r"old  \w{8}  scan_id 1  \S+ \S+ UTC", lines[1])
    assert re.search(r"^metadata\n  plan_name +count → scan$", out, re.M)
    assert re.search(r"^end\n  num_events.primary  3 → 5$", out, re.M)
    found = read("diff", "1", "8", "--json")
    assert found["old"]["scan_id"] == 1
    assert {"kind": "end", "key": "num_events.primary", "old": 3, "new": 5} in found["changes"]
    assert {"kind", "key", "new"} in map(set, found["changes"])  # what was not there has no value
    assert len(read("diff", "1", "8", "--csv")) == len(found["changes"])


def test_of_runs_without_differences_it_is_said(run):
    code, out, _ = run("diff", "8", "8")
    assert (code, out.splitlines()[0]) == (0, "No differences")


def test_without_runs_the_two_newest_are_compared(run):
    assert run("diff", "--json") == run("diff", "-2", "-1", "--json")


@pytest.mark.parametrize("keys", [["8"], ["1", "2", "3"], ["1", "-3:"]])
def test_two_runs_are_compared(run, keys):
    assert run("diff", *keys)[:2] == (2, "")


def test_differences_fit_into_a_terminal(run, monkeypatch):
    for width in (60, 80, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = run("diff", "1", "8")[1].splitlines()
        assert max(map(len, lines)) <= width


# -- watching ------------------------------------------------------------------


def begin(db, uid="one", scan_id=1, **more):
    """Begin a run whose stream has the field 'det'."""
    run = RunBuilder(db, uid, scan_id=scan_id, time=time.time(), **more)
    return run, run.descriptor(["det"], time=time.time())


def said(watch):
    return [(each.run.uid, each.what, each.status, each.num_events) for each in watch.look()]


def test_what_happens_to_runs_is_told(lab):
    with lab() as db:
        run, descriptor = begin(db, "there already")
        watch = Watch(db, 2)
        assert said(watch) == []
        run.event(descriptor, det=1, time=time.time())
        assert said(watch) == [("there already", "grew", "running", 1)]
        others = [begin(db, f"run {n}") for n in range(3)]
        assert said(watch) == [(f"run {n}", "started", "running", 0) for n in range(3)]
        run.event(descriptor, det=2, time=time.time())
        others[2][0].stop()
        begin(db, "last")[0].stop()
        assert said(watch) == [
            ("run 2", "ended", "success", 0),
            ("last", "started", "success", 0),
            ("last", "ended", "success", 0),
        ]  # of the older runs, two are looked at
        assert said(watch) == []


def test_a_server_that_is_away_is_waited_for(lab, monkeypatch):
    monkeypatch.setattr(run_changes, "_PAUSE", 0.01)
    with lab() as db:
        finds = iter([1, StoreAway("it is away"), 2, StoreAway("it stays away")])

        def look():
            found = next(finds)
            if isinstance(found, Exception):
                raise found
            return found

        looks = run_changes.looks(db, look)
        assert next(looks) == 1
        begin(db)
        assert next(looks) == 2
        monkeypatch.setattr(run_changes, "AWAY", 0.0)
        begin(db, "another")
        with pytest.raises(StoreAway, match="it stays away"):
            next(looks)


def test_the_events_of_a_run_are_followed_until_it_ends(lab, run_at_lab, monkeypatch):
    db = lab()
    run, descriptor = begin(db)

    def wakeups(*_, **__):
        yield time.monotonic()
        run.event(descriptor, det=0.1 + 0.2)
        yield time.monotonic()
        run.event(descriptor, det=2)
        run.stop()
        yield time.monotonic()
        pytest.fail("the run has ended")

    monkeypatch.setattr(follower, "wakeups", wakeups)
    code, out, _ = run_at_lab("watch", "one")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["seq_num", "time", "det"],
        ["1", "00:16:41", "0.3"],
        ["2", "00:16:42", "2"],
        ["The", "run", "has", "ended:", "success."],
    ]
    db.close()


def test_events_of_a_run_that_is_over_are_printed_at_once(run, read, monkeypatch):
    code, out, _ = run("watch", "8", "--json")
    assert code == 0
    assert list(map(json.loads, out.splitlines())) == read("table", "8", "--json")
    assert run("watch", "5")[0] == 1  # it failed
    assert run("watch", "8", "--stream", "none")[0] == 3
    assert run("watch", "8", "--fields", "none")[0] == 3
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = run("watch", "2", "--fields", "motor1,motor2_setpoint,det4")
    assert out.startswith("Left out, as there is no room: motor1, motor2_setpoint")
    assert max(map(len, out.splitlines()[1:])) <= 40


def test_in_a_pipe_each_thing_that_happens_is_a_line(tmp_path):
    path = str(tmp_path / "runs.db")
    with Broker.from_config({"driver": "sqlite", "path": path}) as db:
        begin(db, "there already")
        command = [
            sys.executable,
            "-m",
            "databroker",
            "watch",
            "-b",
            path,
            "--json",
            "--limit",
            "2",
        ]
        pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        with interruptible(command, **pipes) as process:
            ready = []
            while not ready and process.poll() is None:  # what it sees first is not new
                begin(db, f"new {time.time()}")
                ready, *_ = select.select([process.stdout], [], [], 0.2)
            line = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            errors = process.communicate(timeout=60)[1].decode()
    assert json.loads(line).keys() == {
        *("what", "uid", "scan_id", "time", "plan_name", "status", "num_events"),
    }
    assert (process.returncode, errors.strip()) == (130, "databroker: interrupted")


# -- completion ----------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(run, shell, monkeypatch):
    code, out, _ = run("completion", shell)
    assert code == 0
    assert f"_DATABROKER_COMPLETE={shell}_complete" in out
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    assert run("completion")[1] == out
    monkeypatch.setenv("SHELL", "/bin/csh")
    assert run("completion")[0] == 2


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("databroker sea", "search"),
        ("databroker config sh", "show"),
        ("databroker list -b ", "example"),
        ("databroker list --where nonsense --li", "--limit"),
        ("databroker show 1 2 --js", "--json"),
        ("databroker table 3 --stream ", "baseline ring_current_monitor primary"),
        ("databroker table 3 --stream pri", "primary"),
        ("databroker table --fields ", "det motor motor_setpoint"),
        (
            "databroker table 3 -s baseline -f temperature,mo",
            "temperature,motor temperature,motor_setpoint",
        ),
        ("databroker table 99 --fields ", ""),
        ("databroker show -b nowhere ", ""),
        ("databroker watch -1 --fields det,motor_", "det,motor_setpoint"),
        ("databroker plot 8 --y ", "det motor motor_setpoint"),
        ("databroker plot -b example 8 --y det,", "det,motor det,motor_setpoint"),
        ("databroker plot 8 --x t", "time"),
        ("databroker plot 8 --norm mo", "motor motor_setpoint"),
        ("databroker plot 3 --stream b", "baseline"),
        ("databroker plot --stream baseline 3 --y temp", "temperature"),
        ("databroker plot -5: --norm mo", "motor motor_setpoint"),
        ("databroker export 3 --streams baseline,p", "baseline,primary"),
        ("databroker export 3 --streams baseline --fields temp", "temperature"),
        ("databroker export --format n", "nexus netcdf"),
        ("databroker export -F js", "json jsonl"),
        ("databroker export 8 --metadata num_", "num_points num_intervals"),
        ("databroker pack 8 --format ", "msgpack jsonl"),
        ("databroker list --columns scan_id,sta", "scan_id,started scan_id,status"),
        ("databroker list --since y", "yesterday"),
        ("databroker completion z", "zsh"),
    ],
)
def test_what_shells_offer(at_demo_home, completed, words, offered):
    # Where there is nothing to offer, click prints an empty line.
    lines = filter(None, completed(words).splitlines())
    assert [line.partition(",")[2] for line in lines] == offered.split()


def test_shells_are_asked_for_files_and_folders(completed):
    for words, kind in (("plot -o ", "file"), ("pack --to ", "file"), ("export -o ", "dir")):
        assert completed(f"databroker {words}") == f"{kind},\n"


def test_nothing_that_commands_a_terminal_is_offered(lab, run_at_lab, completed):
    with lab() as db:
        run = RunBuilder(db, "a\x1b[2Jb", **{"key\x1b]0;t\x07": 1})
        run.event(run.descriptor(["det", "x\x1b[2J"]), data={"det": 1.0, "x\x1b[2J": 1.0})
    for words in ("show ", "show a", "table -1 --fields ", "list -c key", "list -c "):
        out = completed(f"databroker {words}")
        assert "\x1b" not in out
        assert "\x07" not in out
    assert "det" in completed("databroker table -1 --fields ")
