"""The files of the SQLite store: whose they are, where they may be, who may write to them."""

import contextlib
import os
import pickle
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from databroker.errors import DatabrokerError, ForeignStore, StoreDamaged, StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.testing import read_rows
from databroker.testing.conformance.base import (
    descriptor,
    event,
    insert_all,
    start,
    stop,
)
from helpers.sqlite_files import RUN, assert_holds_run, opened, written

# -- whose file it is --------------------------------------------------------


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE runs (id INTEGER)",
        "CREATE TABLE other (id INTEGER); PRAGMA user_version = 1",
        "PRAGMA application_id = 5",
        "PRAGMA application_id = 5; PRAGMA user_version = 1; CREATE TABLE runs (id INTEGER)",
    ],
)
def test_a_database_of_another_program_is_refused_and_not_touched(path, script, read_only):
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.executescript(script)
    before = path.read_bytes()
    with pytest.raises(ForeignStore, match=r"runs\.db is an SQLite database of another program"):
        SQLiteStore(path, read_only=read_only)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["runs.db"]


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_of_a_newer_version_is_refused(path, read_only):
    written(path)
    with contextlib.closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(ForeignStore, match=r"newer databroker.*99.*Upgrade"):
        SQLiteStore(path, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database\n" * 1000, b"x", bytes(range(256)) * 64])
def test_a_file_that_is_no_database_is_refused_and_not_touched(path, content):
    path.write_bytes(content)
    with pytest.raises(ForeignStore, match=r"runs\.db is not an SQLite database"):
        SQLiteStore(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    written(path)
    with opened(path) as store:
        assert_holds_run(store)


@pytest.mark.parametrize("where", ["cut short", "overwritten"])
def test_a_damaged_file_says_so(path, where):
    with opened(path) as store:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        insert_all(store, [("event", event(number)) for number in range(3000)])
        store.insert("stop", stop())
    content = bytearray(path.read_bytes())
    if where == "cut short":
        del content[len(content) // 2 :]
    else:
        content[8192:] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match=r"runs\.db is damaged"):
        _use(path)


def _use(path):
    """Read and write a bit of everything."""
    with opened(path) as store:
        insert_all(store, [("descriptor", descriptor("more")), *RUN])
        assert_holds_run(store)
        read_rows(store, "event", "desc")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(StoreUnavailable, match=tmp_path.name):
        SQLiteStore(tmp_path)


def test_a_path_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="file"):
        SQLiteStore(tmp_path / "file" / "runs.db")


def test_a_missing_file_is_not_made_for_reading_only(path):
    with pytest.raises(StoreUnavailable, match=r"no file .*runs\.db"):
        SQLiteStore(path, read_only=True)
    assert not path.exists()


# -- where it may be ---------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "with space.db",
        "ünïcödé 样品.db",
        "what?.db",
        "a#b.db",
        "50%20.db",
        "a'b\".db",
        "mode=ro",
        "a&b=c",
        "~",
    ],
)
def test_a_path_may_have_any_name(tmp_path, name):
    path = tmp_path / f"folder {name}" / name
    written(path)
    assert [each.name for each in path.parent.iterdir()] == [name]
    with opened(path, read_only=True) as store:
        assert_holds_run(store)


def test_missing_folders_are_made(tmp_path):
    written(tmp_path / "a" / "b" / "runs.db")
    assert (tmp_path / "a" / "b" / "runs.db").is_file()


def test_the_home_folder_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    written("~/runs.db")
    assert (tmp_path / "runs.db").is_file()


def test_a_relative_path_stays_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with opened("runs.db") as store:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        insert_all(store, RUN)
        with contextlib.closing(pickle.loads(pickle.dumps(store))) as again:
            assert_holds_run(again)
    assert list((tmp_path / "elsewhere").iterdir()) == []


# -- opening and closing -----------------------------------------------------


def test_closing_leaves_one_file(path):
    written(path)
    assert [each.name for each in path.parent.iterdir()] == ["runs.db"]


def test_threads_that_come_and_go_leave_no_file_open(path):
    with opened(path) as store:
        insert_all(store, RUN)

        def look():
            assert store.record("run") is not None

        def open_files():
            links = (os.path.realpath(each) for each in Path("/proc/self/fd").iterdir())
            return sum(link.startswith(str(path)) for link in links)

        for _ in range(5):
            _in_thread(look)
        before = open_files()
        for _ in range(50):
            _in_thread(look)
        assert open_files() <= before


def _in_thread(job):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(job).result()


@pytest.mark.parametrize("options", [{}, {"durability": "full"}, {"read_only": True}])
def test_a_store_pickles_as_its_configuration(path, options):
    written(path)
    with opened(path, **options) as store:
        pickled = pickle.dumps(store)
        assert len(pickled) < 1000
        with contextlib.closing(pickle.loads(pickled)) as again:
            assert again.path == store.path
            assert again.capabilities == store.capabilities
            assert_holds_run(again)


def test_an_unknown_durability_is_refused(path):
    with pytest.raises(ValueError, match="durability"):
        SQLiteStore(path, durability="fulll")


def test_the_errors_of_the_driver_do_not_come_through(path):
    written(path)
    with opened(path) as store:
        with contextlib.closing(sqlite3.connect(path)) as raw:
            raw.execute("DROP TABLE numbers")
            raw.execute("DROP TABLE texts")
            raw.execute("DROP TABLE tail")
        for use in (
            lambda: store.insert("start", start("late")),
            lambda: store.count(Everything()),
            lambda: store.insert("descriptor", descriptor("more")),
            lambda: store.insert("event", event(1, "run-desc") | {"uid": "more"}),
        ):
            with pytest.raises(DatabrokerError, match=r"runs\.db"):
                use()
