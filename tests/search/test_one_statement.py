"""What is looked up often is one statement, with all that belongs to it."""

import pytest

from databroker import Broker
from databroker.query.nodes import Equals, Everything, Path, UidPrefix
from databroker.stores.sql import SQLiteStore

UID = "3f2b8a10-5c1e-4d1b-9a53-8f6b6c5f{:04x}"


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    with Broker(SQLiteStore(tmp_path_factory.mktemp("one") / "runs.db")) as broker:
        for number in range(100):
            doc = {"uid": f"{number:08x}" + UID.format(number)[8:], "time": float(number)}
            broker.insert("start", doc | {"scan_id": number, "sample": {"name": f"s{number % 5}"}})
        yield broker


@pytest.fixture
def statements(db):
    """The statements that are made from now on."""
    made = []
    connection = db.store._connections.get()
    connection.execute("SELECT 1")  # which opens it
    driver = connection.driver
    driver.set_trace_callback(made.append)
    yield made
    driver.set_trace_callback(None)


@pytest.mark.parametrize(
    ("key", "scan_ids"),
    [
        (-1, [99]),
        (-42, [58]),
        (slice(-5, None), [99, 98, 97, 96, 95]),
        (42, [42]),
        ("0000002a", [42]),
        ("0000002a" + UID.format(42)[8:], [42]),
    ],
)
def test_a_run_is_looked_up_in_one_statement(db, statements, key, scan_ids):
    found = db[key]
    assert len(statements) == 1, statements
    runs = found if isinstance(found, list) else [found]
    assert [run.start["scan_id"] for run in runs] == scan_ids


def test_where_keys_were_taken_the_order_is_that_of_times(tmp_path):
    with Broker(SQLiteStore(tmp_path / "runs.db")) as db:
        for number in range(60):
            db.insert("start", {"uid": f"u{number}", "time": 5.0, "same": "yes"})
        db.insert("start", {"uid": "later", "time": 5.0 + 1e-8})
        wanted = ["later", *(f"u{number}" for number in reversed(range(60)))]
        assert [run.uid for run in db.store.find(Everything(), limit=3)] == wanted[:3]
        assert [run.uid for run in db[-61:]] == wanted
        assert [run.uid for run in db.store.find(UidPrefix("u"), limit=3)] == wanted[1:4]


@pytest.mark.parametrize("path", ["long", "numbers.0", "deep.long"])
def test_what_is_not_indexed_is_found_nevertheless(tmp_path, path):
    with Broker(SQLiteStore(tmp_path / "runs.db")) as db:
        many = list(range(300))
        db.insert(
            "start", {"uid": "a", "time": 1.0, "long": 7, "deep": {"long": 7}, "numbers": [7]}
        )
        db.insert("start", {"uid": "b", "time": 2.0, "long": many, "deep": {"long": many}})
        db.insert("start", {"uid": "c", "time": 3.0, "numbers": [7, 8]})
        newest = next(db.store.find(Equals(Path(path), 7), limit=1))
        assert newest.uid == ("c" if path == "numbers.0" else "b")
