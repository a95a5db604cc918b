"""PostgreSQL amid writing: the server is killed, an administrator ends sessions, a writer dies.

The server is started again at once. A writer that lives goes on as if nothing had been.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from tests.helpers.postgresql import end_sessions, kill, new_schema, restart, server

from databroker.stores.sql.postgresql import PostgreSQLStore

from .outcome import Offered, Outcome, judged_twice
from .scenes import many_events, small_runs, wide_events
from .workers import Worker, worker


def run(count: int, seed: int = 0) -> Outcome:
    """Strike so many times, in each way in turn."""
    random, outcome = Random(seed), Outcome()
    with server() as started:
        for number in range(count):
            outcome += _one(started, WAYS[number % len(WAYS)], random)
    return outcome


def _one(started: Any, strike: Callable[[Any, Worker], None], random: Random) -> Outcome:
    scenes = small_runs(), many_events(events=300), wide_events(events=12)
    offered = random.choice(scenes)
    outcome, acknowledged = Outcome(tried=1), list[int]()
    address, after = started.get_uri(), random.randrange(len(offered))
    with new_schema(address) as schema:
        try:
            with worker(_write, address, schema, offered) as writer:
                while len(acknowledged) <= after:
                    acknowledged.append(writer.next())
                time.sleep(random.choice([0, 0.0005, 0.002]))
                strike(started, writer)
                acknowledged += writer.rest()
                if strike is not _kill_the_writer and len(acknowledged) < len(offered):
                    outcome += Outcome(stuck=1, note=writer.said())
        except (TimeoutError, EOFError) as error:
            outcome += Outcome(stuck=1, note=str(error))
        with closing(PostgreSQLStore(address, schema=schema)) as store:
            outcome += judged_twice(store, offered, acknowledged)
            outcome.wrong += len(store.check().findings)
    return outcome


def _write(telling: Connection, address: str, schema: str, offered: Offered) -> None:
    with closing(PostgreSQLStore(address, schema=schema)) as store:
        for number, pair in enumerate(offered):
            store.insert(*pair)
            with contextlib.suppress(BrokenPipeError):
                telling.send(number)


def _kill_the_server(started: Any, _: Worker) -> None:
    kill(started)
    restart(started)


def _end_the_sessions(started: Any, _: Worker) -> None:
    end_sessions(started.get_uri())


def _kill_the_writer(_: Any, writer: Worker) -> None:
    writer.process.kill()


WAYS = (_kill_the_server, _end_the_sessions, _kill_the_writer)
