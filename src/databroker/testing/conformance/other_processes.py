"""A store that is shared with other processes: they see each other's runs, and may be killed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import Any

import pytest

from ...columns import ALL, to_rows
from ...documents.encode import same
from ...query.nodes import Everything
from ...stores.base import Store
from ..reference import answers, expected, read_rows
from .base import Base, descriptor, event, event_page, insert_all, start, stop, whole_run
from .elsewhere import Elsewhere, deliver, look, seq_nums_of, uids_found

Documents = list[tuple[str, dict[str, Any]]]


def _together(store: Store, deliveries: list[Documents]) -> None:
    """Let each delivery be made at once by a process of its own."""
    with ExitStack() as stack:
        others = [stack.enter_context(Elsewhere(store)) for _ in deliveries]
        for other, documents in zip(others, deliveries, strict=True):
            other.begin(deliver, documents)
        for other, documents in zip(others, deliveries, strict=True):
            assert len(list(other.answers())) == len(documents)


class OtherProcesses(Base):
    """Two processes at once, and one that is killed."""

    def test_another_process_sees_a_run_in_progress_at_its_next_look(self, live: Store) -> None:
        with Elsewhere(live) as other:

            def seen() -> Any:
                return other.ask(look, "run", "desc")

            assert seen() == [(False, False), [], []]
            live.insert("start", start())
            assert seen() == [(True, False), [], []]
            live.insert("descriptor", descriptor())
            for number in range(5):
                live.insert("event", event(number))
                assert seen() == [(True, False), ["desc"], list(range(number + 1))]
            live.insert("event_page", event_page(range(5, 15)))
            assert seen() == [(True, False), ["desc"], list(range(15))]
            insert_all(live, [("event", event(number)) for number in range(15, 300)])
            assert seen() == [(True, False), ["desc"], list(range(300))]
            live.insert("event_page", event_page(range(300, 2200)))
            live.insert("stop", stop())
            assert seen() == [(True, True), ["desc"], list(range(2200))]

    def test_this_process_sees_what_another_one_writes(self, shared: Store) -> None:
        insert_all(shared, whole_run("here"))
        with Elsewhere(shared) as other:
            assert other.ask(uids_found) == ["here"]
            other.ask(deliver, whole_run("there"))
            self.assert_holds(shared, [*whole_run("here"), *whole_run("there")])

    def test_two_processes_write_runs_of_their_own_while_readers_read(self, live: Store) -> None:
        names = [[f"{name}{number}" for number in range(6)] for name in "ab"]
        deliveries = [[pair for uid in uids for pair in whole_run(uid)] for uids in names]
        done = threading.Event()

        def read() -> None:
            before: list[str] = []
            while not done.is_set():
                runs = list(live.find(Everything()))
                uids = [run.uid for run in runs]
                assert [uid for uid in uids if uid in before] == before
                before = uids
                for run in runs[:3]:
                    rows = read_rows(live, "event", f"{run.uid}-desc")
                    assert [row["seq_num"] for row in rows] == [1, 2, 3][: len(rows)]

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            try:
                _together(live, deliveries)
            finally:
                done.set()
            for reader in readers:
                reader.result()
        arrived = [run.uid for run in live.find(Everything())][::-1]
        assert sorted(arrived) == sorted(names[0] + names[1])
        self.assert_holds(live, [pair for uid in arrived for pair in whole_run(uid)])

    def test_one_run_delivered_by_two_processes_at_once_is_kept_once(self, shared: Store) -> None:
        run = [*whole_run("a"), ("start", start("b")), ("descriptor", descriptor("d", "b"))]
        run += [("event", event(number, "d")) for number in range(150)]
        run += [("event_page", event_page(range(n, n + 20), "d")) for n in range(150, 310, 20)]
        run += [("stop", stop("b")), *whole_run("c")]
        _together(shared, [run, run])
        rows = read_rows(shared, "event", "d")
        assert sorted(row["seq_num"] for row in rows) == list(range(310))
        found, wanted = answers(shared, run), expected(run)
        for each in (found, wanted):  # either process may have been first with a row
            each["rows"] = {
                name: sorted(rows, key=lambda row: str(row.get("uid", row.get("datum_id"))))
                for name, rows in each["rows"].items()
            }
        self.assert_kept(found, wanted)

    def test_two_processes_write_one_stream(self, shared: Store) -> None:
        insert_all(shared, [("start", start()), ("descriptor", descriptor())])
        deliveries = []
        count = self.many_rows(600)
        paged = range(0, count, count // 6)
        for first in (0, count):
            events: Documents = [("event", event(number)) for number in range(first, first + count)]
            for place in paged:
                begin = 10_000 + 10 * (first + place)
                events.insert(place, ("event_page", event_page(range(begin, begin + 5))))
            deliveries.append(events)
        _together(shared, deliveries)
        numbers = [row["seq_num"] for row in read_rows(shared, "event", "desc")]
        assert len(set(numbers)) == len(numbers) == 2 * (count + 5 * len(paged))
        for first in (0, count):
            mine = [number for number in numbers if first <= number < first + count]
            assert mine == list(range(first, first + count))

    def test_a_search_begun_before_others_write_is_bounded_by_what_existed(
        self, shared: Store
    ) -> None:
        count = self.many(300)
        for number in range(count):
            shared.insert("start", start(f"{number:03}", 1e9 + number))
        runs = uids_found(shared)
        found = [next(runs)]
        newer = [("start", start(f"new {number}", 1e9 + count + number)) for number in range(10)]
        older = [("start", start(f"old {number}", 1e9 - number)) for number in range(10)]
        with Elsewhere(shared) as other:
            other.ask(deliver, [*newer, *older])
        assert [*found, *runs] == [f"{number:03}" for number in range(count - 1, -1, -1)]

    def test_extents_are_read_by_another_process_and_while_it_goes_on(self, live: Store) -> None:
        """Each row once, though rows are moved between two pages."""
        insert_all(live, [("start", start()), ("descriptor", descriptor())])
        insert_all(live, [("event", event(number)) for number in range(200)])
        extents = live.extents("event", "desc")
        rows = []
        with Elsewhere(live) as other:
            assert other.ask(seq_nums_of, extents) == list(range(200))
            for extent in extents:
                for low in range(0, extent.rows, 50):
                    high = min(low + 50, extent.rows)
                    for batch in live.read("event", extent, ALL, (low, high)):
                        rows += to_rows("event", "desc", batch)
                    first = 1000 + 100 * len(rows)
                    more = [("event", event(number)) for number in range(first, first + 30)]
                    other.ask(
                        deliver, [*more, ("event_page", event_page(range(-first, -first + 30)))]
                    )
            other.ask(deliver, [("stop", stop())])
            assert other.ask(seq_nums_of, extents) == list(range(200))
        self.assert_kept(rows, [event(number) for number in range(200)])

    @pytest.mark.parametrize("after", [0, 9, 20, 27])
    def test_what_a_killed_process_had_inserted_is_there(self, shared: Store, after: int) -> None:
        self.assert_survives(shared, [*whole_run("a"), *whole_run("b")], after)

    @pytest.mark.parametrize("after", [40, 290])
    def test_events_that_a_killed_process_had_inserted_are_there(
        self, shared: Store, after: int
    ) -> None:
        run: Documents = [("start", start()), ("descriptor", descriptor())]
        run += [("event", event(number)) for number in range(300)]
        self.assert_survives(shared, [*run, ("stop", stop())], after)

    def assert_survives(self, store: Store, documents: Documents, after: int) -> None:
        """Kill a process that inserts documents; fail if any is lost, or half there."""
        with Elsewhere(store) as other:
            other.begin(deliver, documents)
            told = list(islice(other.answers(), after))
            other.kill()
            acknowledged = len([*told, *other.answers()])
        assert acknowledged >= after
        found = answers(store, documents)
        # The one after the last may have been inserted, though nobody was told.
        if not same(found, expected(documents[: acknowledged + 1])):
            self.assert_kept(found, expected(documents[:acknowledged]))
        insert_all(store, documents)  # what remembers them delivers them again
        self.assert_holds(store, documents)
