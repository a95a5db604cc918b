"""Several stores asked as one pass what of the suite of stores asks: whichever has which runs."""

import functools
import itertools
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.stores.federation import FederatedStore
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import strategies
from databroker.testing.conformance.base import (
    descriptor,
    event,
    insert_all,
    quick,
    start,
    stop,
)
from databroker.testing.conformance.changes import Changes
from databroker.testing.conformance.concurrency import Sharing
from databroker.testing.conformance.external import External
from databroker.testing.conformance.finding import Finding
from databroker.testing.conformance.late_parents import Orphans
from databroker.testing.conformance.many_runs import ManyRuns
from databroker.testing.conformance.openers import Openers
from databroker.testing.conformance.other_processes import OtherProcesses
from databroker.testing.conformance.roundtrip import Keeping
from databroker.testing.conformance.rows import Rows
from databroker.testing.conformance.searching import Searching
from helpers.federation import BothStore, SplitStore
from helpers.few_documents import FewDocuments


class Files:
    """New files of SQLite."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.paths = (tmp_path / f"{number}.db" for number in itertools.count())


ORDER = "of runs of one time, those of the first member come first, whenever they arrived"
RUNS = st.lists(strategies.runs(), min_size=2, max_size=3, unique_by=lambda run: run[0][1]["time"])


class Reading(
    FewDocuments,
    Files,
    Keeping,
    Rows,
    ManyRuns,
    External,
    Finding,
    Searching,
    Orphans,
    Sharing,
    Changes,
):
    """What is made of several members; what they take and refuse is tried with each store."""


class TestRunsAreSplit(Reading):
    gaps: ClassVar = {
        "test_threads_write_runs_of_their_own": ORDER,
        "test_one_run_delivered_by_all_threads_is_kept_once": ORDER,
        "test_of_runs_of_one_time_the_last_to_arrive_is_newest": ORDER,
        "test_a_start_that_comes_again_keeps_its_place": ORDER,
        "test_many_ties_among_other_times_come_by_arrival": ORDER,
        "test_uids_are_resolved_by_code_point": ORDER,
        "test_several_runs_are_kept_apart": ORDER,
        "test_runs_may_come_at_once_and_one_by_one_in_turns": ORDER,
        "test_what_descriptors_say_is_read_without_rows": "of each member there is a batch",
    }

    def open_store(self):
        return SplitStore({"a": SQLiteStore(next(self.paths)), "b": MemoryStore()}, write_to="b")

    @quick(12)
    @given(runs=RUNS)
    def test_any_runs_one_after_the_other_come_out_as_they_went_in(self, runs):
        tried = Keeping.test_any_runs_one_after_the_other_come_out_as_they_went_in
        tried.hypothesis.inner_test(self, runs)

    @quick(15)
    @given(runs=RUNS, twice=st.booleans())
    def test_any_runs_at_once_come_out_as_they_went_in(self, runs, twice):
        tried = Keeping.test_any_runs_at_once_come_out_as_they_went_in
        tried.hypothesis.inner_test(self, runs, twice)


class TestEachRunIsInBoth(Reading):
    def open_store(self):
        return BothStore({"a": MemoryStore(), "b": SQLiteStore(next(self.paths))}, write_to="b")


class TestOneOfTwoIsWritten(FewDocuments, Files, Sharing, Changes, Openers, OtherProcesses):
    """What concerns several openers and processes; what documents become is tried above."""

    def open_store(self):
        members = {name: functools.partial(SQLiteStore, next(self.paths)) for name in "ab"}
        return FederatedStore(members, write_to="b")


def test_rows_are_those_of_the_store_whose_the_run_is():
    complete, going_on = MemoryStore(), MemoryStore()
    for store, events in ((going_on, 3), (complete, 2)):
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        insert_all(store, [("event", event(number)) for number in range(1, events + 1)])
    complete.insert("stop", stop())
    store = FederatedStore({"going on": going_on, "complete": complete})
    (of_run,) = store.read_runs(["run"])
    found = store.extents("event", descriptor()["uid"])
    assert found == of_run.extents["event", descriptor()["uid"]]
    assert sum(extent.rows for extent in found) == 2
