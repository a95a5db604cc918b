"""Finding runs: their order, uids and prefixes."""

from __future__ import annotations

import json
import math
import random
from itertools import product

import pytest

from ...query.nodes import Equals, Everything, Path, UidPrefix
from ...stores.base import RunRecord, Store
from .base import (
    Base,
    descriptor,
    event,
    event_page,
    insert_all,
    resource,
    start,
    stop,
    whole_run,
)


def _uids(store: Store) -> list[str]:
    return [run.uid for run in store.find(Everything())]


def _newest_first(starts: list[tuple[float, str]]) -> list[str]:
    """Return the uids by time, and of equal times the one that arrived last first."""
    arrived = enumerate(starts)
    ordered = sorted(arrived, key=lambda each: (each[1][0], each[0]), reverse=True)
    return [uid for _, (_, uid) in ordered]


ODD_TIMES = (
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-10,
    2e-10,
    -1.0,
    -1e9,
    1.5e9,
    math.nextafter(1.5e9, 2e9),
    math.nextafter(1.5e9, 0),
    1500000000,
    9.2e9,
    9.3e9,
    1e12,
    1e300,
    math.nextafter(1e300, 0),
    -1e300,
    -math.nextafter(1e300, 0),
    2**63,
    2**63 - 1,
    2**70 + 1,
    2.0**70,
    2**53 + 1,
    2.0**53,
    1.7976931348623157e308,
)


class Finding(Base):
    """``find`` and what stands beside it."""

    def test_an_empty_store_answers(self, store: Store) -> None:
        assert _uids(store) == []
        assert store.count(Everything()) == 0
        assert store.record("a") is None
        assert store.resolve("", 10) == []
        assert list(store.documents("a")) == []

    def test_runs_come_newest_first(self, store: Store) -> None:
        starts = [(1.5e9 + number * 0.1, f"{number}") for number in range(self.many(300))]
        random.Random(1).shuffle(starts)
        for time, uid in starts:
            store.insert("start", start(uid, time))
        assert _uids(store) == _newest_first(starts)
        assert store.count(Everything()) == len(starts)

    def test_of_runs_of_one_time_the_last_to_arrive_is_newest(self, store: Store) -> None:
        starts = [(1.5e9, f"{number:03}") for number in range(self.many(700))]
        random.Random(2).shuffle(starts)
        for time, uid in starts:
            store.insert("start", start(uid, time))
        assert _uids(store) == _newest_first(starts)

    def test_a_start_that_comes_again_keeps_its_place(self, store: Store) -> None:
        for uid in ("b", "c", "a", "b", "c"):
            store.insert("start", start(uid))
        store.insert("stop", stop("b"))
        assert _uids(store) == ["a", "c", "b"]

    def test_many_ties_among_other_times_come_by_arrival(self, store: Store) -> None:
        number = random.Random(3)
        times = [1.5e9, math.nextafter(1.5e9, 2e9), 1.5e9 + 1e-6, 1.4e9]
        starts = [
            (number.choice(times), f"{number.getrandbits(64):x}") for _ in range(self.many(600))
        ]
        for time, uid in starts:
            store.insert("start", start(uid, time))
        assert _uids(store) == _newest_first(starts)

    def test_uids_are_resolved_by_code_point(self, store: Store) -> None:
        uids = [
            "a",
            "A",
            "b",
            "é",
            "z",
            "\ud800",
            "\uffff",
            "\U0001f600",
            "a\x00",
            "a\x00b",
            "ab",
            " ",
        ]
        for uid in uids:
            store.insert("start", start(uid))
        assert _uids(store) == uids[::-1]
        assert store.resolve("", 99) == sorted(uids)

    def test_odd_times_are_ordered_exactly(self, store: Store) -> None:
        starts = [(time, f"{n % 7}-{n}") for n, time in enumerate(ODD_TIMES)]
        random.Random(4).shuffle(starts)
        for time, uid in starts:
            store.insert("start", start(uid, time))
        assert _uids(store) == _newest_first(starts)
        found = {run.uid: run.start["time"] for run in store.find(Everything())}
        self.assert_kept(
            found, {uid: dict(zip(*_columns(starts), strict=True))[uid] for uid in found}
        )

    def test_times_closer_than_a_nanosecond_are_ordered_exactly(self, store: Store) -> None:
        starts = [(n * 1e-11, f"{(n * 37) % 100:02}") for n in range(self.many(100))]
        random.Random(5).shuffle(starts)
        for time, uid in starts:
            store.insert("start", start(uid, time))
        assert _uids(store) == _newest_first(starts)

    def test_a_record_shows_the_run_as_it_is_now(self, store: Store) -> None:
        store.insert("start", start("a", sample="Ni"))
        assert store.record("a") == RunRecord("a", start("a", sample="Ni"), None)
        store.insert("stop", stop("a"))
        assert store.record("a") == RunRecord("a", start("a", sample="Ni"), stop("a"))
        assert list(store.find(Everything())) == [store.record("a")]

    def test_a_record_needs_the_whole_uid(self, store: Store) -> None:
        store.insert("start", start("abc"))
        for uid in ("ab", "", "ABC", "abc ", "abcd", "a%", "___", "abc\x00"):
            assert store.record(uid) is None

    def test_prefixes_are_taken_literally(self, store: Store) -> None:
        uids = ["a", "aa", "a%", "a%b", "axb", "a_c", "a_", "A", "Aa", "a\\b", "é", "éa", "e"]
        uids += [
            "\U0001f600x",
            "\U0001f601",
            "\U0010ffff",
            "ab*",
            "ab*c",
            "abc",
            "\x00",
            "\x00b",
            "[a]",
        ]
        for uid in uids:
            store.insert("start", start(uid))
        for prefix in ("", "a", "a%", "a_", "A", "a\\", "é", "\U0001f600", "ab*", "\x00"):
            wanted = sorted(uid for uid in uids if uid.startswith(prefix))
            assert store.resolve(prefix, 100) == wanted
            found = store.find(UidPrefix(prefix))
            assert sorted(run.uid for run in found) == wanted

    def test_a_prefix_gives_no_more_than_asked_for(self, store: Store) -> None:
        for number in range(30):
            store.insert("start", start(f"a{number:02}", 1.5e9 - number))
        assert store.resolve("a", 11) == [f"a{number:02}" for number in range(11)]
        assert store.resolve("a", 1) == ["a00"]
        assert store.resolve("b", 1) == []

    def test_documents_of_each_kind_come_in_order_of_arrival(self, store: Store) -> None:
        names = [("descriptor", "d1"), ("resource", "r1"), ("stream_resource", "s1")]
        names += [("resource", "r0"), ("descriptor", "d0"), ("stream_resource", "s0")]
        store.insert("start", start())
        for kind, uid in names:
            store.insert(
                kind, descriptor(uid) if kind == "descriptor" else resource(uid, run_start="run")
            )
        every = list(store.documents("run"))
        for kinds in (["descriptor"], ["stream_resource", "resource"], []):
            some = list(store.documents("run", kinds))
            assert some == [pair for pair in every if pair[0] in kinds]
        found = [(kind, doc["uid"]) for kind, doc in every]
        assert found == sorted(names, key=lambda pair: pair[0])

    def test_the_activity_is_the_newest_time_in_the_run(self, store: Store) -> None:
        store.insert("start", start("run", 10.0))
        assert store.activity("run").last_time == 10.0
        store.insert("descriptor", descriptor() | {"time": 12.0})
        assert store.activity("run").last_time == 12.0
        for time in (20.5, 15.0):
            store.insert("event", event(int(time)) | {"time": time})
        assert store.activity("run").last_time == 20.5
        store.insert("start", start("other", 99.0))
        assert store.activity("run").last_time == 20.5

    def test_the_activity_of_a_run_without_descriptor_times_is_known(self, store: Store) -> None:
        without_time = {key: value for key, value in descriptor().items() if key != "time"}
        insert_all(store, [("start", start("run", 10)), ("descriptor", without_time)])
        assert store.activity("run").last_time == 10

    @pytest.mark.parametrize("time", [-5.0, -1e300, 0, 2**63, 2**70, 1e300])
    def test_the_activity_of_a_run_at_an_odd_time_is_known(self, store: Store, time: float) -> None:
        insert_all(
            store, [("start", start("run", -1e301)), ("resource", resource(run_start="run"))]
        )
        insert_all(store, [("descriptor", descriptor() | {"time": -1e301})])
        page = {"resource": "res", "datum_id": ["res/1"], "datum_kwargs": {}}
        store.insert("datum_page", page)
        store.insert("event_page", event_page(range(2)) | {"time": [-1e302, time]})
        assert store.activity("run").last_time == time
        store.insert("event", event(5) | {"time": -1e302})
        assert store.activity("run").last_time == time

    def test_a_search_is_lazy_and_bounded_by_what_existed(self, store: Store) -> None:
        count = self.many(500)
        for number in range(count):
            store.insert("start", start(f"{number:03}", 1e9 + number))
        runs = store.find(Everything())
        found = [next(runs).uid]
        more = range(count, count + self.many(20))  # newer, older and in between
        for number in more:
            store.insert("start", start(f"{number:03}", 1e9 + 600))
            store.insert("start", start(f"old {number}", 1e9 - number))
            store.insert("start", start(f"between {number}", 1e9 + number - 0.8 * count - 0.5))
        found += [run.uid for run in runs]
        assert found == [f"{number:03}" for number in range(count - 1, -1, -1)]
        assert store.count(Everything()) == count + 3 * len(more)

    def test_a_search_left_open_does_not_block_writing(self, store: Store) -> None:
        count = self.many(300)
        for number in range(count):
            store.insert("start", start(f"{number:03}", 1e9 + number))
        left_open = [store.find(Everything()) for _ in range(5)]
        for each in left_open:
            next(each)
        insert_all(store, whole_run())
        self.assert_holds_run(store)
        for each in left_open:
            assert len(list(each)) == count - 1

    def assert_holds_run(self, store: Store) -> None:
        """Fail unless the small run of the suite is there."""
        record = store.record("run")
        assert record is not None
        assert record.stop is not None

    def test_each_search_is_a_fresh_one(self, store: Store) -> None:
        store.insert("start", start("a"))
        assert _uids(store) == ["a"]
        store.insert("start", start("b"))
        assert _uids(store) == ["b", "a"]

    def test_no_more_runs_are_found_than_asked_for(self, store: Store) -> None:
        for number in range(12):
            store.insert("start", start(f"{number:02}", 1e9 + number, odd=number % 2))
        odd = Equals(Path("odd"), 1)
        for query in (Everything(), odd):
            found = list(store.find(query))
            for limit in (0, 1, 3, 99):
                assert list(store.find(query, limit=limit)) == found[:limit]

    def test_pages_of_a_search_follow_each_other(self, store: Store) -> None:
        more = self.many(12)
        times = [*ODD_TIMES, *[1.5e9] * more, *(1e9 + number for number in range(more))]
        for number, time in enumerate(times):
            store.insert("start", start(f"{number:02}", time, odd=number % 2))
        asked = self.some([*product((2, 1, 5), (Equals(Path("odd"), 1), Everything()))])
        for size, query in asked:
            pages: list[list[RunRecord]] = [list(store.find(query, limit=size))]
            while len(pages[-1]) == size:
                # A cursor may have been away: in a file, or at another machine.
                cursor = json.loads(json.dumps(pages[-1][-1].cursor))
                pages.append(list(store.find(query, limit=size, after=cursor)))
            assert [run for page in pages for run in page] == list(store.find(query))

    def test_a_run_that_is_looked_up_has_the_cursor_of_one_that_is_found(
        self, store: Store
    ) -> None:
        for number in range(3):
            store.insert("start", start(str(number), 1e9 + number))
        record = store.record("1")
        assert record is not None
        assert [run.uid for run in store.find(Everything(), after=record.cursor)] == ["0"]

    def test_runs_that_come_between_two_pages_are_in_the_next_one_if_they_are_older(
        self, store: Store
    ) -> None:
        insert_all(store, [("start", start("a", 1e9)), ("start", start("c", 1e9 + 2))])
        (first,) = store.find(Everything(), limit=1)
        insert_all(store, [("start", start("b", 1e9 + 1)), ("start", start("d", 1e9 + 3))])
        found = [run.uid for run in store.find(Everything(), after=first.cursor)]
        assert found == ["b", "a"]


def _columns(starts: list[tuple[float, str]]) -> tuple[list[str], list[float]]:
    return [uid for _, uid in starts], [time for time, _ in starts]
