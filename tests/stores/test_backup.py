"""The file is whole soon after a run ends; a backup is whole whatever others do meanwhile."""

import contextlib
import shutil
import threading
import time

import pytest

import databroker
from databroker import Broker
from databroker.errors import StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.engine.sqlite import checkpoint
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import insert_all, start, whole_run
from helpers.sqlite_files import opened


def test_the_file_alone_is_whole_soon_after_a_run_has_ended(path, tmp_path):
    documents = whole_run("a") + whole_run("b")
    with opened(path) as store:
        insert_all(store, documents)
        for number in range(600):
            alone = tmp_path / f"alone {number}.db"
            shutil.copy(path, alone)
            with contextlib.suppress(databroker.errors.DatabrokerError), opened(alone) as copy:
                if copy.count(Everything()) == 2:
                    assert_identical(answers(copy, documents), expected(documents))
                    return
            alone.unlink()
            time.sleep(0.1)
    raise AssertionError("the log was never moved into the file")


def test_the_next_run_does_not_wait_for_the_log_to_begin_anew(path, monkeypatch):
    begun = threading.Event()
    begin = checkpoint.begin_log
    monkeypatch.setattr(
        checkpoint, "begin_log", lambda *one, **more: (begin(*one, **more), begun.set())
    )
    with opened(path) as store:
        insert_all(store, whole_run("a"))
        assert begun.wait(60)
        log = path.with_name("runs.db-wal")
        header = log.read_bytes()[:32]  # has another number each time, and is synced
        store.insert("start", start("b"))
        assert log.read_bytes()[:32] == header


@pytest.mark.parametrize("make", [MemoryStore, None], ids=["memory", "sqlite"])
def test_a_backup_holds_everything(make, path, tmp_path):
    documents = whole_run("a") + whole_run("b")[:-1]
    with Broker(make() if make else SQLiteStore(path)) as db:
        insert_all(db.store, documents)
        told = []
        target = db.backup(tmp_path / "copy.db", lambda done, total: told.append((done, total)))
        assert target == tmp_path / "copy.db"
    with opened(target) as copy:
        assert_identical(answers(copy, documents), expected(documents))
    assert make or told[-1][0] == told[-1][1] > 0
    left = {each.name for each in tmp_path.iterdir()}
    assert left <= {"copy.db", "runs.db"}


def test_a_backup_overwrites_nothing(path, tmp_path):
    (tmp_path / "copy.db").write_text("precious")
    with Broker(SQLiteStore(path)) as db, pytest.raises(FileExistsError, match="never overwrites"):
        db.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "precious"


WRITE = """
store = SQLiteStore(path)
go()
for number in range(40):
    insert_all(store, whole_run(f"theirs {number}"))
store.close()
"""


def test_a_backup_while_another_process_writes_is_of_one_moment(processes, path, tmp_path):
    with Broker(SQLiteStore(path)) as db:
        insert_all(db.store, whole_run("first"))
        (writer,) = processes.begin([(WRITE, path)])
        writing = threading.Thread(target=writer.wait)
        writing.start()
        copies = [db.backup(tmp_path / f"copy {number}.db") for number in range(5)]
        writing.join()
    for each in copies:
        with opened(each) as copy:
            runs = [run.uid for run in copy.find(Everything())]
            assert "first" in runs
            whole = [pair for uid in runs for pair in whole_run(uid) if copy.record(uid).stop]
            found = answers(copy, whole)["rows"]
            assert found == expected(whole)["rows"]


def test_a_backup_that_fails_leaves_nothing_behind(path, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    with Broker(SQLiteStore(path)) as db:
        db.insert("start", start())

        def stop(*_):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            db.backup(folder / "copy.db", stop)
        assert list(folder.iterdir()) == []
        db.insert("start", start("after"))
        with pytest.raises(StoreUnavailable):
            db.backup(tmp_path / "no such folder" / "copy.db")
        assert db.backup(folder / "copy.db").exists()


def test_no_room_for_a_backup_leaves_nothing_behind(processes, path, tmp_path):
    script = """
import resource
from databroker import Broker
from databroker.errors import StoreUnavailable
store = SQLiteStore(path)
insert_all(store, [("start", start()), ("descriptor", descriptor())])
for first in range(0, 50_000, 5_000):
    store.insert("event_page", event_page(range(first, first + 5_000)))
go()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    Broker(store).backup(sys.argv[2])
except StoreUnavailable as error:
    print("full" in str(error), os.listdir(os.path.dirname(sys.argv[2])))
"""
    folder = tmp_path / "backups"
    folder.mkdir()
    (process,) = processes.begin([(script, path, folder / "copy.db")])
    assert process.wait() == "True []\n"
