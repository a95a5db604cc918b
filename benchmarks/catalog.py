"""Finding runs in small and large catalogs: what is asked must cost, not what is stored."""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from databroker import Broker

from . import harness, starting
from .data import open_broker
from .harness import Row
from .metadata import BEGIN, COMMON_WORD, RARE_WORD, SPACING, starts, stop
from .plain_catalog import PlainCatalog

SIZES = (10_000, 100_000)
LARGEST = 1_000_000
TOO_SLOW = 1000.0  # milliseconds after which a question is not asked of a larger catalog


@dataclass(frozen=True)
class Question:
    """Something to ask of both catalogs, and what is promised."""

    what: str
    ours: Callable[[], Any]
    plain: Callable[[], Any]
    target: float | None = None
    target_ratio: float | None = None
    checked: bool = True


def build(folder: Path, count: int) -> Row | None:
    """Write a catalog in the public way, unless it is there from an earlier time."""
    path = folder / f"runs-{count}.db"
    if path.exists():
        return None
    chance = random.Random(2)
    took = 0.0
    unfinished = path.with_suffix(".unfinished")
    for left in folder.glob(unfinished.name + "*"):
        left.unlink()
    with open_broker(str(unfinished)) as db:
        documents = starts(count)
        while batch := [(doc, stop(doc, chance)) for doc in islice(documents, 1000)]:
            begun = time.perf_counter()
            for opening, closing in batch:
                db.insert("start", opening)
                db.insert("stop", closing)
            took += time.perf_counter() - begun
    size = sum(one.stat().st_size for one in folder.glob(unfinished.name + "*"))
    unfinished.rename(path)
    return Row(
        "catalog: build (start and stop)",
        harness.number(count),
        count / took,
        "runs/s",
        note=f"{size / 2**20:.0f} MiB, {size / count:.0f} bytes/run",
    )


def plain(folder: Path, count: int) -> PlainCatalog:
    """The plain catalog of the same runs."""
    path = folder / f"plain-{count}.db"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        for left in folder.glob(unfinished.name + "*"):
            left.unlink()
        catalog = PlainCatalog(unfinished)
        catalog.build(count)
        catalog.close()
        unfinished.rename(path)
    return PlainCatalog(path)


def questions(db: Broker, least: PlainCatalog, count: int) -> list[Question]:
    """All questions, of one size of catalog."""
    random_run = next(islice(starts(count), count // 3, None))
    thin: dict[str, Any] = {"sample.thickness": {"$gte": 0.5, "$lt": 0.52}}
    uid, scan_id = random_run["uid"], random_run["scan_id"]
    name = random_run["sample"]["name"]
    window = (BEGIN + count // 2 * SPACING, BEGIN + (count // 2 + 150) * SPACING)
    both = {"plan_name": "scan", "operator": "Dan"}
    seldom = {"plan_name": "count", "flag": "rare"}

    def newest(number: int, *text: str, **query: Any) -> list[Any]:
        return [header.start for header in islice(db(*text, **query), number)]

    return [
        Question("newest run", lambda: db[-1].start, lambda: least.newest(1)[0], 1.0),
        Question("5 newest runs", lambda: db[-5:], lambda: least.newest(5), checked=False),
        Question(
            "uid prefix",
            lambda: db[uid[:8]].start,
            lambda: least.newest(1, "uid >= ? AND uid < ?", (uid[:8], uid[:8] + "g"))[0],
            1.0,
        ),
        Question(
            "scan_id",
            lambda: db[scan_id].start,
            lambda: least.newest(1, "scan_id = ?", (scan_id,))[0],
            1.0,
        ),
        Question(
            "first hit, rare equality",
            lambda: newest(1, flag="rare"),
            lambda: least.newest(1, "flag = 'rare'"),
            2.0,
        ),
        Question(
            "first hit, equality of 20 %",
            lambda: newest(1, plan_name="scan"),
            lambda: least.newest(1, "plan_name = 'scan'"),
            2.0,
        ),
        Question(
            "first hit, nested key",
            lambda: newest(1, **{"sample.name": name}),
            lambda: least.newest(1, "sample = ?", (name,)),
            2.0,
        ),
        Question(
            "100 newest of two ANDed keys",
            lambda: newest(100, **both),
            lambda: least.newest(100, "plan_name = 'scan' AND operator = 'Dan'"),
            20.0,
        ),
        Question(
            "100 newest, common and rare key ANDed",
            lambda: newest(100, **seldom),
            lambda: least.newest(100, "flag = 'rare' AND +plan_name = 'count'"),
            20.0,
        ),
        Question(
            "count of an equality of 20 %",
            lambda: db(plan_name="scan").count(),
            lambda: least.count("plan_name = 'scan'"),
            target_ratio=3.0,
        ),
        Question(
            "count of two ANDed keys",
            lambda: db(**both).count(),
            lambda: least.count("plan_name = 'scan' AND operator = 'Dan'"),
        ),
        Question(
            "count of a range, 1 %",
            lambda: db(**thin).count(),
            lambda: least.count("thickness >= 0.5 AND thickness < 0.52"),
        ),
        Question(
            "first hit of a range, 1 %",
            lambda: newest(1, **thin),
            lambda: least.newest(1, "thickness >= 0.5 AND thickness < 0.52"),
        ),
        Question(
            "full text, first hit, rare word",
            lambda: newest(1, RARE_WORD)[0],
            lambda: least.with_word(RARE_WORD),
            5.0,
        ),
        Question(
            "full text, first hit, common word",
            lambda: newest(1, COMMON_WORD)[0],
            lambda: least.with_word(COMMON_WORD),
            5.0,
        ),
        Question(
            "150 runs between two times",
            lambda: newest(1000, since=window[0], until=window[1]),
            lambda: least.newest(1000, "time >= ? AND time <= ?", window),
        ),
    ]


def ask(question: Question, count: int, smaller: dict[str, float], repeat: int = 25) -> Row:
    """Measure one question; say how it grew from the next smaller catalog."""
    before = smaller.get(question.what, 0.0)
    if before > TOO_SLOW:
        note = f"not asked: {harness.number(before)} ms in the smaller catalog"
        return Row(question.what, harness.number(count), math.nan, note=note, broken=True)
    begun = time.perf_counter()
    same = question.ours() == question.plain()
    assert same or not question.checked, question.what
    if time.perf_counter() - begun > 0.2:
        repeat = 3
    ours, least = harness.side_by_side(question.ours, question.plain, repeat)
    note = f"grew x {ours / before:.2f}" if before else ""
    smaller[question.what] = ours
    return Row(
        question.what,
        harness.number(count),
        ours,
        limit=least,
        target=question.target,
        target_ratio=question.target_ratio,
        note=note,
    )


def frame(db: Broker, least: PlainCatalog, count: int) -> Iterator[Row]:
    """All runs as a table, where results can do that already."""
    results = db()
    make: Any = getattr(results, "to_frame", None)
    if make is None or count > 100_000:
        return
    ours, plain_frame = harness.side_by_side(make, least.frame, 3)
    yield Row(
        "to_frame of all runs",
        harness.number(count),
        ours,
        limit=plain_frame,
        target=1500.0 if count == 100_000 else None,
        note="limit: five columns of one table",
    )


def terminal(path: str, count: int) -> Row:
    """The newest 20 runs in a terminal: a whole process, beside one that imports what prints."""
    listing = f"from databroker.cli import main; main(['list', '-b', {path!r}])"
    bare, took = starting.processes(starting.TYPER, listing, repeat=5)
    return Row(
        "databroker list, beyond typer and rich",
        harness.number(count),
        took - bare,
        target=500.0,
        note=f"CPU of a process: {took:.0f} ms, and {bare:.0f} ms",
    )


def rows(
    full: bool = False, sizes: tuple[int, ...] = SIZES, keep: str | None = None
) -> Iterator[Row]:
    """Measure, from the smallest to the largest."""
    smaller: dict[str, float] = {}
    with harness.folder(keep) as folder:
        for count in (*sizes, LARGEST) if full else sizes:
            built = build(folder, count)
            if built is not None:
                yield built
            least = plain(folder, count)
            with open_broker(str(folder / f"runs-{count}.db")) as db:
                for question in questions(db, least, count):
                    yield ask(question, count, smaller)
                yield from frame(db, least, count)
            yield terminal(str(folder / f"runs-{count}.db"), count)
            least.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="one million runs too")
    parser.add_argument("--keep", metavar="FOLDER", help="where catalogs stay, and are found again")
    arguments = parser.parse_args()
    print(harness.machine())
    harness.show(rows(arguments.full, keep=arguments.keep))


if __name__ == "__main__":
    main()
