"""The commands, on the demonstration: what a person sees."""

import os
import re
import subprocess
import sys

import pytest

from databroker import Broker, __version__
from databroker.cli import main


@pytest.fixture
def run(at_demo_home, capsys):
    """Run a command in this process; give its exit code, output and errors."""

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        shown = capsys.readouterr()
        return caught.value.code or 0, shown.out, shown.err

    return run


def test_demo_shows_the_table_and_what_to_type(demo_output):
    assert "Configuration 'example' created: " in demo_output.stdout
    assert "8 runs added." in demo_output.stdout
    assert re.search(r"time +det +motor +motor_setpoint", demo_output.stdout)
    for value in ("0.606531", "0.135335", "0.011109", "0.000335", "0.000004"):
        assert value in demo_output.stdout
    typed = re.findall(r"^    (.*)", demo_output.stdout, re.MULTILINE)[-3:]
    assert typed == [
        "from databroker import Broker",
        "db = Broker.named('example')",
        "db[-1].table()",
    ]


def test_what_demo_says_to_type_works(demo_output, at_demo_home):
    typed = re.findall(r"^    (.*)", demo_output.stdout, re.MULTILINE)[-3:]
    code = "\n".join([*typed[:2], f"print({typed[2]})"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "0.606531" in done.stdout


def test_demo_shows_progress_and_no_noise(demo_output):
    assert "done" in demo_output.stderr
    for noise in ("Pausing", "Aborting", "Traceback", "Run aborted", "ShutterClosed"):
        assert noise not in demo_output.stdout + demo_output.stderr


def test_a_second_demo_says_that_it_added_nothing(run):
    code, out, _ = run("demo")
    assert code == 0
    assert "Configuration 'example' kept: " in out
    assert "Nothing was added: all 8 runs are there already." in out
    assert "0.606531" in out


def test_list_shows_the_configurations(run):
    code, out, _ = run("list")
    assert code == 0
    assert out.splitlines()[1].split() == [
        *("example", "Demonstration", "runs,", "made", "by", "'databroker", "demo'")
    ]


def test_list_of_a_configuration_shows_its_newest_runs(run):
    code, out, _ = run("list", "example")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["scan_id", "uid", "started", "plan", "devices", "sample", "status"]
    assert [line.split()[0] for line in lines[1:]] == [str(n) for n in range(8, 0, -1)]
    db = Broker.named("example")
    newest = db[-1]
    for said in (newest.uid[:8], "scan", "det vs motor", "good sample", "success"):
        assert said in lines[1]
    assert {line.split()[-1] for line in lines[1:]} == {"success", "fail", "abort", "unknown"}
    db.store.close()


def test_list_says_when_there_are_more(run):
    _, out, _ = run("list", "example", "--limit", "3")
    assert len(out.splitlines()) == 5
    assert "these are the newest 3" in out
    assert "more" not in run("list", "example", "--limit", "8")[1]


def test_in_a_narrow_terminal_uids_and_times_stay_whole(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    _, out, _ = run("list", "example")
    assert len(re.findall(r"^ +\d  [0-9a-f]{8}  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", out, re.M)) == 8


def test_on_a_fresh_machine_list_says_what_to_do(empty_home, capsys):
    with pytest.raises(SystemExit):
        main(["list"])
    assert "databroker demo" in capsys.readouterr().out


def test_show(run):
    code, out, _ = run("show", "example", "-1")
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
    assert run("show", "-1") == run("show", "example", "-1")


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
    assert len(lines) == 7


def test_table_of_a_stream_and_of_fields(run):
    _, out, _ = run("table", "3", "--stream", "baseline", "--fields", "temperature, motor")
    assert set(out.splitlines()[0].split()) == {"time", "temperature", "motor"}
    assert len(out.splitlines()) == 4


def test_files(run, at_demo_home):
    code, out, _ = run("files", "4")
    assert code == 0
    lines = out.splitlines()
    assert re.fullmatch(r"5 files, all there \(\d+\.\d kB\)", lines[0])
    assert lines[1].split() == ["exists", "size", "path", "fields"]
    assert all(re.fullmatch(r"yes +\d+\.\d kB  \S+_\d\.npy  img", line) for line in lines[2:])
    assert run("files", "4", "--missing") == (0, "None of 5 files is missing.\n", "")
    assert run("files", "example", "-1") == (0, "no external files\n", "")


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
    for command, lines in ((["files", "u1"], 52), (["files", "lab", "u1", "--missing"], 3)):
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
    for command in (["table", "tokyo", "-1"], ["show", "tokyo", "-1"], ["list", "tokyo"]):
        with pytest.raises(SystemExit):
            main(command)
        assert re.search(r"\+09:00|JST", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "exmple"], "Did you mean 'example'?"),
        (["show", "nope", "-1"], "There is no configuration 'nope'"),
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
    assert code == 1
    assert out == ""
    assert err.startswith("databroker: ")
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show"], "Missing argument 'RUN'"),
        (["show", "a", "b", "c"], "expected [NAME] RUN"),
        (["table", "-1", "--feilds", "det"], "there is no option --feilds"),
        (["list", "--limit", "0"], "--limit"),
        (["lst"], "lst"),
    ],
)
def test_a_command_that_makes_no_sense_says_how_to_use_it(run, arguments, says):
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert "Usage: databroker" in err
    assert says in err


@pytest.mark.parametrize("command", ["demo", "list", "show", "table", "files"])
def test_every_command_has_an_example_that_is_one(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    examples = re.findall(r"^ +databroker (.*)", out.partition("Example")[2], re.MULTILINE)
    assert examples
    db = Broker.named("example")
    uid = db[-1].uid
    db.store.close()
    for example in examples:
        # The uid in the help is the walkthrough's; the stream, one that the third run has.
        words = example.replace("bb805845", uid if "baseline" not in example else "3").split()
        assert run(*words)[0] == 0, example


def test_help_is_quick(at_demo_home):
    code = (
        "import sys\n"
        "from databroker.cli import main\n"
        "try:\n"
        "    main(['show', '--help'])\n"
        "except SystemExit:\n"
        "    heavy = 'pandas numpy pyarrow rich.console bluesky ophyd yaml sqlite3'.split()\n"
        "    print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_without_a_command_help_is_shown(run):
    out = run()[1] + run()[2]
    assert "Usage: databroker" in out
    for command in ("demo", "list", "show", "table", "files"):
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
    for command in (["list", "lab"], ["show", "u1"]):
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
    assert caught.value.code == 1
    assert "Say which configuration is meant. There are: one, two." in capsys.readouterr().err


def test_the_output_in_a_pipe_is_not_cut(at_demo_home):
    environment = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "databroker", "list", "example"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert "…" not in done.stdout
