"""What several tests of stores need."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import databroker

LIMITS = {
    "columns.segments.SMALL": 600,
    "stores.sql.series.TAIL_ROWS": 3,
    "stores.sql.series._AHEAD": 2,
    "stores.sizes.LARGE_ROW": 200,
    "stores.sql.blocks.SEGMENT_BYTES": 300,
    "stores.sql.blocks._FAN": 2,
    "stores.sql.reader.AHEAD_BYTES": 500,
    "stores.sql.search.index_terms.MAX_ARRAY": 2,
    "stores.sql.search.index_terms.MAX_LEAVES": 8,
    "stores.sql.search.index_terms.MAX_TEXT": 4,
    "stores.sql.search.index_terms.MAX_WORDS": 3,
}


@pytest.fixture
def small_limits(monkeypatch):
    """Let the limits of the SQLite store be met by a few small documents.

    Rows move into blocks, and blocks into larger ones, after a few events;
    little is indexed, and the remainder is looked up in the documents.
    """
    for name, limit in LIMITS.items():
        monkeypatch.setattr(f"databroker.{name}", limit)


@pytest.fixture
def path(tmp_path):
    """Where a file may be made."""
    return tmp_path / "runs.db"


PRELUDE = """
import os, pickle, sys
from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import *
from databroker.testing.reference import read_rows
path = sys.argv[1]
def go():
    print("ready", flush=True)
    sys.stdin.readline()
"""


class Process:
    """A Python process that gets ready, and goes when told to."""

    def __init__(self, script, *arguments):
        self.popen = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PRELUDE + script, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(Path(databroker.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self, line="go"):
        """Let it go and return what it printed; fail if it failed."""
        printed, errors = self.popen.communicate(f"{line}\n", timeout=300)
        assert self.popen.returncode == 0, errors
        return printed


class Processes:
    """Starts processes, and ends what is left of them."""

    def __init__(self):
        self.started = []

    def begin(self, scripts):
        """Start (script, *arguments), and return when all are ready to go."""
        fresh = [Process(script, *arguments) for script, *arguments in scripts]
        self.started += fresh
        for process in fresh:
            line = process.popen.stdout.readline()
            assert line == "ready\n", process.popen.communicate()[1]
        return fresh

    def wait(self, processes):
        """Let processes go at once, and return what they printed."""
        with ThreadPoolExecutor(len(processes)) as pool:
            return list(pool.map(Process.wait, processes))

    def run(self, scripts):
        """Start processes, let them go at once, and return what they printed."""
        return self.wait(self.begin(scripts))

    def end(self):
        """Kill what still runs."""
        for process in self.started:
            process.popen.kill()
            process.popen.communicate()


@pytest.fixture
def processes():
    started = Processes()
    yield started
    started.end()
