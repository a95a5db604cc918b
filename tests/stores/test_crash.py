"""A process killed at any moment loses nothing that an insert had returned for.

A writer is a real process that inserts documents and acknowledges each on a
pipe after the insert has returned. It gets SIGKILL while it works. Writers are
forked from a process that has imported everything already, so that many can be
killed in little time.
"""

import contextlib
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import databroker
from databroker.stores.sql import SQLiteStore
from databroker.testing import answers, assert_identical, difference, expected
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    start,
    stop,
    whole_run,
)

WRITER = """
import os, pickle, sys
import pyarrow
import databroker.columns
from databroker.stores.sql import SQLiteStore

def write(path, documents, pipe):
    acknowledge = os.open(pipe, os.O_WRONLY)
    store = SQLiteStore(path)
    for kind, doc in pickle.load(open(documents, "rb")):
        store.insert(kind, doc)
        os.write(acknowledge, b".")
    store.close()

print("ready", flush=True)
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        try:
            write(*line.rstrip("\\n").split("\\t"))
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.fixture(scope="module")
def forge():
    """Return the process that writers are forked from."""
    source = str(Path(databroker.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", WRITER],
        env={**os.environ, "PYTHONPATH": source},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


def _killed(forge, folder, path, documents, after, pause=0.0):
    """Let a writer insert documents, kill it, and return how many it acknowledged."""
    listing, pipe = folder / "documents", folder / "pipe"
    listing.write_bytes(pickle.dumps(documents))
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    forge.stdin.write(f"{path}\t{listing}\t{pipe}\n")
    pid = int(forge.stdout.readline())
    with pipe.open("rb", buffering=0) as acknowledged:
        count = 0
        while count < after and (read := acknowledged.read(after - count)):
            count += len(read)
        time.sleep(pause)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        code = int(forge.stdout.readline())
        assert code in (0, -signal.SIGKILL)
        while read := acknowledged.read(4096):
            count += len(read)
    return count


def _check(path, documents, acknowledged):
    """Fail unless the file holds what was acknowledged, and at most the one after it."""
    with contextlib.closing(SQLiteStore(path)) as store:
        found = answers(store, documents)
        wanted = [expected(documents[:count]) for count in (acknowledged, acknowledged + 1)]
        if difference(found, wanted[0]) is not None:
            assert_identical(found, wanted[1])
    with contextlib.closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    # The experiment's memory of it can be delivered again, from the beginning.
    with contextlib.closing(SQLiteStore(path)) as store:
        for kind, doc in documents:
            store.insert(kind, doc)
        assert_identical(answers(store, documents), expected(documents))


def _small():
    return [pair for uid in ("a", "b", "c") for pair in whole_run(uid)]


def _many_events():
    """More events than stay in the tail, alone and in pages."""
    found = [("start", start()), ("descriptor", descriptor()), ("descriptor", descriptor("paged"))]
    found += [("event", event(number)) for number in range(2100)]
    found += [("event_page", event_page(range(n, n + 50), "paged")) for n in range(0, 600, 50)]
    return [*found, ("stop", stop())]


def _wide_events():
    """Events so large that the tail becomes a block every few of them."""
    image = np.arange(25_000.0)
    found = [("start", start()), ("descriptor", descriptor())]
    found += [("event", event(number, x=image + number)) for number in range(60)]
    return [*found, ("stop", stop())]


def test_a_writer_left_alone_writes_everything(forge, tmp_path):
    documents = _small()
    assert _killed(forge, tmp_path, tmp_path / "runs.db", documents, 9999) == len(documents)
    _check(tmp_path / "runs.db", documents, len(documents))


@pytest.mark.parametrize("after", [0, 1, 2, 4, 8, 11, 13, 14, 20, 28, 35])
def test_killed_between_any_documents(forge, tmp_path, after):
    documents = _small()
    count = _killed(forge, tmp_path, tmp_path / "runs.db", documents, after)
    assert count >= after
    _check(tmp_path / "runs.db", documents, count)


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 4, 8])
def test_killed_while_the_file_is_made(forge, tmp_path, milliseconds):
    documents = _small()
    path = tmp_path / "runs.db"
    count = _killed(forge, tmp_path, path, documents, 0, milliseconds / 1000)
    _check(path, documents, count)


@pytest.mark.parametrize("after", [2047, 2050, 2052, 2110, 2115])
def test_killed_while_events_move_into_blocks(forge, tmp_path, after):
    documents = _many_events()
    count = _killed(forge, tmp_path, tmp_path / "runs.db", documents, after)
    _check(tmp_path / "runs.db", documents, count)


@pytest.mark.parametrize("number", range(8))
def test_killed_anywhere_among_wide_events(forge, tmp_path, number):
    documents = _wide_events()
    path = tmp_path / "runs.db"
    count = _killed(forge, tmp_path, path, documents, 3 + 7 * number, number % 4 / 2000)
    _check(path, documents, count)


def test_killed_again_and_again(forge, tmp_path):
    """Each time the next writer starts from the beginning, as a resumed copy does."""
    documents = _small()
    path = tmp_path / "runs.db"
    most = 0
    for after in (4, 9, 17, 25, 33, 40):
        most = max(most, _killed(forge, tmp_path, path, documents, after))
    _check(path, documents, most)
