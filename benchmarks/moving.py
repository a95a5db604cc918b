"""Copying runs between stores, beside the same bytes alone: COPY, or plain inserts."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from pathlib import Path

import databroker
from databroker.stores.base import Store
from databroker.stores.registry import open_store

from . import harness
from .data import open_broker, write
from .harness import Row
from .limits import connect
from .saving import Scan, small_run

_DOCUMENTS = (
    "SELECT start FROM runs UNION ALL SELECT stop FROM runs UNION ALL SELECT body FROM documents"
)
_SEGMENTS = "SELECT data FROM segments"

Places = Callable[[Path], AbstractContextManager[list["Place"]]]

Place = tuple[str, Callable[[], Store], Callable[[list[bytes]], None]]
"""The name of a kind of target, what opens an empty one, and what writes bytes alone there."""


def copied(
    what: str, source: str, place: Place, size: int, unit: str, target: float, verify: bool = True
) -> Row:
    """A copy into a new store, and the same bytes alone, in turns."""
    name, make, write_alone = place
    blobs = _bytes_in(source)
    ours, least, worked = [], [], []
    for _ in range(3):
        with closing(make()) as store:
            begun, before = time.perf_counter(), time.process_time()
            report = databroker.copy(source, store, verify=verify)
            ours.append(time.perf_counter() - begun)
            worked.append(time.process_time() - before)
            assert report, report
        begun = time.perf_counter()
        write_alone(blobs)
        least.append(time.perf_counter() - begun)
    limit = size / min(least)
    return Row(
        f"copy {what}, SQLite to {name}" + ("" if verify else ", not verified"),
        harness.number(size),
        size / min(ours),
        unit,
        limit=limit,
        target=min(target, limit / 2),
        more_is_better=True,
        note=f"limit: {sum(map(len, blobs)) / 1e6:.1f} MB, alone; this process could do "
        f"{harness.number(size / min(worked))}",
    )


def _bytes_in(source: str) -> list[bytes]:
    """What is stored of runs, without the tables and indexes around it."""
    with closing(sqlite3.connect(source)) as file:
        return [row[0] for row in file.execute(f"{_DOCUMENTS} UNION ALL {_SEGMENTS}") if row[0]]


@contextmanager
def files(folder: Path) -> Iterator[list[Place]]:
    """Files, which need no server."""
    numbers = count()

    def file() -> Store:
        return open_store("sqlite", path=str(folder / f"copy {next(numbers)}.db"))

    def plain(blobs: list[bytes]) -> None:
        with closing(connect(folder / f"plain {next(numbers)}.db")) as one:
            one.execute("CREATE TABLE blobs (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
            one.execute("BEGIN")
            one.executemany("INSERT INTO blobs (body) VALUES (?)", [(blob,) for blob in blobs])
            one.execute("COMMIT")

    yield [("SQLite", file, plain)]


@contextmanager
def everywhere(folder: Path) -> Iterator[list[Place]]:
    """Files, and a server."""
    from tests.helpers.postgresql import address

    with files(folder) as found, address() as server:
        yield [*found, _postgresql(server)]


def _postgresql(server: str) -> Place:
    import psycopg

    numbers = count()

    def schema() -> Store:
        return open_store("postgresql", uri=server, schema=f"bench_{next(numbers)}")

    def raw(blobs: list[bytes]) -> None:
        table = f"plain_{next(numbers)}"
        with psycopg.connect(server) as session, session.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, body bytea NOT NULL)")
            cursor.execute(f"ALTER TABLE {table} ALTER body SET STORAGE EXTERNAL")
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["int8", "bytea"])
                for number, blob in enumerate(blobs):
                    copy.write_row((number, blob))

    return "PostgreSQL", schema, raw


def large_events(rows: int, runs: int, places: Places = everywhere) -> Iterator[Row]:
    """Runs of many events with four scalars each."""
    with harness.folder() as folder, places(folder) as targets:
        source = str(folder / "runs.db")
        with open_broker(source) as db:
            for seed in range(1, runs + 1):
                write(db, Scan(seed), rows // runs, page=min(5000, rows // runs))
        for place in targets:
            for verify in (True, False):
                yield copied("events", source, place, rows, "rows/s", 500_000, verify)


def small_runs(runs: int, places: Places = everywhere) -> Iterator[Row]:
    """Runs of five events."""
    with harness.folder() as folder, places(folder) as targets:
        source = str(folder / "runs.db")
        with open_broker(source) as db:
            db.insert_many(pair for seed in range(runs) for pair in small_run(seed))
        for place in targets:
            for verify in (True, False):
                yield copied("runs of 5 events", source, place, runs, "runs/s", 1_000, verify)
            yield again(source, place, runs)


def again(source: str, place: Place, runs: int) -> Row:
    """A copy of runs that are all there."""
    name, make, _ = place
    with closing(make()) as store:
        databroker.copy(source, store)
        took = harness.median_ms(lambda: databroker.copy(source, store), repeat=3) / runs
    return Row(f"copy again, SQLite to {name}", harness.number(runs), took, "ms a run")


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield from large_events(5_000_000 if full else 1_000_000, 4)
    yield from small_runs(20_000 if full else 4_000)


if __name__ == "__main__":
    harness.script(rows, __doc__)
