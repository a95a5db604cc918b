"""What the package offers by name, and that importing it has no effect."""

import importlib
import inspect
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import databroker

PACKAGE = Path(databroker.__file__).parent

OPTIONAL = {
    *("bluesky", "ophyd", "event_model", "xarray", "dask", "hypothesis", "pytest"),
    *("IPython", "matplotlib", "h5py", "area_detector_handlers"),
}

PUBLIC = [
    "ALL",
    "Broker",
    "DeprecatedDoct",
    "Header",
    "Results",
    "__version__",
    "assets",
    "catalog",
    "catalog_search_path",
    "copy",
    "describe_configs",
    "list_configs",
    "load_combo_catalog",
    "lookup_config",
    "open",
    "pack",
    "pivot",
    "projector",
    "queries",
    "relocate",
    "temp",
    "temp_config",
    "utils",
    "v1",
    "v2",
    "wrap_in_deprecated_doct",
    "wrap_in_doct",
]


GONE = {
    "databroker.assets.mongo",
    "databroker.assets.sqlite",
    "databroker.headersource",
    "databroker.resource_registry",
    "databroker.v0",
}
"""Modules that only say what to use instead."""


def _modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(["databroker", *(part for part in parts if part != "__init__")])
        # `python -m databroker` is there to be run, not to be imported.
        if parts[-1] != "__main__" and name not in GONE:
            yield name


MODULES = [
    name
    for name in _modules()
    if find_spec("tiled") is not None or not name.startswith("databroker.tiled")
]
FOR_TESTS = [name for name in MODULES if name.startswith("databroker.testing")]
FOR_TILED = [name for name in MODULES if name.startswith("databroker.tiled")]
"""What a Tiled server imports, which has all that it needs imported by then."""


# -- what is public ----------------------------------------------------------


def test_the_public_names_are_these():
    assert databroker.__all__ == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name):
    assert getattr(databroker, name) is getattr(databroker, name)
    assert name in dir(databroker)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = databroker.nothing


def test_what_is_public_has_a_docstring():
    for name in PUBLIC:
        value = getattr(databroker, name)
        if isinstance(value, type) or callable(value):
            assert value.__doc__, name


DOCUMENTED = {
    "databroker": ("open", "relocate", "temp", "list_configs", "lookup_config", "describe_configs"),
    "databroker.v1": ("Broker", "Header", "Results"),
    "databroker.v2": ("Catalog", "BlueskyRun", "BlueskyEventStream"),
    "databroker.runs.stream.stream": ("Stream",),
    "databroker.external": ("Registry", "copy_run"),
}
"""What users meet in the pages of the documentation, by where it is."""

ELSEWHERE = re.compile(r"\b([Ss]ee|[Aa]s|as in|as for|what) `")
"""Says that the arguments of something else are meant."""

MANY = 3
"""So many arguments are explained one by one, in the form of numpydoc."""


def _documented():
    for module, names in DOCUMENTED.items():
        for name in names:
            thing = getattr(importlib.import_module(module), name)
            if inspect.isfunction(thing):
                yield name, thing
                continue
            for attribute in filter(lambda each: not each.startswith("_"), dir(thing)):
                raw = inspect.getattr_static(thing, attribute)
                function = getattr(raw, "__func__", raw)
                if inspect.isfunction(function):
                    yield f"{name}.{attribute}", function


@pytest.mark.parametrize(("name", "function"), [*_documented()])
def test_what_users_call_explains_its_arguments(name, function):
    text = inspect.getdoc(function)
    assert text
    given = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.name not in ("self", "cls")
        and each.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]
    if len(given) >= MANY:
        assert "Parameters\n----------" in text or ELSEWHERE.search(text), name


# -- what importing does -----------------------------------------------------

# Watches what happens while modules are imported, and notes what comes from our own code.
WATCH = """
import atexit, json, os, sys, threading, warnings

package = sys.argv[1]
noted = []

def ours():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(package):
            return f"{name}:{frame.f_lineno}"
        # Another package's own affairs, or those of the import system.
        if "site-packages" in name or name.startswith("<frozen importlib"):
            return None
        frame = frame.f_back

EVENTS = ("os.mkdir", "os.remove", "os.rename", "socket.", "sqlite3.", "subprocess.", "os.exec",
          "os.fork", "os.putenv", "shutil.", "tempfile.", "os.listdir", "os.scandir", "glob.")

def hook(event, arguments):
    is_open = event == "open" and not str(arguments[0]).endswith((".pyc", ".py"))
    if is_open or event.startswith(EVENTS):
        place = ours()
        if place:
            noted.append(f"{event} {arguments!r:.80} at {place}")

class Environment(type(os.environ)):
    def __getitem__(self, key):
        place = ours()
        if place:
            noted.append(f"environment {key!r} at {place}")
        return super().__getitem__(key)

modules = json.loads(sys.argv[2])
os.environ.__class__ = Environment
before = set(sys.modules)
at_exit = atexit._ncallbacks()
sys.addaudithook(hook)
for module in modules:
    __import__(module)
print(json.dumps({
    "noted": noted,
    "modules": sorted(set(sys.modules) - before),
    "threads": threading.active_count(),
    "at_exit": atexit._ncallbacks() - at_exit,
    "filters": len(warnings.filters),
}))
"""


def _watched(folder, *modules):
    """Import modules in a fresh interpreter with an empty home, and return what was seen."""
    home = folder / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(PACKAGE), json.dumps(modules)],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("XDG_")},
            "PYTHONPATH": str(PACKAGE.parent),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(home),
        },
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list(home.iterdir()) == []
    return json.loads(done.stdout)


def test_importing_databroker_costs_next_to_nothing(tmp_path):
    seen = _watched(tmp_path, "databroker")
    ours = [name for name in seen["modules"] if name.startswith("databroker")]
    assert ours == ["databroker"]
    heavy = {
        "pandas",
        "pyarrow",
        "numpy",
        "sqlite3",
        "yaml",
        "msgpack",
        "rich",
        "asyncio",
        "socket",
    }
    assert heavy.isdisjoint(seen["modules"])
    assert seen["noted"] == []
    assert seen["at_exit"] == 0
    assert seen["threads"] == 1


def test_importing_every_module_has_no_effect(tmp_path):
    elsewhere = {*FOR_TESTS, *FOR_TILED}
    seen = _watched(tmp_path, *(name for name in MODULES if name not in elsewhere))
    assert seen["noted"] == []
    assert seen["threads"] == 1
    assert OPTIONAL.isdisjoint(seen["modules"])


def test_importing_the_test_suite_for_stores_has_no_effect(tmp_path):
    seen = _watched(tmp_path, *FOR_TESTS)
    assert seen["noted"] == []
    assert seen["threads"] == 1
    assert {"bluesky", "ophyd", "event_model", "xarray", "IPython"}.isdisjoint(seen["modules"])


def test_every_module_can_be_imported_first(tmp_path):
    """An import that only works after another one is a circle in hiding."""
    rooms = sorted({".".join(name.split(".")[:2]) for name in MODULES})
    script = "import sys; " + "; ".join(
        f"[sys.modules.pop(n) for n in list(sys.modules) if n.startswith('databroker')]; "
        f"import {room}"
        for room in rooms
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_naming_the_broker_loads_nothing_heavy(tmp_path):
    """What opens a broker is imported when one is opened; this costs what a few modules cost."""
    code = "import json, sys; from databroker import Broker; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    loaded = set(json.loads(done.stdout))
    heavy = {"pandas", "pyarrow", "numpy", "sqlite3", "yaml", "msgpack", "rich", "asyncio"}
    assert heavy.isdisjoint(loaded)
    assert {name for name in loaded if name.startswith("databroker.stores")} == set()
