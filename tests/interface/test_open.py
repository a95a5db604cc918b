"""Whatever has runs at a path is opened; what has none says what would be."""

import gc
import gzip
import os
import shutil
from pathlib import Path

import pytest

import databroker
from databroker.errors import InvalidConfiguration, SpillWarning, StoreUnavailable
from databroker.stores.files import JSONLStore, MsgpackStore
from databroker.testing.conformance.base import whole_run

CATALOG = """
sources:
  packed_catalog:
    driver: bluesky-msgpack-catalog
    args:
      paths: [/home/somebody/packed/documents/*.msgpack]
      root_map: {{0a1b2c: external_files/0a1b2c}}
    metadata:
      relative_paths: [{paths}]
"""


def fill(driver, path):
    key = "path" if driver == "sqlite" else "paths"
    with databroker.Broker.from_config({"driver": driver, key: str(path)}) as db:
        for kind, doc in whole_run("a"):
            db.insert(kind, doc)


@pytest.fixture
def packed(tmp_path):
    folder = tmp_path / "lab"
    fill("msgpack", folder / "documents")
    (folder / "catalog.yml").write_text(CATALOG.format(paths="./documents/*.msgpack"))
    return folder


@pytest.mark.parametrize("driver", ["jsonl", "msgpack"])
def test_a_folder_of_files_and_one_of_them(tmp_path, driver):
    fill(driver, tmp_path / "runs")
    (file,) = (tmp_path / "runs").iterdir()
    for path in (tmp_path / "runs", str(file)):
        with databroker.open(path) as db:
            assert isinstance(db, databroker.Broker)
            assert [header.uid for header in db()] == ["a"]
    with databroker.open(tmp_path / "runs") as db:
        db.insert("start", {"uid": "b", "time": 1.0})
        assert db.name == "runs"


def test_a_compressed_file(tmp_path):
    data = b"".join(JSONLStore.format.encode(*pair) for pair in whole_run("a"))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data))
    for path in (tmp_path, tmp_path / "a.jsonl.gz"):
        with databroker.open(path) as db:
            assert db[-1].uid == "a"


def test_an_sqlite_file(tmp_path):
    fill("sqlite", tmp_path / "any name")
    with databroker.open(tmp_path / "any name") as db:
        assert db[-1].uid == "a"


def test_a_configuration(tmp_path):
    fill("sqlite", tmp_path / "runs.db")
    (tmp_path / "lab.yml").write_text("driver: sqlite\npath: runs.db\n")
    with databroker.open(tmp_path / "lab.yml") as db:
        assert (db.name, db[-1].uid) == ("lab", "a")


def test_a_packed_catalog_wherever_it_is(packed):
    for path in (packed, packed / "catalog.yml", packed.rename(packed.with_name("moved"))):
        if not path.exists():
            path = packed.with_name("moved")
        with databroker.open(path) as db:
            assert db[-1].uid == "a"
            assert db.reg.root_map == {"0a1b2c": f"{db_folder(path)}/external_files/0a1b2c"}
    with databroker.open(packed.with_name("moved")) as db:
        assert db.name == "moved"
        assert not db.store.capabilities.writable


def db_folder(path):
    return path if path.is_dir() else path.parent


def test_documents_without_a_catalog_file(packed):
    (packed / "catalog.yml").unlink()
    with databroker.open(packed) as db:
        assert (db.name, db[-1].uid) == ("lab", "a")


@pytest.mark.parametrize("root", [".", "lab"])
def test_a_zip_is_unpacked_for_as_long_as_it_is_used(packed, tmp_path, root):
    base = packed if root == "." else tmp_path
    archive = shutil.make_archive(str(tmp_path / "beamtime"), "zip", base, root)
    cached = set(Path(os.environ["XDG_CACHE_HOME"]).rglob("*"))
    db = databroker.open(archive)
    assert (db.name, db[-1].uid) == ("beamtime", "a")
    folder = Path(db.reg.root_map["0a1b2c"])
    while not folder.name.startswith("databroker-zip"):
        folder = folder.parent
    assert folder.is_dir()
    db.close()
    del db
    gc.collect()
    assert not folder.exists()
    assert set(Path(os.environ["XDG_CACHE_HOME"]).rglob("*")) == cached


def test_a_zip_that_a_mac_made_of_a_folder_in_a_folder(packed, tmp_path):
    beside = tmp_path / "zipped" / "__MACOSX" / "lab"
    beside.mkdir(parents=True)
    (beside / "._catalog.yml").write_bytes(b"\0\5\x16\7")
    shutil.copytree(packed, tmp_path / "zipped" / "beamtimes" / "lab")
    archive = shutil.make_archive(str(tmp_path / "mac"), "zip", tmp_path / "zipped")
    with databroker.open(archive) as db:
        assert (db.name, db[-1].uid) == ("mac", "a")


def test_runs_are_copied_from_and_to_what_is_there(packed, tmp_path):
    other = tmp_path / "other"
    fill("jsonl", other)
    with databroker.open(other) as db:
        db.insert("start", {"uid": "b", "time": 1.0})
    assert [run.uid for run in databroker.copy(packed, tmp_path / "new.db").copied] == ["a"]
    report = databroker.copy(other, tmp_path / "new.db")
    assert ([run.uid for run in report.copied], report.ok) == (["b"], True)
    fill("jsonl", tmp_path / "third")
    assert [run.uid for run in databroker.copy(other, tmp_path / "third").copied] == ["b"]


def test_what_is_no_source_of_runs_says_what_would_be(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"nothing at .*Understood are"):
        databroker.open(tmp_path / "runs.db")
    with pytest.raises(InvalidConfiguration, match=r"No runs are in the folder.*catalog\.yml"):
        databroker.open(tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(InvalidConfiguration, match="nothing that databroker can open"):
        databroker.open(tmp_path / "a.txt")
    shutil.make_archive(str(tmp_path / "z"), "zip", tmp_path, "a.txt")
    with pytest.raises(InvalidConfiguration, match=r"No runs are in the folder \S+/z\.zip\."):
        databroker.open(tmp_path / "z.zip")
    for store in (JSONLStore, MsgpackStore):
        (tmp_path / f"a{store.format.suffix}").touch()
    with pytest.raises(InvalidConfiguration, match="both"):
        databroker.open(tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "mongodb://ann:s3cret@127.0.0.1:1/runs?serverSelectionTimeoutMS=100",
        "postgresql://ann:s3cret@127.0.0.1:1/runs",
    ],
)
def test_an_address_is_opened(empty_home, address):
    with pytest.warns(SpillWarning, match="cannot be reached") as told:
        databroker.open(address).close()
    assert "s3cret" not in str(told[0].message)
