"""A store in a process that is forked, or interrupted."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from ...query.nodes import Everything
from ...stores.base import Store
from ..interrupting import interrupted_after
from ..reference import answers, expected, read_rows
from .base import Base, descriptor, event, insert_all, start, whole_run

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no process can be forked here")
needs_signals = pytest.mark.skipif(
    not hasattr(signal, "SIGUSR1"), reason="there are no such signals here"
)


def _forked(job: Callable[[], None]) -> int:
    """Do something in a forked process; return its number."""
    number = os.fork()
    if number:
        return number
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(60)  # it ends if it is stuck
        job()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _wait(number: int) -> int:
    """Wait for a process to end; return 0 if all was well."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


class Processes(Base):
    """Forks and interrupts."""

    @needs_fork
    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_both_sides_of_a_fork_read_and_write(self, store: Store) -> None:
        before = whole_run("before")
        insert_all(store, before[:-1])

        def child() -> None:
            assert store.record("before") is not None
            insert_all(store, whole_run("child"))
            assert len(read_rows(store, "event", "child-desc")) == 3
            store.close()

        number = _forked(child)
        insert_all(store, [*before[-1:], *whole_run("parent")])
        assert _wait(number) == 0
        assert store.record("before") is not None
        runs = {run.uid for run in store.find(Everything())}
        # What no other process can reach is copied with the process.
        theirs = {"child"} if store.capabilities.shared else set()
        assert runs == {"before", "parent"} | theirs
        for uid in runs:
            rows = [row for _, row in whole_run(uid) if row.get("descriptor") == f"{uid}-desc"]
            assert rows[:2] == read_rows(store, "event", f"{uid}-desc")[:2]

    @needs_fork
    @pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
    def test_a_child_forked_beside_a_writing_thread_can_write(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        done = threading.Event()

        def write() -> None:
            number = 0
            while not done.is_set():
                store.insert("event", event(number))
                number += 1

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(5):
                run = whole_run(f"child {number}")
                assert _wait(_forked(partial(insert_all, store, run))) == 0
        finally:
            done.set()
            thread.join()
        numbers = [row["seq_num"] for row in read_rows(store, "event", "desc")]
        assert numbers == list(range(len(numbers)))

    @needs_signals
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_what_was_interrupted_is_whole_or_not_there_and_comes_again(self, store: Store) -> None:
        with interrupted_after(float("inf"), KeyboardInterrupt) as calls:
            insert_all(store, whole_run("first"))
        for trial in range(30):
            documents = whole_run(f"run {trial}")
            places = (trial + 0.5) * calls.made / 30
            # Where C code of pymongo calls Python, it makes another error of an interrupt.
            struck = suppress(KeyboardInterrupt, SystemError)
            with struck, interrupted_after(places, KeyboardInterrupt):
                insert_all(store, documents)
            insert_all(store, documents)
            found = answers(store, documents)
            found["runs"] = [each for each in found["runs"] if each[0] == f"run {trial}"]
            self.assert_kept(found, expected(documents))
