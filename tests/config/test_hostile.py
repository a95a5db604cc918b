"""Configurations of wrong types, without an end, or that are no files: a clear error of ours."""

import os
import pathlib

import pytest

import databroker
from databroker.config import describe_configs, from_mapping, list_configs, load, lookup_config
from databroker.errors import ConfigurationFileNotFound, InvalidConfiguration, UnknownBrokerName

FORMS = {
    "own": {
        "driver": "sqlite",
        "path": "runs.db",
        "description": "x",
        "timezone": "UTC",
        "stale_after": 5,
        "root_map": {"a": "b"},
        "handlers": {"a": "b:c"},
        "allowed_roots": ["a"],
        "transforms": {"start": "a:b"},
    },
    "source": {"driver": "bluesky-jsonl-catalog", "args": {"paths": "x", "root_map": {"a": "b"}}},
    "catalog": {"sources": {"a": {"driver": "bluesky-msgpack-catalog", "args": {"paths": "x"}}}},
    "old": {
        "metadatastore": {
            "module": "databroker.headersource.mongo",
            "class": "MDS",
            "config": {"host": "h", "port": 1, "database": "d", "mongo_user": "u"},
        },
        "assets": {
            "module": "databroker.assets.mongo",
            "class": "Registry",
            "config": {"host": "h", "port": 1, "database": "d"},
        },
    },
}


class Unprintable:
    def __str__(self):
        raise RuntimeError("not today")

    __repr__ = __str__


class Hidden(dict):
    def items(self):
        raise RuntimeError("not today")


def _round():
    endless = {}
    endless["a"] = endless
    return endless


def _deep():
    nested = []
    for _ in range(5000):
        nested = [nested]
    return nested


VALUES = {
    "huge": 10**5000,
    "surrogate": "\ud800",
    "NUL": "\x00",
    "bracket": "[",
    "bytes": b"x",
    "set": {1},
    "unprintable": Unprintable(),
    "list of unprintable": [Unprintable()],
    "key": {Unprintable(): 1},
    "hidden": Hidden(a=1),
    "round": _round(),
    "deep": _deep(),
    "number": 5,
    "none": None,
    "list": [["x"]],
    "mapping": {"a": {"b": 1}},
}


def places(mapping, above=()):
    for key, value in mapping.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


def replaced(mapping, path, value):
    key, *rest = path
    return {**mapping, key: replaced(mapping[key], rest, value) if rest else value}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("form", FORMS)
def test_a_value_of_the_wrong_type_is_taken_or_refused(tmp_path, monkeypatch, form, kind):
    monkeypatch.chdir(tmp_path)
    value = VALUES[kind]
    asked = [replaced(FORMS[form], path, value) for path in places(FORMS[form])]
    refused = 0
    for mapping in [*asked, {"driver": "memory", kind: value}, value]:
        try:
            from_mapping(mapping)
        except InvalidConfiguration as error:
            refused += len(str(error)) < 2000
    assert refused


def test_a_key_that_cannot_be_printed_is_refused():
    for key in (Unprintable(), 10**5000, "x" * 5000):
        with pytest.raises(InvalidConfiguration, match="there is no key"):
            from_mapping({"driver": "memory", key: 1})


@pytest.mark.parametrize("name", [None, 5, b"lab", Unprintable(), _round(), 10**5000], ids=type)
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(UnknownBrokerName, match="is text, not"):
        load(name)
    with pytest.raises(ConfigurationFileNotFound, match="is text, not"):
        lookup_config(name)


@pytest.mark.parametrize("text", ["[" * 5000, "{" * 5000, "- " * 5000 + "x"], ids=len)
def test_brackets_without_an_end_are_refused(write, text):
    write("lab.yml", text)
    with pytest.raises(InvalidConfiguration, match=r"lab\.yml: it is nested too deep"):
        load("lab")


def bomb(first, several):
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{n}: &a{n} {several(f'*a{n - 1}')}" for n in range(1, 12)]
    return "\n".join(lines) + "\ndriver: memory\n"


LISTS = bomb("[x, y]", lambda one: f"[{', '.join([one] * 9)}]")
MAPPINGS = bomb("{x: y}", lambda one: "{" + ", ".join(f"k{n}: {one}" for n in range(9)) + "}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LISTS + "description: *a11\n", "nested too deep, or contains itself"),
        (MAPPINGS + "root_map: *a11\n", "nested too deep, or contains itself"),
        ("sources: 1\n" + LISTS + "description: *a11\n", "nested too deep"),
        ("driver: memory\ndescription: &a [*a]\n", "contains itself"),
        ("driver: 2001-99-99\n", "this is not YAML"),
        (f"driver: memory\nstale_after: {'9' * 5000}\n", "this is not YAML"),
        (f"driver: memory\nstale_after: 0x{'f' * 5000}\n", "can be no int"),
        ("driver: !!timestamp x\n", "this is not YAML"),
        ("driver: !!bool x\n", "this is not YAML"),
        ("driver: !!set {a, b}\n", "'driver' can be no set"),
        ("driver: !!python/object/apply:os.system ['true']\n", "this is not YAML"),
        ("driver: memory\nroot_map: {a: b, a: c}\n", "stands here a second time"),
        ("? [a]\n: b\n", "this is not YAML"),
        (b"driver: sqlite\npath: \xff\xfe\n", "is not text"),
        (b"driver: memory\x00\n", "is not text"),
    ],
    ids=range(15),
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_yaml_that_no_one_would_write_is_refused(write, tmp_path, text, said):
    if isinstance(text, bytes):
        write("lab.yml", "")
        (path,) = tmp_path.rglob("lab.yml")
        path.write_bytes(text)
    else:
        write("lab.yml", text)
    with pytest.raises(InvalidConfiguration, match=said):
        load("lab")
    assert list_configs() == ["lab"]
    assert set(describe_configs()) == {"lab"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_pipe_or_a_device_among_the_configurations_stops_nobody(write):
    folder = pathlib.Path(write("other.yml", "driver: memory\n")).parent
    os.mkfifo(folder / "lab.yml")
    (folder / "endless.yml").symlink_to("/dev/zero")
    (folder / "round.yml").symlink_to(folder / "round.yml")
    for name in ("lab", "endless"):
        with pytest.raises(InvalidConfiguration, match="a folder, a pipe or a device"):
            load(name)
    with pytest.raises(InvalidConfiguration, match="cannot be read"):
        load("round")
    assert list_configs() == sorted(describe_configs()) == ["endless", "lab", "other", "round"]
    databroker.v1.Broker.named("other").close()
