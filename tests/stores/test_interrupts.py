"""Whatever is raised in a write, and wherever, leaves no transaction and no half-truth behind."""

import contextlib
import gc
import itertools
import signal
import sqlite3
import time

import pytest

from databroker.errors import StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.limits import Limits
from databroker.testing import answers, assert_identical, expected, read_rows
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    stop,
    whole_run,
)
from databroker.testing.interrupting import interrupted_after


class Alarm(TimeoutError):
    """TimeoutError is an OSError, which must not be taken for one of a file."""


@contextlib.contextmanager
def alarm(after, raised):
    """Raise something in the main thread after some seconds."""

    def strike(*_):
        raise raised

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, after)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def may_write(other):
    """Tell whether another connection could write."""
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    other.execute("ROLLBACK")
    return True


@pytest.mark.parametrize("raised", [KeyboardInterrupt, Alarm, SystemExit])
def test_an_interrupt_while_waiting_for_a_lock_is_what_is_raised(path, raised):
    documents = whole_run()
    with (
        contextlib.closing(SQLiteStore(path)) as store,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        for kind, doc in documents:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(raised) as caught, alarm(0.02, raised):
                store.insert(kind, doc)
            assert caught.type is raised
            other.execute("ROLLBACK")
            assert may_write(other)
            store.insert(kind, doc)
        assert_identical(answers(store, documents), expected(documents))


def test_an_interrupt_while_waiting_is_seen_to_at_once(path):
    with (
        contextlib.closing(SQLiteStore(path)) as store,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt), alarm(0.05, KeyboardInterrupt):
            store.insert("start", start())
        assert time.monotonic() - begun < 5  # SQLite itself would wait on


@pytest.mark.parametrize("raised", [KeyboardInterrupt, Alarm, SystemExit])
def test_what_a_handler_raises_amid_a_statement_is_what_is_raised(path, raised):
    """The driver swallows it, and says only that the statement was interrupted."""
    with contextlib.closing(SQLiteStore(path, limits=Limits(steps=1000))) as store:
        connection = store._connections.get()
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        )
        for _ in range(3):
            with pytest.raises(raised) as caught, alarm(0.05, raised):
                connection.execute(endless)
            assert caught.type is raised
        assert store.count(Everything()) == 0


SCENES = {
    "start": lambda run: [("start", start(f"{run} too"))],
    "descriptor": lambda run: [("descriptor", descriptor(f"{run} new", run))],
    "event": lambda run: [("event", event(10, run))],
    "events that fill the tail": lambda run: [("event", event(n, run)) for n in (10, 11, 12)],
    "page": lambda run: [("event_page", event_page(range(10, 13), run))],
    "page of which one is there": lambda run: [("event_page", event_page(range(1, 4), run))],
    "stop": lambda run: [("stop", stop(run))],
}


UNSEEN = pytest.mark.filterwarnings(  # one that strikes where Python can only tell of it
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@UNSEEN
@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("scene", SCENES)
def test_an_insert_interrupted_after_any_call_is_whole_or_not_there(path, scene):
    with (
        contextlib.closing(SQLiteStore(path)) as store,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        for calls in itertools.count(step=3):
            run = f"run {calls}"
            before = [("start", start(run)), ("descriptor", descriptor(run, run))]
            before.append(("event", event(1, run)))
            insert_all(store, before)
            with contextlib.suppress(Alarm), interrupted_after(calls, Alarm) as struck:
                insert_all(store, SCENES[scene](run))
            assert gc.isenabled()
            assert may_write(other)
            documents = [*before, *SCENES[scene](run)]
            insert_all(store, documents)
            found, wanted = answers(store, documents), expected(documents)
            found["runs"] = [each for each in found["runs"] if each[0] in (run, f"{run} too")]
            assert_identical(found, wanted)
            if not struck:
                return


def test_a_write_within_a_write_is_refused(path):
    """It would be in the transaction of the other, and lost with it."""
    with contextlib.closing(SQLiteStore(path)) as store:
        store.insert("start", start())

        def within(connection):
            with pytest.raises(StoreUnavailable, match="from within another"):
                store.insert("start", start("within"))
            assert store.record("run") is not None
            return "done"

        assert store._connections.write(within) == "done"
        store.insert("start", start("after"))
        assert {run.uid for run in store.find(Everything())} == {"run", "after"}


@UNSEEN
def test_a_search_and_a_table_interrupted_anywhere_leave_nothing_open(path):
    documents = whole_run()
    with (
        contextlib.closing(SQLiteStore(path)) as store,
        contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        insert_all(store, documents)
        for look in (
            lambda: list(store.find(Everything())),
            lambda: read_rows(store, "event", "run-desc"),
        ):
            wanted = look()
            for calls in itertools.count(step=7):
                interrupted = interrupted_after(calls, KeyboardInterrupt)
                with contextlib.suppress(KeyboardInterrupt), interrupted as struck:
                    look()
                assert may_write(other)
                assert_identical(look(), wanted)
                if not struck:
                    break
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
