"""Which handler opens which spec."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from databroker.errors import DuplicateHandler, InvalidConfiguration, NoHandler
from databroker.external import Registry
from databroker.external.handlers import offered as by_spec
from databroker.external.handlers.builtin import NumpyFile, NumpySequence
from databroker.external.references import DataReference


class First:
    def __init__(self, path, **kwargs): ...


class Second(First): ...


@pytest.fixture
def offered(monkeypatch):
    """Entry points as if other packages were installed."""

    def offer(**targets):
        entries = [
            EntryPoint(spec, value, by_spec.GROUP)
            for spec, values in targets.items()
            for value in values
        ]
        found = by_spec._by_spec(entries)
        monkeypatch.setattr(by_spec, "_offered", lambda: found)
        by_spec.offered_handler.cache_clear()

    yield offer
    by_spec.offered_handler.cache_clear()


def test_registering_twice_is_once_and_another_is_refused():
    registry = Registry(discover=False)
    registry.register_handler("LAB", First)
    registry.register_handler("LAB", First)
    with pytest.raises(DuplicateHandler, match="overwrite=True") as caught:
        registry.register_handler("LAB", Second)
    assert isinstance(caught.value, RuntimeError)
    registry.register_handler("LAB", Second, overwrite=True)
    assert registry.handler_reg["LAB"] is Second
    assert registry.deregister_handler("LAB") is None
    assert registry.deregister_handler("LAB") is None
    assert dict(registry.handler_reg) == {}


def test_the_view_is_current_and_cannot_be_changed():
    registry = Registry(discover=False)
    view = registry.handler_reg
    registry.register_handler("LAB", First)
    assert view["LAB"] is First
    with pytest.raises(TypeError):
        view["X"] = First
    assert view.get("nothing") is None


@pytest.mark.parametrize(
    "target",
    [
        "databroker.external.handlers.builtin:NumpyFile",
        "databroker.external.handlers.builtin.NumpyFile",
        NumpyFile,
        "databroker.assets.handlers.NpyHandler",
        "databroker.assets.handlers:NpyHandler",
    ],
)
def test_a_configuration_names_handlers_in_several_ways(target):
    assert Registry({"LAB": target}, discover=False).handler_reg["LAB"] is NumpyFile


@pytest.mark.parametrize(
    "name",
    [
        "AreaDetectorSPEHandler",
        "AreaDetectorTiffHandler",
        "AreaDetectorHDF5Handler",
        "AreaDetectorHDF5SWMRHandler",
        "AreaDetectorHDF5TimestampHandler",
        "AreaDetectorHDF5SWMRTimestampHandler",
        "HDF5DatasetSliceHandler",
        "HDFMapsSpectrumHandler",
        "HDFMapsEnergyHandler",
        "NpyHandler",
        "NpyFrameWise",
        "SingleTiffHandler",
        "DATHandler",
        "PilatusCBFHandler",
        "Xspress3HDF5Handler",
    ],
)
def test_every_old_handler_has_a_successor(name):
    pytest.importorskip("area_detector_handlers")
    registry = Registry({"X": f"databroker.assets.handlers.{name}"}, discover=False)
    assert isinstance(registry.handler_reg["X"], type)


def test_what_a_configuration_misspells_is_said_when_it_is_used():
    registry = Registry({"LAB": "nowhere:Handler", "OLD": "just_a_word"})
    assert "LAB" in registry.handler_reg
    for spec in ("LAB", "OLD"):
        with pytest.raises(InvalidConfiguration, match=spec):
            registry.handler_reg[spec]


def test_a_missing_handler_names_everything_that_helps():
    with pytest.raises(NoHandler) as caught:
        Registry().handler("newton", DataReference("run-1", "img", "res/0", "newton"))
    text = str(caught.value)
    assert isinstance(caught.value, KeyError)
    for part in ("'newton'", "'run-1'", "'img'", "'res/0'", "db.reg.register_handler", "handlers"):
        assert part in text
    with pytest.raises(NoHandler, match=r"pip install 'databroker\[images\]'"):
        Registry(discover=False).handler("AD_CBF")


def test_our_own_handlers_give_way(offered):
    offered()
    registry = Registry()
    assert registry.handler_reg["NPY_SEQ"] is NumpySequence
    registry.register_handler("NPY_SEQ", First)
    assert registry.handler_reg["NPY_SEQ"] is First
    offered(NPY_SEQ=[f"{NumpyFile.__module__}:NumpyFile"])
    assert Registry().handler_reg["NPY_SEQ"] is NumpyFile
    assert "NPY_SEQ" not in Registry(discover=False).handler_reg


def test_an_entry_point_that_fails_is_skipped_with_a_warning(offered):
    offered(LAB=["no_such_package:Handler"], AD_X=["json:no_such_name"])
    registry = Registry()
    with pytest.warns(UserWarning, match="no_such_package"), pytest.raises(NoHandler):
        registry.handler_reg["LAB"]
    with pytest.warns(UserWarning, match="no_such_name"):
        assert registry.handler_reg.get("AD_X") is None


def test_of_several_offers_the_first_that_works_is_used(offered):
    own = f"{NumpyFile.__module__}:NumpyFile"
    with pytest.warns(UserWarning, match="Several packages"):
        offered(LAB=["no_such_package:Handler", own])
    with pytest.warns(UserWarning, match="skipped"):
        assert Registry().handler_reg["LAB"] is NumpyFile


def test_a_handler_that_was_taken_away_stays_away(offered):
    offered(LAB=[f"{NumpyFile.__module__}:NumpyFile"])
    registry = Registry()
    for spec in ("LAB", "NPY_SEQ"):
        registry.deregister_handler(spec)
        assert spec not in registry.handler_reg
        with pytest.raises(NoHandler):
            registry.handler_reg[spec]
        assert spec in Registry().handler_reg


def test_handlers_are_not_imported_before_they_are_used():
    code = (
        "import sys; from databroker.external import Registry\n"
        "r = Registry(); list(r.handler_reg); 'AD_HDF5' in r.handler_reg\n"
        "print([m for m in ('h5py', 'tifffile', 'ophyd', 'dask', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
