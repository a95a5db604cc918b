"""A copy of a file in use, without its log, says so; nothing else does."""

import contextlib
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import warnings

import pytest

from databroker import Broker
from databroker.errors import MissingLogWarning
from databroker.query.nodes import Everything
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.sqlite import checkpoint
from databroker.stores.sql.engine.sqlite.connection import SQLiteConnection
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import descriptor, event, insert_all, start, whole_run
from helpers.sqlite_files import RUN, opened

names = itertools.count()


def copied(path):
    """A copy of the file alone."""
    return shutil.copy(path, path.parent / f"copy {next(names)}.db")


def said_of(path, **options):
    """The warnings of opening a file and reading it."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with opened(path, **options) as store:
            store.count(Everything())
    return [each for each in said if each.category is MissingLogWarning]


def is_told_soon(path):
    """Whether a copy of a file in use is told to be one within a minute."""
    return any(said_of(copied(path)) or time.sleep(0.1) for _ in range(600))


def is_quiet_soon(path):
    """Whether a copy is told to be whole within a minute."""
    return any(not said_of(copied(path)) or time.sleep(0.1) for _ in range(600))


@pytest.mark.parametrize("read_only", [False, True])
def test_a_copy_of_a_file_in_use_says_so_once_each_time_it_is_opened(path, read_only):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
        alone = copied(path)
        for _ in range(2):
            (said,) = said_of(alone, read_only=read_only)
            for text in (str(alone), "-wal", "db.backup", "may be missing"):
                assert text in str(said.message)
        assert said_of(path) == said_of(path, read_only=True) == []


def test_it_is_said_where_it_is_opened(path):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
        alone = copied(path)
    with pytest.warns(MissingLogWarning) as said:
        Broker.from_config({"driver": "sqlite", "path": str(alone)}).close()
    assert said[0].filename == __file__


def test_a_copy_in_a_folder_that_cannot_be_written_to_says_so(path):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
        folder = path.parent / "closed"
        folder.mkdir()
        alone = shutil.copy(path, folder / "copy.db")
        os.chmod(alone, 0o444)
        folder.chmod(0o555)
        assert len(said_of(alone)) == 1
        folder.chmod(0o755)
        assert [each.name for each in folder.iterdir()] == ["copy.db"]


def test_a_copy_with_its_log_holds_all_and_says_nothing(path):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
        store.insert("event", event(7, RUN[1][1]["uid"]))
        shutil.copy(path, path.parent / "both.db")
        shutil.copy(f"{path}-wal", path.parent / "both.db-wal")
    assert said_of(path.parent / "both.db") == []
    assert said_of(path.parent / "both.db") == []


def test_a_copy_that_was_written_to_is_a_file_of_its_own(path):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
        alone = copied(path)
    with pytest.warns(MissingLogWarning):
        store = SQLiteStore(alone)
    with contextlib.closing(store):
        insert_all(store, whole_run("another"))
        assert is_quiet_soon(alone)
    assert said_of(alone) == []


def test_a_file_that_was_copied_after_its_runs_had_ended_says_nothing(path):
    documents = whole_run()
    with opened(path) as store:
        insert_all(store, documents[:4])
        assert is_told_soon(path)
        insert_all(store, documents[4:])
        assert is_quiet_soon(path)
        assert_identical(answers(store, documents), expected(documents))
    assert said_of(path) == said_of(copied(path)) == []


def test_a_file_that_was_closed_in_the_middle_of_a_run_says_nothing(path):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
    assert said_of(path) == said_of(copied(path)) == []


def test_a_thread_that_ends_late_keeps_nothing_open(path, monkeypatch):
    main, ending, shut = threading.get_ident(), threading.Event(), SQLiteConnection.shut

    def shut_late(connection):
        driver, connection.driver = connection.driver, None
        if driver is not None and connection.can_write and threading.get_ident() != main:
            ending.set()
            time.sleep(2)
        connection.driver = driver
        shut(connection)

    monkeypatch.setattr(SQLiteConnection, "shut", shut_late)
    with opened(path) as store:
        insert_all(store, RUN)
        assert ending.wait(60)
    assert said_of(path) == said_of(copied(path)) == []


def test_the_mark_comes_back_when_others_have_moved_the_log(path):
    with opened(path) as store, opened(path) as other:
        insert_all(store, RUN)
        assert is_told_soon(path)
        insert_all(other, whole_run("of the other"))
        assert is_quiet_soon(path)
        store.insert("event", event(7, RUN[1][1]["uid"]))
        assert is_told_soon(path)
        with contextlib.closing(sqlite3.connect(path)) as foreign:
            while foreign.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                time.sleep(0.01)  # the thread that tidies is at it
        assert said_of(path) == said_of(path, read_only=True) == said_of(copied(path)) == []
        store.insert("event", event(8, RUN[1][1]["uid"]))
        assert is_told_soon(path)


def test_two_that_write_do_not_mark_what_is_marked(path, monkeypatch):
    times = []
    move = checkpoint.Tidier._move_with_mark
    counted = lambda tidier: (times.append(1), move(tidier))  # noqa: E731
    monkeypatch.setattr(checkpoint.Tidier, "_move_with_mark", counted)
    with opened(path) as one, opened(path) as other:
        insert_all(one, [("start", start("a")), ("descriptor", descriptor("d", "a"))])
        assert is_told_soon(path)
        for number in range(30):
            for store in (one, other):
                store.insert("event", event(2 * number + (store is one), "d"))
            time.sleep(0.05)
    assert len(times) <= 2


WRITE = """
import sys, time
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import *
store = SQLiteStore(sys.argv[1])
insert_all(store, whole_run()[:-1])
print("written", flush=True)
time.sleep(1000)
"""

STOPPED = """
import os, sys, time
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.sqlite import checkpoint
from databroker.stores.sql.engine.sqlite.connection import SQLiteConnection
from databroker.testing.conformance.base import *
checkpoint.Tidier._remove_mark = lambda *_: os._exit(1)
insert_all(SQLiteStore(sys.argv[1]), whole_run()[:-1])
time.sleep(1000)
"""


def test_a_writer_that_was_killed_leaves_nothing_to_be_said(path):
    arguments = [sys.executable, "-c", WRITE, str(path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"written\n"
        assert is_told_soon(path)
        writer.kill()
    assert len(said_of(copied(path))) == 1
    assert said_of(path, read_only=True) == []
    assert said_of(path) == said_of(path) == said_of(copied(path)) == []
    with opened(path) as store:
        assert_identical(answers(store, RUN), expected(RUN))


def test_a_writer_that_was_killed_while_it_set_the_mark_leaves_nothing_to_be_said(path):
    assert subprocess.run([sys.executable, "-c", STOPPED, str(path)], check=False).returncode == 1
    assert os.path.getsize(f"{path}-wal")
    assert len(said_of(copied(path))) == 1
    assert said_of(path, read_only=True) == []
    assert said_of(path) == said_of(path) == said_of(copied(path)) == []


def test_a_file_that_is_closed_while_the_mark_is_set_says_nothing(path, monkeypatch):
    moving, go_on = threading.Event(), threading.Event()
    move = checkpoint.move_log
    monkeypatch.setattr(
        checkpoint, "move_log", lambda one: (move(one), moving.set(), go_on.wait(60))
    )
    with opened(path) as store:
        insert_all(store, RUN)
        assert moving.wait(60)
    go_on.set()
    assert said_of(path) == said_of(copied(path)) == []


def test_a_backup_has_no_mark_even_while_it_is_set(path, tmp_path, monkeypatch):
    moving, go_on = threading.Event(), threading.Event()
    move = checkpoint.move_log
    monkeypatch.setattr(
        checkpoint, "move_log", lambda one: (move(one), moving.set(), go_on.wait(60))
    )
    with Broker(SQLiteStore(path)) as db:
        insert_all(db.store, RUN)
        assert moving.wait(60)
        assert said_of(copied(path))
        assert said_of(db.backup(tmp_path / "backup.db")) == []
        go_on.set()


def test_a_backup_of_such_a_copy_says_what_the_copy_says(path, tmp_path):
    with opened(path) as store:
        insert_all(store, RUN)
        assert is_told_soon(path)
        alone = copied(path)
    with pytest.warns(MissingLogWarning), Broker(SQLiteStore(alone)) as db:
        db.backup(tmp_path / "backup.db")
    assert len(said_of(tmp_path / "backup.db")) == 1


def test_a_new_file_is_one_of_ours_from_the_beginning(path):
    with opened(path):
        assert said_of(copied(path), read_only=True) == []


def test_damage_where_the_mark_is_is_in_nobodys_way(path):
    with opened(path) as store:
        insert_all(store, whole_run())
    with contextlib.closing(sqlite3.connect(path)) as raw:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'meta'"
        (page,) = raw.execute(query).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert said_of(path) == []


def test_a_log_is_not_cut_off_while_the_mark_is_set(path):
    """Else a file whose writer died at that moment would be taken for a copy without its log."""
    with opened(path) as store:
        insert_all(store, [("start", start("large")), ("descriptor", descriptor("d", "large"))])
        store._connections.write(lambda each: checkpoint.mark.set_mark(each, path))
        checkpoint.move_log(store._connections.get())
        store._connections.write(checkpoint.tidy)
        folder = path.parent / "as it was when the writer died"
        folder.mkdir()
        for part in (path, path.with_name(f"{path.name}-wal")):
            shutil.copy(part, folder)
        assert said_of(folder / path.name) == []


def test_a_file_whose_writer_died_before_it_removed_the_mark_is_no_copy(path):
    with opened(path) as store:
        insert_all(store, RUN)
        store._connections.write(lambda each: checkpoint.mark.set_mark(each, path))
        store._connections.get().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert len(said_of(copied(path))) == 1
        assert said_of(path) == []


def test_a_file_with_the_mark_is_read_while_there_is_no_room_to_remove_it(processes, path):
    script = """
import resource
from databroker.errors import StoreUnavailable
from databroker.query.nodes import Everything
resource.setrlimit(resource.RLIMIT_FSIZE, (33_000, 33_000))
go()
store = SQLiteStore(path)
print(store.count(Everything()))
try:
    store.insert("start", start("more"))
except StoreUnavailable as error:
    print("full" in str(error))
"""
    with opened(path) as store:
        insert_all(store, RUN)
        store._connections.write(lambda each: checkpoint.mark.set_mark(each, path))
        (process,) = processes.begin([(script, path)])
        assert process.wait() == "1\nTrue\n"
