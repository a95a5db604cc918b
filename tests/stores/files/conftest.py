"""Stores of files, of each format."""

from contextlib import closing

import pytest

from databroker.stores.files import JSONLStore, MsgpackStore

STORES = [JSONLStore, MsgpackStore]


@pytest.fixture(params=STORES, ids=lambda store: store.format.name)
def cls(request):
    return request.param


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "runs"
    path.mkdir()
    return path


@pytest.fixture
def store(cls, folder):
    with closing(cls(folder)) as store:
        yield store


@pytest.fixture
def lines(folder):
    with closing(JSONLStore(folder)) as store:
        yield store
