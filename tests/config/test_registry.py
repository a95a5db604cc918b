"""The registry: drivers by name, imported when opened."""

import importlib
import subprocess
import sys

import pytest

from databroker.errors import InvalidConfiguration, MissingExtra
from databroker.stores import registry
from databroker.stores.registry import (
    DRIVERS,
    Driver,
    Option,
    find_driver,
    open_store,
)


def test_every_available_driver_leads_to_its_class():
    assert set(DRIVERS) >= {"memory", "sqlite"}
    for driver in DRIVERS.values():
        module, _, name = driver.target.partition(":")
        assert getattr(importlib.import_module(module, "databroker.stores"), name)


def test_sqlite_opens(tmp_path):
    store = open_store("sqlite", path=tmp_path / "runs.db")
    store.insert("start", {"uid": "a", "time": 1.0})
    assert store.record("a").start["time"] == 1.0
    store.close()
    again = open_store("sqlite", path=str(tmp_path / "runs.db"), read_only=True)
    assert again.resolve("", 2) == ["a"]
    again.close()


@pytest.mark.parametrize(("name", "near"), [("sqllite", "sqlite"), ("Memory", "memory")])
def test_an_unknown_driver_suggests_the_nearest(name, near):
    with pytest.raises(InvalidConfiguration, match=f"Did you mean '{near}'"):
        open_store(name)


@pytest.mark.parametrize("name", [None, 5, ["sqlite"], ""])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InvalidConfiguration, match="There is no driver"):
        find_driver(name)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "needs 'path'"),
        ({"path": "a.db", "durabilty": "full"}, "no option 'durabilty'. Did you mean 'durability'"),
        ({"path": "a.db", "durability": "fast"}, "must be 'normal' or 'full'"),
        ({"path": ""}, "must be the path of a file"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_opened(options, says):
    with pytest.raises(InvalidConfiguration, match=says):
        open_store("sqlite", **options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"spill": 5}, "must be a folder, or false"),
        ({"spill": ""}, "must be a folder, or false"),
        ({"spill": "postgresql://host/name"}, "not a URI"),
        ({"spill_after": 0}, "must be a number of seconds above 0"),
        ({"spill_after": True}, "must be a number of seconds above 0"),
        ({"spill_sync": "yes"}, "must be true or false"),
    ],
)
def test_options_of_what_waits_that_do_not_fit_are_refused(options, says):
    with pytest.raises(InvalidConfiguration, match=says):
        open_store("postgresql", uri="postgresql://host/name", **options)


def test_a_missing_package_names_the_extra(monkeypatch):
    fancy = Driver("fancy", "fancydb_that_is_not_installed:Store", extra="fancy")
    monkeypatch.setattr(registry, "DRIVERS", {**DRIVERS, "fancy": fancy})
    with pytest.raises(MissingExtra, match=r"pip install 'databroker\[fancy\]'") as caught:
        open_store("fancy")
    assert isinstance(caught.value, ImportError)


def test_no_store_is_imported_before_it_is_opened():
    code = (
        "import sys, databroker.stores.registry\n"
        "print([name for name in sys.modules if name in "
        "('sqlite3', 'databroker.stores.memory', 'databroker.stores.sql', 'pyarrow', 'pandas')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_option_of_paths_takes_one_or_several():
    paths = Option("paths", "paths")
    assert paths.fault("runs/*.jsonl") is None
    assert paths.fault(["a", "b"]) is None
    assert (
        paths.fault([]) == paths.fault([1]) == paths.fault(5) == "must be a path or a list of paths"
    )
