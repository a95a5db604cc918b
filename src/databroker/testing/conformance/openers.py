"""A store that is shared: opened again, and by two at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ...columns import ALL, to_rows
from ...errors import ConflictingDocument, StoreIsReadOnly, StoreUnavailable
from ...query.nodes import Everything
from ...stores.base import Store
from .. import strategies
from ..reference import read_rows
from ..streams import Documents
from .base import Base, descriptor, event, event_page, insert_all, quick, start, stop, whole_run


class Openers(Base):
    """Reopening, two openers in one process, closing, and opening for reading only."""

    @contextmanager
    def opened_again(self, store: Store) -> Iterator[Store]:
        """Close a store, and give what it holds, opened anew."""
        with closing(self.reopen(store)) as again:
            yield again

    @pytest.mark.parametrize("documents", [1, 3, 7, 11, len(whole_run())])
    def test_what_was_inserted_is_there_when_it_is_opened_again(
        self, shared: Store, documents: int
    ) -> None:
        run = whole_run()
        insert_all(shared, run[:documents])
        with self.opened_again(shared) as again:
            self.assert_holds(again, run[:documents])
            insert_all(again, run)  # as a resumed copy does, from the beginning
            self.assert_holds(again, run)

    @quick(15)
    @given(runs=st.lists(strategies.runs(), min_size=1, max_size=2))
    def test_any_runs_are_there_when_it_is_opened_again(self, runs: list[Documents]) -> None:
        store = self.open_store()
        if not store.capabilities.shared:
            store.close()
            pytest.skip("it cannot be opened again")
        documents = [pair for run in runs for pair in run]
        insert_all(store, documents)
        with self.opened_again(store) as again:
            self.assert_holds(again, documents)

    def test_identities_are_known_when_it_is_opened_again(self, shared: Store) -> None:
        insert_all(shared, whole_run())
        with self.opened_again(shared) as again:
            for kind, doc in [
                ("start", start("run", sample="another")),
                ("descriptor", descriptor("run-desc", "run", "another")),
                ("event", event(1, "run-desc", x="another")),
                ("datum", {"datum_id": "run-res/0", "resource": "run-res", "datum_kwargs": {}}),
                ("stop", stop("run", exit_status="another")),
            ]:
                with pytest.raises(ConflictingDocument):
                    again.insert(kind, doc)
            self.assert_holds(again, whole_run())

    def test_runs_stay_in_their_order_when_it_is_opened_again(self, shared: Store) -> None:
        for number in range(6):
            shared.insert("start", start(f"{number}", 1e9 + number % 2))
        found = list(shared.find(Everything()))
        with self.opened_again(shared) as again:
            assert list(again.find(Everything())) == found
            assert list(again.find(Everything(), after=found[2].cursor)) == found[3:]
            again.insert("start", start("last", 1e9 + 1))
            assert next(again.find(Everything())).uid == "last"

    def test_a_second_opener_sees_each_document_at_its_next_look(self, live: Store) -> None:
        run = whole_run()
        with closing(self.second(live)) as other:
            assert other.capabilities == live.capabilities
            for number, (kind, doc) in enumerate(run, 1):
                live.insert(kind, doc)
                self.assert_holds(other, run[:number])
            insert_all(other, whole_run("b"))
            self.assert_holds(live, [*run, *whole_run("b")])

    def test_two_openers_write_one_stream_by_turns(self, live: Store) -> None:
        insert_all(live, [("start", start()), ("descriptor", descriptor())])
        wanted = []
        with closing(self.second(live)) as other:
            for number, store in zip(range(0, 300, 3), [live, other, other] * 99, strict=False):
                store.insert("event", event(number))
                store.insert("event_page", event_page(range(number + 1, number + 3)))
                wanted += [event(each) for each in range(number, number + 3)]
            for store in (live, other):
                self.assert_kept(read_rows(store, "event", "desc"), wanted)

    def test_one_run_delivered_to_two_openers_by_turns_is_kept_once(self, live: Store) -> None:
        run = whole_run()
        with closing(self.second(live)) as other:
            for number, (kind, doc) in enumerate(run):
                for store in (live, other)[:: 1 if number % 2 else -1]:
                    store.insert(kind, doc)
            for store in (live, other):
                self.assert_holds(store, run)

    def test_extents_of_one_opener_are_read_by_another_while_rows_move(self, live: Store) -> None:
        """And pages of them are neither repeated nor skipped."""
        insert_all(live, [("start", start()), ("descriptor", descriptor())])
        insert_all(live, [("event", event(number)) for number in range(500)])
        extents = live.extents("event", "desc")
        rows = []
        with closing(self.second(live)) as other:
            for number, extent in enumerate(extents):
                for low in range(0, extent.rows, 100):
                    high = min(low + 100, extent.rows)
                    for batch in other.read("event", extent, ALL, (low, high)):
                        rows += to_rows("event", "desc", batch)
                    later = 10_000 * (number + 1) + low
                    live.insert("event_page", event_page(range(later, later + 40)))
                    live.insert("event", event(later + 50))
            live.insert("stop", stop())
            for extent in extents:
                for batch in other.read("event", extent, ALL):
                    rows += to_rows("event", "desc", batch)
        self.assert_kept(rows, [event(number) for number in range(500)] * 2)

    def test_what_is_inserted_is_outside_of_the_store(self, live: Store) -> None:
        if self.raw(live) is None:
            pytest.skip("there is no other way to look into it")
        for uid in ("a", "b"):
            insert_all(live, whole_run(uid))
            assert self.raw(live) == {run.uid for run in live.find(Everything())}

    def test_closing_twice_is_harmless_and_use_afterwards_is_refused(self, shared: Store) -> None:
        insert_all(shared, whole_run())
        shared.close()
        shared.close()
        for use in (
            lambda: shared.insert("start", start("late")),
            lambda: shared.record("run"),
            lambda: list(shared.find(Everything())),
            lambda: shared.count(Everything()),
            lambda: list(shared.documents("run")),
            lambda: read_rows(shared, "event", "run-desc"),
        ):
            with pytest.raises(StoreUnavailable, match="closed"):
                use()

    @pytest.mark.parametrize("trial", range(3))
    def test_closing_while_threads_read_and_write_ends_them_clearly(
        self, shared: Store, trial: int
    ) -> None:
        insert_all(shared, [("start", start()), ("descriptor", descriptor())])
        numbers = count()
        jobs: list[Callable[[], object]] = [
            lambda: shared.insert("event", event(next(numbers))),
            lambda: read_rows(shared, "event", "desc"),
            lambda: list(shared.find(Everything())),
            lambda: shared.insert("start", start(f"run {next(numbers)}")),
        ]
        with ThreadPoolExecutor(len(jobs)) as pool:
            working = [pool.submit(_again_and_again, job) for job in jobs]
            time.sleep(0.05)
            with self.opened_again(shared) as again:
                for each in working:
                    with pytest.raises(StoreUnavailable, match="closed"):
                        each.result(60)
                rows = read_rows(again, "event", "desc")
                assert len({row["uid"] for row in rows}) == len(rows)

    def test_opened_for_reading_only_it_is_read_and_not_written(self, shared: Store) -> None:
        insert_all(shared, whole_run())
        reader = self.open_read_only(shared)
        if reader is None:
            pytest.skip("it cannot be opened for reading only")
        with closing(reader):
            assert not reader.capabilities.writable
            self.assert_holds(reader, whole_run())
            with pytest.raises(StoreIsReadOnly):
                reader.insert("start", start("new"))
            with pytest.raises(StoreIsReadOnly):
                reader.insert_many([("start", start("new"))])
            insert_all(shared, whole_run("b"))
            self.assert_holds(reader, [*whole_run(), *whole_run("b")])
            assert reader.record("new") is None


def _again_and_again(job: Callable[[], object]) -> NoReturn:
    while True:
        job()
