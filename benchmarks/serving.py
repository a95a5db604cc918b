"""Runs that `databroker serve` serves, beside the same file opened here.

The server is a process of this machine, reached by a broker of its own over the loopback. How many
requests each question costs is told with it.

    python -m benchmarks.serving
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from databroker import Broker
from databroker.stores.http import HTTPStore

from . import harness
from .data import Scan, write
from .harness import Row

SMALL = 5


@contextmanager
def served(events: int) -> Iterator[tuple[Broker, Broker, list[str]]]:
    """A broker of a file, one of its server, and runs: of few events, and of so many."""
    with harness.folder() as folder:
        path = str(folder / "runs.db")
        with Broker.from_config({"driver": "sqlite", "path": path}) as local:
            scans = [Scan(seed) for seed in range(30)]
            for scan in scans:
                write(local, scan, SMALL if scan is not scans[0] else events)
            command = [sys.executable, "-m", "databroker", "serve", path, "--port", "0"]
            with subprocess.Popen(
                [*command, "--allow-writing"],
                stdout=subprocess.PIPE,
                env=harness.environment(),
                text=True,
            ) as process:
                assert process.stdout is not None
                uri = process.stdout.readline().strip()
                config = {"driver": "http", "uri": uri, "spill": False}
                try:
                    with Broker.from_config(config) as remote:
                        yield remote, local, [scans[1].uid, scans[0].uid]
                finally:
                    process.terminate()


def requests(work: Callable[[], object]) -> int:
    """How many requests some work takes."""
    with mock.patch.object(HTTPStore, "ask", autospec=True, side_effect=HTTPStore.ask) as ask:
        work()
    return ask.call_count


def _row(
    what: str,
    size: str,
    work: Callable[[Broker], object],
    brokers: tuple[Broker, Broker],
    repeat: int,
    target: float | None = None,
    target_ratio: float | None = None,
) -> Row:
    remote, local = brokers
    ours, least = harness.side_by_side(
        lambda: work(remote), lambda: work(local), repeat=repeat, warm_up=3
    )
    note = f"{requests(lambda: work(remote))} requests"
    return Row(what, size, ours, "ms", least, target_ratio, target, note=note)


def reading(events: int, repeat: int) -> Iterator[Row]:
    """Tables, a list of the newest runs, a search."""
    with served(events) as (remote, local, (small, large)):
        brokers = remote, local
        headers = {(db, uid): db[uid] for db in brokers for uid in (small, large)}
        size = f"{events:,}".replace(",", " ")
        yield _row(
            "served: table of a run in hand",
            f"{SMALL}",
            lambda db: headers[db, small].table(),
            brokers,
            5 * repeat,
            target=5.0,
        )
        yield _row(
            "served: table of a run, by its uid",
            f"{SMALL}",
            lambda db: db[small].table(),
            brokers,
            5 * repeat,
        )
        yield _row(
            "served: table of a run in hand",
            f"{size} x 4",
            lambda db: headers[db, large].table(),
            brokers,
            repeat,
            target_ratio=3.0,
        )
        yield _row(
            "served: the newest runs", "20", lambda db: list(db().limit(20)), brokers, 5 * repeat
        )
        yield _row(
            "served: a search counted",
            "30",
            lambda db: db(plan_name="scan").count(),
            brokers,
            5 * repeat,
        )


def writing(repeat: int) -> Iterator[Row]:
    """Events one by one."""
    with served(SMALL) as (remote, local, _):
        flows = {}
        for seed, db in enumerate((remote, local), 100):
            scan = Scan(seed)
            write(db, scan, 10, stop=False)
            flows[db] = scan.events(10_000)
        yield _row(
            "served: insert, an event",
            "1",
            lambda db: db.insert("event", next(flows[db])),
            (remote, local),
            20 * repeat,
        )


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield from reading(100_000, repeat=9)
    yield from writing(repeat=9)


if __name__ == "__main__":
    harness.script(rows, __doc__)
