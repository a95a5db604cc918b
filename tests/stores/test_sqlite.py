"""The SQLite store passes the conformance suite, also where its limits are met all the time."""

import contextlib
import itertools
import sqlite3

import numpy as np
import pytest

from databroker.stores.base import Capabilities
from databroker.stores.sql import SQLiteStore, series_rows
from databroker.testing import StoreConformance
from databroker.testing.conformance.base import descriptor, event, insert_all, start
from databroker.testing.conformance.concurrency import Sharing
from databroker.testing.conformance.external import External
from databroker.testing.conformance.finding import Finding
from databroker.testing.conformance.identity import Identity
from databroker.testing.conformance.many_runs import ManyRuns
from databroker.testing.conformance.moving import Moving
from databroker.testing.conformance.openers import Openers
from databroker.testing.conformance.roundtrip import Keeping
from databroker.testing.conformance.rows import Rows
from databroker.testing.conformance.searching import Searching
from helpers.sqlite_files import opened


class OnSQLite:
    durability = "normal"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.paths = (tmp_path / f"{number}.db" for number in itertools.count())

    def open_store(self):
        return SQLiteStore(next(self.paths), durability=self.durability)

    def open_read_only(self, store):
        return SQLiteStore(store.path, read_only=True)

    def raw(self, store):
        with contextlib.closing(sqlite3.connect(store.path)) as raw:
            return {uid for (uid,) in raw.execute("SELECT uid FROM runs")}


class TestSQLiteStore(OnSQLite, StoreConformance):
    pass


@pytest.mark.usefixtures("small_limits")
class TestSQLiteStoreWithSmallLimits(
    OnSQLite,
    Keeping,
    Rows,
    ManyRuns,
    External,
    Finding,
    Searching,
    Identity,
    Sharing,
    Openers,
    Moving,
):
    """What rows in blocks and an index of little bear on; all else is as above."""

    def many_rows(self, number):
        return min(number, 200)  # which are more blocks than thousands are elsewhere


class TestSQLiteStoreThatSurvivesALossOfPower(OnSQLite, Keeping):
    durability = "full"

    # With the other durability, these are tried above.
    test_any_run_comes_out_as_it_went_in = None
    test_any_runs_one_after_the_other_come_out_as_they_went_in = None
    test_what_the_caller_does_to_a_document_later_changes_nothing = None


def test_it_is_shared_with_other_processes(tmp_path):
    store = SQLiteStore(tmp_path / "runs.db")
    assert store.capabilities == Capabilities(True, True, "exact", True, True)
    store.close()


@pytest.mark.usefixtures("small_limits")
def test_no_row_is_overlooked_while_the_tail_becomes_a_block(tmp_path, monkeypatch):
    with opened(tmp_path / "runs.db") as store, opened(tmp_path / "runs.db") as other:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        insert_all(store, [("event", event(number)) for number in range(2)])
        look = series_rows.block_ranges

        def look_and_wait(*arguments):
            found = look(*arguments)
            insert_all(other, [("event", event(number)) for number in range(2, 4)])
            return found

        monkeypatch.setattr(series_rows, "block_ranges", look_and_wait)
        extents = store.extents("event", "desc")
        assert [extent.rows for extent in extents] == [2]
        monkeypatch.undo()
        extents = store.extents("event", "desc")
        assert sum(extent.rows for extent in extents) == 4


def test_a_large_event_is_written_once(tmp_path):
    with opened(tmp_path / "runs.db") as store:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        store.insert("event", event(1, x=np.zeros(10**6)))
        with contextlib.closing(sqlite3.connect(store.path)) as raw:
            assert raw.execute("SELECT count(*) FROM tail").fetchone() == (0,)
            assert raw.execute("SELECT max(length(data)) > 8000000 FROM segments").fetchone() == (
                1,
            )
            assert raw.execute("SELECT seq FROM sqlite_sequence").fetchone()[0] < 8
