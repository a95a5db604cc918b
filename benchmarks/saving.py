"""Saving: event by event, in pages, whole small runs; the slowest inserts; bytes an event."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from databroker import Broker
from databroker.documents.encode import encode

from . import harness
from .data import Doc, Scan, open_broker, write
from .harness import Row
from .limits import Blobs, Commits

SLICE = 1000


def seconds(begun: float) -> float:
    """Seconds since a reading of the clock."""
    return time.perf_counter() - begun


def one_by_one(db: Broker, events: list[Doc]) -> float:
    """Insert events one after the other; return the seconds that it takes."""
    begun = time.perf_counter()
    for event in events:
        db.insert("event", event)
    return seconds(begun)


def single_events(count: int) -> Iterator[Row]:
    """Event by event beside plain commits, in turns; every sealing of a tail is within."""
    ours = least = 0.0
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        commits = Commits(folder / "plain.db")
        scan = _opened(db)
        for _ in range(-(-count // SLICE)):
            events, blobs = list(scan.events(SLICE)), commits.blobs(SLICE)
            ours += one_by_one(db, events)
            begun = time.perf_counter()
            commits.write(blobs)
            least += seconds(begun)
        commits.close()
    yield Row(
        "insert, event by event",
        harness.number(count),
        count / ours,
        "events/s",
        limit=count / least,
        target_ratio=0.5,
        more_is_better=True,
        note="limit: commits of 300 bytes",
    )


def events_again(count: int) -> Iterator[Row]:
    """Events that are all there already, event by event, beside inserting them the first time."""
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        events = list(_opened(db).events(count))
        first, again = one_by_one(db, events), one_by_one(db, events)
    yield Row(
        "insert events that are there, event by event",
        harness.number(count),
        count / again,
        "events/s",
        limit=count / first,
        target_ratio=1.0,
        more_is_better=True,
        note="limit: the first time",
    )


def pages(count: int, page: int = 1000) -> Iterator[Row]:
    """Event pages beside plain Arrow blobs, in turns."""
    ours = least = 0.0
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        blobs = Blobs(folder / "plain.db")
        scan = _opened(db)
        for turn in range(-(-count // page)):
            doc = scan.page(page)
            begun = time.perf_counter()
            db.insert("event_page", doc)
            between = time.perf_counter()
            blobs.write_page(doc)
            if turn:  # the first one imports pyarrow
                ours += between - begun
                least += seconds(between)
        blobs.close()
    yield Row(
        f"insert, pages of {page}",
        harness.number(count),
        count / ours,
        "rows/s",
        limit=count / least,
        target_ratio=0.6,
        more_is_better=True,
        note="limit: types, Arrow, IPC, a commit",
    )


def large_events(count: int, elements: int = 1_000_000) -> Iterator[Row]:
    """Events with an array of 8 MB each, beside commits of the bytes alone, in turns."""
    ours, least, synced = np.empty(count), np.empty(count), np.empty(count)
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        commits = Commits(folder / "plain.db")
        scan = _opened(db)
        with (folder / "plain").open("wb", buffering=0) as plain:
            for place, event in enumerate(scan.events(count)):
                image = np.random.default_rng(place).random(elements)
                event["data"]["image"], event["timestamps"]["image"] = image, event["time"]
                begun = time.perf_counter()
                db.insert("event", event)
                ours[place] = seconds(begun)
                begun = time.perf_counter()
                commits.write([image.tobytes()])
                least[place] = seconds(begun)
                begun = time.perf_counter()
                plain.write(image.tobytes())
                os.fsync(plain.fileno())
                synced[place] = seconds(begun)
        commits.close()
    yield Row(
        "insert, an event of 8 MB",
        harness.number(count),
        float(ours[1:].mean() * 1e3),
        limit=float(least[1:].mean() * 1e3),
        target_ratio=2.0,
        note=f"limit: a plain commit; a file, synced: {harness.number(synced.mean() * 1e3)} ms",
    )


def slowest(count: int) -> Iterator[Row]:
    """How long single inserts take, compaction included."""
    took = np.empty(count)
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        scan = _opened(db)
        for first in range(0, count, SLICE):
            for place, event in enumerate(scan.events(SLICE), first):
                begun = time.perf_counter()
                db.insert("event", event)
                took[place] = time.perf_counter() - begun
    took *= 1e3
    size = harness.number(count)
    yield Row("one insert, median", size, float(np.median(took)))
    yield Row("one insert, p99", size, float(np.percentile(took, 99)), target=5.0)
    over = int((took > 100).sum())
    yield Row(
        "one insert, slowest", size, float(took.max()), target=100.0, note=f"{over} over 100 ms"
    )


def at_a_pace(runs: int, events: int = 40, pause: float = 0.005) -> Iterator[Row]:
    """Scans as an instrument makes them, some at once after another, some later.

    Meanwhile a thread moves the log into the file. Beside each insert goes a plain commit,
    with nothing of that.
    """
    took: dict[str, list[float]] = {"start": [], "event": [], "stop": []}
    least: dict[str, list[float]] = {kind: [] for kind in took}
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        commits = Commits(folder / "plain.db")
        for seed in range(runs + 1):
            scan = Scan(seed + 1)
            documents = [*scan.opening(), *(("event", event) for event in scan.events(events))]
            for kind, doc in [*documents, ("stop", scan.stop())]:
                (blob,) = commits.blobs(1)
                begun = time.perf_counter()
                db.insert(kind, doc)
                between = time.perf_counter()
                commits.write([blob])
                if seed and kind in took:  # the first one loads modules
                    took[kind].append((between - begun) * 1e3)
                    least[kind].append(seconds(between) * 1e3)
                time.sleep(pause)
            time.sleep(0.7 * (seed % 2))
        commits.close()
    for kind, part, target in (("start", 90, 3.0), ("event", 99, 5.0), ("stop", 90, None)):
        yield Row(
            f"one {kind}, {1 / pause:.0f} a second, p{part}",
            harness.number(len(took[kind])),
            float(np.percentile(took[kind], part)),
            limit=float(np.percentile(least[kind], part)),
            target=target,
            note=f"slowest {max(took[kind]):.1f} ms; limit: a plain commit",
        )


def bytes_an_event(count: int) -> Iterator[Row]:
    """All files of a run with four scalars, written event by event and by page."""
    for how in ("single events", "pages"):
        with harness.folder() as folder:
            with open_broker(str(folder / "runs.db")) as db:
                if how == "pages":
                    write(db, Scan(1), count)
                else:
                    scan = _opened(db)
                    for event in scan.events(count):
                        db.insert("event", event)
                    db.insert("stop", scan.stop())
            total = _size(folder)
        yield Row(
            f"size on disk, {how}",
            harness.number(count),
            total / count,
            "bytes/event",
            limit=100.0,
            target=85.0,
            note="limit: uncompressed",
        )


def small_runs(count: int) -> Iterator[Row]:
    """Whole runs of five events, all documents, beside as many plain commits."""
    ours = least = 0.0
    with harness.folder() as folder, open_broker(str(folder / "runs.db")) as db:
        commits = Commits(folder / "plain.db")
        for seed in range(count + 1):
            documents = small_run(seed)
            blobs = [encode(doc) for _, doc in documents]
            begun = time.perf_counter()
            for kind, doc in documents:
                db.insert(kind, doc)
            between = time.perf_counter()
            commits.write(blobs)
            if seed:  # the first one loads modules
                ours += between - begun
                least += seconds(between)
        commits.close()
    yield Row(
        "insert, a whole run of 5 events",
        harness.number(count),
        ours / count * 1e3,
        limit=least / count * 1e3,
        target=3.0,
        note="limit: a commit a document",
    )


def many_runs(count: int) -> Iterator[Row]:
    """Insert runs of five events, as a copy does: many at once, and one by one beside it."""
    with harness.folder() as folder:
        took = []
        for name in ("warm", "once", "single"):
            documents = [pair for seed in range(count) for pair in small_run(seed)]
            with open_broker(str(folder / f"{name}.db")) as db:
                begun = time.perf_counter()
                if name == "single":
                    for kind, doc in documents:
                        db.insert(kind, doc)
                else:
                    db.store.insert_many(documents)
                took.append(time.perf_counter() - begun)
    yield Row(
        "insert_many, runs of 5 events",
        harness.number(count),
        took[1] / count * 1e3,
        limit=took[2] / count * 1e3,
        note="limit: one by one",
    )


def small_run(seed: int) -> list[tuple[str, Doc]]:
    scan = Scan(seed + 1)
    events: list[tuple[str, Doc]] = [("event", event) for event in scan.events(5)]
    return [*scan.opening(), *events, ("stop", scan.stop())]


def _opened(db: Broker) -> Scan:
    scan = Scan(1)
    for kind, doc in scan.opening():
        db.insert(kind, doc)
    return scan


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def rows(full: bool = False) -> Iterator[Row]:
    """Measure."""
    yield from single_events(100_000)
    yield from events_again(30_000)
    yield from pages(1_000_000 if full else 300_000)
    yield from large_events(50)
    yield from slowest(100_000)
    yield from at_a_pace(40)
    yield from bytes_an_event(100_000)
    yield from small_runs(500)
    yield from many_runs(500)


if __name__ == "__main__":
    harness.script(rows, __doc__)
