"""An export that is broken off leaves whole files only, and goes on when it is repeated."""

import signal
import subprocess
import sys
import time

import pytest

import databroker
from databroker.export import export
from helpers.interruptible import interruptible
from helpers.run_builder import RunBuilder

RUNS = 50


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("many") / "runs.db"
    with databroker.temp() as db:
        for n in range(RUNS):
            run = RunBuilder(db, f"run-{n:03}", scan_id=n, time=1000.0 + n)
            owner = run.descriptor(["det"])
            run.page(owner, range(1, 4), det=[n / 3, 2.0, float(n)])
            run.stop()
        assert databroker.copy(db, path)
    return path


@pytest.fixture(scope="module")
def whole(path, tmp_path_factory):
    """All files, by their names."""
    folder = tmp_path_factory.mktemp("whole")
    with databroker.open(path) as db:
        assert export(db(), folder)
    return contents(folder)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_an_interrupt_half_way(path, whole, tmp_path):
    def interrupt(done, _):
        if done == RUNS // 2:
            raise KeyboardInterrupt

    with databroker.open(path) as db:
        with pytest.raises(KeyboardInterrupt):
            export(db(), tmp_path, progress=interrupt)
        assert len(contents(tmp_path)) == RUNS // 2
        assert contents(tmp_path).items() <= whole.items()
        report = export(db(), tmp_path)
    assert (len(report.written), len(report.kept)) == (RUNS // 2, RUNS // 2)
    assert contents(tmp_path) == whole


def test_ctrl_c_at_any_moment_in_the_terminal(path, whole, tmp_path):
    command = [sys.executable, "-m", "databroker", "export", "-b", str(path), "--since", "1970"]
    command += ["-o", str(tmp_path)]
    process = interruptible(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(list(tmp_path.glob("*.csv"))) < 5:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.endswith("databroker: interrupted\n")
    assert 5 <= len(contents(tmp_path)) < RUNS
    assert contents(tmp_path).items() <= whole.items()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "there already" in done.stdout
    assert contents(tmp_path) == whole
