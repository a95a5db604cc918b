"""One stream of many runs at once: its rows are those of each run."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ...columns import ALL, Selection
from ...documents.kinds import stream_name
from ...stores.base import Store
from .. import strategies
from ..reference import read_rows
from ..streams import Documents
from .base import Base, descriptor, event, event_page, insert_all, quick, start, stop

Row = dict[str, Any]


def _small_run(number: int) -> Documents:
    uid, owner = f"run {number}", f"desc {number}"
    events = [("event", event(n, owner)) for n in range(number % 4)]
    ended = [("stop", stop(uid))] if number % 5 else []
    opening = [("start", start(uid, 1.5e9 + number)), ("descriptor", descriptor(owner, uid))]
    return [*opening, *events, *ended]


class ManyRuns(Base):
    """Reading a stream of many runs."""

    def assert_many(
        self, store: Store, runs: list[str], stream: str, selection: Selection = ALL
    ) -> int:
        """Fail unless many runs read at once are as each of them; return how many were together."""
        from ...columns import to_rows

        asked: list[str] = []
        together = 0
        for page in store.read_many(iter(runs), stream, selection):
            asked += page.runs
            seen = [run for alike in page.alike for run in alike.runs] + page.apart
            assert len(set(seen)) == len(seen)
            assert set(seen) <= set(page.runs)
            for run in set(page.runs) - set(seen):
                assert self._descriptors(store, run, stream) == []
            for alike in page.alike:
                together += len(alike.runs)
                first = 0
                for run, size in zip(alike.runs, alike.sizes, strict=True):
                    (one,) = self._descriptors(store, run, stream)
                    assert list(one["data_keys"]) == list(alike.data_keys)
                    self.assert_kept(alike.data_keys, one["data_keys"])
                    batch = None if alike.batch is None else alike.batch.slice(first, size)
                    found = [] if batch is None else to_rows("event", one["uid"], batch)
                    first += size
                    self.assert_kept(found, self._rows(store, one["uid"], selection))
                assert first == (0 if alike.batch is None else alike.batch.num_rows)
        assert asked == runs
        return together

    def _descriptors(self, store: Store, run: str, stream: str) -> list[Row]:
        documents = store.documents(run, ["descriptor"])
        return [doc for _, doc in documents if stream_name(doc) == stream]

    def _rows(self, store: Store, owner: str, selection: Selection) -> list[Row]:
        return read_rows(store, "event", owner, 0, None, selection)

    def test_runs_that_are_alike_are_read_together(self, store: Store) -> None:
        count = self.many(15)
        runs = [_small_run(number) for number in range(count)]
        insert_all(store, [document for run in runs for document in run])
        uids = [f"run {number}" for number in range(count)][::-1]
        ended = [f"run {number}" for number in range(count) if number % 5]
        assert self.assert_many(store, ended, "primary") == len(ended)
        self.assert_many(store, uids, "primary")
        self.assert_many(store, uids, "primary", Selection(frozenset({"x"})))
        self.assert_many(store, uids, "primary", Selection())
        assert self.assert_many(store, uids, "nothing") == 0
        assert list(store.read_many([], "primary", ALL)) == []

    def test_what_descriptors_say_is_read_without_rows(self, store: Store) -> None:
        insert_all(store, [document for number in (6, 7) for document in _small_run(number)])
        (page,) = store.read_many(["run 6", "run 7", "none"], "primary", None)
        (alike,) = page.alike
        assert (alike.runs, alike.batch, page.apart) == (["run 6", "run 7"], None, [])
        assert list(alike.data_keys) == ["x"]

    def test_very_many_runs_come_in_pages(self, store: Store) -> None:
        numbers = [number for number in range(self.many(640)) if number % 5]
        store.insert_many(document for number in numbers for document in _small_run(number))
        asked = [f"run {number}" for number in numbers]
        pages = list(store.read_many(asked, "primary", Selection(frozenset({"x"}))))
        assert [run for page in pages for run in page.runs] == asked
        sizes = {
            run: size
            for page in pages
            for alike in page.alike
            for run, size in zip(alike.runs, alike.sizes, strict=True)
        }
        assert sizes == {f"run {number}": number % 4 for number in numbers}

    def test_runs_that_there_are_not_have_no_rows(self, store: Store) -> None:
        insert_all(store, _small_run(1))
        assert self.assert_many(store, ["none", "run 1", "nor \x00\ud800"], "primary") == 1

    def test_unlike_runs_and_those_in_many_parts(self, store: Store) -> None:
        insert_all(store, [*_small_run(1), *_small_run(6)])
        pages: Documents = [("start", start("paged")), ("descriptor", descriptor("p", "paged"))]
        for first in (0, 10, 20):
            pages.append(("event_page", event_page(range(first, first + 10), "p")))
        insert_all(store, [*pages, ("stop", stop("paged"))])
        for name in ("one", "two"):
            document = descriptor(name, "twice") | {"configuration": {name: {}}}
            insert_all(store, [("descriptor", document), ("event", event(1, name))])
        insert_all(store, [("start", start("twice")), ("stop", stop("twice"))])
        insert_all(store, [("start", start("wide")), ("descriptor", descriptor("w", "wide", "y"))])
        insert_all(store, [("event", event(n, "w", y=[n, "\x00"])) for n in range(3)])
        insert_all(store, [("start", start("long")), ("descriptor", descriptor("l", "long"))])
        store.insert("event_page", event_page(range(5000), "l"))
        runs = ["run 6", "wide", "twice", "long", "paged", "run 1"]
        assert self.assert_many(store, runs, "primary") >= 2

    @quick(10)
    @given(
        some=st.lists(strategies.runs(), max_size=2), selection=st.sampled_from((ALL, Selection()))
    )
    def test_any_runs_read_at_once(self, some: list[Documents], selection: Selection) -> None:
        with closing(self.open_store()) as store:
            for run in some:
                insert_all(store, run)
            uids = [doc["uid"] for run in some for kind, doc in run if kind == "start"]
            for stream in ("primary", "baseline"):
                self.assert_many(store, uids, stream, selection)
