"""Looking a configuration up by its name."""

import pytest

from databroker.config import describe_configs, list_configs, load, lookup_config
from databroker.errors import ConfigurationFileNotFound, InvalidConfiguration, UnknownBrokerName

SQLITE = "driver: sqlite\npath: runs.db\n"


def test_names_are_sorted(write):
    for name in ("b.yml", "a.yaml", "C.yml", "9-ID.test.yml"):
        write(name, SQLITE)
    assert list_configs() == ["9-ID.test", "C", "a", "b"]


def test_lookup_gives_what_the_file_says(write):
    write("lab.yml", SQLITE + "description: The lab\n")
    said = {"driver": "sqlite", "path": "runs.db", "description": "The lab"}
    assert lookup_config("lab") == said
    assert lookup_config("lab.yml") == said
    assert lookup_config("lab.yaml") == said


def test_a_name_may_end_like_a_file(write):
    write("lab.yml.yml", "driver: memory\n")
    write("lab.yml", SQLITE)
    assert lookup_config("lab.yml") == {"driver": "memory"}


def test_lookup_of_an_unknown_name_lists_the_files_tried(home):
    with pytest.raises(ConfigurationFileNotFound) as caught:
        lookup_config("lab.yml")
    assert isinstance(caught.value, FileNotFoundError)
    assert f"{home}/.config/databroker/lab.yml" in str(caught.value)
    assert "/etc/databroker/lab.yml" in str(caught.value)


def test_a_name_never_leaves_the_folders(home, write):
    write("secret.yml", SQLITE)
    for name in ("../secret", "../databroker/lab", f"{home}/secret", ""):
        with pytest.raises(ConfigurationFileNotFound):
            lookup_config(name)


def test_descriptions(write):
    write("lab.yml", SQLITE + "description: The lab\n")
    write("plain.yml", SQLITE)
    assert describe_configs() == {"lab": "The lab", "plain": None}


def test_a_broken_file_is_named_and_the_others_are_described(write):
    write("broken.yml", "driver: [\n")
    write("lab.yml", SQLITE + "description: The lab\n")
    with pytest.warns(UserWarning, match=r"broken\.yml, line 2: this is not YAML"):
        assert describe_configs() == {"broken": None, "lab": "The lab"}


def test_load_of_an_unknown_name_says_what_to_do(home, write):
    write("example.yml", SQLITE)
    write("other.yml", SQLITE)
    with pytest.raises(UnknownBrokerName) as caught:
        load("exmple")
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, LookupError)
    message = str(caught.value)
    assert "Did you mean 'example'?" in message
    assert "There are: example, other." in message
    assert f"Looked in: {home}/.config/databroker, {home}/venv/etc/databroker" in message
    assert "databroker demo" in message
    assert f"{home}/.config/databroker/exmple.yml" in message
    assert "'driver: sqlite' and 'path: ~/exmple.db'" in message


def test_on_a_fresh_machine_the_message_says_so(home):
    with pytest.raises(UnknownBrokerName, match="There is none yet"):
        load("example")


def test_load_reads_the_file_anew(write):
    write("lab.yml", SQLITE)
    assert load("lab").driver == "sqlite"
    write("lab.yml", "driver: memory\n")
    assert load("lab").driver == "memory"


def test_a_file_that_is_empty_is_refused_by_name(write):
    path = write("lab.yml", "")
    with pytest.raises(InvalidConfiguration, match="says no 'driver'") as caught:
        load("lab")
    assert str(path) in str(caught.value)
