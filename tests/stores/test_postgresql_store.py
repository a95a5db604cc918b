"""The PostgreSQL store passes the conformance suite, against a real server."""

import psycopg
import pytest

from databroker.stores.sql.postgresql import PostgreSQLStore
from databroker.testing import StoreConformance


class OnPostgreSQL:
    @pytest.fixture(autouse=True)
    def _server(self, postgresql, new_schema):
        self.uri, self.new_schema = postgresql, new_schema

    def open_store(self):
        return PostgreSQLStore(self.uri, schema=self.new_schema())

    def open_read_only(self, store):
        return PostgreSQLStore(self.uri, schema=store.schema, read_only=True)

    def raw(self, store):
        with psycopg.connect(self.uri) as raw:
            return {uid for (uid,) in raw.execute(f"SELECT uid FROM {store.schema}.runs")}


class TestPostgreSQLStore(OnPostgreSQL, StoreConformance):
    pass
