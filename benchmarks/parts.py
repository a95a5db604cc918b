"""One column of many, and a scalar beside a column of waveforms."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from . import harness
from .data import Scan, open_broker, write
from .harness import Row

FIELD = "det0"


def make(path: Path, rows: int, width: int, waveform: int = 0) -> str:
    """Write a run with so many columns, and a waveform beside them."""
    with open_broker(str(path)) as db:
        write(db, Scan(1, width, waveform), rows, page=1000 if not waveform else 200)
    return str(path)


def load(path: str, field: str = FIELD) -> dict[str, float]:
    """In a fresh process: the table of one field, first and again, and the memory it took."""
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        write(db, Scan(2), 2)
        db[-1].table(fields=["det0"])
    before = harness.peak_memory()
    with open_broker(path) as db:
        times = []
        for _ in range(8):
            begun = time.perf_counter()
            frame = db[-1].table(fields=[field])
            times.append((time.perf_counter() - begun) * 1e3)
    assert list(frame.columns) == ["time", field]
    memory = harness.peak_memory() - before
    return {"cold": times[0], "warm": statistics.median(times[1:]), "memory": memory}


def compared(
    what: str, size: str, whole: str, alone: str, target: float, repeat: int = 5
) -> Iterator[Row]:
    """One field of a run beside the same field in a run that has no other."""
    found = harness.median_fresh(load, whole, repeat=repeat)
    least = harness.median_fresh(load, alone, repeat=repeat)
    for state in ("warm", "cold"):
        yield Row(
            f"{what}, {state}",
            size,
            found[state],
            limit=least[state],
            target_ratio=target,
            memory=found["memory"],
            target_memory=least["memory"] + 32,
            note=f"limit: that column alone, {least['memory']:.0f} MiB",
        )


def one_of_many(count: int = 100_000, width: int = 50, repeat: int = 5) -> Iterator[Row]:
    """One column of many."""
    with harness.folder() as folder:
        whole = make(folder / "whole.db", count, width)
        alone = make(folder / "alone.db", count, 1)
        size = f"{harness.number(count)} x {width}"
        yield from compared(f"one column of {width}", size, whole, alone, 2.0, repeat)


def beside_waveform(count: int, points: int = 2000, repeat: int = 5) -> Iterator[Row]:
    """A scalar beside a waveform."""
    with harness.folder() as folder:
        whole = make(folder / "whole.db", count, 1, points)
        alone = make(folder / "alone.db", count, 1)
        size = f"{harness.number(count)} x {points}"
        yield from compared("scalar beside a waveform", size, whole, alone, 1.5, repeat)


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield from one_of_many()
    yield from beside_waveform(100_000 if full else 20_000)


if __name__ == "__main__":
    harness.script(rows, __doc__)
