"""A pickled store is its configuration, and says so where the file is not to be had."""

import pickle

import pytest

from databroker.errors import StoreUnavailable
from databroker.stores.sql import SQLiteStore


def test_a_pickled_store_makes_no_file_where_there_is_none(tmp_path):
    path = tmp_path / "runs.db"
    store = SQLiteStore(path)
    pickled = pickle.dumps(store)
    store.close()
    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(StoreUnavailable, match="no file"):
        pickle.loads(pickled)
    assert not path.exists()
