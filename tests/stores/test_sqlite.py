"""The SQLite store passes the conformance suite, also where its limits are met all the time."""

import itertools

import pytest

from databroker.stores.contract import Ability
from databroker.stores.sql import SQLiteStore, series
from databroker.testing import StoreConformance
from databroker.testing.conformance.base import descriptor, event, insert_all, start
from databroker.testing.conformance.keeping import Keeping


class OnSQLite:
    durability = "normal"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.paths = (tmp_path / f"{number}.db" for number in itertools.count())

    def open_store(self):
        return SQLiteStore(next(self.paths), durability=self.durability)


class TestSQLiteStore(OnSQLite, StoreConformance):
    pass


@pytest.mark.usefixtures("small_limits")
class TestSQLiteStoreWithSmallLimits(OnSQLite, StoreConformance):
    pass


class TestSQLiteStoreThatSurvivesALossOfPower(OnSQLite, Keeping):
    durability = "full"


def test_it_is_shared_with_other_processes(tmp_path):
    store = SQLiteStore(tmp_path / "runs.db")
    assert store.abilities == {Ability.WRITE, Ability.SHARED}
    store.close()


@pytest.mark.usefixtures("small_limits")
def test_no_row_is_overlooked_while_the_tail_becomes_a_block(tmp_path, monkeypatch):
    store = SQLiteStore(tmp_path / "runs.db")
    insert_all(store, [("start", start()), ("descriptor", descriptor())])
    insert_all(store, [("event", event(number)) for number in range(2)])
    later = [("event", event(number)) for number in range(2, 4)]
    look = series.block_extents

    def look_just_before(connection, number):
        found = look(connection, number)
        insert_all(store, later)
        later.clear()
        return found

    monkeypatch.setattr(series, "block_extents", look_just_before)
    assert sum(extent.stop - extent.first for extent in store.extents("event", "desc")) == 4
    store.close()
