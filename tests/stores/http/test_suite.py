"""The store over a server passes the conformance suite, over real connections."""

import sqlite3
from contextlib import closing
from typing import ClassVar

import psycopg
import pytest

from databroker.stores.http import HTTPStore
from databroker.testing import StoreConformance
from helpers.few_documents import FewDocuments
from helpers.http_server import schema_of


class OverHTTP(FewDocuments, StoreConformance):
    """Many documents are up to the store behind the server, which passes the suite itself."""

    def open_store(self):
        return HTTPStore(self.server.uri(self.take()))

    def open_read_only(self, store):
        return HTTPStore(str(store).removeprefix("http: "), read_only=True)

    def name(self, store):
        return str(store).rpartition("/")[2]


class TestHTTPStore(OverHTTP):
    gaps: ClassVar = {}

    @pytest.fixture(autouse=True)
    def _server(self, server):
        self.server, self.take = server, server.take

    def raw(self, store):
        with closing(sqlite3.connect(self.server.path(self.name(store)))) as raw:
            return {uid for (uid,) in raw.execute("SELECT uid FROM runs")}


class TestTwoWorkers(OverHTTP):
    @pytest.fixture(autouse=True)
    def _server(self, two_workers, new_schema):
        self.server, self.take = two_workers, lambda: two_workers.take(new_schema())

    def raw(self, store):
        with psycopg.connect(self.server.place) as raw:
            schema = schema_of(self.name(store))
            return {uid for (uid,) in raw.execute(f"SELECT uid FROM {schema}.runs")}
