"""A server, and databases of their own for tests."""

import pymongo
import pytest

from helpers import mongo


@pytest.fixture(scope="session")
def mongo_address(tmp_path_factory):
    with mongo.address(tmp_path_factory.mktemp("mongo")) as address:
        yield address


@pytest.fixture
def new_database(mongo_address):
    """Gives addresses of new databases; nothing is left of them."""
    taken = []

    def take():
        taken.append(mongo.new_name())
        return f"{mongo_address}/{taken[-1]}"

    yield take
    with pymongo.MongoClient(mongo_address) as client:
        for name in taken:
            client.drop_database(name)
