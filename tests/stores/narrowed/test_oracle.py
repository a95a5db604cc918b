"""A narrowed store answers as a store does that holds only the runs which match."""

from contextlib import ExitStack, closing

from hypothesis import given
from hypothesis import strategies as st

from databroker.columns import ALL
from databroker.documents.kinds import OWNER, ROWS
from databroker.documents.pages import owner_of
from databroker.stores.base import Store
from databroker.stores.memory import MemoryStore
from databroker.stores.narrowed import NarrowedStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import assert_identical, assert_same_answers, strategies
from databroker.testing.conformance.base import insert_all, quick
from databroker.testing.questions import questions
from databroker.testing.reference import answers


def parts_of(documents, store, query):
    """Return the documents of runs that match."""
    runs = {run.uid for run in store.find(query)}
    owners = {
        doc["uid"] for kind, doc in documents if kind in ROWS and doc.get("run_start") in runs
    }
    return [
        (kind, doc)
        for kind, doc in documents
        if (doc["uid"] if kind == "start" else doc.get("run_start")) in runs
        or owner_of_rows(kind, doc) in owners
    ]


def owner_of_rows(kind, doc):
    is_rows = kind in OWNER or kind in ("event_page", "datum_page")
    return owner_of(kind, doc) if is_rows else None


def of_each_run(store, uids):
    """Return what a store says of some runs, beyond their documents."""
    records = [store.record(uid) for uid in uids]
    times = [store.activity(uid).last_time for uid in uids]
    return [[run and [run.start, run.stop] for run in records], times]


def of_many(store, uids):
    """Return what it says of all of them at once."""
    pages = [
        [page.runs, page.apart, [[each.runs, each.data_keys, each.sizes] for each in page.alike]]
        for page in store.read_many(uids, "primary", ALL)
    ]
    outlines = store.outlines(uids).items()
    runs = [
        [run.start, run.stop, [list(pair) for pair in run.linked], sorted(run.outline.rows.items())]
        for run in store.read_runs(uids)
    ]
    return [pages, [[uid, run.start, run.stop, dict(run.rows)] for uid, run in outlines], runs]


def of_words(store, uids):
    """Return what it says of the beginnings of uids, and of keys as runs have them."""
    prefixes = ["", *(uid[:2] for uid in uids), *uids]
    found = store.uids_since(None)
    return [
        [store.resolve(each, 10) for each in prefixes],
        sorted(Store.keys(store, 1000)),
        sorted(found[0]),  # in no order that the contract knows
    ]


def check(behind, oracle, documents, data):
    """Compare all answers of a store that is narrowed by any query with those of an oracle."""
    starts = [doc for kind, doc in documents if kind == "start"]
    stops = [doc for kind, doc in documents if kind == "stop"]
    query = data.draw(questions(starts, stops))
    insert_all(behind, documents)
    insert_all(oracle, parts_of(documents, behind, query))
    store = NarrowedStore(behind, query)
    matching = [pair for pair in documents if pair[0] != "start" or oracle.record(pair[1]["uid"])]
    assert_identical(answers(store, documents), answers(oracle, documents))
    asked = data.draw(st.lists(questions(starts, stops), max_size=3))
    assert_same_answers(store, oracle, matching, asked)
    uids = [*dict.fromkeys(doc["uid"] for doc in starts), "nowhere"]
    for question in (of_each_run, of_many, of_words):
        assert_identical(question(store, uids), question(oracle, uids))
    assert store.keys(1000) == Store.keys(store, 1000)
    owners = [(ROWS[kind], doc["uid"]) for kind, doc in documents if kind in ROWS]
    assert [store.run_of(*each) for each in owners] == [oracle.run_of(*each) for each in owners]


@quick(20)
@given(runs=st.lists(strategies.runs(), min_size=1, max_size=3), data=st.data())
def test_any_question_is_answered_as_if_no_other_runs_were_there(runs, data):
    documents = [pair for run in runs for pair in run]
    check(MemoryStore(), MemoryStore(), documents, data)


@quick(4)
@given(runs=st.lists(strategies.runs(), min_size=2, max_size=3), data=st.data())
def test_any_question_is_answered_so_from_a_database(tmp_path_factory, runs, data):
    documents = [pair for run in runs for pair in run]
    folder = tmp_path_factory.mktemp("narrowed")
    paths = folder / "all.db", folder / "some.db"
    with ExitStack() as stack:
        check(*(stack.enter_context(closing(SQLiteStore(p))) for p in paths), documents, data)
