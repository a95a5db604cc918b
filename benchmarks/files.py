"""Folders of files: opened, searched, and made an index of for the first time.

The first index is measured beside parsing all of the same files and keeping nothing, with the
fastest parsers there are; look-ups and searches beside an SQLite file with the same runs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgpack
import msgspec

from databroker.query.nodes import Equals, Everything
from databroker.query.nodes import Path as Key
from databroker.stores.files import JSONLStore, MsgpackStore
from databroker.stores.files.store import FileStore
from databroker.stores.sql import SQLiteStore

from . import harness
from .federation import questions
from .harness import Row
from .metadata import starts, stop

Documents = list[tuple[str, dict[str, Any]]]

FIELDS = ("det1", "det2", "motor", "motor_setpoint")
STORES: tuple[type[FileStore], ...] = (JSONLStore, MsgpackStore)


def rows(full: bool = False) -> Iterator[Row]:
    """Measure many small runs, and fewer of 200 events."""
    for store in STORES:
        yield from measured(store, 10_000, 5, repeat=3)
        yield from measured(store, 1_000, 200, repeat=3)


def measured(store: type[FileStore], count: int, events: int, repeat: int = 3) -> Iterator[Row]:
    """Measure so many runs of so many events."""
    size = f"{harness.number(count)} x {events}, {store.format.name}"
    with harness.folder() as folder:
        runs = written(folder / "runs", store, count, events)
        yield from opening(store, folder, size, repeat)
        with closing(SQLiteStore(folder / "runs.db")) as database:
            for run in runs:
                database.insert_many(run)
            with closing(store(folder / "runs", index=folder / "index")) as files:
                files.count(Equals(Key("plan_name"), "none"))
                for name, ask in questions(runs[count // 3][0][1]).items():
                    times = harness.side_by_side(
                        lambda ask=ask: ask(files), lambda ask=ask: ask(database), 9 * repeat
                    )
                    yield Row(f"{name}, in files", size, times[0], limit=times[1], note="SQLite")


def opening(store: type[FileStore], folder: Path, size: str, repeat: int) -> Iterator[Row]:
    """Measure the first index, the first search, and opening when the index is there."""
    path, number = folder / "runs", iter(range(10**6))

    def first() -> None:
        with closing(store(path, index=folder / f"first {next(number)}")) as opened:
            assert next(opened.find(Everything(), limit=1), None)

    def fresh() -> None:
        with closing(store(path, index=folder / "index")) as opened:
            assert next(opened.find(Everything(), limit=1), None)

    ours, limit = harness.side_by_side(first, lambda: parse(path), repeat)
    note = "limit: parsing alone"
    yield Row("first index of files", size, ours, limit=limit, target_ratio=2, note=note)
    fresh()
    yield Row("open files, fresh index", size, harness.median_ms(fresh, repeat), target=1000)
    with closing(store(path, index=folder / "searched")) as opened:
        next(opened.find(Everything(), limit=1), None)
        took = harness.median_ms(
            lambda: opened.count(Equals(Key("plan_name"), "none")), repeat=1, warm_up=0
        )
    yield Row("first search of files", size, took, note="makes the index of metadata")


def parse(folder: Path) -> None:
    """Parse all files, and keep nothing."""
    decode = msgspec.json.Decoder().decode
    for path in folder.iterdir():
        with path.open("rb") as file:
            if path.suffix == ".jsonl":
                for line in file:
                    decode(line)
            else:
                data = file.read()
                unpacker = msgpack.Unpacker(max_buffer_size=len(data))
                unpacker.feed(data)
                for _ in unpacker:
                    pass


def written(folder: Path, store: type[FileStore], count: int, events: int) -> list[Documents]:
    """Write runs, as another program would, and return them."""
    folder.mkdir()
    chance = random.Random(5)
    runs = [run(start, events, chance) for start in starts(count)]
    for documents in runs:
        data = b"".join(store.format.encode(*pair) for pair in documents)
        (folder / f"{documents[0][1]['uid']}{store.format.suffix}").write_bytes(data)
    return runs


def run(start: dict[str, Any], events: int, chance: random.Random) -> Documents:
    """Return the documents of a run."""
    uid, time = f"{start['uid']}-primary", start["time"]
    keys = {field: {"source": f"PV:{field}", "dtype": "number", "shape": []} for field in FIELDS}
    descriptor = {"uid": uid, "run_start": start["uid"], "time": time, "name": "primary"}
    documents: Documents = [("start", start), ("descriptor", descriptor | {"data_keys": keys})]
    for number in range(1, events + 1):
        event = {
            "uid": f"{uid}-{number}",
            "descriptor": uid,
            "time": time + number,
            "seq_num": number,
            "data": {field: chance.random() for field in FIELDS},
            "timestamps": {field: time + number - chance.random() for field in FIELDS},
            "filled": {},
        }
        documents.append(("event", event))
    return [*documents, ("stop", stop(start, chance))]


if __name__ == "__main__":
    harness.script(rows, __doc__)
