"""Inserting goes on while the server is away, and all comes to it in the end, once, in order."""

import _thread
import contextlib
import gc
import itertools
import os
import pickle
import re
import signal
import threading
import time
import warnings
from pathlib import Path

import pytest

from databroker import Broker
from databroker.columns import from_rows
from databroker.errors import (
    AccessRefused,
    ConflictingDocument,
    InvalidDocument,
    SpillWarning,
    StoreAway,
    StoreDamaged,
    StoreIsReadOnly,
    StoreUnavailable,
)
from databroker.query.nodes import Everything
from databroker.stores.base import Store
from databroker.stores.facts import boot_id, host
from databroker.stores.federation.member import MemberStore
from databroker.stores.spill import courier as couriers
from databroker.stores.spill.journal import Journal, left_behind, new_journal
from databroker.stores.spill.store import SpillStore, send_left
from databroker.testing import answers, assert_identical, expected
from databroker.testing.conformance.base import descriptor, event, insert_all, start, whole_run

AWAY = pytest.warns(SpillWarning, match="Documents wait in")


def test_while_the_server_is_there_all_goes_to_it(store, behind, folder):
    insert_all(store, whole_run("a"))
    store.insert_many(whole_run("b"))
    documents = [*whole_run("a"), *whole_run("b")]
    assert_identical(answers(behind, documents), expected(documents))
    assert_identical(answers(store, documents), expected(documents))
    assert not folder.exists()


def test_every_method_is_passed_on():
    """A method that a store has newly learnt is no exception."""
    of_its_own = {
        "insert",
        "insert_many",
        "insert_batches",
        "group_size",
        "put_at_once",
    }  # which put
    methods = {name for name in vars(Store) if not name.startswith("_")}
    for kind in (SpillStore, MemberStore):
        passed_on = {name for each in kind.__mro__ if each is not Store for name in vars(each)}
        assert methods - of_its_own - passed_on == set()


def test_batches_do_not_wait(store, behind):
    for pair in [("start", start()), ("descriptor", descriptor())]:
        store.insert(*pair)
    batch = from_rows("event", [event(1), event(2)])
    store.insert_batches("event", "desc", [batch])
    behind.is_away = True
    with AWAY:
        store.insert("event", event(3))
    with pytest.raises(StoreAway, match="other documents wait"):
        store.insert_batches("event", "desc", [batch])
    with pytest.raises(StoreAway, match="other documents wait"):
        store.insert_runs([])


def test_documents_wait_while_the_server_is_away(store, behind, folder, eventually):
    behind.is_away = True
    with AWAY as caught:
        insert_all(store, whole_run())
    assert len(caught) == 1
    assert "the server is away" in str(caught[0].message)
    assert list(behind.find(Everything())) == []
    waiting = store.waiting()
    assert waiting.documents == len(whole_run())
    assert waiting.reason == "the server is away."
    assert [Path(file).parent for file in waiting.files] == [folder]
    behind.is_away = False
    eventually(lambda: not store.waiting())
    assert_identical(answers(store, whole_run()), expected(whole_run()))
    assert behind.order == [(kind, doc) for kind, doc in whole_run()]
    assert left_behind(folder) == []


def test_it_is_said_again_when_the_server_is_away_again(store, behind, eventually):
    for name in "ab":
        behind.is_away = True
        with AWAY:
            store.insert("start", start(name))
        behind.is_away = False
        eventually(lambda: not store.waiting())


REFUSALS = [
    AccessRefused("the key has expired."),
    StoreIsReadOnly("it only lets read."),
    StoreDamaged("the tables are damaged."),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_who_was_let_write_is_not_stopped_when_that_ends(store, behind, eventually, refusal):
    first, *rest = whole_run()
    store.insert(*first)
    behind.refuses = refusal
    with pytest.warns(SpillWarning, match=re.escape(f"{refusal} Documents wait in")):
        insert_all(store, rest)
    assert store.waiting().documents == len(rest)
    behind.refuses = None
    eventually(lambda: not store.waiting())
    assert_identical(answers(store, whole_run()), expected(whole_run()))


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_who_was_never_let_write_is_told_so(store, behind, folder, refusal):
    behind.refuses = refusal
    with pytest.raises(type(refusal)):
        store.insert("start", start())
    assert not folder.exists()


def test_what_a_server_says_that_is_back_is_told_too(store, behind, eventually):
    behind.is_away = True
    with AWAY:
        store.insert("start", start())
    behind.refuses, behind.is_away = AccessRefused("it has another token now."), False
    eventually(lambda: "another token" in store.waiting().reason)
    with pytest.warns(SpillWarning, match="another token") as caught:
        store.insert("descriptor", descriptor())
    assert len(caught) == 1


def test_an_experiment_is_held_up_once(store, behind, monkeypatch):
    waits = []
    carry = store._courier.carry
    monkeypatch.setattr(
        store._courier, "carry", lambda *given: waits.append(given) or carry(*given)
    )
    behind.answers.clear()
    with pytest.warns(SpillWarning, match=r"has not answered within 0\.5 s"):
        insert_all(store, whole_run())
    assert len(waits) == 1
    assert store.waiting().documents == len(whole_run())


def test_what_was_given_up_is_stored_once(store, behind, eventually):
    behind.answers.clear()
    with AWAY:
        insert_all(store, whole_run())
    behind.answers.set()
    eventually(lambda: not store.waiting())
    assert_identical(answers(store, whole_run()), expected(whole_run()))


def test_later_documents_go_behind_those_that_wait(store, behind, eventually):
    behind.is_away = True
    documents = [("start", start()), ("descriptor", descriptor())]
    documents += [("event", event(number)) for number in range(300)]
    with AWAY:
        insert_all(store, documents[:100])
    behind.is_away = False
    insert_all(store, documents[100:])
    eventually(lambda: not store.waiting())
    assert behind.order == documents


def test_many_documents_wait_as_one_does(store, behind, eventually):
    behind.is_away = True
    with AWAY:
        store.insert_many(whole_run())
    assert store.waiting().documents == len(whole_run())
    behind.is_away = False
    eventually(lambda: not store.waiting())
    assert_identical(answers(store, whole_run()), expected(whole_run()))


def test_what_cannot_be_placed_is_refused_as_always(store, behind):
    behind.is_away = True
    with pytest.raises(InvalidDocument):
        store.insert("start", {"uid": "a"})
    assert not store.waiting()


def test_what_the_server_refuses_is_raised_while_it_is_there(store):
    store.insert("start", start())
    with pytest.raises(ConflictingDocument):
        store.insert("start", start(sample="another"))


def test_what_is_refused_later_is_kept_and_holds_up_nothing(store, behind, eventually):
    store.insert("start", start("a"))
    behind.is_away = True
    with AWAY:
        store.insert("start", start("a", sample="another"))
    insert_all(store, [*whole_run("b"), ("event", event(1, "nobody's"))])
    behind.is_away = False
    eventually(lambda: not store.waiting().documents)
    documents = [("start", start("a")), *whole_run("b")]
    assert_identical(answers(store, documents), expected(documents))
    waiting = store.waiting()
    assert len(waiting.kept) == 1
    assert "'sample' is missing there and 'another' here" in waiting.refused[0]
    assert "which was never inserted" in waiting.refused[1]
    with pytest.warns(SpillWarning, match="refuses a document that waited") as caught:
        store.insert("start", start("c"))
    assert len(caught) == 2
    store.insert("start", start("d"))


def test_what_is_left_of_a_damaged_file_is_kept(store, behind, folder, eventually):
    behind.is_away = True
    with AWAY:
        insert_all(store, whole_run())
    [path] = left_behind(folder)
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.seek(len(whole) // 2)
        file.write(b"\xff\xff\xff\xff")
    behind.is_away = False
    eventually(lambda: not left_behind(folder))
    [kept] = store.waiting().kept
    assert kept.endswith(".damaged")
    assert behind.order == whole_run()[: len(behind.order)]
    assert behind.order


def test_a_writer_that_is_gone_is_no_loss(behind, folder, eventually):
    journal = new_journal(folder, {}, sync=False)
    journal.append(whole_run())
    journal.close()
    with contextlib.closing(SpillStore(behind, folder)) as store:
        assert store.waiting().documents == len(whole_run())
        assert list(store.find(Everything())) == []  # to read sends nothing
        store.insert("start", start("another"))
        eventually(lambda: not store.waiting())
    assert behind.order[-1] == ("start", start("another"))
    documents = [*whole_run(), ("start", start("another"))]
    assert_identical(answers(behind, documents), expected(documents))


def test_what_waits_can_be_sent_at_once(behind, folder):
    for name in "ab":
        journal = new_journal(folder, {}, sync=False)
        journal.append(whole_run(name))
        journal.close()
    with contextlib.closing(SpillStore(behind, folder)) as store:
        behind.is_away = True
        with pytest.raises(StoreAway):
            store.send_waiting()
        assert store.waiting().documents == 2 * len(whole_run())
        behind.is_away = False
        assert store.send_waiting() == 2 * len(whole_run())
        assert not store.waiting()
    documents = [*whole_run("a"), *whole_run("b")]
    assert_identical(answers(behind, documents), expected(documents))


def test_what_waits_for_another_address_stays_while_this_server_is_away(behind, folder):
    former = folder.with_name("former")
    journal = new_journal(former, {}, sync=False)
    journal.append(whole_run())
    journal.close()
    with contextlib.closing(SpillStore(behind, folder)) as store:
        assert store.waiting().elsewhere == tuple(map(str, left_behind(former)))
        behind.is_away = True
        with pytest.raises(StoreAway):
            send_left(former, store)
        assert (len(left_behind(former)), left_behind(folder)) == (1, [])
        behind.is_away = False
        assert send_left(former, store) == len(whole_run())
        assert not store.waiting().elsewhere


def test_nobody_sends_what_another_one_sends(behind, folder):
    journal = new_journal(folder, {}, sync=False)
    journal.append([["start", start()]])
    with contextlib.closing(SpillStore(behind, folder)) as store:
        assert store.send_waiting() == 0
        journal.close()
        assert store.send_waiting() == 1


def test_what_comes_goes_behind_what_another_process_sends_just_now(
    store, behind, folder, eventually
):
    """A writer was killed, another process sends its file, and a third one goes on with its run."""
    dead = {"host": host(), "pid": 2**22 + 1, "boot_id": boot_id()}
    journal = new_journal(folder, dead, sync=False)
    journal.append([["start", start()]])
    store.insert("descriptor", descriptor())
    time.sleep(0.3)
    assert behind.order == []
    journal.close()
    eventually(lambda: len(behind.order) == 2)
    assert behind.order == [("start", start()), ("descriptor", descriptor())]


def test_what_comes_waits_for_no_writer_that_lives(store, behind, folder):
    alive = {"host": host(), "pid": os.getpid(), "boot_id": boot_id()}
    journal = new_journal(folder, alive, sync=False)
    journal.append([["start", start("a")]])
    store.insert("start", start("b"))
    assert behind.order == [("start", start("b"))]
    journal.close()


def test_what_waits_stays_when_the_store_is_closed(store, behind, folder):
    behind.is_away = True
    with AWAY:
        insert_all(store, whole_run())
    store.close()
    with pytest.raises(StoreUnavailable, match="is closed"):
        store.insert("start", start("b"))
    journal = Journal.take(left_behind(folder)[0])
    assert len(journal.batch()) == len(whole_run())
    journal.close()


def test_neither_server_nor_room_is_an_error_that_says_both(store, behind, folder):
    folder.write_text("a file where the folder should be")
    behind.is_away = True
    with pytest.raises(StoreUnavailable, match=r"the server is away\. And .*spill cannot take"):
        store.insert("start", start())
    behind.is_away = False
    store.insert("start", start())
    assert behind.record("run")


def test_no_room_behind_others_is_said_once(store, behind, monkeypatch):
    store.insert("start", start())
    behind.is_away = True
    with pytest.warns(SpillWarning):
        store.insert("start", start("second"))

    def full(*_):
        raise OSError("No space left")

    monkeypatch.setattr(Journal, "append", full)
    with pytest.raises(StoreUnavailable, match=r"has been away\. And .*: No space left") as caught:
        store.insert("start", start("third"))
    assert str(caught.value).count("No space left") == 1


def test_what_is_inserted_when_the_program_ends_waits(store, monkeypatch):
    def start_none(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", start_none)
    with pytest.warns(SpillWarning, match="This program is ending"):
        store.insert("start", start())
    assert store.waiting().documents == 1


def test_what_waits_is_on_the_disk_if_that_is_asked_for(behind, folder, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    for sync, times in ((False, 0), (True, 4)):  # the folder, and each document
        behind.is_away = True
        with contextlib.closing(SpillStore(behind, folder / f"{sync}", sync=sync)) as store:
            with AWAY:
                for name in "abc":
                    store.insert("start", start(name))
            assert len(synced) == times


def test_the_thread_ends_with_the_store(behind, folder, eventually):
    def threads():
        return [each for each in threading.enumerate() if each.name == "databroker courier"]

    before = len(threads())
    store = SpillStore(behind, folder)
    behind.is_away = True
    with AWAY:
        store.insert("start", start())
    assert len(threads()) == before + 1
    del store
    gc.collect()
    eventually(lambda: len(threads()) == before)
    Journal.take(left_behind(folder)[0]).close()  # nobody has it any more


def test_an_interrupt_is_no_absence(store, behind):
    behind.answers.clear()
    hand = threading.Timer(0.1, _thread.interrupt_main)
    # Where tests run in the background, the shell may have set it aside.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hand.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            store.insert("start", start())
    finally:
        hand.join()
        signal.signal(signal.SIGINT, before)
    behind.answers.set()
    store.insert("start", start())
    assert not store.waiting()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_process_is_forked_without_the_thread(store, behind):
    store.insert("start", start("a"))
    courier = store._courier
    courier.before_fork()
    assert not courier._thread.is_alive()
    courier.after_fork_in_parent()
    number = os.fork()  # of which newer Pythons warn where there is a thread
    if number == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
    store.insert("start", start("b"))
    assert [doc["uid"] for _, doc in behind.order] == ["a", "b"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_has_a_file_of_its_own(store, behind, folder, eventually):
    behind.is_away = True
    with AWAY:
        store.insert("start", start("a"))
    number = os.fork()
    if number == 0:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            store.insert("start", start("b"))
        os._exit(len(left_behind(folder)))
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 2
    store.insert("start", start("c"))
    behind.is_away = False
    eventually(lambda: not store.waiting())
    assert [doc["uid"] for _, doc in behind.order] == ["a", "c", "b"]  # b's writer is gone


def test_a_run_of_which_documents_wait_says_so(store, behind, eventually):
    db = Broker(store)
    db.insert("start", start("a"))
    header = db["a"]
    behind.is_away = True
    with AWAY:
        db.insert("descriptor", descriptor("d", "a"))
    assert header.status == "waiting"
    behind.is_away = False
    eventually(lambda: header.status == "unknown")
    assert not store.waiting()


def test_a_broker_is_shown_with_what_waits(store, behind, monkeypatch):
    db = Broker(store)
    assert str(db) == "Broker: 0 runs (memory of this process)"
    behind.is_away = True
    with AWAY:
        db.insert("start", start("a"))
    assert re.search(r"1 document waits \(\d+ bytes\): the server is away", str(db))

    def away(query):
        raise StoreAway("the server is away.")

    monkeypatch.setattr(behind, "count", away)
    assert "how many runs is not known" in str(db)
    assert "how many runs is not known" in db._repr_html_()


def test_it_pickles_as_what_is_behind_and_where_documents_wait(tmp_path):
    from databroker.stores.sql import SQLiteStore

    behind = SQLiteStore(tmp_path / "runs.db")
    behind.stale_after = 7.0
    with contextlib.closing(SpillStore(behind, tmp_path, after=3, sync=True)) as store:
        store.insert("start", start())
        with contextlib.closing(pickle.loads(pickle.dumps(store))) as again:
            assert again.record("run").start == start()
            assert (again.stale_after, again.folder) == (7.0, tmp_path)
            assert (again._after, again._sync) == (3, True)


def test_it_is_tried_again_after_longer_and_longer_times(store, behind, monkeypatch, eventually):
    monkeypatch.setattr(couriers, "_LONGEST_PAUSE", 0.3)
    behind.is_away = True
    with AWAY:
        store.insert("start", start())
    eventually(lambda: len(behind.asked) >= 5)
    pauses = [after - before for before, after in itertools.pairwise(behind.asked)]
    assert all(pause > least for pause, least in zip(pauses[1:4], (0.1, 0.2, 0.2), strict=True))
