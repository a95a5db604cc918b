"""Commands as a shell starts them: what they load, help, mistakes, pipes."""

import os
import re
import subprocess
import sys

import pytest

from databroker import __version__


def test_without_a_command_help_is_shown(run):
    out = run()[1] + run()[2]
    assert "Usage: databroker" in out
    for command in ("demo", "list", "show", "table", "files", "copy", "export"):
        assert f"  {command} " in out


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


def test_python_dash_m(at_demo_home):
    command = [sys.executable, "-m", "databroker", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == f"databroker {__version__}\n"


def test_a_reader_that_goes_away_is_no_error(at_demo_home):
    command = f"{sys.executable} -m databroker show -1 | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("uid")
    assert "Traceback" not in done.stderr


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
