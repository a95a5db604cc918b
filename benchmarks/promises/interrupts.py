"""Ctrl-C and alarms at any moment of inserting, searching and reading a table."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from databroker import Broker
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import whole_run

from .outcome import Offered, Outcome, judged, judged_file
from .scenes import many_events
from .workers import new_file, worker

IN_A_PROCESS = 500
"""So many interrupts, then a new file and a new process."""


class Alarm(TimeoutError):
    """What the handler of an alarm raises; TimeoutError is an OSError."""


def run(count: int, seed: int = 0) -> Outcome:
    """Interrupt so many times."""
    outcome = Outcome()
    for first in range(0, count, IN_A_PROCESS):
        outcome += _one_process(min(IN_A_PROCESS, count - first), seed + first)
    return outcome


def _one_process(count: int, seed: int) -> Outcome:
    with new_file() as path:
        try:
            with worker(_endure, path, count, seed) as victim:
                return victim.next()
        except (TimeoutError, EOFError):
            return Outcome(tried=count, stuck=1)


def _endure(telling: Connection, path: Path, count: int, seed: int) -> None:
    telling.send(_Victim(path, seed).endure(count))


class _Victim:
    """Writes and reads, and is interrupted all the time."""

    def __init__(self, path: Path, seed: int) -> None:
        self.random = Random(seed)
        self.outcome = Outcome()
        self.path = path
        self.db = Broker(SQLiteStore(path))
        self.offered: list[tuple[str, dict[str, Any]]] = []
        self.acknowledged: set[int] = set()
        self.documents = self._documents()
        self.others = sqlite3.connect(path, timeout=5, isolation_level=None)
        self.usual: dict[str, float] = {}
        # Packages are imported when they are first used. What an interrupt in the middle of that
        # becomes is Python's affair.
        list(self.db())
        signal.signal(signal.SIGALRM, self._strike)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def endure(self, count: int) -> Outcome:
        """Be interrupted so many times, and tell what came of it."""
        while self.outcome.tried < count:
            self._insert(*next(self.documents))
            if self.random.random() < 0.05:
                self._attempt("search", lambda: [len(list(self.db())), self.db().count()])
            if self.random.random() < 0.02:
                self._attempt("table", self._table)
        found = judged(self.db.store, self.offered, self.acknowledged)
        self.db.close()
        self.outcome += found
        self.outcome += judged_file(self.path, self.offered, self.acknowledged)
        return self.outcome

    def _documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        number = 0
        while True:
            number += 1
            scene: Offered = many_events(f"many {number}") if number % 5 == 0 else []
            yield from scene or whole_run(f"run {number}")

    def _insert(self, kind: str, doc: dict[str, Any]) -> None:
        place = len(self.offered)
        self.offered.append((kind, doc))
        while not self._attempt(kind, lambda: self.db.insert(kind, doc)):
            if kind.startswith("event") and self.random.random() < 0.5:
                return  # whether it is kept or not, both are right
        self.acknowledged.add(place)

    def _table(self) -> None:
        newest = self.db[-1]
        if newest.streams:
            newest.table()

    def _attempt(self, what: str, action: Callable[[], object]) -> bool:
        """Do something that may be interrupted; tell whether it came to its end."""
        usual = self.usual.get(what, 1e-3)
        begun = time.perf_counter()
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, max(1e-6, self.random.random() * 1.2 * usual))
                action()
                took = time.perf_counter() - begun
                self.usual[what] = 0.9 * usual + 0.1 * took
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except (KeyboardInterrupt, Alarm):
            self.usual[what] = 1.02 * usual  # what has grown slower must come to its end
            self._see_to_others()
            return False
        except Exception:
            traceback.print_exc()  # nothing else may be raised
            self.outcome.wrong += 1
            return False
        return True

    def _strike(self, *_: object) -> None:
        self.outcome.tried += 1
        raise self.random.choice([KeyboardInterrupt, Alarm])

    def _see_to_others(self) -> None:
        """Find out whether another connection can write."""
        try:
            self.others.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self.outcome.stuck += 1
        with contextlib.suppress(sqlite3.OperationalError):
            self.others.execute("ROLLBACK")
