"""Databroker's own form of a configuration: what it takes, and how it refuses."""

import os
import pickle
from pathlib import Path

import pytest

from databroker.config import from_mapping, load
from databroker.errors import InvalidConfiguration


def refusal(mapping):
    with pytest.raises(InvalidConfiguration) as caught:
        from_mapping(mapping)
    return str(caught.value)


def test_everything_that_can_be_said(home, write):
    file = write(
        "lab.yml",
        """
        driver: sqlite
        path: ~/beamtime/runs.db
        durability: full
        read_only: true
        description: The lab
        timezone: America/New_York
        stale_after: 60
        root_map: {/nsls2/data: /mnt/data, /old: moved}
        handlers:
          AD_HDF5: area_detector_handlers.handlers:AreaDetectorHDF5Handler
          NPY_SEQ: ophyd.sim.NumpySeqHandler
        allowed_roots: [/mnt, ~/data]
        transforms: {start: lab.fixes:start}
        """,
    )
    config = load("lab")
    assert config.name == "lab"
    assert config.driver == "sqlite"
    assert config.options == {
        "path": str(home / "beamtime/runs.db"),
        "durability": "full",
        "read_only": True,
    }
    assert config.description == "The lab"
    assert config.timezone == "America/New_York"
    assert config.stale_after == 60.0
    assert config.root_map == {"/nsls2/data": "/mnt/data", "/old": str(file.parent / "moved")}
    assert config.handlers == {
        "AD_HDF5": "area_detector_handlers.handlers:AreaDetectorHDF5Handler",
        "NPY_SEQ": "ophyd.sim:NumpySeqHandler",
    }
    assert config.allowed_roots == ("/mnt", str(home / "data"))
    assert config.transforms == {"start": "lab.fixes:start"}
    assert config.source == file
    assert config.original["path"] == "~/beamtime/runs.db"
    assert pickle.loads(pickle.dumps(config)) == config


def test_two_lines_are_enough(home, write):
    write("lab.yml", "driver: sqlite\npath: ../runs.db\n")
    config = load("lab")
    assert config.options == {"path": str(home / ".config/runs.db")}
    assert (config.timezone, config.description, config.stale_after) == (None, None, 3600.0)
    assert config.discover_handlers


def test_a_relative_path_in_a_mapping_is_relative_to_the_working_folder(home, monkeypatch):
    monkeypatch.chdir(home)
    config = from_mapping({"driver": "sqlite", "path": Path("runs.db")})
    monkeypatch.chdir("/")
    assert config.options == {"path": str(home / "runs.db")}
    assert (config.name, config.source) == (None, None)


def test_opening_goes_through_the_registry():
    from databroker.stores.memory import MemoryStore

    store = from_mapping({"driver": "memory"}).open()
    assert isinstance(store, MemoryStore)
    store.close()


def test_an_unknown_key_names_file_line_and_accepted_keys(write):
    file = write("lab.yml", "driver: sqlite\npath: runs.db\ntimezon: UTC\n")
    with pytest.raises(InvalidConfiguration) as caught:
        load("lab")
    assert str(caught.value) == (
        f"{file}, line 3: there is no key 'timezon' in the driver 'sqlite'. "
        "Did you mean 'timezone'? Accepted keys: driver, path, durability, read_only, description, "
        "timezone, stale_after, root_map, handlers, allowed_roots, transforms."
    )


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("durability: fast", "'durability' must be 'normal' or 'full'"),
        ("read_only: 1", "'read_only' must be true or false"),
        ("timezone: America/NewYork", "Did you mean 'America/New_York'?"),
        ("timezone: ../../etc/passwd", "unknown time zone"),
        ("stale_after: soon", "must be a number of seconds"),
        ("stale_after: .nan", "must be a number of seconds"),
        ("root_map: /data", "'root_map' must be a mapping"),
        ("root_map: {/data: 5}", "the new place of '/data' must be a path"),
        ("handlers: {NPY: handlers}", "'NPY' must be 'module:Class'"),
        ("handlers: {NPY: 'os:system(1)'}", "'NPY' must be 'module:Class'"),
        ("allowed_roots: [1]", "'allowed_roots' must be a list of folders"),
        ("transforms: {begin: a.b}", "there is no key 'begin' in 'transforms'"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(write, line, says):
    file = write("lab.yml", f"driver: sqlite\npath: runs.db\n{line}\n")
    with pytest.raises(InvalidConfiguration) as caught:
        load("lab")
    assert str(caught.value).startswith(f"{file}, line 3: ")
    assert says in str(caught.value)


def test_what_a_store_says_of_its_address_is_said_with_its_line(write):
    pytest.importorskip("pymongo")
    file = write("lab.yml", "driver: mongo-normalized\nuri: mongodb://host\n")
    with pytest.raises(InvalidConfiguration) as caught:
        load("lab").open()
    assert str(caught.value).startswith(f"{file}, line 2: This is no address of a MongoDB")


def test_an_unknown_driver_suggests_the_nearest(write):
    write("lab.yml", "# ours\ndriver: sqlite3\n")
    with pytest.raises(InvalidConfiguration, match=r"line 2: .*'sqlite3'. Did you mean 'sqlite'"):
        load("lab")


def test_what_is_missing_is_named():
    assert "needs 'path'" in refusal({"driver": "sqlite"})
    assert "says no 'driver'" in refusal({})
    assert "Is 'drver' meant to be it?" in refusal({"drver": "sqlite"})


def test_sqlite_in_memory_points_to_the_memory_driver():
    assert "need the driver 'memory'" in refusal({"driver": "sqlite", "path": ":memory:"})


@pytest.mark.parametrize("mapping", [None, [], "sqlite", 5])
def test_what_is_no_mapping_is_refused(mapping):
    assert "driver" in refusal(mapping) or "must be a mapping" in refusal(mapping)


def test_a_key_said_twice_is_refused(write):
    file = write("lab.yml", "driver: sqlite\npath: a.db\npath: b.db\n")
    with pytest.raises(InvalidConfiguration, match="a second time") as caught:
        load("lab")
    assert str(caught.value).startswith(f"{file}, line 3: ")


def test_a_file_that_is_not_text_is_refused(write):
    file = write("lab.yml", "")
    file.write_bytes(b"\xff\xfe\x00\xd8driver")
    with pytest.raises(InvalidConfiguration, match=r"lab\.yml"):
        load("lab")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_refused(write):
    write("lab.yml", "driver: memory\n").chmod(0)
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        load("lab")


def test_handlers_may_be_classes_and_old_style_pairs():
    class Mine:
        pass

    config = from_mapping(
        {"driver": "memory", "handlers": {"A": Mine, "B": {"module": "lab.h", "class": "B"}}}
    )
    assert config.handlers == {"A": Mine, "B": "lab.h:B"}


def test_the_callers_mapping_is_not_changed():
    mapping = {"driver": "sqlite", "path": "~/x.db", "handlers": {"A": "a.B"}}
    config = from_mapping(mapping)
    assert mapping == {"driver": "sqlite", "path": "~/x.db", "handlers": {"A": "a.B"}}
    assert config.original == mapping
