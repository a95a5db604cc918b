"""Stores of each kind, to move runs between."""

import itertools

import pytest

from databroker.stores.registry import open_store


@pytest.fixture
def open_new(tmp_path, request):
    """Opens a new, empty store of a driver; all are closed when the test is over."""
    numbers, opened = itertools.count(), []

    def open_new(driver):
        options = {}
        if driver == "sqlite":
            options = {"path": str(tmp_path / f"{next(numbers)}.db")}
        elif driver == "postgresql":
            address = request.getfixturevalue("postgresql")
            options = {"uri": address, "schema": request.getfixturevalue("new_schema")()}
        opened.append(open_store(driver, **options))
        return opened[-1]

    yield open_new
    for store in opened:
        store.close()
