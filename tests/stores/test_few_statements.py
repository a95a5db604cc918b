"""A document takes few statements, and what spares them is never more than what is stored."""

import contextlib
from unittest import mock

import pytest

from databroker.errors import InvalidDocument
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.statements import meta
from databroker.testing import answers, assert_identical, expected, read_rows
from databroker.testing.conformance.base import (
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    stop,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request, path):
    """What opens one more store, as another process would, of the same database."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            yield lambda: stack.enter_context(contextlib.closing(SQLiteStore(path)))
        else:
            from databroker.stores.sql.postgresql import PostgreSQLStore

            server = request.getfixturevalue("postgresql")
            schema = request.getfixturevalue("new_schema")()
            make = lambda: PostgreSQLStore(server, schema=schema)  # noqa: E731
            yield lambda: stack.enter_context(contextlib.closing(make()))


BY_OTHERS = {
    "rows": [("event", event(1)), ("event", event(2))],
    "a page": [("event_page", event_page(range(1, 3)))],
    "a page and a row": [("event_page", event_page(range(1, 2))), ("event", event(2))],
    "an ended run": [("event", event(1)), ("event", event(2)), ("stop", stop())],
}


@pytest.mark.parametrize("brought", BY_OTHERS.values(), ids=BY_OTHERS)
def test_a_new_series_to_which_others_wrote_is_looked_at(opened, brought):
    one, other = opened(), opened()
    opening = [("start", start()), ("descriptor", descriptor())]
    insert_all(one, opening)
    insert_all(other, brought)
    with pytest.raises(InvalidDocument):
        one.insert("event", event(2, x=-1.0))
    insert_all(one, [("event", event(number)) for number in (2, 1, 3)])
    rows = read_rows(one, "event", "desc")
    assert [row["seq_num"] for row in rows] == [1, 2, 3]


def test_a_run_is_ended_by_another_process_than_wrote_it(opened):
    one, other = opened(), opened()
    documents = [
        ("start", start()),
        ("descriptor", descriptor()),
        ("descriptor", descriptor("empty")),
        ("descriptor", descriptor("paged")),
        ("event", event(1)),
        ("event_page", event_page(range(1, 4), "paged")),
        ("event", event(4, "paged")),
        ("stop", stop()),
    ]
    insert_all(one, documents[:-3])
    insert_all(other, documents[-3:])
    insert_all(one, documents)  # which changes nothing
    assert_identical(answers(one, documents), expected(documents))


def test_a_start_finds_what_waits_for_it_and_its_time_taken(opened):
    one, other = opened(), opened()
    before = ("start", start("before"))
    waiting = [("stop", stop()), ("descriptor", descriptor()), ("event", event(1))]
    insert_all(one, [before, *waiting])
    insert_all(other, [("start", start())])
    documents = [before, ("start", start()), *waiting]
    insert_all(one, documents)
    assert_identical(answers(other, documents), expected(documents))


# -- on PostgreSQL ---------------------------------------------------------------


@pytest.fixture
def shared(postgresql, new_schema):
    from databroker.stores.sql.postgresql import PostgreSQLStore

    with contextlib.closing(PostgreSQLStore(postgresql, schema=new_schema())) as store:
        yield store


@contextlib.contextmanager
def counted():
    """Count what a server is asked."""
    from databroker.stores.sql.engine.postgresql.connection import PostgreSQLConnection

    ask = PostgreSQLConnection._ask_of
    with mock.patch.object(PostgreSQLConnection, "_ask_of", autospec=True, side_effect=ask) as mine:
        yield mine


def run_of_five(uid, time=1.5e9):
    own = f"{uid}-desc"
    opening = [("start", start(uid, time)), ("descriptor", descriptor(own, uid))]
    events = [("event", event(number, own)) for number in range(1, 6)]
    return [*opening, *events, ("stop", stop(uid))]


def test_a_small_run_takes_twenty_statements(shared):
    for number in range(2):  # so that paths are known
        insert_all(shared, run_of_five(f"before {number}", float(number)))
    taken = []
    for kind, doc in run_of_five("run"):
        with counted() as asked:
            shared.insert(kind, doc)
        taken.append(asked.call_count)
    # A transaction begins, looks and changes, and ends; an event is one. The stop must know
    # where the rows are, and which number the segment is given.
    assert taken == [4, 4, 1, 1, 1, 1, 1, 7]


def test_many_rows_that_come_again_are_looked_for_together(shared):
    """As when an answer was lost, and all is sent again with what follows."""
    opening = [("start", start()), ("descriptor", descriptor())]
    events = [("event", event(number)) for number in range(1, 301)]
    shared.insert_many([*opening, *events[:200]])
    with counted() as asked:
        shared.insert_many([*opening, *events])
    assert asked.call_count < 50
    assert len(list(read_rows(shared, "event", "desc"))) == 300


def test_rows_that_come_again_one_by_one_are_looked_for_some_at_a_time(shared):
    insert_all(shared, [("start", start()), ("descriptor", descriptor())])
    shared.insert("event_page", event_page(range(1, 301)))
    events = [("event", event(number)) for number in range(1, 301)]
    with counted() as asked:
        insert_all(shared, events)
    assert asked.call_count < 50
    with pytest.raises(InvalidDocument):
        shared.insert("event", event(150, x=-1.0))
    assert len(list(read_rows(shared, "event", "desc"))) == 300


def test_changes_are_carried_out_together_or_not_at_all(shared):
    def job(connection):
        connection.begin(to_write=True)
        with counted() as asked, connection.together():
            meta.set_fact(connection, "one", b"1")
            connection.change("DELETE FROM paths WHERE id = ?", (1,))
            assert meta.fact(connection, "one") is None
            assert asked.call_count == 1  # the look
        assert asked.call_count == 2
        with contextlib.suppress(TimeoutError), connection.together():
            meta.set_fact(connection, "two", b"2")
            raise TimeoutError
        meta.set_fact(connection, "three", b"3")
        connection.end(commit=True)
        return [meta.fact(connection, key) for key in ("one", "two", "three")]

    assert shared._connections.write(job) == [b"1", None, b"3"]


def test_changes_that_an_interrupt_left_behind_are_forgotten(shared):
    begun = []

    def interrupted(connection):
        begun.append(connection.together())
        begun[0].__enter__()  # and what ends it is never called
        raise TimeoutError

    with pytest.raises(TimeoutError):
        shared._connections.write(interrupted)
    shared._connections.write(lambda connection: meta.set_fact(connection, "one", b"1"))
    assert meta.fact(shared._connections.get(), "one") == b"1"
