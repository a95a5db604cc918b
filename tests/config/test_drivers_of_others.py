"""Packages that bring a store of their own."""

import pytest

from databroker import Broker
from databroker.errors import InvalidConfiguration
from databroker.stores.registry import find_driver

MODULE = """
from databroker.stores.memory import MemoryStore
from databroker.stores.registry import Driver, Option

class FancyStore(MemoryStore):
    def __init__(self, colour="grey"):
        super().__init__()
        self.colour = colour

DRIVER = Driver("fancy", "fancy_store:FancyStore", (Option("colour", choices=("red", "grey")),))
NONE = "fancy"
"""
ENTRIES = """
[databroker.stores]
fancy = fancy_store:DRIVER
plain = fancy_store:NONE
absent = no_such_package:DRIVER
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path, monkeypatch):
    (tmp_path / "fancy_store.py").write_text(MODULE)
    info = tmp_path / "fancy_store-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fancy-store\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    monkeypatch.syspath_prepend(str(tmp_path))


def test_a_store_of_another_package_opens_like_ours():
    with Broker.from_config({"driver": "fancy", "colour": "red"}) as db:
        db.insert("start", {"uid": "a", "time": 1.0})
        assert (type(db.store).__name__, db.store.colour, db[-1].uid) == ("FancyStore", "red", "a")


def test_its_options_are_checked_like_ours():
    with pytest.raises(InvalidConfiguration, match=r"must be 'red' or 'grey'.*Did you mean 'red'"):
        Broker.from_config({"driver": "fancy", "colour": "rad"})


def test_its_name_is_suggested():
    with pytest.raises(
        InvalidConfiguration,
        match=r"Did you mean 'fancy'\?.* memory, sqlite, .*postgresql, .*federation, absent, fancy",
    ):
        find_driver("fancey")


def test_what_is_no_driver_or_cannot_be_imported_is_told():
    with pytest.raises(InvalidConfiguration, match="'fancy_store:NONE' is 'fancy'"):
        find_driver("plain")
    with pytest.raises(InvalidConfiguration, match="no_such_package"):
        find_driver("absent")
