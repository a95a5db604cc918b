"""Writers tell those who wait, by way of the server; all of a process hear it together."""

import threading
import time
from contextlib import closing

import psycopg
import pytest

from databroker import Broker
from databroker.stores.sql.engine.postgresql import listening
from databroker.stores.sql.engine.postgresql.sessions import MOST
from helpers.run_builder import RunBuilder


@pytest.fixture
def db(postgresql_config):
    """An empty broker."""
    with Broker.from_config(postgresql_config | {"spill": False}) as broker:
        yield broker


@pytest.fixture
def run(db):
    """A run that has begun."""
    return RunBuilder(db, time=time.time())


def told(postgresql, db, write):
    """Return how many times somebody is told while something is written."""
    lock = db.store._connections.reach()
    with closing(psycopg.connect(postgresql, autocommit=True)) as other:
        other.execute(f"LISTEN {listening.channel(lock)}")
        write()
        return len(list(other.notifies(timeout=0.1)))


def test_a_row_is_told_and_of_many_at_once_some(postgresql, db, run, monkeypatch):
    det = run.descriptor(["det"])
    monkeypatch.setattr(listening, "_PAUSE", 0.0)
    assert told(postgresql, db, lambda: run.event(det, det=1)) == 1
    monkeypatch.setattr(listening, "_PAUSE", 60.0)

    def write():
        for n in range(20):
            run.event(det, det=n)

    assert told(postgresql, db, write) == 0  # as one was told just now
    assert told(postgresql, db, run.stop) == 1


def test_very_many_followers_of_a_process_take_one_session(db, run):
    many = 3 * MOST
    found = [[] for _ in range(many)]
    following = [
        run.header.follow().subscribe(lambda kind, _, each=each: each.append(kind))
        for each in found
    ]
    det = run.descriptor(["det"])
    for n in range(5):
        run.event(det, det=n)
    run.stop()
    assert all(each.wait(60) for each in following)
    assert found == [["start", "descriptor", *["event"] * 5, "stop"]] * many


def test_a_session_that_ends_while_it_waits_is_replaced(postgresql, db, run):
    store = db.store
    with closing(psycopg.connect(postgresql, autocommit=True)) as other:
        for _ in range(2):
            state = store.state()
            waits = threading.Thread(target=store.wait_for_changes, args=[state, 60])
            waits.start()
            killed = []
            while not killed:
                killed = other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE query LIKE 'LISTEN databroker_%' AND pid != pg_backend_pid()"
                ).fetchall()
            run.descriptor(["det"])
            waits.join(30)
            assert not waits.is_alive()
