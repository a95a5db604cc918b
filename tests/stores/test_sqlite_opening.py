"""To open a file is to look: nothing is written, waited for or blocked; odd files are told."""

import contextlib
import gc
import os
import sqlite3
import threading
from types import SimpleNamespace

import pytest

from databroker.errors import DatabrokerError, ForeignStore, StoreDamaged, StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import start
from helpers.sqlite_files import assert_holds_run, opened, written


def test_opening_and_reading_does_not_wait_for_a_long_transaction(path):
    written(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM runs")
        with opened(path) as store:  # which would wait for two minutes if it wrote
            assert_holds_run(store)
        other.execute("ROLLBACK")


def test_opening_a_file_that_is_right_writes_nothing(path):
    written(path)
    before, changed = path.read_bytes(), path.stat().st_mtime_ns
    with opened(path) as store:
        assert_holds_run(store)
        assert store.count(Everything()) == 1
    assert path.stat().st_mtime_ns == changed
    assert path.read_bytes() == before


NAMES = {
    "too long": "x" * 5000,
    "with NUL": "a\0b.db",
    "of nobody": "~there-is-no-such-user/runs.db",
    "not text": "a\ud800.db",
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", [{}, {"read_only": True}, {"create": False}])
def test_a_path_that_can_be_no_file_is_refused(tmp_path, name, options):
    given = NAMES[name] if name == "of nobody" else f"{tmp_path}/{NAMES[name]}"
    with pytest.raises(StoreUnavailable):
        SQLiteStore(given, **options)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_named_pipe_is_refused_at_once(path, read_only):
    os.mkfifo(path)
    with pytest.raises(StoreUnavailable, match="no ordinary file"):
        SQLiteStore(path, read_only=read_only)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_is_refused_with_what_to_give_instead(tmp_path, read_only):
    with pytest.raises(StoreUnavailable, match=r"is a folder.*runs\.db"):
        SQLiteStore(tmp_path, read_only=read_only)


def test_an_empty_file_that_is_only_read_has_no_runs_and_says_so(path):
    path.touch()
    with pytest.raises(StoreUnavailable, match=r"runs\.db is empty"):
        SQLiteStore(path, read_only=True)
    assert path.stat().st_size == 0


@pytest.mark.parametrize("version", [-1, 0, -(2**31)])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_version_that_nobody_wrote_is_damage(path, version, read_only):
    written(path)
    _change(path, f"PRAGMA user_version = {version}")
    with pytest.raises((StoreDamaged, ForeignStore), match=f"version {version}"):
        SQLiteStore(path, read_only=read_only)


@pytest.mark.parametrize("table", ["runs", "texts", "tail", "meta"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_table_that_is_missing_is_damage(path, table, read_only):
    written(path)
    _change(path, f"DROP TABLE {table}")
    with pytest.raises(StoreDamaged, match=f"no table {table}"):
        SQLiteStore(path, read_only=read_only)


def _change(path, statement):
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(statement)


@pytest.mark.parametrize("what", ["removed", "replaced by another file"])
def test_a_file_that_was_taken_away_is_told_before_anything_is_lost_in_it(path, what):
    with opened(path) as store:
        store.insert("start", start("before"))
        path.rename(path.with_name("elsewhere.db"))
        if "replaced" in what:
            written(path.with_name("another.db")).rename(path)
        for use in (
            lambda: store.insert("start", start("late")),
            lambda: list(store.find(Everything())),
        ):
            with pytest.raises(StoreUnavailable, match=rf"runs\.db was {what}"):
                use()


def test_a_second_store_on_a_file_takes_no_lock_of_the_first_away(path, processes):
    """To close any handle of a file gives up all locks that a process has on it."""
    script = """
store = SQLiteStore(path)
go()
store.insert("start", start("theirs"))
store.close()
"""
    (other,) = processes.begin([(script, path)])
    with opened(path) as store:
        store.insert("start", start("mine"))
        with opened(path) as second:
            assert second.count(Everything()) == 1
        other.wait()  # the last to close would delete the log, if it seemed to be alone
        store.insert("start", start("later"))
    with opened(path) as store:
        assert {run.uid for run in store.find(Everything())} == {"mine", "theirs", "later"}


def test_closing_ends_the_connections_of_all_threads(path):
    closed, looked = threading.Event(), threading.Event()
    errors = []

    def look():
        store.count(Everything())
        looked.set()
        closed.wait(60)
        try:
            store.count(Everything())
        except DatabrokerError as error:
            errors.append(error)

    with opened(path) as store:
        store.insert("start", start())
        thread = threading.Thread(target=look)
        thread.start()
        looked.wait(60)
        store.close()
        assert [each.name for each in path.parent.iterdir()] == ["runs.db"]
        closed.set()
        thread.join(60)
    assert "closed" in str(errors[0])
    assert store.capabilities.writable


def test_a_store_that_is_garbage_is_closed_whatever_is_collected_first(path):
    held = SimpleNamespace(store=SQLiteStore(written(path)))
    held.itself = held
    held.store._connections.get().shut()
    gc.collect(0)  # of all that is garbage, what is older than this comes last
    held.store.count(Everything())
    del held
    gc.collect()
    assert [each.name for each in path.parent.iterdir()] == ["runs.db"]
