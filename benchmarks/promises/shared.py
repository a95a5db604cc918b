"""Eight processes write runs of their own, two the same runs, and four read all the while.

Of those two, one delivers the rows of a run backwards, so that either has much to add.
Rows move into blocks, and blocks into larger ones, after a few of them. Each reader looks at all
runs, at once and in pages, and at the rows of some: none is there twice, none that was there is
gone, and none changes its place.
"""

from __future__ import annotations

import contextlib
import traceback
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from random import Random
from typing import Any
from unittest import mock

from tests.helpers.postgresql import address, new_schema

from databroker.columns import ALL, to_rows
from databroker.query.nodes import Equals, Everything, Path
from databroker.stores.base import RunRecord, Store
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing import read_rows
from databroker.testing.conformance.base import start

from .outcome import Offered, Outcome, judged
from .scenes import many_events, small_runs, wide_events
from .workers import Worker

WRITERS, READERS = 8, 4

LIMITS = {
    "series.TAIL_ROWS": 16,
    "blocks.SEGMENT_BYTES": 2**18,
    "blocks._FAN": 4,
}
"""So that a few documents do what takes thousands otherwise."""

LAST = "the last run"


def run(count: int, seed: int = 0) -> Outcome:
    """Let each writer write so many runs."""
    own = [[f"{writer}-{number}" for number in range(count)] for writer in range(WRITERS)]
    both = [f"both-{number}" for number in range(count)]
    outcome = Outcome()
    with address() as server, new_schema(server) as schema, contextlib.ExitStack() as stack:
        store = stack.enter_context(closing(PostgreSQLStore(server, schema=schema)))
        places = [(server, schema, names, seed) for names in [*own, both]]
        writers = [Worker(_write, *place, backwards=False) for place in places]
        writers.append(Worker(_write, *places[-1], backwards=True))
        readers = [Worker(_read, server, schema, seed + number) for number in range(READERS)]
        for worker in [*writers, *readers]:
            stack.callback(worker.end)
        try:
            acknowledged = {name for writer in writers for name in writer.rest()}
            store.insert("start", start(LAST, 2e9, plan_name="last"))
            for reader in readers:
                outcome += reader.next()
        except (TimeoutError, EOFError) as error:
            return Outcome(tried=outcome.tried, stuck=1, note=str(error))
        outcome += _verdict(store, [*own, both], acknowledged, seed)
    return outcome


def _verdict(store: Store, names: list[list[str]], acknowledged: set[str], seed: int) -> Outcome:
    """Compare what is stored with all that was written."""
    offered: list[tuple[str, dict[str, Any]]] = [("start", start(LAST, 2e9, plan_name="last"))]
    due = {0}
    for name in (name for each in names for name in each):
        documents = _documents(name, seed)
        if name in acknowledged:
            due |= set(range(len(offered), len(offered) + len(documents)))
        offered += documents
    outcome = judged(store, offered, due)
    report = store.check()
    return Outcome(
        tried=len(acknowledged),
        lost=outcome.lost,
        doubled=outcome.doubled,
        wrong=outcome.wrong + len(report.findings),
        stuck=sum(map(len, names)) - len(acknowledged),
    )


def _documents(name: str, seed: int) -> Offered:
    """Return the documents of a run: some begin at one time, others later and later."""
    random = Random(f"{name} {seed}")
    kind, when = random.randrange(4), random.choice([1.5e9, 1.5e9 + random.random()])
    (first, opening), *others = (
        many_events(name, random.randrange(50, 150))
        if kind < 2 or name.startswith("both")
        else wide_events(name, random.randrange(12))
        if kind == 2
        else small_runs(name, 1)
    )
    return [(first, opening | {"time": when, "plan_name": f"plan {kind}"}), *others]


@contextlib.contextmanager
def _opened(server: str, schema: str) -> Iterator[Store]:
    limits = {f"databroker.stores.sql.{name}": value for name, value in LIMITS.items()}
    with contextlib.ExitStack() as stack:
        for name, value in limits.items():
            stack.enter_context(mock.patch(name, value))
        yield stack.enter_context(closing(PostgreSQLStore(server, schema=schema)))


def _write(
    telling: Connection, server: str, schema: str, names: list[str], seed: int, backwards: bool
) -> None:
    """Write runs, document by document or many at once, and tell of each that it is stored."""
    with _opened(server, schema) as store:
        for number, name in enumerate(names):
            documents = list(_documents(name, seed))
            if backwards:
                documents[3:-1] = documents[-2:2:-1]
            if number % 3 == 2:
                store.insert_many(documents)
            else:
                for kind, doc in documents:
                    store.insert(kind, doc)
            telling.send(name)


def _read(telling: Connection, server: str, schema: str, seed: int) -> None:
    with _opened(server, schema) as store:
        telling.send(_Reader(store, seed).look_until_the_end())


class _Reader:
    """Looks again and again, and compares with what it saw."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.random = store, Random(seed)
        self.outcome = Outcome()
        self.uids: dict[str, set[str]] = {}
        self.rows: dict[str, list[str]] = {}

    def look_until_the_end(self) -> Outcome:
        """Look until the last run is there; tell what was not right."""
        is_last = False
        while not is_last:
            is_last = self.store.record(LAST) is not None
            try:
                self._look()
            except Exception:
                traceback.print_exc()  # nothing may be raised
                self.outcome.wrong += 1
                break
        return self.outcome

    def _look(self) -> None:
        plan = Equals(Path("plan_name"), f"plan {self.random.randrange(4)}")
        self._see("all", list(self.store.find(Everything())))
        self._see("in pages", list(self._pages(self.random.choice([1, 3, 10]))))
        self._see(repr(plan), found := list(self.store.find(plan)))
        self.outcome.lost += self.store.count(plan) < len(found)
        for run in self.random.sample(found, min(3, len(found))):
            for _, doc in self.store.documents(run.uid, ["descriptor"]):
                self._see_rows(doc["uid"])

    def _pages(self, size: int) -> Iterator[RunRecord]:
        after = None
        while page := list(self.store.find(Everything(), limit=size, after=after)):
            yield from page
            after = page[-1].cursor

    def _see(self, what: str, runs: Sequence[RunRecord]) -> None:
        """Compare runs with those that were seen before."""
        uids = [run.uid for run in runs]
        cursors = [run.cursor for run in runs]
        self.outcome.wrong += cursors != sorted(cursors, reverse=True)
        self.outcome.doubled += _doubled(uids)
        self.outcome.lost += len(self.uids.get(what, set()) - set(uids))
        self.uids[what] = set(uids)

    def _see_rows(self, owner: str) -> None:
        """Compare rows with those that were seen before, and with those of a moment ago."""
        extents = self.store.extents("event", owner)
        rows = [row["uid"] for row in read_rows(self.store, "event", owner)]
        again = [
            row["uid"]
            for extent in extents
            for batch in self.store.read("event", extent, ALL)
            for row in to_rows("event", owner, batch)
        ]
        before = self.rows.get(owner, [])
        self.outcome.doubled += _doubled(rows)
        self.outcome.lost += len(set(before) - set(rows))
        self.outcome.wrong += rows[: len(before)] != before or rows[: len(again)] != again
        self.outcome.wrong += sum(extent.rows for extent in extents) != len(again)
        self.rows[owner] = rows


def _doubled(found: Sequence[Hashable]) -> int:
    return sum(count - 1 for count in Counter(found).values())
