"""Documents that come together are stored as if they had come one by one."""

import itertools
from contextlib import ExitStack, closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.errors import InvalidDocument
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.whole_runs import divide
from databroker.testing import assert_same_answers, strategies
from databroker.testing.conformance.base import datum, descriptor, event, quick, resource, stop


@pytest.fixture
def paths(tmp_path):
    return (tmp_path / f"{number}.db" for number in itertools.count())


@st.composite
def deliveries(draw):
    """Runs of which most come whole, and some with documents that are lost, late, twice or odd."""
    runs = draw(st.lists(strategies.runs(), min_size=1, max_size=4))
    documents = [pair for run in runs for pair in run]
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(documents) - 1))
        kind, doc = pair = documents[place]
        other = draw(st.integers(0, len(documents) - 1))
        match draw(st.sampled_from(["lost", "late", "twice", "other", "same time"])):
            case "lost" if len(documents) > 1:
                del documents[place]
            case "late":
                documents.insert(other, documents.pop(place))
            case "twice":
                documents.insert(other, pair)
            case "other":
                documents.insert(other, (kind, {**doc, "note": "another"}))
            case "same time" if kind == "start":
                same = [{**one, "time": doc["time"]} for name, one in documents if name == kind]
                starts = iter(same)
                documents = [
                    (name, next(starts) if name == "start" else one) for name, one in documents
                ]
    return documents


def refusal_of(insert, documents):
    """Insert documents, and return the error at which that ends, if any."""
    try:
        insert(documents)
    except InvalidDocument as error:
        return type(error)
    return None


def one_by_one(store):
    def insert(documents):
        for pair in documents:
            store.insert(*pair)

    return insert


@quick(30)
@given(before=deliveries(), documents=deliveries(), data=st.data())
def test_they_are_the_same_together_and_one_by_one(paths, before, documents, data):
    cut = data.draw(st.integers(0, len(documents)))
    with ExitStack() as stack:
        many, oracle = (
            stack.enter_context(closing(s)) for s in (SQLiteStore(next(paths)), MemoryStore())
        )
        for some in (before, documents[:cut], documents):
            refusals = [refusal_of(one, some) for one in (many.insert_many, one_by_one(oracle))]
            assert refusals[0] == refusals[1], some
        assert_same_answers(many, oracle, stored(oracle, [*before, *documents]))
        assert many.check().ok


def stored(store, documents):
    """The documents as they came, without those that were refused or never reached."""
    kept = MemoryStore()
    seen = []
    for kind, doc in documents:
        try:
            kept.insert(kind, doc)
        except InvalidDocument:
            continue
        seen.append((kind, doc))
    return seen


@pytest.mark.parametrize("run_start", [None, 5, ["a"], {"a": 1}])
def test_a_resource_may_say_anything_of_its_run(paths, run_start):
    odd = {**resource("r"), "run_start": run_start}
    with closing(SQLiteStore(next(paths))) as store:
        store.insert_many([("resource", odd), ("datum", datum(0, "r", "r/"))])
        assert store.resource("r") == odd
        assert store.datum("r/0") == datum(0, "r", "r/")


def test_runs_that_come_whole_are_seen_to_be_whole(paths):
    ended, going_on = [
        [("start", {"uid": uid, "time": time}), ("descriptor", descriptor(f"{uid}-d", uid))]
        for uid, time in (("a", 1.0), ("b", 2.0))
    ]
    ended += [("event", event(1, "a-d")), ("stop", stop("a"))]
    with closing(SQLiteStore(next(paths))) as store:
        connection = store._connections.get()
        whole, others = divide(connection, [*going_on, *ended])
        assert [run.start["uid"] for run in whole] == ["a"]
        assert others == going_on
        store.insert_many(ended)
        assert divide(connection, ended) == ([], ended)


def test_very_many_runs_are_the_same_together_and_one_by_one(paths):
    # So many that each table gets several statements of many rows, and one of fewer.
    documents = []
    for number in range(700):
        uid = f"run-{number}"
        documents += [
            ("start", {"uid": uid, "time": float(number), "sample": f"s{number % 7}"}),
            ("descriptor", descriptor(f"{uid}-d", uid)),
            ("event", event(1, f"{uid}-d")),
            ("stop", stop(uid)),
        ]
    with closing(SQLiteStore(next(paths))) as many, closing(MemoryStore()) as oracle:
        many.insert_many(documents)
        one_by_one(oracle)(documents)
        assert_same_answers(many, oracle, documents)
        assert many.check().ok
