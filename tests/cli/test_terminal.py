"""What is printed in a real terminal: lines end where words do, and colours may be refused."""

import os
import struct
import subprocess
import sys

import pytest

from databroker.cli.folding import folded, folded_text

fcntl = pytest.importorskip("fcntl", reason="there are no such terminals")
termios = pytest.importorskip("termios")


@pytest.fixture
def shown(at_demo_home):
    """Run a command in a terminal so many columns wide; give its lines and its exit code."""

    def run(*arguments, columns=80, **variables):
        terminal, end = os.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
        environment |= {"TERM": "xterm-256color", **variables}
        command = [sys.executable, "-m", "databroker", *arguments]
        process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=environment)
        os.close(end)
        text = b""
        try:
            while some := os.read(terminal, 2**16):
                text += some
        except OSError:  # how Linux says that nobody is at the other end
            pass
        finally:
            os.close(terminal)
        return text.decode().replace("\r\n", "\n").splitlines(), process.wait()

    return run


def test_words_are_not_broken_at_80_columns(shown, tmp_path):
    folder = tmp_path / ("a-long-name-" * 4)
    lines, code = shown("list", "-b", str(folder / "there is none.db"))
    assert (code, len(lines) > 1) == (4, True)
    assert any(str(folder) in line for line in lines)
    assert all(len(line) <= 80 or str(folder) in line for line in lines)


def test_a_report_is_not_broken_at_80_columns(shown, tmp_path):
    lines, code = shown("export", "-2:", "--format", "jsonl", "-o", str(tmp_path), "--json")
    assert code == 0
    path = next(tmp_path.iterdir())
    assert any(str(path) in line for line in lines)
    lines, code = shown("config", "where")
    assert any(f"{os.environ['HOME']}/.config/databroker:" in line for line in lines)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="nothing is always full")
def test_a_full_disk_where_the_output_goes(at_demo_home):
    command = [sys.executable, "-m", "databroker", "list", "--json"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    said = "databroker: The output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_colours_are_for_terminals_whose_owners_want_them(shown):
    assert any("\x1b[" in line for line in shown("list")[0])
    assert not any("\x1b[" in line for line in shown("list", NO_COLOR="1")[0])


@pytest.mark.parametrize("width", [1, 10, 24, 80])
def test_nothing_is_lost_where_lines_are_folded(width):
    text = "  - a /path/of-a/very-long.name, uid 3f9a0c31-aaaa-bbbb; 日本語 and so on\n\nend"
    found = folded_text(text, width)
    assert found.split() == text.split()
    assert folded("", width) == [""]
