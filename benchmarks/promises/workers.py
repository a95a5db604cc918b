"""Real processes that write, are watched, and may be killed."""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PRELOADED = [
    "benchmarks.promises.shared",
    "databroker.columns",
    "databroker.stores.sql",
    "databroker.testing",
    "pyarrow",
]

PATIENCE = 120
"""Seconds after which a process counts as stuck."""


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
        self.process = context.Process(target=function, args=(telling, *given), kwargs=named)
        self.process.start()
        telling.close()

    def next(self) -> Any:
        """Return what it tells next; raise EOFError if it has ended.

        Raises
        ------
        TimeoutError
            It is stuck.
        """
        if not self.told.poll(PATIENCE):
            raise TimeoutError
        return self.told.recv()

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
