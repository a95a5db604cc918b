"""An interrupt anywhere in a write to PostgreSQL comes out as it is; nothing is half-done."""

import contextlib
import itertools

import psycopg
import pytest

from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    stop,
)
from databroker.testing.interrupting import interrupted_after


class Alarm(TimeoutError):
    """TimeoutError is an OSError, which must not be taken for one of the network."""


def many_runs(run):
    """Return so many runs that their rows are copied."""
    documents = []
    for number in range(12):
        uid = f"{run} {number}"
        names = [f"n{n}" for n in range(9)]
        documents += [
            ("start", start(uid, 1.6e9 + number, names=names)),
            ("descriptor", descriptor(f"{uid} d", uid)),
            ("event", event(1, f"{uid} d")),
            ("stop", stop(uid)),
        ]
    return documents


SCENES = {
    "start": (37, lambda run: [("start", start(f"{run} too"))]),
    "page": (97, lambda run: [("event_page", event_page(range(10, 13), run))]),
    "stop": (97, lambda run: [("stop", stop(run))]),
    "many": (12007, many_runs),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("scene", SCENES)
def test_it_is_whole_or_not_there(postgresql, new_schema, small_limits, scene):
    step, documents_of = SCENES[scene]
    schema = new_schema()
    with (
        contextlib.closing(PostgreSQLStore(postgresql, schema=schema)) as store,
        psycopg.connect(postgresql, autocommit=True) as other,
    ):
        other.execute("SET lock_timeout = 5000")
        for calls in itertools.count(step=step):
            run = f"run {calls}"
            before = [("start", start(run)), ("descriptor", descriptor(run, run))]
            documents = [*before, ("event", event(1, run)), *documents_of(run)]
            insert_all(store, documents[:3])
            with contextlib.suppress(Alarm), interrupted_after(calls, Alarm) as struck:
                store.insert_many(documents[3:])
            lock = store._connections._connection()._lock
            other.execute("SELECT pg_advisory_lock(%s), pg_advisory_unlock(%s)", (lock, lock))
            store.insert_many(documents)
            found, wanted = answers(store, documents), expected(documents)
            found["runs"] = [each for each in found["runs"] if f"{each[0]} ".startswith(f"{run} ")]
            assert_identical(found, wanted)
            if not struck:
                return
