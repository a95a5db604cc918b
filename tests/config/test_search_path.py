"""Where configurations are looked for, and which of two wins."""

import subprocess
import sys
from pathlib import Path

import pytest

from databroker.config import list_configs, load, user_config_dir, user_data_dir
from databroker.config.search import catalog_folders, config_folders

PYTHON = sys.executable  # noted before a test changes it
SQLITE = "driver: sqlite\npath: runs.db\n"


def test_a_fresh_machine_has_none(home):
    assert list_configs() == []


def test_the_folders_in_order(home, monkeypatch):
    monkeypatch.setenv("DATABROKER_PATH", f"{home / 'one'}:{home / 'two'}")
    assert config_folders() == [
        home / "one",
        home / "two",
        home / ".config/databroker",
        home / "venv/etc/databroker",
        Path("/etc/databroker"),
    ]
    assert catalog_folders() == [home / ".local/share/intake", home / "venv/share/intake"]


def test_catalogs_of_python_itself_count_where_no_environment_is_activated(home, monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV")
    monkeypatch.delenv("CONDA_DEFAULT_ENV", raising=False)
    monkeypatch.setattr("sys.base_prefix", str(home / "base"))
    monkeypatch.setattr("sys.prefix", str(home / "fresh"))
    assert catalog_folders()[-1] == home / "fresh/share/intake"
    monkeypatch.setattr("sys.prefix", str(home / "base"))
    assert catalog_folders()[-1] == Path("/usr/local/share/intake")
    monkeypatch.setenv("CONDA_DEFAULT_ENV", "base")
    assert catalog_folders()[-1] == home / "base/share/intake"


def test_the_folders_of_windows(home, monkeypatch):
    monkeypatch.setattr("databroker.config.search.WINDOWS", True)
    monkeypatch.setenv("APPDATA", str(home / "Roaming"))
    monkeypatch.setenv("LOCALAPPDATA", str(home / "Local"))
    assert config_folders() == [home / "Roaming/databroker", home / "venv/etc/databroker"]
    assert catalog_folders() == [home / "Local/intake/intake", home / "venv/share/intake"]


def test_the_environment_is_read_when_asked_not_at_import(home, write, monkeypatch):
    write("elsewhere/lab.yml", SQLITE)
    assert list_configs() == []
    monkeypatch.setenv("DATABROKER_PATH", str(home / "elsewhere"))
    assert list_configs() == ["lab"]


def test_xdg_variables_move_the_users_folders(home, monkeypatch):
    assert user_config_dir() == home / ".config/databroker"
    assert user_data_dir() == home / ".local/share/databroker"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "settings"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    assert user_config_dir() == home / "settings/databroker"
    assert user_data_dir() == home / "data/databroker"


def test_a_relative_xdg_variable_counts_as_not_set(home, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", "settings")
    assert user_config_dir() == home / ".config/databroker"


def test_files_of_1x_are_found_though_xdg_points_elsewhere(home, write, monkeypatch):
    write("old.yml", SQLITE)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "settings"))
    assert list_configs() == ["old"]


def test_the_first_folder_wins_and_the_other_is_named_in_a_warning(home, write, monkeypatch):
    write("lab.yml", "driver: memory\n")
    first = write("first/lab.yaml", SQLITE)
    monkeypatch.setenv("DATABROKER_PATH", str(home / "first"))
    with pytest.warns(UserWarning, match=r"'lab'.*\.config/databroker/lab\.yml is not"):
        assert list_configs() == ["lab"]
    assert load("lab").source == first


def test_yml_wins_over_yaml(home, write):
    write("lab.yaml", SQLITE)
    yml = write("lab.yml", "driver: memory\n")
    assert load("lab").source == yml


def test_paths_are_looked_in_instead(home, write):
    write("lab.yml", SQLITE)
    write("other/b.yml", SQLITE)
    write("other/a.yaml", SQLITE)
    write("other/notes.txt", SQLITE)
    assert list_configs(paths=[home / "other"]) == ["a", "b"]
    assert list_configs(paths=["~/other"]) == ["a", "b"]
    assert list_configs([]) == []


def test_the_configuration_that_1x_loaded_at_import_is_hidden(home, write):
    write("_legacy_config.yml", SQLITE)
    assert list_configs() == []


def test_an_unreadable_folder_is_passed_over(home):
    (home / ".config").mkdir()
    (home / ".config/databroker").write_text("this is a file")
    assert list_configs() == []


def test_catalog_folders_offer_their_sources_only(home, write):
    write(
        ".local/share/intake/whatever.yml",
        "sources:\n"
        "  runs: {driver: bluesky-jsonl-catalog, args: {paths: ['*.jsonl']}}\n"
        "  weather: {driver: csv, args: {urlpath: w.csv}}\n",
    )
    write(".local/share/intake/not_a_catalog.yml", SQLITE)
    write(".local/share/intake/broken_sources.yml", "sources: [")
    assert list_configs() == ["runs"]


def test_importing_reads_no_configuration(home, write):
    write("lab.yml", SQLITE)
    code = (
        "import sys\n"
        "seen = []\n"
        "files = ('open', 'os.listdir', 'os.scandir')\n"
        "sys.addaudithook(lambda event, args: event in files and seen.append(str(args[0])))\n"
        "import databroker.config\n"
        "print([each for each in seen if '.config' in each or each.endswith('.yml')])\n"
        "print(databroker.config.list_configs())\n"
        "print(any('.config' in each for each in seen))"
    )
    done = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["[]", "['lab']", "True", ""]
