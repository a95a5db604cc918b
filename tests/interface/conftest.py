"""Brokers of each kind, and runs in them."""

import pytest

import databroker
from databroker import Broker
from helpers.runs import plain, save

ON_DATABASES_TOO = {"test_header", "test_helpers", "test_hooks", "test_v2"}
"""Modules that are tried on PostgreSQL and on MongoDB themselves, too.

For the others, PostgreSQL is behind a server of two processes; the stand-in of MongoDB takes long.
"""

ON_ONE = {"test_ipython", "test_preview", "test_table_of_names"}
"""Modules on what is shown or named: of each kind, ``test_odd_runs`` calls the same methods."""


def pytest_generate_tests(metafunc):
    """Have tests of a broker tried with one of each kind."""
    if "db" in metafunc.fixturenames and not hasattr(metafunc.module, "db"):
        module = metafunc.module.__name__.rpartition(".")[2]
        kinds = ["sqlite"] if module in ON_ONE else ["memory", "sqlite", "http", "two workers"]
        if module in ON_DATABASES_TOO:
            kinds += ["postgresql", "mongo"]
        metafunc.parametrize("db", kinds, indirect=True)


@pytest.fixture
def db(request):
    """An empty broker."""
    if request.param == "sqlite":
        broker = databroker.temp()
    elif request.param == "postgresql":
        broker = Broker.from_config(request.getfixturevalue("postgresql_config"), name="postgresql")
    elif request.param == "http":
        broker = request.getfixturevalue("served_broker")
    elif request.param == "two workers":
        broker = request.getfixturevalue("broker_of_workers")
    elif request.param == "mongo":
        from helpers import mongo

        store = mongo.store_class()(request.getfixturevalue("new_database")())
        broker = Broker(store, name="mongo")
    else:
        broker = Broker.from_config({"driver": "memory"}, name="memory")
    yield broker
    broker.close()


@pytest.fixture
def served_broker(http_server, monkeypatch):
    """A broker of an empty source, an SQLite file that another process serves."""
    return _served(http_server, http_server.take(), monkeypatch)


@pytest.fixture
def broker_of_workers(two_workers, new_schema, monkeypatch):
    """A broker of an empty source, a PostgreSQL database that two other processes serve."""
    return _served(two_workers, two_workers.take(new_schema()), monkeypatch)


def _served(server, name, monkeypatch):
    from helpers.http_server import TOKEN

    monkeypatch.setenv("DATABROKER_TOKEN", TOKEN)  # which children have, too
    # A busy machine is no server that is away.
    config = {"driver": "http", "uri": server.uri(name), "spill_after": 60}
    return Broker.from_config(config, name="http")


@pytest.fixture
def header(db):
    """An everyday run."""
    return save(db, plain())


@pytest.fixture
def hermit(monkeypatch, tmp_path):
    """A home of its own: no configuration of this machine is seen."""
    for variable in ("DATABROKER_PATH", "INTAKE_PATH", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    folder = tmp_path / ".config" / "databroker"
    folder.mkdir(parents=True)
    return folder
