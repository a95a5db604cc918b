"""What the tests of MongoDB share: an empty database, and a store on it."""

from contextlib import closing

import pymongo
import pytest

from helpers import mongo


@pytest.fixture
def address(new_database):
    return new_database()


@pytest.fixture
def store(address):
    with closing(mongo.store_class()(address)) as store:
        yield store


@pytest.fixture
def raw(address):
    """The database, past the store."""
    with pymongo.MongoClient(address) as client:
        yield client.get_default_database()
