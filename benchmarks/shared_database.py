"""PostgreSQL beside SQLite: the same is stored in both, and asked of both in turns.

The server is on this machine and does not wait for its disk, as SQLite does not. What each
question costs in statements, and so in round trips over a network, is told with it.

    python -m benchmarks.shared_database
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from databroker import Broker
from databroker.stores.sql.engine.postgresql.connection import PostgreSQLConnection

from . import catalog, harness
from .data import Doc, Scan, write
from .harness import Row
from .many_runs import documents, in_postgresql, in_sqlite
from .metadata import starts, stop
from .plain_catalog import PlainCatalog

EVENTS = 5
MORE = 2.0  # milliseconds that the round trips may take


@contextmanager
def both() -> Iterator[tuple[Broker, Broker]]:
    """An empty broker on a server, and one in a file."""
    with in_postgresql() as (shared, _), in_sqlite() as (alone, _):
        yield shared, alone


def statements(work: Callable[[], object]) -> int:
    """How many statements some work takes."""
    asked = PostgreSQLConnection._ask_of
    with mock.patch.object(
        PostgreSQLConnection, "_ask_of", autospec=True, side_effect=asked
    ) as ask:
        work()
    return ask.call_count


def _row(
    what: str,
    size: str,
    works: tuple[Callable[[], object], Callable[[], object]],
    repeat: int,
    target: float | None = None,
    target_ratio: float | None = None,
) -> Row:
    ours, least = harness.side_by_side(*works, repeat=repeat, warm_up=2)
    return Row(
        what,
        size,
        ours,
        limit=least,
        target=target,
        target_ratio=target_ratio,
        note=f"{statements(works[0])} statements",
    )


def inserting(repeat: int) -> Iterator[Row]:
    """One document more, a page, whole runs."""
    with both() as brokers:
        scans = [Scan(0), Scan(0)]
        for db, scan in zip(brokers, scans, strict=True):
            write(db, scan, 10, stop=False)
        events = [scan.events(3000) for scan in scans]

        def event(place: int) -> Callable[[], object]:
            return lambda: brokers[place].insert("event", next(events[place]))

        def page(place: int) -> Callable[[], object]:
            return lambda: brokers[place].insert("event_page", scans[place].page(1000))

        yield _row("insert, an event", "1", (event(0), event(1)), 20 * repeat)
        yield _row("insert, a page", "1 000", (page(0), page(1)), repeat)
        ones = _flow(brokers, lambda db, run: [db.insert(*pair) for pair in run], 1)
        yield _row("insert, a run of 5 events", "1", ones, 5 * repeat, target=3.0 + MORE)
        many = _flow(brokers, lambda db, runs: db.store.insert_many(runs), 100)
        yield _row("insert, 100 runs at once", "100 x 5", many, repeat)


def _flow(
    brokers: tuple[Broker, Broker],
    insert: Callable[[Broker, list[tuple[str, Doc]]], object],
    count: int,
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return what inserts so many runs more into each broker."""
    flows = [documents(10**6), documents(10**6)]

    def some(place: int) -> list[tuple[str, Doc]]:
        taken: list[tuple[str, Doc]] = []
        while sum(kind == "stop" for kind, _ in taken) < count:
            taken.append(next(flows[place]))
        return [(kind, _renamed(doc, count)) for kind, doc in taken]

    return lambda: insert(brokers[0], some(0)), lambda: insert(brokers[1], some(1))


def _renamed(doc: Doc, count: int) -> Doc:
    names = ("uid", "run_start", "descriptor")
    return doc | {name: f"{count}-{doc[name]}" for name in names if name in doc}


def tables(rows: int, repeat: int) -> Iterator[Row]:
    """A table of few events, of many, and one column of these."""
    with both() as brokers:
        for db in brokers:
            write(db, Scan(1), rows)
            write(db, Scan(2), EVENTS)
        shared, alone = brokers
        yield _row(
            "newest run's table",
            f"{EVENTS} x 4",
            (lambda: shared[-1].table(), lambda: alone[-1].table()),
            5 * repeat,
            target=2.0 + MORE,
        )
        size = f"{harness.number(rows)} x 4"
        works = (lambda: shared[-2].table(), lambda: alone[-2].table())
        yield _row("table", size, works, repeat, target_ratio=3.0)
        works = (
            lambda: shared[-2].table(fields=["det0"]),
            lambda: alone[-2].table(fields=["det0"]),
        )
        yield _row("one column", size, works, repeat, target_ratio=3.0)


def finding(count: int, repeat: int) -> Iterator[Row]:
    """The questions of `catalog`."""
    with both() as brokers:
        for db in brokers:
            chance = random.Random(2)
            db.store.insert_many(
                pair
                for doc in starts(count)
                for pair in (("start", doc), ("stop", stop(doc, chance)))
            )
        nothing = PlainCatalog(":memory:")
        pairs = zip(*(catalog.questions(db, nothing, count) for db in brokers), strict=True)
        for ours, theirs in pairs:
            assert ours.ours() == theirs.ours() or not ours.checked, ours.what
            target = None if ours.target is None else ours.target + MORE
            works = (ours.ours, theirs.ours)
            yield _row(ours.what, harness.number(count), works, 3 * repeat, target)
        nothing.close()


def rows(full: bool, repeat: int = 7) -> Iterator[Row]:
    """Everything; with ``full`` more runs."""
    yield from inserting(repeat)
    yield from tables(100_000, repeat)
    yield from finding(100_000 if full else 10_000, repeat)


if __name__ == "__main__":
    harness.script(rows, __doc__)
