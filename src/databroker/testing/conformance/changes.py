"""That something new is there is noticed, whoever stored it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing

import pytest

from ...stores.base import Store
from .base import Base, insert_all, start, whole_run

LONG = 60.0
"""Seconds that nothing takes."""


class Changes(Base):
    """State, and waiting for another one."""

    def test_the_state_is_another_one_after_each_document(self, store: Store) -> None:
        for kind, doc in whole_run():
            before = store.state()
            store.insert(kind, doc)
            assert store.state() != before, kind

    def test_the_state_stays_while_nothing_is_stored(self, store: Store) -> None:
        insert_all(store, whole_run())
        # Others may use the server of a store at this very moment, but not all the time.
        assert any(store.state() == store.state() for _ in range(50))
        assert any(not store.wait_for_changes(store.state(), 0.01) for _ in range(50))

    def test_the_newest_run_says_as_much(self, store: Store) -> None:
        before = Store.state(store)
        for kind, doc in whole_run():
            store.insert(kind, doc)
            if kind not in ("datum", "datum_page", "bulk_datum"):  # which may be nobody's
                assert Store.state(store) != before, kind
            before = Store.state(store)
        assert Store.state(store) == before

    def test_what_came_since_is_seen_at_once(self, store: Store) -> None:
        before = store.state()
        store.insert("start", start())
        begun = time.monotonic()
        assert store.wait_for_changes(before, LONG)
        assert time.monotonic() - begun < LONG / 2

    def test_the_runs_that_came_since_a_mark_are_told(self, store: Store) -> None:
        assert store.uids_since(None) == ([], None)
        assert store.newest_mark() is None
        insert_all(store, [("start", start(uid)) for uid in ("a", "b")])
        every = store.uids_since(None)
        assert every is not None
        assert sorted(every[0]) == ["a", "b"]
        mark = json.loads(json.dumps(every[1]))
        insert_all(store, [*whole_run("c"), ("start", start("d", 1.0))])
        news = store.uids_since(mark)
        assert news is not None
        assert sorted(news[0]) == (["c", "d"] if mark else ["a", "b", "c", "d"])
        if mark:
            assert store.uids_since(news[1]) == ([], news[1])
        newest = json.loads(json.dumps(store.newest_mark()))
        assert (newest is None) == (mark is None)
        store.insert("start", start("e"))
        if newest:
            news = store.uids_since(newest)
            assert news is not None
            assert news[0] == ["e"]

    def test_who_waits_is_told(self, store: Store) -> None:
        for kind, doc in whole_run():
            before = store.state()
            writer = threading.Timer(0.02, store.insert, (kind, doc))
            writer.start()
            assert store.wait_for_changes(before, LONG)
            writer.join()

    def test_what_others_store_is_seen(self, store: Store) -> None:
        if not store.capabilities.shared:
            pytest.skip("nobody else sees what this store holds")
        with closing(self.second(store)) as other:
            for kind, doc in whole_run():
                before = other.state()
                store.insert(kind, doc)
                assert other.wait_for_changes(before, LONG)
                assert other.state() != before, kind
