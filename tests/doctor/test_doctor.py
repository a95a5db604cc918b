"""What may be wrong is found, each with how it is mended."""

import shutil
import time
from collections import namedtuple

import pytest

from databroker import Broker
from databroker.doctor import examine
from databroker.doctor.installation import look_at_installation


@pytest.fixture
def folder(empty_home):
    path = empty_home / ".config/databroker"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def lab(folder, empty_home):
    """Write a configuration 'lab' with more lines."""

    def write(more=""):
        text = f"driver: sqlite\npath: {empty_home}/lab.db\n{more}"
        (folder / "lab.yml").write_text(text)

    return write


def bad(names=("lab",)):
    return {found.about: found for found in examine(names) if not found.ok}


def test_where_all_is_well_nothing_is_bad(lab):
    lab()
    with Broker.named("lab") as db:
        db.insert("start", {"uid": "a", "time": 1.0})
    assert bad() == {}
    found = {each.about: each.found for each in examine(["lab"])}
    assert "1 run" in found["store"]
    assert "1970" in found["clock"]
    assert found["config lab"] == "can be read"


def test_a_file_that_is_not_there_is_told_and_not_made(lab, empty_home):
    lab()
    found = {each.about: each for each in examine(["lab"])}
    assert found["store"].state == "note"
    assert f"{empty_home}/lab.db is not there" in found["store"].found
    assert "mounted" in found["store"].mend
    assert not (empty_home / "lab.db").exists()


def test_what_is_installed_is_told():
    found = {each.about: each for each in look_at_installation()}
    assert "matplotlib" in found["extra plot"].found
    assert not {"extra test", "extra lint"} & found.keys()


def test_extras_that_are_not_installed_are_one_note_and_one_in_part_is_its_own(monkeypatch):
    requires = ["pandas>=2", "pytest ; extra == 'test'"]
    requires += [f"no-such-thing>=1 ; extra == '{extra}'" for extra in ("odd", "odder", "half")]
    requires += ["numpy ; extra == 'half'"]
    monkeypatch.setattr("importlib.metadata.requires", lambda name: requires)
    found = {each.about: each for each in look_at_installation() if each.state == "note"}
    assert list(found) == ["extra half", "other extras"]
    assert found["extra half"].mend == "pip install 'databroker[half]'"
    assert found["other extras"].found == "not installed: odd, odder"
    assert "pip install 'databroker[odd]'" in found["other extras"].mend


def test_a_folder_of_the_root_map_that_is_not_there(lab, empty_home):
    lab(f"root_map:\n  /old: {empty_home}/nowhere\n  /older: {empty_home}\n")
    assert "/old is now" in bad()["root map"].found
    assert "mount it" in bad()["root map"].mend


def test_a_handler_that_cannot_be_imported(lab):
    lab("handlers:\n  ODD: no_such_module:Reader\n")
    assert "no_such_module" in bad()["handler ODD"].found


def test_a_store_that_cannot_be_opened(folder, empty_home):
    (empty_home / "text.db").write_text("this is no database, but long enough to look at" * 9)
    (folder / "lab.yml").write_text(f"driver: sqlite\npath: {empty_home}/text.db\n")
    assert "store" in bad()


def test_a_server_that_is_away(folder):
    uri = "postgresql://ann:s3cret@127.0.0.1:1/runs"
    (folder / "lab.yml").write_text(f"driver: postgresql\nuri: {uri}\nspill: false\n")
    found = bad()["store"]
    assert "ask whether the server runs" in found.mend
    assert "s3cret" not in found.found


def test_a_configuration_that_is_broken(folder):
    (folder / "lab.yml").write_text("driver: sqlite\npth: runs.db\n")
    found = bad()
    assert "there is no key 'pth'" in found["config lab"].found
    assert "there is no key 'pth'" in found["lab"].found


def test_two_files_of_one_name(folder, lab):
    lab()
    (folder / "lab.yaml").write_text("driver: memory\n")
    notes = [each for each in examine([]) if each.state == "note" and each.about == "names"]
    assert "lab.yaml is not" in notes[0].found


def test_a_name_that_is_not_there(folder):
    assert "There is no configuration 'lab'" in bad()["lab"].found


def test_a_run_from_the_future(lab):
    lab()
    with Broker.named("lab") as db:
        db.insert("start", {"uid": "a", "time": time.time() + 3600})
    assert "in the future" in bad()["clock"].found


def test_a_disk_that_is_almost_full(lab, monkeypatch):
    lab()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2**40, 2**40, 5_000_000))
    assert bad()["disk"].found.startswith("5.0 MB free at ")


def test_the_members_of_a_federation_are_looked_at(folder, lab, empty_home):
    lab(f"root_map:\n  /old: {empty_home}/nowhere\n")
    (folder / "all.yml").write_text("driver: federation\nmembers: [lab]\n")
    assert "root map" in bad(["all"])
