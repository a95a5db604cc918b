"""Forks of a process that writes, reads, or has threads that do: both sides are right."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import descriptor, event, start, stop

from .outcome import Offered, Outcome, judged_file
from .workers import new_file, worker

EVENTS = 40


def run(count: int, seed: int = 0) -> Outcome:
    """Fork so many times, in each way in turn."""
    random, outcome = Random(seed), Outcome()
    for number in range(count):
        outcome += _one(WAYS[number % len(WAYS)], random.random())
    return outcome


def _one(way: str, pause: float) -> Outcome:
    with new_file() as path:
        try:
            with worker(_parent, path, way, pause) as parent:
                told, said = parent.rest(), parent.said()
        except TimeoutError as error:
            return Outcome(tried=1, stuck=1, note=str(error))
        whole = _run("parent") + _run("child") + _run("thread")
        is_whole = bool(told) and told[-1] == -1
        outcome = Outcome(tried=1, stuck=not is_whole, note="" if is_whole else said)
        outcome += judged_file(path, whole, {number for number in told if number >= 0})
        return outcome


def _run(name: str) -> list:
    found: Offered = [("start", start(name)), ("descriptor", descriptor(f"{name} d", name))]
    events = [("event", event(number, f"{name} d")) for number in range(EVENTS)]
    return [*found, *events, ("stop", stop(name))]


LENGTH = len(_run("any"))
FIRST = {"parent": 0, "child": LENGTH, "thread": 2 * LENGTH}


def write_run(telling: Connection, store: SQLiteStore, name: str, pause: float = 0.0) -> None:
    """Insert the documents of a run, and tell of each that it was acknowledged."""
    for number, (kind, doc) in enumerate(_run(name)):
        store.insert(kind, doc)
        telling.send(FIRST[name] + number)
        time.sleep(pause)


def _child(telling: Connection, store: SQLiteStore, pause: float) -> None:
    """Read and write in a child, for longer than its parent, or not as long."""
    list(store.find(Everything()))
    write_run(telling, store, "child", pause)
    list(store.find(Everything()))
    store.close()


def _parent(telling: Connection, path: Path, way: str, pause: float) -> None:
    """Have a child in some way, while something goes on; then both write."""
    store = SQLiteStore(path)
    left_open = store.find(Everything())
    threads = []
    # Whole lines on a pipe that several write to at once.
    lock = multiprocessing.get_context("fork").Lock()
    told = _Locked(telling, lock)
    documents = _run("parent")
    for number, (kind, doc) in enumerate(documents[:10]):
        store.insert(kind, doc)
        told.send(number)
    next(left_open, None)
    if "writing thread" in way:
        threads.append(threading.Thread(target=write_run, args=(told, store, "thread")))
    if "reading thread" in way:
        reading = lambda: [list(store.find(Everything())) for _ in range(200)]  # noqa: E731
        threads.append(threading.Thread(target=reading))
    for thread in threads:
        thread.start()
    time.sleep(0.002 * pause)
    wait = _begin(way.split()[0].rstrip(","), told, store, path, 0.002 * pause)
    for number, (kind, doc) in enumerate(documents[10:], 10):
        store.insert(kind, doc)
        told.send(number)
    for thread in threads:
        thread.join()
    if "closes first" in way:
        store.close()
    code = wait()
    store.close()
    if code == 0:
        telling.send(-1)


def _begin(
    method: str, told: _Locked, store: SQLiteStore, path: Path, pause: float
) -> Callable[[], int]:
    """Begin a child, and return what waits for it."""
    if method == "os.fork":
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                _child(told, store, pause)
                code = 0
            finally:
                os._exit(code)
        return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    context = multiprocessing.get_context(method)
    if method == "fork":
        child = context.Process(target=_child, args=(told, store, pause))
        child.start()
    else:  # a lock of another kind of process does not travel: it tells on a pipe of its own
        receiving, sending = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(sending, store, pause))
        child.start()
        sending.close()
        return lambda: _passed_on(receiving, told, child)

    def wait() -> int:
        child.join()
        return child.exitcode or 0

    return wait


def _passed_on(receiving: Connection, told: _Locked, child: multiprocessing.Process) -> int:
    try:
        while True:
            told.send(receiving.recv())
    except EOFError:
        child.join()
    return child.exitcode or 0


class _Locked:
    """The sending end of a pipe that several processes and threads share."""

    def __init__(self, telling: Connection, lock) -> None:
        self._telling = telling
        self._lock = lock

    def send(self, number: int) -> None:
        with self._lock:
            self._telling.send(number)


WAYS = [
    "os.fork",
    "os.fork, parent closes first",
    "os.fork beside a writing thread",
    "os.fork beside a reading thread",
    "os.fork beside a writing thread and a reading thread, parent closes first",
    "fork",
    "fork beside a writing thread",
    "forkserver",
    "forkserver beside a writing thread",
    "spawn, parent closes first",
]
