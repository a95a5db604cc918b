"""A catalog that grows to a million runs by `insert_many`, and how long questions to it take.

Each run has a start of about 30 leaves, a descriptor, five events and a stop.

    python benchmarks/million.py --runs 100000 --store postgresql
"""

from __future__ import annotations

import argparse
import contextlib
import functools
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
from benchmarks.data import Doc  # noqa: E402
from databroker import Broker  # noqa: E402
from databroker.stores.base import Store  # noqa: E402
from databroker.stores.sql import SQLiteStore  # noqa: E402

EVENTS = 5


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


def until(flow: Iterator[tuple[str, Doc]], count: int) -> Iterator[tuple[str, Doc]]:
    """Hand on the documents of so many runs."""
    for kind, doc in flow:
        yield kind, doc
        count -= kind == "stop"
        if not count:
            return


QUESTIONS: dict[str, Callable[[Broker, int], Any]] = {
    "db[-1]": lambda db, count: db[-1],
    "db[scan_id]": lambda db, count: db[count // 2],
    "newest of a plan": lambda db, count: db(plan_name="tune").first(),
    "newest of a common word": lambda db, count: db(metadata.COMMON_WORD).first(),
    "count of a rare word": lambda db, count: db(metadata.RARE_WORD).count(),
    "a table": lambda db, count: db[count // 2].table(),
}


@contextlib.contextmanager
def on_sqlite() -> Iterator[tuple[Store, Callable[[], int]]]:
    """Have an empty store in a file, and how to ask for its size in bytes."""
    with harness.folder() as folder, contextlib.closing(SQLiteStore(folder / "runs.db")) as store:
        yield store, lambda: sum(path.stat().st_size for path in folder.iterdir())


@contextlib.contextmanager
def on_postgresql() -> Iterator[tuple[Store, Callable[[], int]]]:
    """Have an empty store in a database, and how to ask for its size in bytes."""
    import psycopg
    from tests.helpers.postgresql import address, new_schema

    from databroker.stores.sql.postgresql import PostgreSQLStore

    size = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND "
    size += "relnamespace = %s::regnamespace"
    with (
        address() as uri,
        new_schema(uri) as schema,
        contextlib.closing(PostgreSQLStore(uri, schema=schema)) as store,
        psycopg.connect(uri, autocommit=True) as session,
    ):
        yield store, lambda: int(session.execute(size, (schema,)).fetchall()[0][0])


def main() -> None:
    """Run from the command line."""
    stores = {"sqlite": on_sqlite, "postgresql": on_postgresql}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--store", choices=stores, default="sqlite")
    given = parser.parse_args()
    print(harness.machine())
    steps = [given.runs // 10**power for power in (2, 1, 0)]
    print("| " + " | ".join(["runs", "seconds", "a second", "MiB", *QUESTIONS]) + " |")
    print("|" + " --- |" * (4 + len(QUESTIONS)))
    with stores[given.store]() as (store, size):
        db, flow = Broker(store), documents(given.runs)
        took, done = 0.0, 0
        for count in steps:
            begun = time.perf_counter()
            store.insert_many(until(flow, count - done))
            spent = time.perf_counter() - begun
            took, rate, done = took + spent, (count - done) / spent, count
            answers = [
                harness.median_ms(functools.partial(question, db, count))
                for question in QUESTIONS.values()
            ]
            cells = [f"{count:,}", f"{took:.0f}", f"{rate:,.0f}", f"{size() / 2**20:.0f}"]
            cells += [f"{answer:.2f} ms" for answer in answers]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
