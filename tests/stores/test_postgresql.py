"""The PostgreSQL store, against a real server, and what goes wrong there."""

import hashlib
import logging
import pickle
import threading
import time
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import psycopg
import pytest

from databroker import Broker
from databroker.errors import (
    ForeignStore,
    InvalidConfiguration,
    InvalidDocument,
    QueryTimeout,
    StoreAway,
    StoreDamaged,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query.nodes import Everything
from databroker.query.time_limit import TimeLimit
from databroker.stores.base import Capabilities
from databroker.stores.sql.engine.connection import snapshot
from databroker.stores.sql.engine.limits import Limits
from databroker.stores.sql.engine.postgresql import connection
from databroker.stores.sql.engine.postgresql import schema as tables
from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import (
    descriptor,
    event,
    insert_all,
    resource,
    start,
    whole_run,
)
from helpers.postgresql import end_sessions, old_programs, replica_of, server_with_passwords

WORD = "correct-horse"


@pytest.fixture
def schema(new_schema):
    return new_schema()


@pytest.fixture
def store(postgresql, schema):
    with closing(PostgreSQLStore(postgresql, schema=schema)) as store:
        yield store


def test_what_it_can_do(store):
    assert store.capabilities == Capabilities(True, True, "exact", True, False)


def test_a_broker_is_made_by_its_configuration(postgresql_config):
    with Broker.from_config(postgresql_config) as db:
        insert_all(db.store, whole_run())
        assert db[-1].start["uid"] == "run"
        assert len(db[-1].table()) > 0


def test_large_arrays_come_out_as_they_went_in(store):
    image = np.random.default_rng(1).random(3 * 2**20)
    documents = [("start", start()), ("descriptor", descriptor()), ("event", event(1, x=image))]
    insert_all(store, documents)
    assert_identical(answers(store, documents), expected(documents))


def test_what_is_too_large_for_the_server_is_refused_before_it_is_sent(store, monkeypatch):
    monkeypatch.setattr(connection, "_LARGEST", 2**20)
    documents = [("start", start()), ("descriptor", descriptor())]
    insert_all(store, documents)
    noise = np.random.default_rng(1).integers(0, 255, 2**21, "u1")
    for large in (
        ("event", event(1, x=noise)),
        ("start", start("large", noise=noise)),
        ("resource", resource("large") | {"resource_kwargs": {"noise": noise}}),
    ):
        with pytest.raises(InvalidDocument, match=r"takes 2 MB: .* Keep it in a file"):
            store.insert(*large)
    assert_identical(answers(store, documents), expected(documents))


# -- what goes wrong ----------------------------------------------------------


def test_sessions_that_end_are_replaced(postgresql, store):
    documents = whole_run()
    for pair in documents:
        store.insert(*pair)
        end_sessions(postgresql)
    assert_identical(answers(store, documents), expected(documents))


def test_a_statement_is_interrupted_when_its_limit_of_time_ends(store):
    connection = store._connections.get()
    for question in (connection.execute, within_a_transaction(connection)):
        limit = TimeLimit(3600)
        threading.Timer(0.1, limit.end).start()
        with pytest.raises(QueryTimeout):
            limit.run(question, "SELECT pg_sleep(60)")
        assert not connection.in_transaction
        assert store.count(Everything()) == 0


def within_a_transaction(connection):
    def execute(statement):
        with snapshot(connection):
            connection.execute(statement)

    return execute


def test_what_is_inserted_while_an_interrupt_is_handled_is_stored(postgresql, store):
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        for pair in whole_run():
            store.insert(*pair)
            end_sessions(postgresql)
    assert_identical(answers(store, whole_run()), expected(whole_run()))


def test_a_session_that_ends_amid_a_search_is_replaced(postgresql, store):
    for number in range(200):
        store.insert("start", start(f"run {number}", float(number)))
    runs = store.find(Everything())
    found = [next(runs).uid]
    end_sessions(postgresql)
    found += [run.uid for run in runs]
    assert found == [f"run {number}" for number in reversed(range(200))]


def shown(error):
    """Return all that is shown of an error."""
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "/nowhere"},
        {"host": "127.0.0.1", "port": 1},
        {"host": "no-such-host.invalid"},
        {"dbname": "no_such_database"},
        {"user": "nobody_of_this_name"},
        {"sslmode": "nonsense"},
    ],
    ids=lambda change: next(iter(change.values())),
)
def test_what_cannot_be_reached_is_told_without_the_password(postgresql, change, caplog):
    caplog.set_level(logging.DEBUG)
    address = psycopg.conninfo.make_conninfo(postgresql, **change, password=WORD)
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        PostgreSQLStore(address, limits=Limits(outage=0))
    assert str(next(iter(change.values()))) in str(caught.value)
    assert "are its name, the database, the user and the password right" in str(caught.value)
    assert WORD not in shown(caught.value) + caplog.text


def test_what_is_no_address_is_told_without_the_password():
    with pytest.raises(InvalidConfiguration, match="postgresql://host/name") as caught:
        PostgreSQLStore(f"postgresql://ann:{WORD}@[host/name")
    assert WORD not in shown(caught.value)


def test_nothing_shows_or_keeps_the_password(postgresql, schema, caplog):
    caplog.set_level(logging.DEBUG)
    address = psycopg.conninfo.make_conninfo(postgresql, password=WORD)
    with closing(PostgreSQLStore(address, schema=schema)) as store:
        insert_all(store, whole_run())
        header = Broker(store)[-1]
        texts = [str(store), repr(store), repr(header), header._repr_html_(), str(Broker(store))]
        assert not any(WORD in text for text in [*texts, caplog.text])
        assert WORD.encode() not in pickle.dumps(header)
        assert pickle.loads(pickle.dumps(header)).start == header.start


OLD = pytest.param(
    old_programs(),
    marks=pytest.mark.skipif(not old_programs(), reason="no older server is installed here"),
    id="oldest",
)


@pytest.mark.parametrize("programs", [pytest.param(None, id="newest"), OLD])
def test_passwords_over_tcp(programs, monkeypatch):
    with server_with_passwords(WORD, programs) as address:
        with closing(PostgreSQLStore(address)) as store:
            insert_all(store, whole_run())
            assert_identical(answers(store, whole_run()), expected(whole_run()))
            again = pickle.dumps(store)
        assert WORD.encode() not in again
        with pytest.raises(StoreUnavailable, match="no password supplied"):
            pickle.loads(again)
        monkeypatch.setenv("PGPASSWORD", WORD)
        with closing(pickle.loads(again)) as store:
            assert_identical(answers(store, whole_run()), expected(whole_run()))
        wrong = address.replace(WORD, f"not-{WORD}")
        with pytest.raises(StoreUnavailable, match="password authentication failed") as caught:
            PostgreSQLStore(wrong, limits=Limits(outage=0))
        assert not isinstance(caught.value, StoreAway)  # for which documents would wait
        assert WORD not in shown(caught.value)


def test_a_replica_is_read_and_tells_that_more_is_there():
    with (
        server_with_passwords(WORD) as address,
        closing(PostgreSQLStore(address)) as store,
    ):
        insert_all(store, whole_run("a"))
        with (
            replica_of(address) as copy,
            closing(PostgreSQLStore(copy, read_only=True)) as replica,
        ):
            assert_identical(answers(replica, whole_run("a")), expected(whole_run("a")))
            before = replica.state()
            insert_all(store, whole_run("b"))
            assert replica.wait_for_changes(before, 30)
            while len(list(replica.find(Everything()))) < 2:
                time.sleep(0.01)
            with pytest.raises(StoreIsReadOnly):
                replica.insert(*whole_run("c")[0])


def test_a_schema_of_another_program_is_refused(postgresql):
    schema = "of_another_program"
    with psycopg.connect(postgresql, autocommit=True) as session:
        session.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.other (id int)")
    with pytest.raises(ForeignStore, match="another program"):
        PostgreSQLStore(postgresql, schema=schema)


def test_tables_of_a_newer_version_are_refused(postgresql):
    store = PostgreSQLStore(postgresql, schema="newer")
    store.close()
    with psycopg.connect(postgresql, autocommit=True) as session:
        newer = b"%d" % (tables.VERSION + 1)
        session.execute(f"UPDATE {store.schema}.meta SET value = %s", (newer,))
    with pytest.raises(ForeignStore, match="newer databroker"):
        PostgreSQLStore(postgresql, schema=store.schema)


def open_at_once(address, schema, times=6):
    """Open a store several times at once, and return the runs that each sees."""

    def look(_):
        with closing(PostgreSQLStore(address, schema=schema)) as store:
            return [run.uid for run in store.find(Everything())]

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(look, range(times)))


def test_several_make_the_tables_at_once(postgresql, schema):
    assert open_at_once(postgresql, schema) == [[]] * 6
    assert open_at_once(postgresql, "made beforehand, not by us") == [[]] * 6


def test_several_find_tables_of_an_older_version_at_once(postgresql, monkeypatch):
    schema = f"older_{uuid.uuid4().hex[:8]}"
    with closing(PostgreSQLStore(postgresql, schema=schema)) as store:
        insert_all(store, whole_run())
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 2)
    made = {tables.VERSION - 2: "CREATE TABLE more (a int)", tables.VERSION - 1: "DROP TABLE more"}
    monkeypatch.setattr(tables, "MIGRATIONS", made)
    with pytest.raises(StoreUnavailable, match="Open it once without `read_only`"):
        PostgreSQLStore(postgresql, schema=schema, read_only=True)
    assert open_at_once(postgresql, schema) == [["run"]] * 6
    with closing(PostgreSQLStore(postgresql, schema=schema, read_only=True)) as reader:
        assert_identical(answers(reader, whole_run()), expected(whole_run()))


def test_a_migration_that_fails_leaves_all_as_it_was(postgresql, store, monkeypatch):
    insert_all(store, whole_run())
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    broken = {tables.VERSION - 1: "DROP TABLE runs; DROP TABLE no_such_table"}
    monkeypatch.setattr(tables, "MIGRATIONS", broken)
    with pytest.raises(StoreDamaged, match="no_such_table"):
        PostgreSQLStore(postgresql, schema=store.schema)
    assert_identical(answers(store, whole_run()), expected(whole_run()))


def test_the_tables_of_a_version_stay_what_they_are():
    """Whoever changes them raises the version, and says how older ones become new."""
    made = hashlib.sha256(tables.CREATE.encode()).hexdigest()[:16]
    assert {tables.VERSION: made} == {1: "59a2408196fcf1a0"}
    assert set(tables.MIGRATIONS) == set(range(1, tables.VERSION))


def test_who_may_only_read_can_open_it_and_is_told_when_writing(postgresql, store):
    insert_all(store, whole_run())
    role = f"r{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgresql, autocommit=True) as session:
        session.execute(
            f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {store.schema} TO {role}; "
            f"GRANT SELECT ON ALL TABLES IN SCHEMA {store.schema} TO {role}"
        )
    address = psycopg.conninfo.make_conninfo(postgresql, user=role)
    with closing(PostgreSQLStore(address, schema=store.schema)) as reader:
        assert_identical(answers(reader, whole_run()), expected(whole_run()))
        with pytest.raises(StoreIsReadOnly, match="permission denied"):
            reader.insert("start", start("another"))


def test_a_lock_that_is_never_given_back_is_named(postgresql, store):
    limits = Limits(patience=1)
    with closing(PostgreSQLStore(postgresql, schema=store.schema, limits=limits)) as other:
        held = store._connections.get()
        held.begin(to_write=True)
        with pytest.raises(StoreUnavailable, match="locked by another program"):
            other.insert("start", start())
        held.end(commit=False)
        other.insert("start", start())
