"""Many runs read with a few statements: what is damaged is left to be read by itself."""

import contextlib
import sqlite3

import pytest

from databroker.columns import ALL
from databroker.testing.conformance.base import descriptor, event, insert_all, start, stop
from helpers.sqlite_files import opened

FLIPPED = (
    "CAST(substr({0}, 1, length({0}) / 2) || x'07' || substr({0}, length({0}) / 2 + 2) AS BLOB)"
)

RUNS = ["a", "b", "c"]


@pytest.fixture
def runs(path):
    with opened(path) as store:
        for uid in RUNS:
            insert_all(store, [("start", start(uid)), ("descriptor", descriptor(f"{uid}-d", uid))])
            insert_all(store, [("event", event(number, f"{uid}-d")) for number in range(3)])
            store.insert("stop", stop(uid))
    return path


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE segments SET data = " + FLIPPED.format("data") + " WHERE id = 2",
        "UPDATE segments SET data = (SELECT data FROM segments WHERE id = 1) WHERE id = 2",
        "DELETE FROM segments WHERE id = 2",
        "UPDATE blocks SET layout = " + FLIPPED.format("layout") + " WHERE series = 2",
        "UPDATE blocks SET stop = 2 WHERE series = 2",
        "DELETE FROM blocks WHERE series = 2",
        "UPDATE series SET sealed = 4 WHERE id = 2",
        "DELETE FROM series WHERE id = 2",
        "UPDATE documents SET body = " + FLIPPED.format("body") + " WHERE uid = 'b-d'",
        "DELETE FROM documents WHERE uid = 'b-d'",
    ],
)
def test_a_damaged_run_is_left_to_be_read_by_itself(runs, change):
    with contextlib.closing(sqlite3.connect(runs, isolation_level=None)) as raw:
        assert raw.execute(change).rowcount == 1
    with opened(runs) as store:
        (page,) = store.read_many(RUNS, "primary", ALL)
    assert page.apart == ["b"]
    assert [alike.runs for alike in page.alike] == [["a", "c"]]
    assert page.alike[0].sizes == [3, 3]


def test_some_hundred_runs_are_few_statements(runs, monkeypatch):
    with opened(runs) as store:
        connection = store._connections.get()
        asked = []
        execute = type(connection).execute

        def counting(self, statement, values=()):
            asked.append(statement.split()[0])
            return execute(self, statement, values)

        monkeypatch.setattr(type(connection), "execute", counting)
        assert len(list(store.read_many(RUNS, "primary", ALL))) == 1
    assert asked.count("SELECT") == 4
