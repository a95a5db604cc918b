"""How soon a follower has what another broker inserts, beside one who asks without a pause.

The limit is a thread that does nothing but look at the run again and again.

    python -m benchmarks.following
"""

from __future__ import annotations

import math
import pickle
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import islice

from databroker import Broker

from . import harness
from .data import Scan, write
from .harness import Row
from .many_runs import in_postgresql, in_sqlite

Seeing = Callable[[Broker, str], Iterator[None]]
"""Yields once for each event that comes to a run."""


def following(db: Broker, uid: str) -> Iterator[None]:
    """A follower."""
    return (None for kind, _ in db[uid].follow() if kind == "event")


def asking(db: Broker, uid: str) -> Iterator[None]:
    """One who asks how many events there are, without a pause."""
    stream, seen = db[uid].streams["primary"], 0
    while True:
        now = stream.num_events
        yield from [None] * (now - seen)
        seen = now


def latencies(reader: Broker, writer: Broker, seeing: Seeing, events: int) -> list[float]:
    """Milliseconds from before each insert until the event is seen."""
    scan = Scan(random.getrandbits(32))
    write(writer, scan, 1, stop=False)
    begun: list[float] = []

    def insert() -> None:
        for event in scan.events(events):
            time.sleep(random.uniform(0.02, 0.2))
            begun.append(time.perf_counter())
            writer.insert("event", event)

    found = seeing(reader, scan.uid)
    next(found)  # which is there already: all is imported
    thread = threading.Thread(target=insert)
    thread.start()
    seen = [time.perf_counter() for _ in islice(found, events)]
    thread.join()
    return [1e3 * (after - before) for after, before in zip(seen, begun, strict=True)]


def row(place: str, writer: Broker, events: int) -> Row:
    """The time within which 19 of 20 events are seen, by a follower and by one who asks on."""
    in_memory = not writer.store.capabilities.shared
    with nullcontext(writer) if in_memory else pickle.loads(pickle.dumps(writer)) as reader:
        reader.stale_after = math.inf
        ours, least = (latencies(reader, writer, see, events) for see in (following, asking))
    note = f"median {statistics.median(ours):.0f} ms, at most {max(ours):.0f} ms"
    slow = [statistics.quantiles(each, n=20)[-1] for each in (ours, least)]
    return Row(f"follow: an event, {place}", "1", slow[0], "ms", slow[1], target=100.0, note=note)


@contextmanager
def in_memory() -> Iterator[tuple[Broker, None]]:
    """An empty broker."""
    with Broker.from_config({"driver": "memory"}) as db:
        yield db, None


def rows(full: bool = False, events: int = 100) -> Iterator[Row]:
    """Measure."""
    places = {"memory": in_memory, "SQLite": in_sqlite, "PostgreSQL": in_postgresql}
    for name, place in places.items():
        with place() as (db, _):
            yield row(name, db, events)


if __name__ == "__main__":
    harness.script(rows, __doc__)
