"""SQLite and memory, given the same documents, answer every question alike."""

import itertools
from contextlib import ExitStack, closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.query.nodes import Everything
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import assert_same_answers, strategies
from databroker.testing.conformance.base import quick
from databroker.testing.questions import questions


@pytest.fixture(params=["usual limits", "small limits"])
def paths(tmp_path, request):
    """Return paths of new files, for SQLite as it is and with its limits met all the time."""
    if request.param == "small limits":
        request.getfixturevalue("small_limits")
    return (tmp_path / f"{number}.db" for number in itertools.count())


@quick(25)
@given(runs=st.lists(strategies.runs(), min_size=1, max_size=3), data=st.data())
def test_any_runs_read_and_search_alike(paths, runs, data):
    documents = [pair for run in runs for pair in run]
    starts = [doc for kind, doc in documents if kind == "start"]
    stops = [doc for kind, doc in documents if kind == "stop"]
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(s)) for s in (SQLiteStore(next(paths)), MemoryStore())
        ]
        for store in stores:
            for kind, doc in documents:
                store.insert(kind, doc)
        asked = data.draw(st.lists(questions(starts, stops), max_size=6))
        assert_same_answers(*stores, documents, asked)


@quick(20)
@given(starts=st.lists(strategies.starts(), min_size=2, max_size=8), data=st.data())
def test_any_searches_find_alike(paths, starts, data):
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(s)) for s in (SQLiteStore(next(paths)), MemoryStore())
        ]
        for store in stores:
            for doc in starts:
                store.insert("start", doc)
        for query in data.draw(st.lists(questions(starts), min_size=1, max_size=10)):
            one, other = ([run.uid for run in store.find(query)] for store in stores)
            assert one == other, query
            assert stores[0].count(query) == len(other), query


@quick(25)
@given(times=st.lists(strategies.times(), min_size=1, max_size=60), data=st.data())
def test_runs_of_any_times_come_in_one_order(paths, times, data):
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(s)) for s in (SQLiteStore(next(paths)), MemoryStore())
        ]
        names = data.draw(st.permutations(range(len(times))))
        for time, name in zip(times, names, strict=True):
            for store in stores:
                store.insert("start", {"uid": f"{name:03}", "time": time})
        one, other = ([run.uid for run in store.find(Everything())] for store in stores)
        assert one == other
