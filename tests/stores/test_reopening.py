"""A pickled store is its configuration, and says so where the file is not to be had."""

import pickle
from contextlib import closing

import pytest

from databroker.columns import ALL
from databroker.errors import StoreUnavailable
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import insert_all, whole_run


def test_a_pickled_store_makes_no_file_where_there_is_none(tmp_path):
    path = tmp_path / "runs.db"
    store = SQLiteStore(path)
    pickled = pickle.dumps(store)
    store.close()
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreUnavailable, match="no file"):
        pickle.loads(pickled)
    assert not path.exists()


def test_where_rows_are_is_right_in_another_file_with_other_runs_too(tmp_path):
    """As on another machine: what is there of the same owner, whatever else is before it."""
    with (
        closing(SQLiteStore(tmp_path / "here.db")) as here,
        closing(SQLiteStore(tmp_path / "there.db")) as there,
    ):
        insert_all(here, [*whole_run("a"), *whole_run("b")])
        insert_all(there, [*whole_run("b"), *whole_run("a")])
        for _, descriptor in [*here.documents("a"), *here.documents("b")]:
            for extent in here.extents("event", descriptor["uid"]):
                rows, same = (
                    [batch.to_pylist() for batch in store.read("event", extent, ALL)]
                    for store in (here, there)
                )
                assert rows == same != []
