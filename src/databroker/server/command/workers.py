"""Several processes that do the same, until an interrupt; one that ends meanwhile is replaced."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple

from ...errors import DatabrokerError, ServerFailed

_LOG = logging.getLogger("databroker.server")

_SPAWNING = multiprocessing.get_context("spawn")  # a fork would copy what is open

_PAUSE = 1.0
"""Seconds before a process is replaced; twice as many after each that failed."""

_LONGEST_PAUSE = 30.0

_SOON = 10.0
"""Seconds: a process that ends earlier failed at its beginning, as another one may, too."""

_FAILURES = 5
"""After so many, one after the other, it is over if there is no process left."""


class Worker(NamedTuple):
    """A process, and when it was begun."""

    process: SpawnProcess
    begun: float


def run_workers(number: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run a function in several processes until SIGINT or SIGTERM, and end all of them then.

    Raises
    ------
    ServerFailed
        Whichever is begun ends at once, again and again.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    workers = Workers(work, arguments)
    try:
        workers.begin(number)
        while True:
            workers.replace()
    finally:
        signal.signal(signal.SIGTERM, before)
        workers.end()


class Workers:
    """Processes that do the same."""

    def __init__(self, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._task = work, arguments
        self._running: list[Worker] = []
        self._failures = 0

    def begin(self, number: int) -> None:
        """Begin some more."""
        for _ in range(number):  # each is known before the next one: it may be interrupted
            process = _SPAWNING.Process(target=_run_worker, args=self._task)
            process.start()
            self._running.append(Worker(process, time.monotonic()))

    def replace(self) -> None:
        """Wait until one ends and, after a pause, begin another one for each that has.

        Raises
        ------
        ServerFailed
            As `run_workers` says.
        """
        self._await_end()
        ended = [each for each in self._running if not each.process.is_alive()]
        for each in ended:
            _LOG.warning("worker %s %s", each.process.pid, _how(each))
            self._running.remove(each)
        if self._failures >= _FAILURES and not self._running:
            raise ServerFailed(
                f"No worker lasts: {self._failures} times, one after the other, those that were "
                f"begun ended within {_SOON:.0f} s. What was logged before says why; the last "
                f"{_how(ended[-1])}."
            )
        self.begin(len(ended))

    def _await_end(self) -> None:
        told = wait([each.process.sentinel for each in self._running])
        ended = [each for each in self._running if each.process.sentinel in told]
        for each in ended:
            each.process.join()  # which is told just before it has ended
        has_failed = time.monotonic() - min(each.begun for each in ended) < _SOON
        self._failures = self._failures + 1 if has_failed else 0
        time.sleep(min(_PAUSE * 2 ** max(self._failures - 1, 0), _LONGEST_PAUSE))

    def end(self) -> None:
        """End all of them."""
        for each in self._running:
            with suppress(OSError):
                each.process.terminate()
        for each in self._running:
            each.process.join()


def _how(ended: Worker) -> str:
    """Say how a process ended."""
    code = ended.process.exitcode or 0
    return f"ended with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


def _run_worker(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Work as long as there is who began it."""
    threading.Thread(target=_end_with_parent, daemon=True, name="databroker parent").start()
    try:
        work(*arguments)
    except DatabrokerError as error:
        _LOG.error("%s", error)
        sys.exit(1)


def _end_with_parent() -> None:
    """End this process when that is gone by which it was begun, which else would end it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
