"""Tables: small and large ones, warm and cold, with the memory that they need."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from databroker.stores.sql.bodies import checksum

from . import harness
from .data import Scan, open_broker, write
from .harness import MIB, Row
from .limits import Blobs, blobs_of


def make(folder: Path, rows: int, width: int = 4) -> tuple[str, str]:
    """Write a run, and the same data as plain blobs; return both paths."""
    ours, plain = str(folder / f"{rows}.db"), str(folder / f"{rows}-plain.db")
    with open_broker(ours) as db:
        write(db, Scan(1, width), rows)
        blobs_of(db[-1].table(), plain)
    return ours, plain


def cold(path: str) -> dict[str, float]:
    """In a fresh process that has imported everything: open, load, and what memory it took."""
    _preload()
    before = harness.peak_memory()
    begun = time.perf_counter()
    with open_broker(path) as db:
        frame = db[-1].table()
        took = time.perf_counter() - begun
    assert len(frame)
    return {
        "ms": took * 1e3,
        "memory": harness.peak_memory() - before,
        "frame": frame.memory_usage().sum() / MIB,
    }


def cold_plain(path: str) -> dict[str, float]:
    """The same from plain blobs."""
    _preload()
    before = harness.peak_memory()
    begun = time.perf_counter()
    with closing(Blobs(path)) as blobs:
        frame = blobs.table()
        took = time.perf_counter() - begun
    assert len(frame)
    return {"ms": took * 1e3, "memory": harness.peak_memory() - before}


def _preload() -> None:
    """Load all modules, and let pandas and Arrow do what they do only once."""
    with closing(Blobs(":memory:")) as blobs:
        blobs.write({"seq_num": [1, 2], "time": [1.0, 2.0], "x": [0.5, 1.5]})
        blobs.table()
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        write(db, Scan(2), 2)
        db[-1].table()


def small(repeat: int = 51) -> Row:
    """The newest run's table, five events, again and again."""
    with harness.folder() as folder:
        ours, plain = make(folder, 5)
        with closing(Blobs(plain)) as blobs, open_broker(ours) as db:
            took, least = harness.side_by_side(lambda: db[-1].table(), blobs.table, repeat)
    return Row("table of the newest run, warm", "5 x 4", took, limit=least, target=2.0)


def checksums(path: str, count: int, table: float) -> Row:
    """How long it takes to check all segments, of which a table reads some."""
    with closing(sqlite3.connect(path)) as raw:
        blobs = [blob for (blob,) in raw.execute("SELECT data FROM segments")]
    took = harness.median_ms(lambda: list(map(checksum, blobs)))
    return Row(
        "checksums of all that is stored",
        f"{harness.number(count)} x 4",
        took,
        limit=table,
        target_ratio=0.05,
        note="limit: the table",
    )


def large(count: int, repeat: int = 9) -> Iterator[Row]:
    """A table of many rows, warm and in a fresh process."""
    size = f"{harness.number(count)} x 4"
    with harness.folder() as folder:
        ours, plain = make(folder, count)
        with closing(Blobs(plain)) as blobs, open_broker(ours) as db:
            took, least = harness.side_by_side(lambda: db[-1].table(), blobs.table, repeat)
        yield Row("table, warm", size, took, limit=least, target_ratio=2.0)
        yield checksums(ours, count, took)
        first = harness.median_fresh(cold, ours, repeat=repeat // 2 + 1)
        least_first = harness.median_fresh(cold_plain, plain, repeat=repeat // 2 + 1)
    yield Row(
        "table, cold open in a fresh process",
        size,
        first["ms"],
        limit=least_first["ms"],
        target_ratio=2.0,
        memory=first["memory"],
        # Of a small table, the caches of SQLite and Arrow would be most of what is measured.
        target_memory=3 * first["frame"] if count >= 1_000_000 else None,
        note=f"frame {first['frame']:.0f} MiB; limit takes {least_first['memory']:.0f} MiB",
    )


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield small()
    yield from large(100_000)
    yield from large(1_000_000, repeat=5)


if __name__ == "__main__":
    harness.script(rows, __doc__)
