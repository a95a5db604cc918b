"""PostgreSQL that goes away and comes back, and writers that are killed meanwhile: all arrives.

Two writers insert through a line that is cut or stalls at random; the server is killed, its
sessions are ended. A writer that is killed is followed by another one, which goes on with the
first document that was not acknowledged.
"""

from __future__ import annotations

import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from tests.helpers.postgresql import end_sessions, kill, new_schema, restart, server
from tests.helpers.proxy import Line, line_to

from databroker.documents.kinds import IDENTITY, OWNER
from databroker.errors import StoreAway
from databroker.stores.base import Store
from databroker.stores.registry import open_store
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing.reference import singles

from .outcome import Offered, Outcome, judged_twice, stored
from .scenes import many_events, small_runs
from .workers import PATIENCE, worker

AFTER = 0.3
"""Seconds that an insert waits for the server."""

AT_ONCE = 1_000
"""So many documents two writers insert together, into one schema."""


def run(count: int, seed: int = 0) -> Outcome:
    """Insert so many documents."""
    random, outcome = Random(seed), Outcome()
    with server() as started:
        for first in range(0, count, AT_ONCE):
            outcome += _some(started, min(AT_ONCE, count - first) // 2, random)
    return outcome


def _some(started: Any, each: int, random: Random) -> Outcome:
    """Let two writers insert so many documents each."""
    offered = [_documents(name)[:each] for name in "ab"]
    outcome = Outcome(tried=2 * each)
    with (
        new_schema(started.get_uri()) as schema,
        line_to(started.get_uri()) as (line, address),
        tempfile.TemporaryDirectory(prefix="promises-") as folder,
    ):
        config = {"uri": address, "schema": schema, "spill": folder, "spill_after": AFTER}
        with _weather(started, line, random), ThreadPoolExecutor(2) as writers:
            seeds = [Random(random.random()) for _ in offered]
            for found in writers.map(_supervise, [config] * 2, offered, seeds):
                outcome += found
        with closing(_opened(config)) as store:
            outcome += _send_rest(store)
            outcome.wrong += len(store.waiting().kept)
            outcome.wrong += sum(_in_disorder(store, documents) for documents in offered)
        together = [*offered[0], *offered[1]]
        with closing(PostgreSQLStore(started.get_uri(), schema=schema)) as store:
            outcome += judged_twice(store, together, range(len(together)))
    return outcome


def _documents(name: str) -> Offered:
    """Return documents of some small runs, and of one of many events."""
    return [*small_runs(name, 2), *many_events(name, AT_ONCE // 4), *small_runs(f"{name}-", 20)]


def _opened(config: dict[str, Any]) -> Store:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return open_store("postgresql", **config)


def _supervise(config: dict[str, Any], offered: Offered, random: Random) -> Outcome:
    """See to it that all is inserted, by writers that are killed; tell whether one got stuck."""
    done = 0
    try:
        while done < len(offered):
            with worker(_write, config, offered, done, random.random()) as writer:
                until = min(len(offered), done + random.randrange(20, 300))
                while done < until:
                    done = writer.next() + 1
                time.sleep(random.choice([0, 0.001, 0.01]))
                if done < len(offered):
                    writer.process.kill()
                done = max([done, *(each + 1 for each in writer.rest())])
    except (TimeoutError, EOFError) as error:
        return Outcome(stuck=1, note=str(error))
    return Outcome()


def _write(
    telling: Connection, config: dict[str, Any], offered: Offered, first: int, seed: float
) -> None:
    random = Random(seed)
    with closing(_opened(config)) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for place in range(first, len(offered)):
            store.insert(*offered[place])
            telling.send(place)
            time.sleep(random.choice([0, 0, 0.001, 0.01]))


@contextmanager
def _weather(started: Any, line: Line, random: Random) -> Iterator[None]:
    """Let the server go and come for the time of a block."""
    is_over = threading.Event()

    def change() -> None:
        while not is_over.wait(random.uniform(0, 0.5)):
            random.choice([line.cut, line.cut, line.stall, line.stall, crash, end])()
            is_over.wait(random.uniform(0, 1))
            line.restore()

    def crash() -> None:
        kill(started)
        is_over.wait(random.uniform(0, 0.5))
        restart(started)

    def end() -> None:
        end_sessions(started.get_uri())

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        line.restore()


def _send_rest(store: Store) -> Outcome:
    """Send what the last writers left; tell whether that comes to its end."""
    end = time.monotonic() + PATIENCE
    while store.waiting().documents:
        try:
            store.send_waiting()
        except StoreAway as error:
            if time.monotonic() > end:
                return Outcome(stuck=1, note=str(error))
            time.sleep(0.1)
    return Outcome()


def _in_disorder(store: Store, offered: Offered) -> int:
    """Return of how many owners the rows did not arrive in the order in which they were offered."""
    found, wanted = _rows(stored(store)), _rows(singles(offered))
    return sum(found.get(owner) != rows for owner, rows in wanted.items())


def _rows(documents: Offered) -> dict[tuple[str, str], list[str]]:
    """Return the identities of the single rows of each owner, as they come."""
    rows: dict[tuple[str, str], list[str]] = {}
    for kind, doc in documents:
        if kind in OWNER:
            rows.setdefault((kind, str(doc[OWNER[kind]])), []).append(str(doc[IDENTITY[kind]]))
    return rows
