"""The Mongo store passes the conformance suite, against a server that is asked over a socket."""

from typing import ClassVar

import pymongo
import pytest

from databroker.stores.mongo import stored_runs
from databroker.testing import StoreConformance
from helpers.mongo import store_class, with_indexes

BEYOND_64_BITS = "MongoDB has no integers beyond 64 bits, and could not sort runs by such a time"


class TestMongoNormalizedStore(StoreConformance):
    gaps: ClassVar = {
        "test_odd_times_are_ordered_exactly": BEYOND_64_BITS,
        "test_pages_of_a_search_follow_each_other": BEYOND_64_BITS,
    }

    @pytest.fixture(autouse=True)
    def _server(self, new_database, monkeypatch):
        self.new_database = new_database
        monkeypatch.setattr(stored_runs, "_AT_ONCE", 32)

    def open_store(self):
        return with_indexes(store_class()(self.new_database()))

    def open_read_only(self, store):
        return store_class()(store.databases.metadata.address.uri, read_only=True)

    def many(self, number):
        return min(number, 40 + number // 25)

    many_rows = many

    def some(self, questions):
        return questions[:: 1 + len(questions) // 40]

    def raw(self, store):
        address = store.databases.metadata.address
        with pymongo.MongoClient(address.uri) as client:
            return {each["uid"] for each in client[address.database].run_start.find()}
