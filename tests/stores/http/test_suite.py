"""The store over a server passes the conformance suite, over real connections."""

import sqlite3
from contextlib import closing
from typing import ClassVar

import psycopg
import pytest

from databroker.stores.http import HTTPStore
from databroker.testing import StoreConformance
from helpers.http_server import Server


class TestHTTPStore(StoreConformance):
    gaps: ClassVar = {}

    # What these try with many runs is up to the store behind the server, which passes them.
    test_any_run_delivered_again_changes_nothing = None
    test_any_order_of_delivery_gives_the_same_run = None
    test_documents_delivered_twice_on_the_way_change_nothing = None
    test_any_runs_are_there_when_it_is_opened_again = None
    test_any_range_of_many_rows_can_be_read = None
    test_any_everyday_value_is_kept = None
    test_thousands_of_events_alone_and_in_pages = None
    test_thousands_of_datum_documents_are_kept = None
    test_a_column_may_change_its_type_among_thousands_of_rows = None
    test_rows_read_bit_by_bit_are_neither_repeated_nor_skipped = None
    test_many_events_are_recognised_after_the_stop = None
    test_another_document_is_refused_while_the_run_is_in_progress = None
    test_two_processes_write_one_stream = None
    test_events_that_a_killed_process_had_inserted_are_there = None
    test_what_a_killed_process_had_inserted_is_there = None

    @pytest.fixture(autouse=True)
    def _server(self, server):
        self.server = server

    def open_store(self):
        return HTTPStore(self.server.uri(self.server.take()))

    def open_read_only(self, store):
        return HTTPStore(str(store).removeprefix("http: "), read_only=True)

    def many(self, number):
        return min(number, 60)

    def some(self, questions):
        return questions[::3]

    def raw(self, store):
        name = str(store).rpartition("/")[2]
        with closing(sqlite3.connect(self.server.path(name))) as raw:
            return {uid for (uid,) in raw.execute("SELECT uid FROM runs")}


@pytest.fixture(scope="module")
def workers(postgresql):
    """A server of two processes, on a PostgreSQL database."""
    with closing(Server(postgresql, workers=2)) as server:
        yield server


class TestTwoWorkers(TestHTTPStore):
    @pytest.fixture(autouse=True)
    def _server(self, postgresql, workers):
        self.server, self.postgresql = workers, postgresql

    def raw(self, store):
        name = str(store).rpartition("/")[2]
        with psycopg.connect(self.postgresql) as raw:
            return {uid for (uid,) in raw.execute(f"SELECT uid FROM {name}.runs")}


def _leave_out(suite):
    """Leave out what was tried with one process: all but some tests, and those of several."""
    names = sorted(name for name in dir(suite) if name.startswith("test_"))
    kept = {*names[::12], *(name for name in names if "process" in name or "thread" in name)}
    for name in set(names) - kept:
        setattr(suite, name, None)


_leave_out(TestTwoWorkers)
