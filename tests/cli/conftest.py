"""What the tests of commands share: ways to type them, and a configuration 'lab'."""

import time
from types import SimpleNamespace

import pytest

from databroker import Broker
from databroker.cli import main
from databroker.times import clock


@pytest.fixture
def typed(capsys, monkeypatch):
    """Run a command in this process; give its exit code, output and errors."""
    now = time.time()
    # Two outputs are compared: between them, no second goes by.
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: now))

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        shown = capsys.readouterr()
        return caught.value.code or 0, shown.out, shown.err

    return run


@pytest.fixture
def run(at_demo_home, typed):
    """Run a command where the demonstration is."""
    return typed


@pytest.fixture
def run_at_lab(empty_home, typed, monkeypatch):
    """Run a command in an empty home, in a wide terminal."""
    monkeypatch.setenv("COLUMNS", "300")
    return typed


@pytest.fixture
def lab(empty_home):
    """Make a configuration 'lab', and open it."""

    def make(more="timezone: UTC\n"):
        folder = empty_home / ".config/databroker"
        folder.mkdir(parents=True)
        (folder / "lab.yml").write_text(f"driver: sqlite\npath: {empty_home}/lab.db\n{more}")
        return Broker.named("lab")

    return make


@pytest.fixture
def completed(typed, monkeypatch):
    """Give what bash gets for words that are typed so far."""

    def run(words):
        monkeypatch.setenv("_DATABROKER_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
        code, out, _ = typed()
        assert code == 0
        return out

    return run
