"""Runs made to order, in memory and in databases."""

from __future__ import annotations

from contextlib import closing

import pytest

from helpers.run_builder import RunBuilder, number, opened


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def db(request, tmp_path):
    """An empty broker."""
    is_served = request.param == "postgresql"
    config = request.getfixturevalue("postgresql_config") if is_served else None
    with closing(opened(request.param, tmp_path, config)) as broker:
        yield broker


@pytest.fixture
def sqlite_db(tmp_path):
    """An empty broker whose store other processes can open."""
    with closing(opened("sqlite", tmp_path)) as broker:
        yield broker


@pytest.fixture
def memory_db(tmp_path):
    return opened("memory", tmp_path)


@pytest.fixture
def new_run():
    """How a run is made: ``new_run(db, "uid")``."""
    return RunBuilder


@pytest.fixture
def key():
    """How a data key is made: ``key("array", [3], units="mm")``."""
    return number
