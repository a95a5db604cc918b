"""The SQLite store passes the conformance suite, also where its limits are met all the time."""

import itertools

import pytest

from databroker.stores.contract import Ability
from databroker.stores.sql import SQLiteStore
from databroker.testing import StoreConformance
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
