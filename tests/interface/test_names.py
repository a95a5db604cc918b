"""What there is to import, and what importing costs."""

import json
import subprocess
import sys

import pytest

import databroker
from databroker.v1 import own_broker


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_is_there_and_listed():
    for name in databroker.__all__:
        assert getattr(databroker, name) is not None
    assert set(databroker.__all__) <= set(dir(databroker))


def test_importing_loads_nothing_heavy():
    code = "import json, sys, databroker; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(run(code)))
    heavy = {"pandas", "pyarrow", "numpy", "xarray", "dask", "yaml", "sqlite3", "rich"}
    assert not loaded & heavy
    assert not {name for name in loaded if name.startswith("databroker.")}


def test_submodules_are_there_after_a_plain_import():
    code = "import databroker as d; print(d.utils.ALL is d.ALL, d.v1.Broker is d.Broker)"
    assert run(code).split() == ["True", "True"]


def test_classes_report_the_module_that_people_know():
    for cls in (databroker.Broker, databroker.Header, databroker.Results, databroker.v1.Registry):
        assert cls.__module__ == "databroker.v1"
        assert getattr(databroker.v1, cls.__name__) is cls
        assert cls.__repr__ is object.__repr__


@pytest.mark.parametrize("name", ["V0Catalog", "MergedCatalog", "discovery", "yaml_catalogs"])
def test_a_name_that_is_gone_says_what_to_use(name):
    with pytest.raises(AttributeError, match=r"databroker\.catalog"):
        getattr(databroker, name)


def test_a_name_that_never_was_is_an_ordinary_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        databroker.nonsense  # noqa: B018


def test_temp_config_can_be_imported_and_refuses():
    with pytest.raises(NotImplementedError, match=r"databroker\.temp\(\)"):
        databroker.temp_config()


def test_the_broker_that_some_machines_have(hermit, monkeypatch):
    monkeypatch.delenv("DATABROKER_TEST_MODE", raising=False)
    own_broker._broker.cache_clear()
    with pytest.raises(AttributeError, match="_legacy_config"):
        databroker.db  # noqa: B018
    (hermit / "_legacy_config.yml").write_text("driver: memory\n")
    with pytest.warns(UserWarning, match="use the configuration '_legacy_config'"):
        assert databroker.db is databroker.DataBroker
    databroker.db.insert("start", {"uid": "a", "time": 1.0})
    with pytest.warns(UserWarning, match=r"use db\.get_table"):
        assert len(databroker.get_table(databroker.db[-1])) == 0
    assert databroker.list_configs() == []
    own_broker._broker.cache_clear()


def test_old_paths_of_handlers_still_import():
    from databroker.assets.handlers_base import HandlerBase
    from databroker.assets.path_only_handlers import RawHandler

    assert issubclass(RawHandler, HandlerBase)
    assert HandlerBase.specs == set()


def test_handlers_moved_to_another_package():
    successors = pytest.importorskip("area_detector_handlers.handlers")
    from databroker.assets.handlers import AreaDetectorTiffHandler

    assert AreaDetectorTiffHandler is successors.AreaDetectorTiffHandler
    with pytest.raises(ImportError):
        from databroker.assets.handlers import NoSuchHandler  # noqa: F401
