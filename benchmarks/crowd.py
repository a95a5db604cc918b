"""Many at once: clients of one server that search, and writers that insert through it.

The server is one process of this machine. Those who search are threads with a broker of their own
each, in a few processes. A writer has a run of its own and inserts one event after the other,
waiting for each, as a RunEngine does: all of them are threads of one process, or each is a process.
Beside the server, the same writers insert into the same kind of file themselves.

    python -m benchmarks.crowd
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest import mock

from databroker import Broker

from . import harness
from .data import Doc, Scan, write
from .harness import Row
from .serving import command, speaking

Config = dict[str, Any]
Seconds = list[float]

WRITERS = 16


class Done(NamedTuple):
    """What one process did: when it began and ended, how long each thing took, what failed."""

    begun: float
    ended: float
    seconds: Seconds
    failed: int


@contextmanager
def served(runs: int) -> Iterator[tuple[Config, Config]]:
    """The configurations of a file with some runs, and of a server of it."""
    with harness.folder() as folder:
        local = {"driver": "sqlite", "path": str(folder / "runs.db")}
        with Broker.from_config(local) as db:
            for seed in range(runs):
                write(db, Scan(seed), 5)
        # Documents may wait, as by default; but that a busy machine is slow is no absence.
        waiting = {"spill": str(folder / "spill"), "spill_after": 600}
        with speaking(command(local["path"], "--allow-writing")) as uri:
            yield local, {"driver": "http", "uri": uri, **waiting}


def crowd(work: Callable[..., Done], processes: int, threads: int, *arguments: Any) -> list[Done]:
    """Have some processes do something with so many threads each, all of them at once."""
    spawning = multiprocessing.get_context("spawn")
    gate, answers = spawning.Barrier(processes), spawning.Queue()
    with mock.patch.dict(os.environ, harness.environment()):
        members = [
            spawning.Process(
                target=_member, args=(work, answers, gate, number * threads, threads, *arguments)
            )
            for number in range(processes)
        ]
        for each in members:
            each.start()
    found = [answers.get() for _ in members]
    for each in members:
        each.join()
    return found


def _member(work: Callable[..., Done], answers: Any, *arguments: Any) -> None:
    answers.put(work(*arguments))


def search(gate: Any, _: int, threads: int, config: Config, times: int) -> Done:
    """Count and list runs, in threads with a broker each."""
    with ExitStack() as stack:
        brokers = [stack.enter_context(Broker.from_config(config)) for _ in range(threads)]
        found: Seconds = []
        failed: list[Exception] = []
        for db in brokers:  # the first question makes a connection
            db().count()

        def ask(db: Broker) -> None:
            for number in range(times):
                begun = time.perf_counter()
                try:
                    results = db(scan_id={"$lt": number})
                    assert results.count() == number
                    assert len(list(results.limit(5))) == min(number, 5)
                except Exception as error:
                    failed.append(error)
                found.append(time.perf_counter() - begun)

        return _all_at_once(gate, ask, brokers, found, failed)


def insert(gate: Any, first: int, threads: int, config: Config, events: int) -> Done:
    """Insert events one by one, each thread those of a run of its own."""
    with Broker.from_config(config) as db:
        found: Seconds = []
        failed: list[Exception] = []
        flows = []
        for seed in range(10**6 + first, 10**6 + first + threads):
            scan = Scan(seed)
            write(db, scan, 5, stop=False)
            flows.append(list(scan.events(events)))

        def go(flow: list[Doc]) -> None:
            for event in flow:
                begun = time.perf_counter()
                db.insert("event", event)
                found.append(time.perf_counter() - begun)

        return _all_at_once(gate, go, flows, found, failed)


def _all_at_once(
    gate: Any, work: Callable[[Any], None], ones: list[Any], found: Seconds, failed: list[Exception]
) -> Done:
    with ThreadPoolExecutor(len(ones)) as pool:
        gate.wait()
        begun = time.time()
        list(pool.map(work, ones))
        return Done(begun, time.time(), found, len(failed))


def searching(times: int, processes: int = 5, threads: int = 10) -> Iterator[Row]:
    """How long the slowest of a hundred searches takes, beside the middle one."""
    with served(100) as (_, remote):
        done = crowd(search, processes, threads, remote, times)
    seconds = sorted(each for one in done for each in one.seconds)
    failed = sum(one.failed for one in done)
    yield Row(
        "served: a search, 99 of 100",
        f"{processes * threads} clients",
        _at(seconds, 0.99),
        limit=_at(seconds, 0.5),
        target_ratio=10.0,
        note=f"limit: half of them; {len(seconds)} searches, {failed} failed",
        broken=failed > 0,
    )


def _at(seconds: Seconds, share: float) -> float:
    return seconds[int(share * (len(seconds) - 1))] * 1e3


def writing(events: int, repeat: int) -> Iterator[Row]:
    """How many events come in within a second, through the server and without it."""
    for processes, kind in ((1, "threads"), (WRITERS, "processes")):
        threads = WRITERS // processes
        rates: list[tuple[float, float]] = []
        for _ in range(repeat):
            with served(0) as (local, remote):
                through = _rate(crowd(insert, processes, threads, remote, events))
            with served(0) as (local, _):
                rates.append((through, _rate(crowd(insert, processes, threads, local, events))))
        ours, least = (statistics.median(some) for some in zip(*rates, strict=True))
        yield Row(
            "served: inserting events one by one",
            f"{WRITERS} {kind}",
            ours,
            "events/s",
            limit=least,
            target_ratio=0.3,
            more_is_better=True,
        )


def _rate(done: list[Done]) -> float:
    took = max(each.ended for each in done) - min(each.begun for each in done)
    return sum(len(each.seconds) for each in done) / took


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield from searching(times=60)
    yield from writing(events=300, repeat=3)


if __name__ == "__main__":
    harness.script(rows, __doc__)
