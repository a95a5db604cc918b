"""Files of released versions of the tables are read, or made new; of others it is said what to do.

For each version there is a file in `golden`, as it was written by the databroker of its time.
"""

import gzip
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from databroker.errors import ForeignStore
from databroker.queries import FullText, Key
from databroker.query.nodes import UidPrefix
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.sqlite import schema
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import insert_all, start, whole_run
from helpers.sqlite_files import opened, written

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = [4]

RUNS = [
    *whole_run("done"),
    *whole_run("under way")[:-1],
    ("start", start("odd \ud800", 5.0, text="\ud800 and \0", big=2**70, none=None, flag=True)),
    ("start", start("deep", 5.0, sample={"name": "Ni foil", "sizes": [1, 2.5]}, **{"a.b": 1})),
    ("start", start("large", 7.0, long=list(range(300)), text="x" * 300)),
    ("stop", {"uid": "waits", "run_start": "not here", "time": 9.0, "exit_status": "fail"}),
]
SEARCHES = {
    Key("sample.name") == "Ni foil": ["deep"],
    Key("big") > 2**69: ["odd \ud800"],
    Key("long") == 7: ["large"],
    Key("text").matches("^x"): ["large"],
    FullText("foil"): ["deep"],
    UidPrefix("d"): ["done", "deep"],
    Key("time") <= 5: ["deep", "odd \ud800"],
}


def written_by(version, path):
    """The file of a version, at a path."""
    with gzip.open(GOLDEN / f"version-{version}.db.gz") as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)


def assert_holds_all(store):
    assert_identical(answers(store, RUNS), expected(RUNS))
    for query, uids in SEARCHES.items():
        assert [run.uid for run in store.find(query)] == uids, query
        assert store.count(query) == len(uids), query
    assert not store.check().findings


@pytest.fixture
def golden(request, tmp_path):
    """The file of the newest version, which the option --refresh writes if there is none."""
    packed = GOLDEN / f"version-{schema.VERSION}.db.gz"
    path = tmp_path / "golden.db"
    if not packed.exists() and request.config.getoption("--refresh"):
        with opened(path) as store:
            insert_all(store, RUNS)
        packed.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    written_by(schema.VERSION, path)
    return path


def test_a_file_of_this_version_holds_what_was_put_into_it(golden):
    with opened(golden) as store:
        assert_holds_all(store)
    with opened(golden, read_only=True) as store:
        assert_holds_all(store)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_of_each_released_version_is_read(tmp_path, version):
    written_by(version, tmp_path / "runs.db")
    with opened(tmp_path / "runs.db") as store:
        assert_holds_all(store)
        insert_all(store, [("stop", whole_run("under way")[-1][1])])
        assert store.record("under way").stop is not None


def test_every_version_has_its_file():
    assert list(range(4, schema.VERSION + 1)) == VERSIONS
    assert sorted(schema.MIGRATIONS) == VERSIONS[:-1]


def test_a_file_of_an_older_version_is_made_new_when_it_is_opened(golden, monkeypatch):
    step = "CREATE TABLE notes (id INTEGER PRIMARY KEY);\nINSERT INTO notes VALUES (1);"
    monkeypatch.setattr(schema, "MIGRATIONS", {schema.VERSION: step})
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    for _ in range(2):
        with opened(golden) as store:
            assert_holds_all(store)
        with closing(sqlite3.connect(golden)) as raw:
            assert raw.execute("SELECT count(*) FROM notes").fetchone() == (1,)
            assert raw.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_a_migration_that_fails_changes_nothing(golden, monkeypatch):
    version = schema.VERSION
    with monkeypatch.context() as later:
        step = "CREATE TABLE notes (id INTEGER PRIMARY KEY);\nINSERT INTO nowhere VALUES (1);"
        later.setattr(schema, "MIGRATIONS", {version: step})
        later.setattr(schema, "VERSION", version + 1)
        with pytest.raises(Exception, match="nowhere"):
            SQLiteStore(golden)
    with opened(golden) as store:
        assert_holds_all(store)


@pytest.mark.parametrize("version", range(1, VERSIONS[0]))
@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_from_before_the_first_release_is_refused_with_what_to_do(path, version, read_only):
    written(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(ForeignStore, match="Insert its runs into a new file"):
        SQLiteStore(path, read_only=read_only)
