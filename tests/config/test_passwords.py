"""A password in a configuration is shown to nobody."""

import pickle
import traceback

import pytest

import databroker
from databroker._util.secrets import hide_passwords, hide_passwords_in
from databroker.config import from_mapping, load
from databroker.errors import (
    ForeignStore,
    InvalidConfiguration,
    StoreDamaged,
    StoreUnavailable,
    UnknownBrokerName,
)
from databroker.stores.registry import open_store

WORD = "s3cret"


def _of_old_form(**config):
    part = {"config": {"database": "runs", **config}}
    mds = {"module": "databroker.headersource.mongo", "class": "MDS"}
    reg = {"module": "databroker.assets.mongo", "class": "Registry"}
    return {"metadatastore": mds | part, "assets": reg | part}


@pytest.mark.parametrize(
    "text",
    [
        f"mongodb://ann:{WORD}@host/db",
        f"mongodb://ann:a@{WORD}@host/db",
        f"mongodb://ann:a/{WORD}@host/db",
        f"postgresql://:{WORD}@/db",
        f"postgresql://host/db?user=ann&password={WORD}&sslmode=require",
        f"host=db password={WORD}",
        f"host=db password='two {WORD}' user=ann",
        f'host=db password = "two {WORD}"',
        f"host=db password='it\\'s {WORD}'",
        f"{{'driver': 'mongo', 'password': 'two {WORD}'}}",
        f"{{'mongo_pwd': '{WORD}'}}",
        f'{{"token": "{WORD}"}}',
        f"mongodb://ann:two {WORD}@host/db",
        f"api_key: {WORD}",
        f"cannot reach 'mongodb://ann:{WORD}@h1,h2/db' (timeout)",
        f"mongodb:/ann:{WORD}@host/db",
        f"mongodb:ann:{WORD}@host/db",
        f"ann:{WORD}@host/db",
        f"mongodb://ann:a\n{WORD}@host/db",
        f"host=db password=two {WORD}",
        f"host=db password='two {WORD} user=ann",
        f"host=db password=''{WORD}'",
        f"postgresql://host/db?sslpassword=a;b}}{WORD}",
        repr({"x": repr({"mongo_pwd": f"two {WORD}"})}),
    ],
)
def test_text(text):
    assert WORD not in hide_passwords(text)
    assert "***" in hide_passwords(text)


@pytest.mark.parametrize(
    "text", ["/data/runs.db", "mongodb://host:27017/db", "a@b.c", "sqlite", "see http://host:80/x"]
)
def test_text_without_a_password_stays(text):
    assert hide_passwords(text) == text


def test_keys_that_name_a_secret():
    assert hide_passwords_in({"a": [{"mongo_pwd": WORD}], "n": 5}) == {
        "a": [{"mongo_pwd": "***"}],
        "n": 5,
    }


@pytest.mark.parametrize(
    "mapping",
    [
        {"driver": "postgresql", "uri": f"postgresql://ann:{WORD}@host/runs"},
        {"driver": "mongo-embedded", "uri": f"mongodb://ann:{WORD}@host/runs"},
    ],
)
def test_neither_the_repr_nor_the_error_shows_it(mapping):
    config = from_mapping(mapping, name="lab")
    assert WORD not in repr(config) + str(config) + f"{config}"
    assert "ann:***@host" in repr(config)
    with pytest.raises((InvalidConfiguration, StoreUnavailable)) as caught:
        config.open()
    assert WORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        f"driver: postgresql\nuri: postgresql://ann:{WORD}@host/db: x: y\n",
        f"driver: postgresql\nuri: [postgresql://ann:{WORD}@host\n",
        f"driver: mongo-normalized\nmetadatastore_db: mongodb://ann:{WORD}@host/db\n",
        f"driver: sqlite\nuri: mongodb://ann:{WORD}@host/db\n",
        f"driver: postgresql\nuri: {{a: 'postgresql://ann:{WORD}@host'}}\n",
    ],
)
def test_no_mistake_in_a_file_shows_it(write, text):
    write("lab.yml", text)
    with pytest.raises(InvalidConfiguration) as caught:
        load("lab")
    assert WORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "mapping",
    [
        {"driver": f"mongodb://ann:{WORD}@host/db"},
        {"driver": f"mongodb://ann:two {WORD}@host/db"},
        {"driver": "sqlite", "path": "runs.db", "timezone": f"mongodb://ann:{WORD}@host"},
        {"driver": "sqlite", "path": "runs.db", "root_map": f"password: 'two {WORD}'"},
        {"driver": "sqlite", "path": {"password": f"two {WORD}"}},
        {"driver": [f"mongodb://ann:{WORD}@host/db"]},
        {"driver": {f"mongodb://ann:{WORD}@host/db": 1}},
        {"driver": f"mongodb:/ann:{WORD}@host/db"},
        {"driver": "memory", "timezone": f"ann:{WORD}@host"},
        {"driver": "memory", "transforms": {f"ann:{WORD}@host": "a:b"}},
        {"driver": "sqlite", "path": f"postgresql://ann:{WORD}@host/db"},
        {"driver": "sqlite", "path": f"host=db password={WORD}"},
        {"driver": "msgpack", "paths": [f"host=db password={WORD}"]},
        {f"mongodb://ann:{WORD}@host/db": "sqlite"},
        {"driver": "postgresql", "uri": f"postgresql://ann:a@{WORD}@host/db"},
        {"driver": "postgresql", "uri": f"postgresql://ann:a/{WORD}@host/db"},
        {"driver": "postgresql", "uri": f"postgresql://ann:a %zz{WORD}@host/db"},
        _of_old_form(uri=f"mongodb://ann:[{WORD}@host"),
        _of_old_form(uri=f"mongodb://ann:{WORD}]@host"),
    ],
)
def test_a_mistaken_configuration_shows_none(mapping):
    with pytest.raises(InvalidConfiguration) as caught:
        from_mapping(mapping, name="lab").open()
    assert WORD not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)


def test_neither_does_a_catalog_of_that_name(home):
    with pytest.raises(KeyError) as caught:
        databroker.catalog[f"mongodb://ann:{WORD}@host/db"]
    assert WORD not in repr(caught.value) + str(caught.value.__cause__)


@pytest.mark.parametrize("kind", [StoreUnavailable, ForeignStore, UnknownBrokerName, StoreDamaged])
def test_neither_does_an_error_of_another_kind(kind):
    error = kind(f"cannot reach postgresql://ann:{WORD}@host/db")
    assert WORD not in str(error) + repr(error) + str(pickle.loads(pickle.dumps(error)))
    assert "ann:***@host" in str(error)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("postgresql://host/db", "not a URI. The driver 'postgresql' takes it, as 'uri'"),
        ("mongodb+srv://host/db", "not a URI. The driver 'mongo-normalized' takes it"),
        ("sqlite:///data/runs.db", "not a URI. Write the path alone"),
        ("file:///data/runs.db", "not a URI. Write the path alone"),
        ("s3://bucket/runs.db", "not a URI."),
        (b"runs.db", "must be"),
    ],
)
@pytest.mark.parametrize("driver", ["sqlite", "msgpack"])
def test_a_uri_is_no_path(tmp_path, monkeypatch, driver, path, said):
    monkeypatch.chdir(tmp_path)
    value = {"sqlite": {"path": path}, "msgpack": {"paths": [path]}}[driver]
    if isinstance(path, str):
        with pytest.raises(InvalidConfiguration, match=said):
            from_mapping({"driver": driver, **value})
    with pytest.raises(InvalidConfiguration, match=said):
        open_store(driver, **value)
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore::databroker.errors.SpillWarning")
@pytest.mark.parametrize("form", ["uri", "members"])
def test_what_a_broker_pickles_to_has_none(tmp_path, form):
    config = {"driver": "postgresql", "uri": f"postgresql://ann:{WORD}@127.0.0.1:1/runs"}
    config["spill"] = str(tmp_path)
    if form == "members":
        config = {"driver": "federation", "members": [{"name": "a", **config}]}
    with databroker.Broker.from_config(config) as db:
        assert WORD in str(db.get_config())
        for one in (db, db(), db(plan_name="scan")):
            assert WORD.encode() not in pickle.dumps(one)
