"""Brokers of each kind, and runs in them."""

import pytest

import databroker
from databroker import Broker
from helpers.runs import plain, save


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def db(request):
    """An empty broker."""
    if request.param == "sqlite":
        broker = databroker.temp()
    elif request.param == "postgresql":
        broker = Broker.from_config(request.getfixturevalue("postgresql_config"), name="postgresql")
    else:
        broker = Broker.from_config({"driver": "memory"}, name="memory")
    yield broker
    broker.close()


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
