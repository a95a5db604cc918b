"""Beside databroker 1.2.5, in an environment of its own, made where there is none.

It keeps documents in msgpack files. Both read runs with the same events from their own files,
each with its own versions of pandas and NumPy, in a fresh process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `python benchmarks/peers.py` works too
    sys.path.insert(0, str(ROOT))

from benchmarks import harness, tables  # noqa: E402
from benchmarks.data import Scan, open_broker, write  # noqa: E402
from benchmarks.harness import Row  # noqa: E402

PEER = "databroker==1.2.5"
PINS = (
    *("pandas<2.2", "numpy<2", "intake<2", "msgpack", "pyarrow<19"),
    *("suitcase-mongo", "pymongo<4.10"),  # for tests/side_by_side/run.py
)
HOME = Path(tempfile.gettempdir()) / "databroker-bench-peer"

_PEER_PROGRAM = """
import glob, json, sys, time
begun = time.perf_counter()
import databroker
from databroker._drivers.msgpack import BlueskyMsgpackCatalog
imported = time.perf_counter() - begun
begun = time.perf_counter()
broker = BlueskyMsgpackCatalog(sys.argv[1] + "/*.msgpack").v1
opened = time.perf_counter() - begun

def took(work, repeat):
    found = []
    for _ in range(repeat):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return sorted(found)[repeat // 2] * 1e3

assert len(broker[-1].table()) == int(sys.argv[2])
print(json.dumps({
    "import": imported * 1e3,
    "open": opened * 1e3,
    "newest": took(lambda: broker[-1].start, 5),
    "table": took(lambda: broker[-1].table(), 3),
}))
"""


def environment() -> Path:
    """The Python of the peer's environment."""
    python = HOME / "bin" / "python"
    ready, packages = HOME / "ready", " ".join((PEER, *PINS))
    if not ready.exists() or ready.read_text() != packages:
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", PEER, *PINS], check=True)
        ready.write_text(packages)
    return python


def write_msgpack(folder: Path, runs: int, events: int) -> None:
    """Write runs as the peer's own files: a stream of (name, document) pairs a run.

    The newest run has the events; the others have one.
    """
    import msgpack

    for number in range(1, runs + 1):
        scan = Scan(number)
        count = events if number == runs else 1
        documents = [*scan.opening(), ("event_page", scan.page(count)), ("stop", scan.stop())]
        packed = b"".join(msgpack.packb(pair) for pair in documents)
        (folder / f"{scan.uid}.msgpack").write_bytes(packed)


def write_ours(path: str, runs: int, events: int) -> None:
    """Write the same runs into our file."""
    with open_broker(path) as db:
        for number in range(1, runs + 1):
            write(db, Scan(number), events if number == runs else 1)


def ask_peer(python: Path, folder: Path, events: int) -> dict[str, float]:
    """What the peer needs, in milliseconds."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(python), "-W", "ignore", "-c", _PEER_PROGRAM, str(folder), str(events)]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(runs: int = 1000, events: int = 100_000) -> Iterator[Row]:
    """Measure; the column of limits holds the peer."""
    python = environment()
    with harness.folder() as folder:
        (folder / "peer").mkdir()
        write_msgpack(folder / "peer", runs, events)
        ours = str(folder / "runs.db")
        write_ours(ours, runs, events)
        ask_peer(python, folder / "peer", events)  # bytecode and the cache of files
        peer = ask_peer(python, folder / "peer", events)
        first = harness.median_fresh(tables.cold, ours, repeat=3)
        with open_broker(ours) as db:
            newest = harness.median_ms(lambda: db[-1].start, 25)
            table = harness.median_ms(lambda: db[-1].table(), 7)
    size, note = harness.number(events) + " x 4", f"limit: {PEER}"
    yield Row("table, warm", size, table, limit=peer["table"], note=note)
    yield Row(
        "table, with opening the catalog",
        size,
        first["ms"],
        limit=peer["open"] + peer["table"],
        note=note,
    )
    yield Row("newest run", f"{runs} runs", newest, limit=peer["newest"], note=note)


def main() -> None:
    """Run from the command line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(harness.machine())
    harness.show(rows())


if __name__ == "__main__":
    main()
