"""What it costs that documents can wait: while the server is there, while it is away, and after."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from databroker.documents.encode import encode
from databroker.errors import StoreAway
from databroker.stores.base import Store
from databroker.stores.spill.store import SpillStore
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing.conformance.base import descriptor, event, start

from . import harness
from .harness import Row

SLICE = 250


class _Switched(PostgreSQLStore):
    """A store that one can tell that its server is away."""

    is_away = False

    def reach(self) -> None:
        self._say_if_away()
        super().reach()

    def put(self, kind: str, doc: dict[str, Any]) -> None:
        self._say_if_away()
        super().put(kind, doc)

    def _say_if_away(self) -> None:
        if self.is_away:
            raise StoreAway("it is away.")


def rows(full: bool = False) -> Iterator[Row]:
    """Measure in turns with what is compared."""
    yield from measured(10_000 if full else 2_000)


def measured(count: int) -> Iterator[Row]:
    """Measure with so many events."""
    from tests.helpers.postgresql import address, new_schema

    with (
        address() as server,
        new_schema(server) as schema,
        harness.folder() as folder,
        closing(_Switched(server, schema=schema)) as behind,
        closing(SpillStore(behind, folder / "spill", after=60)) as store,
    ):
        yield _there(store, behind, count)
        yield from _away(store, behind, folder / "plain", count)


def _events(store: Store, run: str, numbers: range) -> float:
    """Insert events; return the seconds that it took."""
    documents = [event(number, f"{run} d") for number in numbers]
    begun = time.perf_counter()
    for document in documents:
        store.insert("event", document)
    return time.perf_counter() - begun


def _begin(store: Store, run: str) -> None:
    store.insert("start", start(run))
    store.insert("descriptor", descriptor(f"{run} d", run))


def _there(store: SpillStore, behind: Store, count: int) -> Row:
    _begin(store, "through")
    _begin(behind, "straight")
    ours = least = 0.0
    for first in range(0, count, SLICE):
        numbers = range(first, first + SLICE)
        ours += _events(store, "through", numbers)
        least += _events(behind, "straight", numbers)
    return Row(
        "insert where documents could wait, PostgreSQL",
        harness.number(count),
        ours / count * 1e6,
        "µs/event",
        limit=least / count * 1e6,
        target_ratio=2,
        note="limit: the store behind, without a thread between",
    )


def _away(store: SpillStore, behind: _Switched, plain: Path, count: int) -> Iterator[Row]:
    _begin(store, "away")
    behind.is_away = True
    ours = least = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        store.insert("event", event(0, "away d"))
    with plain.open("ab", buffering=0) as file:
        for first in range(1, count, SLICE):
            numbers = range(first, first + SLICE)
            ours += _events(store, "away", numbers)
            least += _written(file.fileno(), numbers)
    yield Row(
        "insert while the server is away",
        harness.number(count),
        ours / count * 1e6,
        "µs/event",
        limit=least / count * 1e6,
        note="limit: the same bytes encoded and written, unchecked",
    )
    behind.is_away = False
    store._courier.wake()
    begun = time.perf_counter()
    while store.waiting():
        time.sleep(0.01)
    sent = count / (time.perf_counter() - begun)
    _begin(behind, "at once")
    documents = [("event", event(number, "at once d")) for number in range(count)]
    begun = time.perf_counter()
    behind.insert_many(documents)
    yield Row(
        "what waited is sent",
        harness.number(count),
        sent,
        "events/s",
        limit=count / (time.perf_counter() - begun),
        more_is_better=True,
        note="limit: insert_many of the same",
    )


def _written(file: int, numbers: range) -> float:
    documents = [event(number, "away d") for number in numbers]
    begun = time.perf_counter()
    for document in documents:
        os.write(file, encode(["event", document]))
    return time.perf_counter() - begun


if __name__ == "__main__":
    harness.script(rows, __doc__)
