"""Lets databroker 1.2.5 and this one use one database of MongoDB, and compares what they read.

    python tests/side_by_side/run.py [--events N] [--write]

Makes an environment for databroker 1.2.5 where there is none, which needs the package index.
Prints a table; with ``--write``, it is put into ``docs/mongo.md``, too. It is not part of the
tests. The server is that of ``DATABROKER_TEST_MONGO``, or a stand-in.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from benchmarks.data import Scan  # noqa: E402
from benchmarks.peers import PEER, environment  # noqa: E402

from databroker import Broker  # noqa: E402
from databroker.testing.conformance.base import insert_all, whole_run  # noqa: E402
from helpers import mongo  # noqa: E402

PAGE = ROOT / "docs" / "mongo.md"
MARK = "<!-- what follows is written by tests/side_by_side/run.py -->\n"
PAGED = 1000  # events of a page
TARGET = 5.0  # times less of the processor's time


def main():
    """Do all of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=100_000, help="of the run that is timed")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        mongo.address(folder) as server,
        mongo.new_databases(server) as take,
    ):
        rows = [*read_by_each_other(take(), Path(folder)), timed(take(), options.events)]
    text = "\n".join(["| tried | found |", "| --- | --- |", *rows]) + "\n"
    print(text)
    if options.write:
        before, _, _ = PAGE.read_text().partition(MARK)
        PAGE.write_text(before + MARK + "\n" + text)


def ask_old(word, address, argument):
    """Ask databroker 1.2.5 something."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [environment(), "-W", "ignore", HERE / "old.py", word, address, argument]
    done = subprocess.run(command, env=kept, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def read_by_each_other(address, folder):
    """Let each write two runs, and both read all of them."""
    with closing(Broker(mongo.store_class()(address))) as db:
        for uid in ("ours", "ours too"):
            insert_all(db.store, whole_run(uid))
        theirs = [pair for uid in ("theirs", "theirs too") for pair in whole_run(uid)]
        path = folder / "documents.json"
        path.write_text(json.dumps([pair for pair in theirs if is_of_old(pair[0])]))
        ask_old("insert", address, str(path))
        insert_all(db.store, [pair for pair in theirs if is_of_old(pair[0])])  # changes nothing
        read_there = ask_old("read", address, "")
        for uid in ("ours", "ours too", "theirs", "theirs too"):
            here = list(db[uid].documents())
            yield compared(uid, [pair for pair in here if is_of_old(pair[0])], read_there[uid])


def is_of_old(kind):
    """Tell whether databroker 1.2.5 knows a kind of documents."""
    return not kind.startswith(("stream_", "bulk_"))


def compared(uid, here, there):
    """Say whether the documents of a run are the same here and there, whatever their order."""
    one, other = (sorted(map(_sortable, documents)) for documents in (here, there))
    assert [key for key, _ in one] == [key for key, _ in other], (one, other)
    different = [key for (key, mine), (_, its) in zip(one, other, strict=True) if mine != its]
    assert not different, different
    return f"| run `{uid}`, read by both | {len(one)} documents, all equal |"


def _sortable(pair):
    kind, document = pair
    plain = {key: value for key, value in document.items() if key != "filled"}
    name = document["datum_id" if kind == "datum" else "uid"]
    return (kind, document.get("descriptor", ""), name), json.dumps(plain, sort_keys=True)


def timed(address, events):
    """Compare the time of the processor that a table takes each of them."""
    scan = Scan(1)
    store = mongo.store_class()(address)
    with closing(Broker(store)) as db:
        insert_all(store, scan.opening())
        for first in range(0, events, PAGED):
            store.insert("event_page", scan.page(min(PAGED, events - first)))
        store.insert("stop", scan.stop())
        header = db[scan.uid]
        begun = time.process_time()
        rows = len(header.table())
        ours = time.process_time() - begun
        there = ask_old("table", address, scan.uid)
    assert rows == there["rows"] == events, (rows, there)
    ratio = there["seconds"] / ours
    said = f"{ours:.2f} s here, {there['seconds']:.2f} s there: {ratio:.0f} times less"
    verdict = "" if ratio >= TARGET else f" (missed: {TARGET:.0f} are wanted)"
    return f"| time of the processor for a table of {events:,} events | {said}{verdict} |"


if __name__ == "__main__":
    print(f"with {PEER}")
    main()
