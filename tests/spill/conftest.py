"""A store that may be away, and what stands before it."""

import time

import pytest

from databroker.stores.spill.store import SpillStore
from helpers.away import MayBeAway


@pytest.fixture
def behind():
    return MayBeAway()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spill"


@pytest.fixture
def store(behind, folder):
    store = SpillStore(behind, folder, after=0.5)
    yield store
    behind.answers.set()
    store.close()


@pytest.fixture
def eventually():
    """Wait until something is true."""

    def wait(condition):
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "it did not come true"
            time.sleep(0.01)

    return wait
