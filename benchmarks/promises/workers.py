"""Real processes that write, are watched, and may be killed."""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from databroker._util.polling import wait_until

PRELOADED = [
    "benchmarks.promises.shared",
    "databroker.columns",
    "databroker.stores.sql",
    "databroker.testing",
    "pyarrow",
]

PATIENCE = 300
"""Seconds without a word after which a process counts as stuck."""

MOST_SAID = 20_000
"""So many characters at the end of what a process said are worth reading."""


class Worker:
    """A process that runs a function and tells on a pipe how it gets on.

    Parameters
    ----------
    function
        Called with the sending end of the pipe, then with ``given``.
    *given, **named
        Its other arguments.
    """

    def __init__(self, function: Callable[..., None], *given: Any, **named: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self.told, telling = context.Pipe(duplex=False)
        self._errors = tempfile.NamedTemporaryFile(prefix="promises-")  # noqa: SIM115
        arguments = (self._errors.name, function, telling, *given)
        self.process = context.Process(target=_watched, args=arguments, kwargs=named)
        self.process.start()
        telling.close()

    def next(self) -> Any:
        """Return what it tells next.

        Raises
        ------
        EOFError
            It has ended; with what it said.
        TimeoutError
            It is stuck; with the stacks of all its threads.
        """
        if not self.told.poll(PATIENCE):
            self._say_where_it_is()
            raise TimeoutError(f"Nothing for {PATIENCE} s.\n{self.said()}")
        try:
            return self.told.recv()
        except EOFError:
            self.process.join(PATIENCE)
            code = self.process.exitcode
            raise EOFError(f"It ended with exit code {code}.\n{self.said()}") from None

    def said(self) -> str:
        """Return what it wrote to its standard error, at least the end of that."""
        return Path(self._errors.name).read_text(errors="replace")[-MOST_SAID:]

    def _say_where_it_is(self) -> None:
        """Have it write the stacks of all its threads."""
        before, pid = self.said(), self.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGUSR2)
        wait_until(lambda: self.said() != before, 60)
        time.sleep(0.2)  # all of them

    def rest(self) -> list[Any]:
        """Return all that it still tells."""
        found = []
        with contextlib.suppress(EOFError):
            while True:
                found.append(self.next())
        return found

    def end(self) -> None:
        """Kill it if it still runs."""
        self.process.kill()
        self.process.join()
        self.told.close()
        sys.stderr.write(self.said())
        self._errors.close()


def _watched(errors: str, function: Callable[..., None], *given: Any, **named: Any) -> None:
    """Call a function; write to a file what goes wrong, and on SIGUSR2 where all threads are."""
    with open(errors, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 2)
    faulthandler.enable(2)
    faulthandler.register(signal.SIGUSR2, 2)
    function(*given, **named)


@contextlib.contextmanager
def worker(function: Callable[..., None], *given: Any) -> Iterator[Worker]:
    """Have a worker for the time of a block."""
    started = Worker(function, *given)
    try:
        yield started
    finally:
        started.end()


@contextlib.contextmanager
def new_file() -> Iterator[Path]:
    """Have the path of a new file for the time of a block."""
    with tempfile.TemporaryDirectory(prefix="promises-") as folder:
        yield Path(folder) / "runs.db"


def write(telling: Connection, path: Path, offered: Any) -> None:
    """Insert documents, and tell the number of each when its insert has returned."""
    from databroker.stores.sql import SQLiteStore

    store = SQLiteStore(path)
    for number, (kind, doc) in enumerate(offered):
        store.insert(kind, doc)
        telling.send(number)
    store.close()
