"""Every command and every option: explained, tried, and with examples that do what they say."""

import ast
import glob
import gzip
import io
import json
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import click
import pytest

from databroker import Broker
from databroker.cli import run_changes
from databroker.cli.app import app
from databroker.cli.outcome import DONE, INTERRUPTED, NO
from databroker.server.command import serve

SHARED = ("--broker", "--debug", "--where", "--text", "--since", "--until")
"""Options that many commands have from one place: they need not be tried with each."""


def commands(command=app, path=()):
    """Yield each command with the words by which it is called."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))
    else:
        yield path, command


COMMANDS = dict(commands())
OPTIONS = [
    pytest.param(path, option, id=f"{' '.join(path)} {option.opts[0]}")
    for path, command in COMMANDS.items()
    for option in command.params
    if isinstance(option, click.Option) and option.opts[0] not in SHARED
]


def words_of_tests():
    """Yield the words of all texts in each test, those that it is parametrized with included."""
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                texts = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
                yield {word for text in texts if isinstance(text, str) for word in text.split()}


SAYS_WHAT_IT_MADE = [("plot",), ("demo",), ("config", "make"), ("backup",), ("completion",)]
SAYS_WHAT_IT_MADE += [("keys", "revoke")]
SERVES = [("serve",)]
REPORTS = [path for path in COMMANDS if path not in (*SAYS_WHAT_IT_MADE, *SERVES)]

OF_REPORTS = {
    ("search", "--limit", "1"): ["uid", "scan_id", "time", "plan_name", "status", "num_events"],
    ("list", "--limit", "1"): ["uid", "scan_id", "time", "plan_name", "status", "num_events"],
    ("show",): ["uid", "status", "start", "stop", "streams"],
    ("streams",): ["stream", "num_events", "fields"],
    ("table", "8", "--fields", "det"): ["seq_num", "time", "det"],
    ("files", "4"): [
        *("run", "path", "exists", "size", "fields", "spec", "resource", "recorded", "problem"),
        "at_server",
    ],
    ("diff", "1", "8"): ["old", "new", "changes"],
    ("export", "8", "--folder", "out"): ["ok", "written", "kept", "losses", "failed", "empty"],
    ("export", "8", "--table", "all.csv"): ["ok", "written", "kept", "losses", "failed", "empty"],
    ("export", "8", "--runs", "runs.csv"): ["ok", "written", "kept", "losses", "failed", "empty"],
    ("formats",): ["name", "about"],
    ("pack", "8", "--to", "8.zip"): ["ok", "path", "runs", "files", "bytes", "seconds", "missing"],
    ("copy", "example", "x.db"): [
        *("ok", "runs", "rows", "bytes", "seconds", "verified", "files"),
    ],
    ("import", "-b", "./home.db", "scan.jsonl"): [
        *("ok", "new", "continued", "known", "refused", "refusals", "left_out", "files"),
        *("rows", "bytes", "seconds"),
    ],
    ("config", "list"): ["name", "description", "fault"],
    ("config", "show", "example"): ["name", "file", "not_used", "configuration"],
    ("config", "where"): ["folder", "exists", "names"],
    ("doctor", "-b", "example"): ["state", "about", "found", "mend"],
    ("check", "8"): ["what", "ok", "findings", "checked"],
    ("status",): [
        *("store", "runs", "bytes", "waiting", "refused", "reason", "files", "kept", "elsewhere")
    ],
    ("replay",): ["sent", "waiting", "refused", "kept"],
    ("indexes", "--kept"): ["state", "bytes", "folders", "path"],
    ("keys", "make", "ann"): ["name", "id", "scopes", "runs", "made", "expires", "key"],
    ("keys", "list"): ["name", "id", "scopes", "runs", "made", "expires"],
    ("watch", "8"): ["seq_num", "time", "det", "motor", "motor_setpoint"],
}
"""What each command prints with --json: the keys, which stay as they are."""

TRIED = [
    *words_of_tests(),
    *({*path, *shlex.split(line)} for path, each in COMMANDS.items() for line in each.examples),
    *({*words, "--json"} for words in OF_REPORTS),
]


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_every_option_is_explained_and_tried(path, option):
    assert option.help
    assert any(path[-1] in words and words.intersection(option.opts) for words in TRIED)


FREE = {
    *("words", "--where", "--text", "--name", "--option", "--description", "--set", "--host"),
    *("--allow-origin", "--expires"),
}
"""What may be anything: no shell could offer it."""


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_shells_offer_whatever_can_be_known(path):
    for each in COMMANDS[path].params:
        is_free = each.opts[0] in FREE or (path[-1], each.name) == ("make", "name")
        is_text = each.type is click.STRING and not getattr(each, "is_flag", False)
        is_offered = each._custom_shell_complete is not None
        assert is_offered == (is_text and not is_free) or each.type.name == "run", each


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_explained(run, path):
    command = COMMANDS[path]
    assert command.get_short_help_str()
    assert command.examples
    assert "--debug" in [opt for each in command.params for opt in each.opts]
    code, out, _ = run(*path, "--help")
    assert code == 0
    for example in command.examples:
        assert f"  {example}\n" in out


@pytest.mark.parametrize("option", SHARED)
def test_options_of_many_commands_are_tried(option):
    assert any(option in words for words in TRIED)


@pytest.mark.parametrize("path", REPORTS, ids=" ".join)
def test_every_command_that_reports_has_json_for_programs(path):
    assert any("--json" in option.opts for option in COMMANDS[path].params)
    assert any(words[: len(path)] == path for words in OF_REPORTS)


@pytest.mark.parametrize(("words", "keys"), OF_REPORTS.items(), ids=" ".join)
def test_json_has_the_keys_that_it_always_had(at_home, to_import, typed, monkeypatch, words, keys):
    at_home([])
    if words[0] == "import":
        to_import()
    if words[:2] == ("keys", "list"):
        typed("keys", "make", "ann")
    if words[0] == "indexes":
        Path("runs").mkdir()
        with Broker.from_config({"driver": "jsonl", "paths": "runs"}) as db:
            db.insert("start", {"uid": "a", "time": 1.0})
    code, out, _ = typed(*words, "--json")
    found = json.loads(out.splitlines()[0] if words[0] == "watch" else out)
    assert code in (DONE, NO)
    assert found
    for record in found if isinstance(found, list) else [found]:
        assert list(record) == keys


def test_a_report_for_programs_has_all_that_went_wrong(at_home, typed):
    at_home(["lab"])
    Path("bad.jsonl").write_text('["start", {"uid": "b", "time": 1.0}]\nno JSON\n')
    code, out, _ = typed("import", "-b", "lab", "bad.jsonl", "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["refusals"], found["new"]) == (NO, False, 1, ["b"])
    (refusal,) = found["refused"]
    assert (refusal["file"], refusal["place"]) == ("bad.jsonl", "line 2")
    assert "JSON" in refusal["why"]


STAND_INS = {
    "postgresql://me@server/beamline": "server.db",
    "bb805845": "3",
    "./runs.db": "./lab.db",
}
"""What is typed for a word that only its author has."""


@pytest.fixture
def at_home(at_demo_home, tmp_path, monkeypatch):
    """A copy of the demonstration's home, with configurations of the names in examples."""

    def make(names):
        home = tmp_path / "home"
        shutil.copytree(at_demo_home, home, symlinks=True)
        folder = home / ".config/databroker"
        example = folder / "example.yml"
        example.write_text(example.read_text().replace(str(at_demo_home), str(home)))
        for name in names:
            (folder / f"{name}.yml").write_text(f"driver: sqlite\npath: {home}/{name}.db\n")
            with Broker.named(name) as db:
                db.insert("start", {"uid": name, "time": 1.0, "sample": "good sample"})
        monkeypatch.chdir(home)

    for variable in ("HOME", "DATABROKER_PATH"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return make


@pytest.fixture
def impatient(monkeypatch):
    """What would go on for ever is interrupted; a database has the indexes that it needs."""

    def wakeups(*_):
        yield
        raise KeyboardInterrupt

    def interrupted(*_):
        raise KeyboardInterrupt

    at_a_port = socket.create_server
    monkeypatch.setattr(run_changes, "wakeups", wakeups)
    monkeypatch.setattr(serve, "run_worker", interrupted)
    monkeypatch.setattr(serve, "run_workers", interrupted)
    # Another test may be at the port of an example.
    monkeypatch.setattr(socket, "create_server", lambda at, **more: at_a_port((at[0], 0), **more))
    monkeypatch.setattr("databroker.stores.base.Store.create_indexes", lambda self: ["uid_1"])


@pytest.fixture
def to_import(typed):
    """Make the files that are imported in examples."""

    def make():
        for run, format, name in (
            ("8", "jsonl", "scan"),
            ("7", "msgpack", "old"),
            ("6", "json", "list"),
        ):
            assert typed("export", run, "--format", format, "--name", name)[0] == 0
        assert typed("pack", "8", "--to", "beamtime.zip")[0] == 0
        Path("july").mkdir()
        for copy in ("july/scan.jsonl.gz", "runs.jsonl.gz"):
            Path(copy).write_bytes(gzip.compress(Path("scan.jsonl").read_bytes()))

    return make


def typed_words(line, monkeypatch):
    """Return the words that a shell passes for a line, and pass what a pipe begins with."""
    before, _, command = line.rpartition(" | ")
    if before:
        piped = subprocess.run(before, shell=True, capture_output=True, check=True)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(piped.stdout)))
    words = (STAND_INS.get(word, word) for word in shlex.split(command)[1:])
    return [found for word in words for found in (glob.glob(word) if "*." in word else [word])]


@pytest.mark.filterwarnings("always")  # as a person has it, who sees a line
@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_example_does_what_it_says(at_home, to_import, typed, impatient, path, monkeypatch):
    at_home([] if path == ("config", "make") else ["lab", "archive", "beamline"])
    if path == ("keys", "revoke"):
        typed("keys", "make", "ann")
    if path == ("import",):
        monkeypatch.setenv("DATABROKER", "example")
        to_import()
    for example in COMMANDS[path].examples:
        code, out, errors = typed(*typed_words(example, monkeypatch))
        assert code in (DONE, NO, INTERRUPTED), errors
        assert not re.search("databroker: (?!warning|interrupted)", errors), example
        assert out or code == INTERRUPTED, example


# -- options that no example and no other test has -----------------------------


def test_export_of_some_streams(run, tmp_path):
    arguments = ["export", "3", "--folder", str(tmp_path), "--format", "csv"]
    assert run(*arguments, "--streams", "baseline")[0] == 0
    assert [path.suffix for path in tmp_path.iterdir()] == [".csv"]
    assert "temperature" in next(tmp_path.iterdir()).read_text()


def test_a_configuration_may_be_made_in_a_folder(run_at_lab, tmp_path):
    folder = tmp_path / "configurations"
    assert (
        run_at_lab("config", "make", "lab", str(tmp_path / "lab.db"), "--folder", str(folder))[0]
        == 0
    )
    assert (folder / "lab.yml").exists()


def test_a_plot_of_so_many_images(run, monkeypatch):
    few, more = (run("plot", "4", "--y", "img", "--frames", str(n))[1] for n in (1, 3))
    assert few != more


def test_a_pack_without_files_and_in_the_place_of_another(run, tmp_path):
    arguments = ["pack", "4", "--to", str(tmp_path / "scan.zip")]
    assert run(*arguments, "--no-files")[0] == 0
    small = (tmp_path / "scan.zip").stat().st_size
    assert run(*arguments, "--overwrite")[0] == 0
    assert (tmp_path / "scan.zip").stat().st_size > small


def test_what_is_served_to_other_machines_warns(run, monkeypatch):
    monkeypatch.setattr(serve, "run_worker", lambda *_: None)
    arguments = ["serve", "example", "--port", "0", "--no-token"]
    code, out, errors = run(*arguments, "--host", "0.0.0.0")
    assert (code, "token" in out) == (0, False)
    assert f"http://{socket.gethostname()}:" in out  # where others find it
    assert "not encrypted" in errors
    assert "not encrypted" not in run(*arguments, "--host", "localhost")[2]


def test_what_is_served_says_where(run, monkeypatch):
    monkeypatch.delenv("DATABROKER_TOKEN", raising=False)
    monkeypatch.setattr(serve, "run_worker", lambda *_: None)
    arguments = ["serve", "example", "--host", "127.0.0.1", "--port", "0"]
    code, out, _ = run(*arguments)
    assert code == 0
    assert re.search(r"http://127\.0\.0\.1:\d+/example\?token=\S{30}", out)
    monkeypatch.setenv("DATABROKER_TOKEN", "a-token")
    _, out, errors = run(*arguments)
    assert "a-token" not in out + errors
    assert "may be guessed" in errors
    monkeypatch.setenv("DATABROKER_TOKEN", "5MXAhNEbMSpFb9m5GPYpcKCe")
    assert run(*arguments)[2] == ""


def test_what_cannot_be_served_is_said_before_anything_is(run, monkeypatch):
    monkeypatch.setattr(serve, "run_worker", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = run("serve", "example", "--port", str(other.getsockname()[1]))
    here = run("serve", "example", "--port", "0", "--host", "192.0.2.1")
    site = run("serve", "example", "--port", "0", "--allow-origin", "site.example.org")
    monkeypatch.setenv("DATABROKER_TOKEN", "copied with its line's end\n")
    token = run("serve", "example", "--port", "0")
    for (code, out, errors), said in [
        (taken, "give --port another number"),
        (here, "an address of this machine"),
        (site, "https://host"),
        (token, "in this one is '\\n'"),
    ]:
        assert (code, out) == (1, "")
        assert said in errors


def test_who_lets_in_nobody_is_told(run, monkeypatch, tmp_path):
    monkeypatch.setattr(serve, "run_worker", lambda *_: None)
    keys = tmp_path / "keys.json"
    arguments = ["serve", "example", "--port", "0", "--no-token", "--keys", str(keys)]
    assert f"no keys in {keys}" in run(*arguments)[2]
    run("keys", "make", "ann", "--keys", str(keys))
    assert "nobody has access" not in run(*arguments)[2]


def test_limits_of_what_is_served(run, monkeypatch):
    seen = []
    monkeypatch.setattr(serve, "serve", lambda serving, *_: seen.append(serving))
    assert run("serve", "example", "--time-limit", "5", "--largest", "8", "--metrics")[0] == 0
    assert run("serve", "example", "--time-limit", "0")[0] == 2
    (serving,) = seen
    assert serving.limits == serve.Limits(request_bytes=8 * 2**20, answer_seconds=5.0)
    assert serving.metrics
