"""The memory store passes the conformance suite, and refuses to travel."""

import pickle

import pytest

from databroker.stores.memory import MemoryStore
from databroker.testing import StoreConformance


class TestMemoryStore(StoreConformance):
    def open_store(self):
        return MemoryStore()


def test_it_refuses_to_be_pickled_and_names_an_alternative():
    with pytest.raises(TypeError, match=r"cannot be pickled.*SQLite"):
        pickle.dumps(MemoryStore())


def test_two_memory_stores_share_nothing():
    one, other = MemoryStore(), MemoryStore()
    one.insert("start", {"uid": "a", "time": 1.0})
    assert other.record("a") is None
