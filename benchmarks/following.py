"""How soon a follower has what another broker inserts, beside one who asks without a pause.

The limit is a thread that does nothing but look at the run again and again; for many followers, one
of them; for PostgreSQL, also what it takes to tell a session that listens. MongoDB is a server that
stands in for it.

    python -m benchmarks.following
"""

from __future__ import annotations

import math
import os
import pickle
import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any
from unittest import mock

from databroker import Broker
from databroker.stores.http import HTTPStore

from . import harness, serving
from .data import Scan, write
from .harness import Row
from .many_runs import in_postgresql

Seeing = Callable[[Broker, str], Iterator[None]]
"""Yields once for each event that comes to a run."""

Pair = tuple[Broker, Broker]
"""Who writes, and who follows."""


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


def latencies(pair: Pair, seeing: Seeing, events: int) -> list[float]:
    """Milliseconds from before each insert until the event is seen."""
    (writer, reader), scan = pair, Scan(random.getrandbits(32))
    write(writer, scan, 1, stop=False)
    begun: list[float] = []

    def insert() -> None:
        for event in scan.events(events):
            time.sleep(random.uniform(0.02, 0.15))
            begun.append(time.perf_counter())
            writer.insert("event", event)

    found = seeing(reader, scan.uid)
    next(found)  # which is there already: all is imported
    thread = threading.Thread(target=insert)
    thread.start()
    seen = [time.perf_counter() for _ in islice(found, events)]
    thread.join()
    return [1e3 * (after - before) for after, before in zip(seen, begun, strict=True)]


def rows_of(place: str, pair: Pair, events: int) -> Iterator[Row]:
    """The time within which half of the events are seen, and nearly all."""
    pair[1].stale_after = math.inf
    ours, least = (latencies(pair, see, events) for see in (following, asking))
    yield _row(f"{place}, median", statistics.median(ours), statistics.median(least))
    yield _row(f"{place}, p99", _p99(ours), _p99(least))


def _row(what: str, ours: float, least: float) -> Row:
    return Row(f"follow: an event, {what}", "1", ours, "ms", least, target=100.0)


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[-1]


def of_many(place: str, pair: Pair, events: int, followers: int = 100) -> Row:
    """The time within which the last of many followers in one process has an event."""
    return Row(
        f"follow: an event, {place}, the last",
        f"{followers} followers",
        statistics.median(_last(pair, events, followers)),
        "ms",
        statistics.median(_last(pair, events, 1)),
        target=100.0,
        note="limit: one follower",
    )


def _last(pair: Pair, events: int, followers: int) -> list[float]:
    (writer, reader), scan = pair, Scan(random.getrandbits(32))
    write(writer, scan, 1, stop=False)
    seen = threading.Semaphore(0)

    def see(kind: str, _: object) -> None:
        if kind == "event":
            seen.release()

    def all_saw() -> float:
        for _ in range(followers):
            seen.acquire()
        return time.perf_counter()

    following = [reader[scan.uid].follow().subscribe(see) for _ in range(followers)]
    all_saw()
    times = []
    for event in scan.events(events):
        time.sleep(random.uniform(0.05, 0.15))
        begun = time.perf_counter()
        writer.insert("event", event)
        times.append(1e3 * (all_saw() - begun))
    for each in following:
        each.stop()
    return times


def told(uri: str, schema: str, events: int) -> Row:
    """How soon who waits for PostgreSQL is told, beside a session that listens."""
    import psycopg

    config = {"driver": "postgresql", "uri": uri, "schema": schema, "spill": False}
    with (
        Broker.from_config(config) as writer,
        Broker.from_config(config) as reader,
        psycopg.connect(uri, autocommit=True) as speaks,
        psycopg.connect(uri, autocommit=True) as listens,
    ):
        listens.execute("LISTEN databroker_benchmark")
        scan = Scan(random.getrandbits(32))
        write(writer, scan, 1, stop=False)

        def waiting(event: dict[str, Any]) -> float:
            state = reader.store.state()
            return _woken(
                lambda: reader.store.wait_for_changes(state, 60.0),
                lambda: writer.insert("event", event),
            )

        def listening() -> float:
            return _woken(
                lambda: next(listens.notifies(timeout=60.0)),
                lambda: speaks.execute("NOTIFY databroker_benchmark"),
            )

        times = [(waiting(event), listening()) for event in scan.events(events)]
    ours, least = map(statistics.median, zip(*times, strict=True))
    return Row("follow: who waits is woken, PostgreSQL", "1", ours, "ms", least, target=100.0)


def _woken(wait: Callable[[], object], act: Callable[[], object]) -> float:
    """Milliseconds from before something is done until another thread is woken by it."""
    woken: list[float] = []

    def run() -> None:
        wait()
        woken.append(time.perf_counter())

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(random.uniform(0.1, 0.2))
    begun = time.perf_counter()
    act()
    thread.join()
    return 1e3 * (woken[0] - begun)


@contextmanager
def memory() -> Iterator[Pair]:
    """A broker that is both."""
    with Broker.from_config({"driver": "memory"}) as db:
        yield db, db


@contextmanager
def files(driver: str, name: str, key: str) -> Iterator[Pair]:
    """Two brokers of what is in a folder."""
    with (
        harness.folder() as folder,
        Broker.from_config({"driver": driver, key: str(folder / name)}) as writer,
        pickle.loads(pickle.dumps(writer)) as reader,
    ):
        yield writer, reader


@contextmanager
def postgresql() -> Iterator[Pair]:
    """Two brokers of a server."""
    with in_postgresql() as (writer, _), pickle.loads(pickle.dumps(writer)) as reader:
        yield writer, reader


@contextmanager
def mongo() -> Iterator[Pair]:
    """Two brokers of what stands in for a server of MongoDB."""
    from tests.helpers import mongo as servers

    with harness.folder() as folder, servers.nx(folder, in_files=False) as server:
        store = servers.store_class()(servers.address_of(server.address, "runs"))
        with Broker(store) as writer, pickle.loads(pickle.dumps(writer)) as reader:
            yield writer, reader


@contextmanager
def http() -> Iterator[Pair]:
    """Two brokers that ask `databroker serve`, which has an SQLite file."""
    token = {"DATABROKER_TOKEN": "of the benchmark alone"}
    with harness.folder() as folder, mock.patch.dict(os.environ, token):
        path = str(folder / "runs.db")
        Broker.from_config({"driver": "sqlite", "path": path}).close()
        with (
            serving.asking(path, "--allow-writing") as writer,
            Broker(HTTPStore(writer.config["uri"])) as reader,
        ):
            yield writer, reader


PLACES: dict[str, Callable[[], AbstractContextManager[Pair]]] = {
    "memory": memory,
    "SQLite": lambda: files("sqlite", "runs.db", "path"),
    "PostgreSQL": postgresql,
    "JSON lines": lambda: files("jsonl", "runs", "paths"),
    "MessagePack": lambda: files("msgpack", "runs", "paths"),
    "MongoDB": mongo,
    "HTTP": http,
}


def rows(full: bool = False, events: int = 100) -> Iterator[Row]:
    """Measure."""
    for name, place in PLACES.items():
        with place() as pair:
            yield from rows_of(name, pair, events)
            if name in ("SQLite", "HTTP"):
                yield of_many(name, pair, events // 5)
    from tests.helpers.postgresql import address, new_schema

    with address() as server, new_schema(server) as schema:
        yield told(server, schema, events // 2)


if __name__ == "__main__":
    harness.script(rows, __doc__)
