"""Documents that go in come out, and the caller's own are left alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ...documents.kinds import ACCEPTED
from ...errors import InvalidDocument, LossyDocumentWarning, UnknownDescriptor
from ...stores.base import Store
from .. import strategies
from ..difference import assert_identical
from ..streams import Documents
from .base import (
    Base,
    descriptor,
    event,
    event_page,
    insert_all,
    quick,
    start,
    stop,
    whole_run,
)


def _spoil(value: Any) -> None:
    """Change whatever can be changed in a value, all the way down."""
    if isinstance(value, dict):
        for inner in value.values():
            _spoil(inner)
        value["spoilt"] = "yes"
    elif isinstance(value, list):
        for inner in value:
            _spoil(inner)
        value.append("spoilt")
    elif isinstance(value, np.ndarray) and value.dtype.kind in "fiu":
        value[...] = 77


class Keeping(Base):
    """Documents out equal documents in."""

    def test_it_says_that_it_can_be_written(self, store: Store) -> None:
        assert store.capabilities.writable

    def test_a_document_of_every_kind_comes_out_as_it_went_in(self, store: Store) -> None:
        run = whole_run()
        assert {kind for kind, _ in run} == set(ACCEPTED)
        insert_all(store, run)
        self.assert_holds(store, run)

    def test_several_runs_are_kept_apart(self, store: Store) -> None:
        runs = [pair for uid in ("a", "b", "c") for pair in whole_run(uid)]
        insert_all(store, runs)
        self.assert_holds(store, runs)

    def test_runs_that_overlap_are_kept_apart(self, store: Store) -> None:
        pairs = zip(whole_run("a"), whole_run("b"), strict=True)
        runs = [each for pair in pairs for each in pair]
        insert_all(store, runs)
        self.assert_holds(store, runs)

    @quick(30)
    @given(run=strategies.runs())
    def test_any_run_comes_out_as_it_went_in(self, run: Documents) -> None:
        store = self.open_store()
        try:
            before = copy.deepcopy(run)
            insert_all(store, run)
            assert_identical([list(pair) for pair in run], [list(pair) for pair in before])
            self.assert_holds(store, before)
        finally:
            store.close()

    @quick(12)
    @given(runs=st.lists(strategies.runs(), min_size=2, max_size=3))
    def test_any_runs_one_after_the_other_come_out_as_they_went_in(
        self, runs: list[Documents]
    ) -> None:
        store = self.open_store()
        try:
            documents = [pair for run in runs for pair in run]
            insert_all(store, documents)
            self.assert_holds(store, documents)
        finally:
            store.close()

    @quick(15)
    @given(runs=st.lists(strategies.runs(), min_size=1, max_size=3), twice=st.booleans())
    def test_any_runs_at_once_come_out_as_they_went_in(
        self, runs: list[Documents], twice: bool
    ) -> None:
        store = self.open_store()
        try:
            documents = [pair for run in runs for pair in run]
            store.insert_many(iter(documents * (1 + twice)))
            self.assert_holds(store, documents)
        finally:
            store.close()

    def test_runs_may_come_at_once_and_one_by_one_in_turns(self, store: Store) -> None:
        runs = [self._few_documents(uid) for uid in "abcd"]
        for at_once, one_by_one in zip(runs[::2], runs[1::2], strict=True):
            store.insert_many(at_once)
            insert_all(store, one_by_one)
        self.assert_holds(store, [pair for run in runs for pair in run])

    def test_of_many_at_once_that_begin_at_one_time_the_last_is_the_newest(
        self, store: Store
    ) -> None:
        late = ("descriptor", descriptor("late", "first"))  # it comes before its run
        documents = [late, ("start", start("first")), *self._few_documents("second")]
        store.insert_many(documents)
        self.assert_holds(store, documents)

    def _few_documents(self, uid: str) -> Documents:
        owner = f"{uid}-desc"
        documents = [("descriptor", descriptor(owner, uid)), ("event", event(1, owner))]
        return [("start", start(uid)), *documents, ("stop", stop(uid))]

    def test_of_many_at_once_those_before_a_refused_one_are_kept(self, store: Store) -> None:
        before, after = whole_run("a"), whole_run("c")
        with pytest.raises(UnknownDescriptor):
            store.insert_many([*before, ("event", event(1, "nobody's")), *after])
        self.assert_holds(store, before)
        with pytest.raises(InvalidDocument):
            store.insert_many([*after, ("start", {"uid": "b"}), *whole_run("b")])
        self.assert_holds(store, [*before, *after])

    def test_of_many_at_once_what_was_changed_is_told_also_before_a_refused_one(
        self, store: Store
    ) -> None:
        changed = ("start", start("odd", thing={1, 2}))
        with pytest.warns(LossyDocumentWarning), pytest.raises(UnknownDescriptor):
            store.insert_many([changed, ("event", event(1, "nobody's"))])

    def test_of_many_at_once_those_before_a_failure_of_their_source_are_kept(
        self, store: Store
    ) -> None:
        def source() -> Iterator[tuple[str, dict[str, Any]]]:
            yield from whole_run("a")
            raise OSError("the network is gone")

        with pytest.raises(OSError, match="network"):
            store.insert_many(source())
        self.assert_holds(store, whole_run("a"))

    @quick(15)
    @given(run=strategies.runs())
    def test_what_the_caller_does_to_a_document_later_changes_nothing(self, run: Documents) -> None:
        store = self.open_store()
        try:
            before = copy.deepcopy(run)
            for kind, doc in run:
                store.insert(kind, doc)
                _spoil(doc)
            self.assert_holds(store, before)
        finally:
            store.close()

    def test_what_the_caller_does_to_columns_of_a_page_changes_nothing(self, store: Store) -> None:
        array = np.arange(6.0).reshape(3, 2)
        page = event_page(range(1, 4)) | {"data": {"x": array}}
        run = [("start", start()), ("descriptor", descriptor()), ("event_page", page)]
        before = copy.deepcopy(run)
        insert_all(store, run)
        _spoil(page)
        self.assert_holds(store, before)

    def test_what_is_done_to_documents_handed_out_changes_nothing(self, store: Store) -> None:
        run = whole_run()
        insert_all(store, run)
        record = store.record("run")
        assert record is not None
        for doc in (
            record.start,
            record.stop,
            store.datum("run-res/0"),
            store.resource("run-res"),
            *(doc for _, doc in store.documents("run")),
        ):
            _spoil(doc)
        self.assert_holds(store, run)

    def test_documents_after_the_stop_are_kept(self, store: Store) -> None:
        early = [("start", start()), ("descriptor", descriptor()), ("event", event(1))]
        late = [
            ("event", event(2)),
            ("descriptor", descriptor("late")),
            ("event_page", event_page(range(1, 5), "late")),
            ("event", event(3)),
        ]
        insert_all(store, [*early, ("stop", stop()), *late])
        self.assert_holds(store, [*early, ("stop", stop()), *late])

    def test_a_run_in_progress_reads_like_any_other(self, store: Store) -> None:
        documents = whole_run()[:-1]
        for number in range(len(documents)):
            store.insert(*documents[number])
            self.assert_holds(store, documents[: number + 1])

    def test_large_metadata_is_kept(self, store: Store) -> None:
        doc = start(
            positions=[float(number) for number in range(100_000)],
            text="word " * 2_000_000,
            keys={f"key {number}": number for number in range(1_000)},
        ) | {f"top {number}": number for number in range(1_000)}
        store.insert("start", doc)
        self.assert_holds(store, [("start", doc)])

    @pytest.mark.parametrize(
        "uid", ["run", "ü\x00", "'; drop table runs; --", "a/b", "%", "\ud800"]
    )
    def test_uids_may_be_any_text(self, store: Store, uid: str) -> None:
        insert_all(store, whole_run(uid))
        self.assert_holds(store, whole_run(uid))

    def test_closing_twice_is_harmless(self, store: Store) -> None:
        insert_all(store, whole_run())
        store.close()
        store.close()
