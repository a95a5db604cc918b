"""What several folders of tests share. What is no fixture stands in ``helpers``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("helpers")

# A busy machine is no failure.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

_PLACES = ("DATABROKER_PATH", "INTAKE_PATH", "XDG_CONFIG_HOME", "XDG_DATA_HOME")


def pytest_addoption(parser):
    parser.addoption("--refresh", action="store_true", help="write snapshots anew")


def _live_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in _PLACES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("VIRTUAL_ENV", str(home / "venv"))
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home folder, lived in for one test."""
    _live_in(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture(scope="session")
def _demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    home = tmp_path_factory.mktemp("demo_home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        _live_in(home, monkeypatch)
        # A real process: it shows, too, that the demonstration ends when it is done.
        done = subprocess.run(
            [sys.executable, "-m", "databroker", "demo"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=dict(os.environ),
        )
    assert done.returncode == 0, done.stderr
    return home, done


@pytest.fixture
def demo_output(_demo: tuple[Path, subprocess.CompletedProcess[str]]) -> object:
    """What 'databroker demo' printed, in a fresh home."""
    return _demo[1]


@pytest.fixture
def at_demo_home(
    _demo: tuple[Path, subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A home in which 'databroker demo' was run; shared, so only read in it."""
    _live_in(_demo[0], monkeypatch)
    return _demo[0]
