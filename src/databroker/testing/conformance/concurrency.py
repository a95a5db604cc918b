"""One store used from several threads at once."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

import pytest

from ...columns import ALL, Selection, to_rows
from ...columns.batches import values_of
from ...query.nodes import Everything
from ...stores.base import Store
from ...stores.rows import batches_of
from ..reference import read_rows
from .base import (
    Base,
    descriptor,
    event,
    event_page,
    insert_all,
    start,
    stop,
    whole_run,
)

WRITERS = 4


def _together(jobs: list[Callable[[], Any]]) -> None:
    """Run jobs at once, each in a thread of its own, and raise what they raise."""
    ready = threading.Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> None:
        ready.wait(60)
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(run, job) for job in jobs]:
            future.result()


class Sharing(Base):
    """Threads."""

    def test_threads_write_streams_of_one_run(self, store: Store) -> None:
        store.insert("start", start())

        def write(owner: str) -> None:
            store.insert("descriptor", descriptor(owner) | {"name": owner})
            for number in range(0, 150, 3):
                store.insert("event", event(number, owner))
                store.insert("event_page", event_page(range(number + 1, number + 3), owner))

        owners = [f"d{number}" for number in range(WRITERS)]
        _together([partial(write, owner) for owner in owners])
        store.insert("stop", stop())
        for owner in owners:
            wanted = [event(number, owner) for number in range(150)]
            self.assert_kept(read_rows(store, "event", owner), wanted)
        assert sorted(doc["uid"] for _, doc in store.documents("run")) == owners

    def test_threads_write_one_stream(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])

        def write(first: int) -> None:
            for number in range(first, first + 100):
                store.insert("event", event(number))

        _together([partial(write, first) for first in range(0, 100 * WRITERS, 100)])
        rows = read_rows(store, "event", "desc")
        assert sorted(row["seq_num"] for row in rows) == list(range(100 * WRITERS))
        for first in range(0, 100 * WRITERS, 100):
            mine = [row["seq_num"] for row in rows if first <= row["seq_num"] < first + 100]
            assert mine == list(range(first, first + 100))

    def test_threads_write_runs_of_their_own(self, store: Store) -> None:
        uids = [f"run {number}" for number in range(10 * WRITERS)]

        def write(mine: list[str]) -> None:
            for uid in mine:
                insert_all(store, whole_run(uid))

        _together([partial(write, uids[n::WRITERS]) for n in range(WRITERS)])
        found = [run.uid for run in store.find(Everything())]
        assert sorted(found) == sorted(uids)
        for n in range(WRITERS):
            mine = uids[n::WRITERS]
            assert [uid for uid in found if uid in mine] == mine[::-1]
        for uid in uids:
            record = store.record(uid)
            assert record is not None
            assert record.stop is not None
            assert len(read_rows(store, "event", f"{uid}-desc")) == 3

    def test_one_run_delivered_by_all_threads_is_kept_once(self, store: Store) -> None:
        run = [pair for uid in ("a", "b", "c", "d") for pair in whole_run(uid)]
        _together([partial(insert_all, store, run)] * WRITERS)
        self.assert_holds(store, run)

    def test_readers_see_a_consistent_run_while_it_is_written(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        done = threading.Event()
        count = self.many_rows(600)

        def write() -> None:
            try:
                for number in range(count):
                    store.insert("event", event(number))
                store.insert("stop", stop())
            finally:
                done.set()

        def read() -> None:
            seen = 0
            while not done.is_set():
                rows = read_rows(store, "event", "desc")
                assert [row["seq_num"] for row in rows] == list(range(len(rows)))
                assert len(rows) >= seen
                seen = len(rows)
                assert [run.uid for run in store.find(Everything())] == ["run"]

        _together([write, read, read])
        assert len(read_rows(store, "event", "desc")) == count

    def test_many_runs_are_read_while_they_are_written(self, store: Store) -> None:
        uids = [f"run {number}" for number in range(4)]
        done = threading.Event()

        def write() -> None:
            try:
                for uid in uids:
                    insert_all(store, [("start", start(uid)), ("descriptor", descriptor(uid, uid))])
                    for first in range(0, 60, 3):  # as blocks, which are merged meanwhile
                        store.insert("event_page", event_page(range(first, first + 3), uid))
                    store.insert("stop", stop(uid))
            finally:
                done.set()

        def read() -> dict[str, int]:
            seen: dict[str, int] = {}
            for page in store.read_many(uids, "primary", Selection()):
                for alike in page.alike:
                    numbers = [] if alike.batch is None else values_of(alike.batch, "seq_num")
                    assert numbers == list(chain.from_iterable(map(range, alike.sizes)))
                    seen.update(zip(alike.runs, alike.sizes, strict=True))
            return seen

        def watch() -> None:
            before: dict[str, int] = {}
            while not done.is_set():
                seen = read()
                assert all(seen.get(uid, 60) >= size for uid, size in before.items())
                before = seen

        _together([write, watch])
        assert read() == dict.fromkeys(uids, 60)

    def test_rows_read_bit_by_bit_are_neither_repeated_nor_skipped(self, store: Store) -> None:
        """While events move from where they arrive to where they stay."""
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        count = self.many_rows(1500)
        wanted = [event(number) for number in range(count)]
        insert_all(store, [("event", each) for each in wanted[: count // 2]])
        extents = store.extents("event", "desc")
        batches = batches_of(store, "event", "desc", ALL)
        begun = [next(batches)]
        insert_all(store, [("event", each) for each in wanted[count // 2 :]])
        store.insert("stop", stop())
        pages = (
            batch
            for extent in extents
            for row in range(0, extent.rows, 64)
            for batch in store.read("event", extent, ALL, (row, min(row + 64, extent.rows)))
        )
        for read in (chain(begun, batches), pages):
            rows = [row for batch in read for row in to_rows("event", "desc", batch)]
            self.assert_kept(rows, wanted[: count // 2])
        self.assert_kept(read_rows(store, "event", "desc"), wanted)

    def test_a_shared_store_pickles_as_its_configuration(self, store: Store) -> None:
        insert_all(store, whole_run())
        if not store.capabilities.shared:
            # Only a store that no other process could reach may refuse, saying so.
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(store)
            return
        again: Store = pickle.loads(pickle.dumps(store))
        try:
            assert type(again) is type(store)
            self.assert_holds(again, whole_run())
        finally:
            again.close()
