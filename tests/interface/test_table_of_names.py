"""The page on the names of 1.x says what is so."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

import databroker

DOCS = Path(__file__).parents[2] / "docs"


def load_page():
    spec = importlib.util.spec_from_file_location("interface_page", DOCS / "interface_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGE = load_page()
ROWS = [tuple(row) for section in PAGE.table() for row in section["rows"]]
# There only where a configuration is.
DEFAULT = ("databroker.db", "databroker.databroker.DataBroker")
HERE = [row for row in ROWS if row[1] != "gone" and row[0] not in DEFAULT]
GONE = [row for row in ROWS if row[1] == "gone"]


def handles(header):
    """What the first word of a name stands for."""
    db = header.db
    return {
        "Broker": db,
        "Header": header,
        "Results": db(),
        "Registry": db.reg,
        "Catalog": db.v2,
        "BlueskyRun": db.v2[-1],
        "BlueskyEventStream": db.v2[-1].primary,
    }


def resolve(name, header):
    """Return what a name stands for, importing modules on the way."""
    first, *rest = name.split(".")
    if first != "databroker":
        found = handles(header)[first]
        for part in rest:
            found = getattr(found, part)
        return found
    found = databroker
    for place, part in enumerate(rest, 2):
        try:
            found = getattr(found, part)
        except AttributeError:
            path = ".".join(name.split(".")[:place])
            if importlib.util.find_spec(path) is None:
                raise
            found = importlib.import_module(path)
    return found


def test_each_name_stands_once_and_with_a_known_state():
    names = [name for name, _, _ in ROWS]
    assert len(set(names)) == len(names)
    assert {state for _, state, _ in ROWS} == set(PAGE.STATES)


def test_what_differs_says_how():
    for name, state, note in ROWS:
        assert bool(note) == (state != "same"), name


@pytest.mark.filterwarnings("ignore:Broker.fs is now called")
@pytest.mark.parametrize("name", [row[0] for row in HERE])
def test_a_name_that_is_here_can_be_used(header, name):
    assert resolve(name, header) is not None


@pytest.mark.parametrize(("name", "note"), [(name, note) for name, _, note in GONE])
def test_a_name_that_is_gone_raises(header, name, note):
    if name == "Broker(catalog)":
        with pytest.raises(TypeError, match=r"Broker\.named"):
            databroker.Broker(header.db.v2)
        return
    with pytest.raises((AttributeError, ImportError, NotImplementedError)) as caught:
        resolve(name, header)()
    if name.count(".") == 1 and name.split(".")[1] in databroker._GONE:
        named = re.findall(r"`([^`]+)`", note)
        assert named
        assert all(word in str(caught.value) for word in named)


def test_every_name_that_the_package_says_is_gone_is_in_the_table():
    assert {f"databroker.{name}" for name in databroker._GONE} <= {row[0] for row in GONE}


def test_what_to_use_instead_is_there(header):
    for _, _, note in GONE:
        for word in re.findall(r"`([^`]+)`", note):
            name = word.partition("(")[0]
            if re.fullmatch(r"(databroker|Broker|Header)(\.\w+)+", name):
                assert resolve(name, header) is not None


@pytest.mark.parametrize("cls", ["Broker", "Header"])
def test_every_old_method_is_in_the_table(header, cls):
    new = {
        "Broker": {
            *(
                "backup",
                "check",
                "close",
                "close_run",
                "config",
                "insert_many",
                "narrowed",
                "opened",
                "registry",
                "run",
            ),
            *("session", "view"),
            *("stale_after", "store", "transforms", "watch", "zone"),
        },
        "Header": {
            "align",
            "diff",
            "files",
            "follow",
            "plot",
            "preview",
            "session",
            "source",
            "status",
            "stored_documents",
            "stored_stop",
            "streams",
        },
    }
    handle = handles(header)[cls]
    there = {name for name in {*dir(type(handle)), *vars(handle)} if not name.startswith("_")}
    listed = {row[0].split(".")[1] for row in ROWS if row[0].startswith(f"{cls}.")}
    assert there - new[cls] == {name for name in listed if not name.startswith("_")}


def test_the_page_is_up_to_date():
    assert (DOCS / "interface.md").read_text() == PAGE.page(PAGE.table())
