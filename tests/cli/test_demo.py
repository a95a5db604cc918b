"""The demonstration: what it shows, and what it says to type."""

import os
import re
import subprocess
import sys

from databroker.cli import demo


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
