"""Several sources asked as one: two files that share the runs, beside one file that has them all.

In the second half a new document has just been stored, so that which runs both files have is
not known any more.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from databroker.query.nodes import Equals, Everything, UidPrefix
from databroker.query.nodes import Path as Key
from databroker.stores.base import Store
from databroker.stores.federation import FederatedStore
from databroker.stores.sql import SQLiteStore

from . import harness
from .harness import Row
from .metadata import starts, stop

Documents = list[tuple[str, dict[str, Any]]]
Question = Callable[[Store], Any]


def rows(full: bool = False) -> Iterator[Row]:
    """Measure two files of 50 000 runs each, in turns with one file of all."""
    yield from measured(100_000 if full else 20_000)
    yield from measured(100_000 if full else 20_000, overlap=0.5)


def measured(count: int, overlap: float = 0.0, repeat: int = 9) -> Iterator[Row]:
    """Measure so many runs, of which a part is in both files."""
    chance = random.Random(3)
    runs = [[("start", doc), ("stop", stop(doc, chance))] for doc in starts(count)]
    half = count // 2
    with harness.folder() as folder:
        one = _file(folder / "one.db", runs)
        old = _file(folder / "old.db", runs[: half + int(overlap * half)])
        new = _file(folder / "new.db", runs[half:])
        with closing(one), closing(FederatedStore({"new": new, "old": old})) as several:
            what = f"{harness.number(count)}, {overlap:.0%} twice"
            for name, ask in questions(runs[count // 3][0][1]).items():
                several.distinct(Key("plan_name"), Equals(Key("plan_name"), "none"))
                yield _row(name, what, ask, several, one, repeat)
            for name, ask in questions(runs[count // 3][0][1]).items():
                changed = _changing(new, ask, several)
                yield _row(f"{name}, just changed", what, changed, several, one, repeat)


def questions(run: dict[str, Any]) -> dict[str, Question]:
    """What is asked of both, with one of the runs."""
    two = Equals(Key("plan_name"), "scan") & Equals(Key("operator"), "Dan")
    return {
        "newest run": lambda store: list(store.find(Everything(), limit=1)),
        "uid": lambda store: store.record(run["uid"]),
        "uid prefix": lambda store: list(store.find(UidPrefix(run["uid"][:8]), limit=11)),
        "scan_id": lambda store: list(store.find(Equals(Key("scan_id"), run["scan_id"]), limit=1)),
        "newest 100 of two ANDed keys": lambda store: list(islice(store.find(two), 100)),
        "count of two ANDed keys": lambda store: store.count(two),
        "count of all": lambda store: store.count(Everything()),
    }


def _changing(store: Store, ask: Question, several: Store) -> Question:
    """Return a question before which something is stored, if it is asked of the two."""
    numbers = iter(range(10**6))

    def changed(asked: Store) -> Any:
        if asked is several:
            n = next(numbers)
            store.insert(
                "resource",
                {
                    "uid": f"{id(ask)} {n}",
                    "spec": "S",
                    "root": "/",
                    "resource_path": "p",
                    "resource_kwargs": {},
                },
            )
        return ask(asked)

    return changed


def _file(path: Path, runs: list[Documents]) -> SQLiteStore:
    store = SQLiteStore(path)
    store.insert_many(pair for run in runs for pair in run)
    return store


def _row(name: str, size: str, ask: Question, several: Store, one: Store, repeat: int) -> Row:
    ours, limit = harness.side_by_side(lambda: ask(several), lambda: ask(one), repeat)
    return Row(f"two sources: {name}", size, ours, limit=limit, note="limit: one file")


if __name__ == "__main__":
    harness.script(rows, __doc__)
