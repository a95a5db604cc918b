"""A catalog of a million runs, built from whole runs by `insert_many`, and what is asked of it.

Each run has a start of about 30 leaves, a descriptor, five events and a stop.

    python benchmarks/million.py --runs 100000
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # so that `python benchmarks/million.py` works too
    sys.path.insert(0, str(ROOT))

from benchmarks import harness, metadata  # noqa: E402
from benchmarks.data import Doc, open_broker  # noqa: E402

EVENTS = 5
SHOWN = 20  # so often the progress is told


def documents(count: int, seed: int = 1) -> Iterator[tuple[str, Doc]]:
    """Yield the documents of so many runs."""
    chance = random.Random(seed)
    for number in range(count):
        start = metadata.start(number, chance)
        yield "start", start
        yield from measured(start, chance)
        yield "stop", metadata.stop(start, chance)


def measured(start: Doc, chance: random.Random) -> Iterator[tuple[str, Doc]]:
    """Yield the descriptor and the events of a run."""
    fields = [*start["motors"], *start["detectors"]]
    descriptor = {
        "uid": f"{start['uid']}-primary",
        "run_start": start["uid"],
        "time": start["time"],
        "name": "primary",
        "data_keys": {
            name: {"dtype": "number", "shape": [], "source": f"PV:{name}"} for name in fields
        },
        "object_keys": {name: [name] for name in fields},
        "configuration": {},
        "hints": {},
    }
    yield "descriptor", descriptor
    for row in range(EVENTS):
        stamp = start["time"] + row
        event = {
            "uid": f"{start['uid']}-{row}",
            "descriptor": descriptor["uid"],
            "seq_num": row + 1,
            "time": stamp,
            "data": {name: chance.random() for name in fields},
            "timestamps": dict.fromkeys(fields, stamp),
            "filled": {},
        }
        yield "event", event


def told(flow: Iterator[tuple[str, Doc]], count: int) -> Iterator[tuple[str, Doc]]:
    """Hand on documents, and print how far they are."""
    begun, runs = time.perf_counter(), 0
    for kind, doc in flow:
        yield kind, doc
        if kind == "stop":
            runs += 1
            if runs % max(1, count // SHOWN) == 0:
                rate = runs / (time.perf_counter() - begun)
                print(f"  {runs:>9,} runs, {rate:,.0f} a second", flush=True)


def ask(what: str, question: Callable[[], Any]) -> None:
    """Print how long a question takes."""
    print(f"  {what:<44} {harness.median_ms(question):>9.2f} ms")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1_000_000)
    count = parser.parse_args().runs
    print(harness.machine())
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        begun = time.perf_counter()
        db.store.insert_many(told(documents(count), count))
        took = time.perf_counter() - begun
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(
            f"{count:,} runs in {took:.0f} s, {count / took:,.0f} a second; {size / 2**20:.0f} MiB"
        )
        ask("db[-1]", lambda: db[-1])
        ask("db[scan_id]", lambda: db[count // 2])
        ask("newest of a plan", lambda: db(plan_name="tune").first())
        ask("newest of a common word", lambda: db(metadata.COMMON_WORD).first())
        ask("count of a rare word", lambda: db(metadata.RARE_WORD).count())
        ask("a table", lambda: db[count // 2].table())


if __name__ == "__main__":
    main()
