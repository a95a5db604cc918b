"""Ctrl-C and alarms at any moment of inserting, searching and reading a table."""

from __future__ import annotations

import contextlib
import faulthandler
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
from .workers import PATIENCE, new_file, worker

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
    tried = 0
    with new_file() as path, worker(_endure, path, count, seed) as victim:
        try:
            while not isinstance(told := victim.next(), Outcome):
                tried = told
        except (TimeoutError, EOFError) as error:
            return Outcome(tried=tried, stuck=1, note=str(error))
        told.note = victim.said() if told.faults else ""
        return told


def _endure(telling: Connection, path: Path, count: int, seed: int) -> None:
    """Go on until there were so many interrupts, and tell how it goes; then judge."""
    victim = _Victim(path, seed)
    while victim.outcome.tried < count and not victim.outcome.faults:
        victim.go_on()
        telling.send(victim.outcome.tried)
    telling.send(victim.judge())


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
        self.others = sqlite3.connect(path, timeout=PATIENCE / 3, isolation_level=None)
        self.usual: dict[str, float] = {}
        self.can_read = False
        self.is_in_danger = False
        signal.signal(signal.SIGALRM, self._strike)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def go_on(self) -> None:
        """Insert a document, and perhaps read, amid interrupts."""
        kind, doc = next(self.documents)
        self._insert(kind, doc)
        if self.can_read:
            if self.random.random() < 0.05:
                self._attempt("search", self._search)
            if self.random.random() < 0.02:
                self._attempt("table", self._table)
        elif kind == "stop":
            # Who reads imports packages at first. What an interrupt in the middle of that becomes
            # is Python's affair.
            self._search()
            self._table()
            self.can_read = True

    def judge(self) -> Outcome:
        """Tell what came of it."""
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
            if self.outcome.faults or (kind.startswith("event") and self.random.random() < 0.5):
                return  # whether it is kept or not, both are right
        self.acknowledged.add(place)

    def _search(self) -> None:
        list(self.db())
        self.db().count()

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
                self.is_in_danger = True
                signal.setitimer(signal.ITIMER_REAL, max(1e-6, self.random.random() * 1.2 * usual))
                action()
                took = time.perf_counter() - begun
                self.usual[what] = 0.9 * usual + 0.1 * took
            finally:
                self.is_in_danger = False
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
        if not self.is_in_danger:
            return  # beside other threads, Python may see to a signal much later
        self.is_in_danger = False
        self.outcome.tried += 1
        raise self.random.choice([KeyboardInterrupt, Alarm])

    def _see_to_others(self) -> None:
        """Find out whether another connection can write."""
        try:
            self.others.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            traceback.print_exc()
            faulthandler.dump_traceback()
            self.outcome.stuck += 1
        with contextlib.suppress(sqlite3.OperationalError):
            self.others.execute("ROLLBACK")
