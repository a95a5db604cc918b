"""A real server that goes away: behind a line that is cut, stalled or restored."""

from contextlib import closing

import psycopg
import pytest

from databroker import Broker
from databroker.errors import (
    ForeignStore,
    SpillWarning,
    StoreAway,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.stores.spill.journal import left_behind
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import insert_all, start, whole_run
from helpers.proxy import line_to

AWAY = pytest.warns(SpillWarning, match="Documents wait in")


@pytest.fixture
def line_and_address(postgresql):
    with line_to(postgresql) as found:
        yield found


@pytest.fixture
def line(line_and_address):
    return line_and_address[0]


@pytest.fixture
def config(line_and_address, new_schema, tmp_path):
    """What a broker is made from that asks the server through the line."""
    return {
        "driver": "postgresql",
        "uri": line_and_address[1],
        "schema": new_schema(),
        "spill": str(tmp_path / "spill"),
        "spill_after": 1,
    }


@pytest.fixture
def db(config):
    with Broker.from_config(config) as db:
        db.store.behind.prepare()
        yield db


@pytest.fixture
def engine():
    from bluesky import RunEngine

    engine = RunEngine()
    yield engine
    engine.loop.call_soon_threadsafe(engine.loop.stop)
    engine._th.join()
    engine.loop.close()


def measure(engine, db):
    """Run a scan, and return its uid."""
    from bluesky.plans import scan
    from ophyd.sim import det, motor

    token = engine.subscribe(db.insert)
    (uid,) = engine(scan([det], motor, 0, 4, 5))
    engine.unsubscribe(token)
    return uid


@pytest.mark.parametrize("trouble", ["cut", "stall"])
def test_a_scan_is_run_while_the_server_is_away(db, line, engine, eventually, trouble):
    first = measure(engine, db)
    getattr(line, trouble)()
    with AWAY as caught:
        second = measure(engine, db)
    assert len(caught) == 1
    assert db.store.waiting().documents == 8
    line.restore()
    eventually(lambda: not db.store.waiting())
    for uid in (first, second):
        assert list(db[uid].table().index) == [1, 2, 3, 4, 5]
        assert db[uid].status == "success"


def test_a_run_goes_on_when_the_server_goes_amid_it(db, line, eventually):
    documents = whole_run()
    insert_all(db.store, documents[:5])
    line.cut()
    with AWAY:
        insert_all(db.store, documents[5:9])
    line.restore()
    insert_all(db.store, documents[9:])
    eventually(lambda: not db.store.waiting())
    assert_identical(answers(db.store, documents), expected(documents))


@pytest.mark.parametrize("trouble", ["cut", "stall"])
def test_a_broker_is_opened_while_the_server_is_away(config, line, eventually, trouble):
    getattr(line, trouble)()
    with AWAY:
        db = Broker.from_config(config)
    with closing(db):
        insert_all(db.store, whole_run())  # which is told already
        if trouble == "cut":
            with pytest.raises(StoreUnavailable, match="refused"):
                db["run"]
            assert db.stats()["runs"] is None
        line.restore()
        eventually(lambda: not db.store.waiting())
        assert_identical(answers(db.store, whole_run()), expected(whole_run()))


def test_a_lock_that_is_not_given_back_stops_no_experiment(db, postgresql, eventually):
    db.store.behind.reach()
    lock = db.store.behind._connections._lock_number
    with psycopg.connect(postgresql) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        with AWAY:
            insert_all(db.store, whole_run())
        other.rollback()
    eventually(lambda: not db.store.waiting())
    assert_identical(answers(db.store, whole_run()), expected(whole_run()))


def test_a_server_made_read_only_stops_no_experiment(postgresql, config, eventually):
    role = f"writer_{config['schema']}"

    def tell(statement):
        with psycopg.connect(postgresql, autocommit=True) as session:
            session.execute(statement)

    tell(f"CREATE ROLE {role} LOGIN SUPERUSER")
    address = psycopg.conninfo.make_conninfo(postgresql, user=role)
    with Broker.from_config(config | {"uri": address}) as db:
        tell(f"ALTER ROLE {role} SET default_transaction_read_only = on")
        db.store.behind._connections._sessions.drop_unused()
        with pytest.warns(SpillWarning, match="read-only"):
            insert_all(db.store, whole_run())
        tell(f"ALTER ROLE {role} SET default_transaction_read_only = off")
        eventually(lambda: not db.store.waiting())
        assert_identical(answers(db.store, whole_run()), expected(whole_run()))


@pytest.mark.parametrize(
    "change",
    [
        {"dbname": "no_such_database"},
        {"user": "nobody_of_this_name"},
        {"sslmode": "nonsense"},
        {"host": "no-such-host.invalid"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_mistake_is_no_absence(postgresql, config, change):
    address = psycopg.conninfo.make_conninfo(postgresql, **change)
    with pytest.raises(StoreUnavailable) as caught:
        Broker.from_config(config | {"uri": address})
    assert not isinstance(caught.value, StoreAway)


def test_tables_of_another_program_are_no_absence(postgresql, config):
    with psycopg.connect(postgresql, autocommit=True) as session:
        session.execute("CREATE SCHEMA of_others; CREATE TABLE of_others.other (id int)")
    with pytest.raises(ForeignStore):
        Broker.from_config(config | {"schema": "of_others"})


def test_who_may_only_read_is_told_at_the_first_insert(postgresql, config, db):
    insert_all(db.store, whole_run())
    schema = config["schema"]
    with psycopg.connect(postgresql, autocommit=True) as session:
        session.execute(
            f"CREATE ROLE reader_{schema} LOGIN; GRANT USAGE ON SCHEMA {schema} TO reader_{schema};"
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader_{schema}"
        )
    address = psycopg.conninfo.make_conninfo(postgresql, user=f"reader_{schema}")
    with Broker.from_config(config | {"uri": address}) as reader:
        assert reader["run"].start == db["run"].start
        with pytest.raises(StoreIsReadOnly):
            reader.insert("start", start("another"))
        assert not reader.store.waiting()


def test_without_spilling_a_server_that_is_away_is_an_error(config, line):
    with Broker.from_config(config | {"spill": False}) as db:
        assert type(db.store) is PostgreSQLStore
        line.cut()
        with pytest.raises(StoreAway):
            Broker.from_config(config | {"spill": False})


def test_a_copy_for_another_process_reads_and_holds_nothing(db):
    import pickle

    insert_all(db.store, whole_run())
    with closing(pickle.loads(pickle.dumps(db.store))) as again:
        assert again.record("run").start == db["run"].start
        assert again.folder == db.store.folder
    assert left_behind(db.store.folder) == []
