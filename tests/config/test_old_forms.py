"""The forms of databroker 1.x: read, and turned into databroker's own."""

import pytest

from databroker.config import describe_configs, from_mapping, list_configs, load, lookup_config
from databroker.errors import InvalidConfiguration

PAIR = """\
description: heavyweight shared database
metadatastore:
    module: databroker.headersource.mongo
    class: MDS
    config: {host: localhost, port: 27017, database: mds, timezone: US/Eastern}
assets:
    module: databroker.assets.mongo
    class: Registry
    config: {uri: 'mongodb://ann:pw@db.lab:27018', database: assets}
handlers:
    AD_HDF5: {module: lab.handlers, class: HDF5}
root_map: {/old: /new}
"""

CATALOG = """\
sources:
  9-ID:
    description: Jsonl files
    driver: bluesky-jsonl-catalog
    args:
      paths: ['{{ CATALOG_DIR }}/runs/*.jsonl', '{{ env(LAB_DATA) }}/*.jsonl']
      handler_registry: {NPY_SEQ: ophyd.sim.NumpySeqHandler}
      root_map: {abc: external_files/abc}
    metadata: {beamline: "9-ID"}
  plain:
    driver: bluesky-msgpack-catalog
    args: {paths: runs/*.msgpack}
  both:
    driver: bluesky-mongo-normalized-catalog
    args: {metadatastore_db: 'mongodb://h/m', asset_registry_db: 'mongodb://h/a'}
  embedded:
    driver: bluesky-mongo-embedded-catalog
    args: {datastore_db: 'mongodb://h/d'}
"""


def pair(**config):
    """Return a file of the first form, with the same Mongo database twice."""
    return {
        "metadatastore": {
            "module": "databroker.headersource.mongo",
            "class": "MDSRO",
            "config": config,
        },
        "assets": {
            "module": "databroker.assets.mongo",
            "class": "RegistryRO",
            "config": config,
        },
    }


def uri_of(**config):
    return from_mapping(pair(**config)).options["metadatastore_db"]


def test_the_first_form(write):
    write("lab.yml", PAIR)
    config = load("lab")
    assert config.driver == "mongo-normalized"
    assert config.options == {
        "metadatastore_db": "mongodb://localhost:27017/mds",
        "asset_registry_db": "mongodb://ann:pw@db.lab:27018/assets?authSource=admin",
    }
    assert config.description == "heavyweight shared database"
    assert config.timezone == "US/Eastern"
    assert config.handlers == {"AD_HDF5": "lab.handlers:HDF5"}
    assert config.root_map == {"/old": "/new"}
    assert config.discover_handlers
    assert describe_configs() == {"lab": "heavyweight shared database"}


@pytest.mark.parametrize(
    ("config", "uri"),
    [
        ({"host": "db"}, "mongodb://db:27017/runs"),
        ({"host": "db", "port": "1"}, "mongodb://db:1/runs"),
        (
            {"host": "db", "port": 1, "mongo_user": "a@b", "mongo_pwd": "p/w"},
            "mongodb://a%40b:p%2Fw@db:1/runs?authSource=admin",
        ),
        ({"uri": "mongodb://db"}, "mongodb://db/runs"),
        ({"uri": "mongodb://a:b@db/home"}, "mongodb://a:b@db/runs?authSource=home"),
        (
            {"uri": "mongodb://a:b@db/?authSource=x&tls=true"},
            "mongodb://a:b@db/runs?authSource=x&tls=true",
        ),
        ({"uri": "mongodb://a:b@db", "authsource": "y"}, "mongodb://a:b@db/runs?authSource=y"),
        (
            {"uri": "mongodb://h1:1,h2:2/?replicaSet=r"},
            "mongodb://h1:1,h2:2/runs?replicaSet=r",
        ),
        ({"uri": "mongodb+srv://cluster"}, "mongodb+srv://cluster/runs"),
    ],
)
def test_the_pieces_become_one_uri(config, uri):
    assert uri_of(database="runs", **config) == uri


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"uri": "mongodb://h", "host": "h", "database": "d"}, "not 'uri' and 'host'"),
        ({"uri": "mongodb://h", "port": 1, "database": "d"}, "not 'uri' and 'port'"),
        ({"uri": "mongodb://h"}, "needs 'database'"),
        ({"database": "d"}, "needs 'uri', or 'host' and 'port'"),
        ({"host": "h", "port": "p", "database": "d"}, "'port' must be a whole number"),
        ({"hst": "h", "database": "d"}, "Did you mean 'host'?"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(config, says):
    with pytest.raises(InvalidConfiguration, match=says):
        from_mapping(pair(**config))


def test_the_line_is_that_of_the_old_file(write):
    write("lab.yml", PAIR.replace("database: assets", "databse: assets"))
    with pytest.raises(InvalidConfiguration, match=r"lab\.yml, line 9: .*'databse'"):
        load("lab")
    write("lab.yml", PAIR.replace("US/Eastern", "US/Estern"))
    with pytest.raises(InvalidConfiguration, match=r"line 5: .*Did you mean 'US/Eastern'"):
        load("lab")


def test_one_half_is_not_enough():
    half = pair(host="h", database="d")
    del half["assets"]
    with pytest.raises(InvalidConfiguration, match="needs 'assets' too"):
        from_mapping(half)


def test_files_of_0x_are_refused_by_what_they_are():
    old = pair(directory="/data")
    old["metadatastore"]["module"] = "databroker.headersource.sqlite"
    with pytest.raises(InvalidConfiguration, match=r"databroker 0\.x"):
        from_mapping(old)


def test_an_interface_version_that_is_gone_is_refused():
    with pytest.raises(InvalidConfiguration, match="'api_version' must be 1 or 2"):
        from_mapping({**pair(host="h", database="d"), "api_version": 0})


def test_each_source_of_a_catalog_is_a_name(home, write, monkeypatch):
    file = write("any_name.yml", CATALOG)
    monkeypatch.setenv("LAB_DATA", "/lab")
    assert list_configs() == ["9-ID", "both", "embedded", "plain"]
    config = load("9-ID")
    assert config.driver == "jsonl"
    assert config.options == {"paths": [f"{file.parent}/runs/*.jsonl", "/lab/*.jsonl"]}
    assert config.description == "Jsonl files"
    assert config.handlers == {"NPY_SEQ": "ophyd.sim:NumpySeqHandler"}
    assert not config.discover_handlers
    assert config.root_map == {"abc": str(file.parent / "external_files/abc")}
    assert config.source == file
    assert lookup_config("plain") == {
        "driver": "bluesky-msgpack-catalog",
        "args": {"paths": "runs/*.msgpack"},
    }
    assert load("plain").options == {"paths": [f"{file.parent}/runs/*.msgpack"]}
    assert load("plain").discover_handlers
    assert load("both").options == {
        "metadatastore_db": "mongodb://h/m",
        "asset_registry_db": "mongodb://h/a",
    }
    assert load("embedded").options == {"uri": "mongodb://h/d"}
    assert describe_configs()["9-ID"] == "Jsonl files"


def test_a_template_that_would_run_a_command_is_refused(write):
    write("any.yml", CATALOG.replace("env(LAB_DATA)", "shell(ls)"))
    with pytest.raises(InvalidConfiguration, match=r"line 6: the template 'shell' is not support"):
        load("9-ID")


def test_an_environment_variable_that_is_not_set_is_named(write, monkeypatch):
    monkeypatch.delenv("LAB_DATA", raising=False)
    write("any.yml", CATALOG)
    with pytest.raises(InvalidConfiguration, match="'LAB_DATA' is not set"):
        load("9-ID")


def test_an_unknown_argument_of_a_source_is_refused(write):
    write("any.yml", CATALOG.replace("root_map:", "rootmap:"))
    with pytest.raises(InvalidConfiguration, match=r"line 8: .*Did you mean 'root_map'"):
        load("9-ID")


def test_a_catalog_as_a_mapping_must_have_one_source():
    one = {"sources": {"a": {"driver": "bluesky-jsonl-catalog", "args": {"paths": "/x/*"}}}}
    assert from_mapping(one).options == {"paths": ["/x/*"]}
    with pytest.raises(InvalidConfiguration, match="exactly one source"):
        from_mapping({"sources": {**one["sources"], "b": {}}})


def test_a_source_of_another_library_is_refused():
    with pytest.raises(InvalidConfiguration, match="'csv' holds no runs"):
        from_mapping({"driver": "csv", "args": {"urlpath": "x"}})


def test_a_filler_class_is_ignored_aloud():
    args = {"paths": "/x/*", "filler_class": "event_model.Filler"}
    with pytest.warns(UserWarning, match="'filler_class' is ignored"):
        from_mapping({"driver": "bluesky-jsonl-catalog", "args": args})
