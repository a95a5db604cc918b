"""The memory store passes the conformance suite, and refuses to travel."""

import contextlib
import itertools
import os
import pickle
import threading

import pytest

from databroker.documents.identity import CLOSED_BY
from databroker.stores.memory import MemoryStore
from databroker.testing import StoreConformance, answers, assert_identical, expected
from databroker.testing.conformance.base import insert_all, stop, whole_run
from databroker.testing.interrupting import interrupted_after


class TestMemoryStore(StoreConformance):
    def open_store(self):
        return MemoryStore()


def test_it_refuses_to_be_pickled_and_names_an_alternative():
    with pytest.raises(TypeError, match=r"cannot be pickled.*SQLite"):
        pickle.dumps(MemoryStore())


def test_two_memory_stores_share_nothing():
    one, other = MemoryStore(), MemoryStore()
    one.insert("start", {"uid": "a", "time": 1.0})
    assert other.record("a") is None


PROVISIONAL = stop(**{"uid": "provisional", CLOSED_BY: {"user": "somebody"}})


@pytest.mark.parametrize("place", [*range(len(whole_run())), -1])
def test_an_insert_interrupted_after_any_call_is_whole_or_not_there(place):
    documents = whole_run()
    for calls in itertools.count():
        store = MemoryStore()
        insert_all(store, documents[:place])
        if place == -1:
            store.insert("stop", PROVISIONAL)
        before = answers(store, documents)
        interrupted = interrupted_after(calls, KeyboardInterrupt)
        with contextlib.suppress(KeyboardInterrupt), interrupted as struck:
            store.insert(*documents[place])
        if answers(store, documents) != before:
            fresh = MemoryStore()
            insert_all(fresh, documents[: place + 1 or None])
            assert_identical(answers(store, documents), answers(fresh, documents))
        insert_all(store, documents)
        assert_identical(answers(store, documents), expected(documents))
        if not struck:
            return
    raise AssertionError("it has no end")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_fork_waits_for_what_another_thread_is_storing():
    store, holds, go_on = MemoryStore(), threading.Event(), threading.Event()

    def hold():
        with store._lock:
            holds.set()
            go_on.wait(0.1)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(60)
    number = os.fork()
    if number == 0:
        os._exit(0 if store._lock.acquire(timeout=1) else 1)
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0
