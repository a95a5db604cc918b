"""Another process that opens a store, and does with it what it is asked to."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import pickle
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any

from ..._util.signals import from_signal, suppressed
from ...columns import Selection
from ...columns.assemble import assemble
from ...columns.names import SEQ_NUM
from ...query.nodes import Everything
from ...stores.base import Store
from ...stores.rows import Extent
from ..reference import Delivery, read_rows

__all__ = ["Elsewhere", "deliver", "look", "seq_nums_of", "uids_found"]

_PATIENCE = 120.0  # seconds for one answer

Job = Callable[..., Iterable[Any]]
"""Called with a store and more; what it yields is sent back, one by one."""


class Elsewhere:
    """A process of its own, begun anew, with an opener of its own.

    Examples
    --------
    ``with Elsewhere(store) as other: assert other.ask(look, "run", "desc")``
    """

    def __init__(self, store: Store) -> None:
        context = _context()
        self._pipe, theirs = context.Pipe()
        # One that has imported what is needed may have begun with another environment.
        given = (pickle.dumps(store), theirs, dict(os.environ))
        self._process = context.Process(target=_serve, args=given)
        self._process.start()
        theirs.close()
        list(self.answers())

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        with suppressed(OSError):
            self._pipe.send(None)
        self._process.join(_PATIENCE)
        self.kill()

    def begin(self, job: Job, *arguments: Any) -> None:
        """Let it begin with something."""
        self._pipe.send((job, arguments))

    def answers(self) -> Iterator[Any]:
        """Yield what comes back, until it is done or was killed."""
        while True:
            assert self._pipe.poll(_PATIENCE), "the other process does not answer"
            try:
                what, answer = self._pipe.recv()
            except (EOFError, ConnectionResetError):
                return
            assert what != "failed", answer
            if what == "done":
                return
            yield answer

    def ask(self, job: Job, *arguments: Any) -> list[Any]:
        """Let it do something, and return what comes back."""
        self.begin(job, *arguments)
        return list(self.answers())

    def kill(self) -> None:
        """End it, whatever it is about to do."""
        self._process.kill()
        self._process.join()


@functools.cache
def _context() -> Any:
    """Return how processes begin: where it can be, from one that has imported what they need."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "pyarrow", "databroker.columns"])
    return context


def _serve(pickled: bytes, pipe: Connection, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    with contextlib.closing(pickle.loads(pickled)) as store:
        pipe.send(("done", None))
        while (asked := pipe.recv()) is not None:
            job, arguments = asked
            try:
                for answer in job(store, *arguments):
                    pipe.send(("answer", answer))
                pipe.send(("done", None))
            except Exception as error:
                if from_signal(error):
                    raise
                pipe.send(("failed", traceback.format_exc()))


def deliver(store: Store, documents: Delivery) -> Iterator[None]:
    """Insert documents; say of each when that has returned."""
    for kind, doc in documents:
        store.insert(kind, doc)
        yield None


def look(store: Store, uid: str, owner: str) -> Iterator[Any]:
    """Yield what is seen of a run: whether it has ended, its documents, and its events."""
    run = store.record(uid)
    yield run is not None, run is not None and run.stop is not None
    yield [doc["uid"] for _, doc in store.documents(uid)]
    yield [row["seq_num"] for row in read_rows(store, "event", owner)]


def seq_nums_of(store: Store, extents: Iterable[Extent]) -> Iterator[int]:
    """Yield the seq_nums of the events in some extents."""
    for extent in extents:
        for batch in store.read("event", extent, Selection()):
            yield from assemble([batch], [SEQ_NUM])[SEQ_NUM].tolist()


def uids_found(store: Store) -> Iterator[str]:
    """Yield the uids of all runs as they are found."""
    return (run.uid for run in store.find(Everything()))
