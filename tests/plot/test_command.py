"""``databroker plot``: in a terminal, in a pipe, into files."""

import os
import pty
import re
import struct
import subprocess
import sys

import pytest

from databroker.cli import main

pytest.importorskip("plotext")
pytest.importorskip("matplotlib")


@pytest.fixture
def typed(at_demo_home, capsys, monkeypatch, tmp_path):
    """Run a command in this process; give its exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS")

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["plot", *arguments])
        shown = capsys.readouterr()
        return caught.value.code or 0, shown.out, shown.err

    return run


def test_in_a_pipe_it_is_80_columns_wide_and_has_no_colours(typed, monkeypatch):
    code, out, err = typed()
    assert (code, err) == (0, "")
    assert out.startswith("scan 8 · scan · good sample · ")
    assert max(map(len, out.splitlines())) == 80
    assert "\x1b" not in out
    monkeypatch.setenv("COLUMNS", "120")
    assert max(map(len, typed()[1].splitlines())) == 120


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}], ids=["colours", "NO_COLOR"])
def test_in_a_terminal(at_demo_home, more):
    import fcntl
    import termios

    environment = {key: each for key, each in os.environ.items() if key not in ("COLUMNS", "LINES")}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "", **more}
    terminal, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    words = [sys.executable, "-m", "databroker", "plot", "2", "4"]
    with subprocess.Popen(words, stdin=end, stdout=end, stderr=end, env=environment) as process:
        os.close(end)
        shown = b""
        try:
            while part := os.read(terminal, 65536):
                shown += part
        except OSError:  # how a terminal says that nobody is at its other end
            pass
    os.close(terminal)
    assert process.returncode == 0
    text = shown.decode()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()
    assert max(map(len, lines)) == 100
    assert {"motor1", "motor2", "img"} <= {word for line in lines for word in line.split()}
    assert ("\x1b[" in text) != bool(more)
    assert ("▀" in text) != bool(more)


@pytest.mark.parametrize(
    ("suffix", "begins"), [("png", b"\x89PNG"), ("SVG", b"<?xml"), ("pdf", b"%PDF")]
)
def test_files_are_whole_and_not_overwritten_unasked(typed, tmp_path, suffix, begins):
    file = tmp_path / f"scan.{suffix}"
    assert typed("2", "-o", file.name)[:2] == (0, f"Written: {file.name}\n")
    assert file.read_bytes().startswith(begins)
    file.write_bytes(b"mine")
    code, out, err = typed("2", "-o", file.name)
    assert (code, out) == (1, "")
    assert "is there already. With --overwrite, it is replaced." in err
    assert file.read_bytes() == b"mine"
    assert typed("2", "-o", file.name, "--overwrite")[0] == 0
    assert file.read_bytes().startswith(begins)
    assert os.listdir(tmp_path) == [file.name]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-o", "scan.doc"], 2, "it ends in one of .png, .svg, .pdf"),
        (["-o", "no/folder/scan.png"], 1, "no/folder/scan.png"),
        (["--x", "moter"], 3, "Did you mean 'motor'?"),
        (["--y", "moter"], 3, "Did you mean 'motor'?"),
        (["--stream", "other"], 3, "primary"),
        (["--norm", "I0"], 3, "'I0'"),
        (["no-such-run"], 3, "no-such-run"),
    ],
)
def test_mistakes_are_one_line(typed, arguments, code, says):
    found, out, err = typed(*arguments)
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert says in err


def test_a_picture_of_nothing_is_not_written(typed, tmp_path):
    code, out, _ = typed("--where", "plan_name=none", "-o", "scan.png")
    assert (code, os.listdir(tmp_path)) == (1, [])
    assert "There are no runs." in out


def test_fields_are_chosen_and_runs_overlaid(typed):
    _, out, _ = typed("--where", "plan_name=scan", "--x", "seq_num", "--y", "det")
    assert re.search(r"o scan 8 · \w{8}  x scan 5 · \w{8}  \+ scan 4 · \w{8}", out)
    assert "event" in out
    assert "det / motor" in typed("8", "--norm", "motor")[1]
