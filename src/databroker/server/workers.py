"""Several processes that do the same, until an interrupt; one that ends meanwhile is replaced."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any

_LOG = logging.getLogger(__name__)

_PAUSE = 1.0
"""Seconds before a process is replaced, so that what always fails does not fill the log."""


def run_workers(number: int, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Run a function in several processes until SIGINT or SIGTERM, and end all of them then."""
    spawning = multiprocessing.get_context("spawn")  # a fork would copy what is open

    def begin() -> SpawnProcess:
        process = spawning.Process(target=work, args=arguments)
        process.start()
        return process

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    processes = [begin() for _ in range(number)]
    try:
        while True:
            wait([each.sentinel for each in processes])
            time.sleep(_PAUSE)
            _tell_of_ended(processes)
            processes = [each if each.is_alive() else begin() for each in processes]
    finally:
        signal.signal(signal.SIGTERM, before)
        for each in processes:
            with suppress(OSError):
                each.terminate()
        for each in processes:
            each.join()


def _tell_of_ended(processes: list[SpawnProcess]) -> None:
    """Say in the log which processes ended: where all do at once, nobody answers."""
    for each in processes:
        if not each.is_alive():
            _LOG.warning("worker %s ended (%s); another one begins", each.pid, each.exitcode)
