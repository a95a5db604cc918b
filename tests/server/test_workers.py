"""Processes that answer are replaced when they end, but not for ever, and leave none behind."""

import os
import signal
import subprocess
import sys

import pytest

from databroker.errors import ServerFailed, StoreAway
from databroker.server.command import workers


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No pause is long, and two failures are enough."""
    monkeypatch.setattr(workers, "_PAUSE", 0.001)
    monkeypatch.setattr(workers, "_FAILURES", 2)


def fail():
    raise StoreAway("the database is away")


def test_what_always_fails_is_given_up_with_the_reason_in_the_log(caplog, capfd):
    with pytest.raises(ServerFailed, match=r"No worker lasts: 2 times.* ended with code 1"):
        workers.run_workers(1, fail, ())
    assert capfd.readouterr().err.splitlines() == ["the database is away"] * 2
    assert caplog.text.count("ended with code 1") == 2


def stay_or_fail(folder, begun_by):
    """Stay, if it is the first; or else fail, at last with an interrupt of all."""
    try:
        (folder / "first").touch(exist_ok=False)
    except FileExistsError:
        (folder / str(os.getpid())).touch()
        if len(list(folder.iterdir())) > 4:
            os.kill(begun_by, signal.SIGTERM)
            signal.pause()
        sys.exit(3)
    signal.pause()


def test_one_that_fails_again_and_again_does_not_end_those_that_last(tmp_path, caplog):
    with pytest.raises(KeyboardInterrupt):
        workers.run_workers(2, stay_or_fail, (tmp_path, os.getpid()))
    assert caplog.text.count("ended with code 3") == 3


def test_they_end_with_the_process_that_began_them():
    stay = "print('begun', flush=True); import signal; signal.pause()"
    module = "databroker.server.command.workers"
    begin = f"from {module} import run_workers; run_workers(1, exec, ({stay!r},))"
    popen = subprocess.Popen([sys.executable, "-c", begin], stdout=subprocess.PIPE)
    assert popen.stdout.readline() == b"begun\n"
    popen.kill()
    assert popen.communicate() == (b"", None)  # which is known once nobody could write more
