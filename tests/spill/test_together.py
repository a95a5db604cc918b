"""Several threads insert at once, or one: what of it goes together, and what without a detour."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from databroker.errors import ConflictingDocument, SpillWarning, StoreUnavailable
from databroker.query.nodes import Everything
from databroker.stores.spill.store import SpillStore
from databroker.testing.conformance.base import start
from helpers.away import MayBeAway


@pytest.fixture
def at_once(behind, folder, eventually):
    """Insert documents, one by one, while the server is busy; return what came of each."""

    def insert(documents, amid=lambda: None):
        with closing(SpillStore(behind, folder, after=60)) as store, ThreadPoolExecutor(9) as pool:
            behind.answers.clear()
            tasks = [pool.submit(store.insert, "start", start("first"))]
            eventually(lambda: behind.asked)
            tasks += [pool.submit(store.insert, "start", doc) for doc in documents]
            eventually(lambda: store._courier._deliveries.qsize() == len(documents))
            amid()
            behind.answers.set()
            return [task.exception() for task in tasks[1:]]

    return insert


@pytest.fixture
def groups_of(monkeypatch):
    """Note the sizes of the groups that a store is asked to keep."""

    def noted(store):
        sizes, put_many = [], store.put_many

        def counted(documents):
            sizes.append(len(documents))
            put_many(documents)

        monkeypatch.setattr(store, "put_many", counted)
        return sizes

    return noted


@pytest.fixture
def groups(groups_of, behind):
    return groups_of(behind)


def test_it_is_one_question(at_once, behind, groups):
    assert at_once([start(f"run {n}") for n in range(6)]) == [None] * 6
    assert groups == [6]
    assert behind.count(Everything()) == 7


def test_what_is_refused_is_raised_where_it_was_inserted(at_once, behind):
    runs = ["a", "b", "b", "c"]
    errors = at_once([start(run, note=f"{n}") for n, run in enumerate(runs)])
    assert sorted(str(type(each)) for each in errors if each) == [str(ConflictingDocument)]
    assert errors[0] is errors[3] is None
    assert behind.count(Everything()) == 4


def test_while_the_server_is_away_all_of_it_waits(at_once, behind, folder):
    def go():
        behind.is_away = True

    with pytest.warns(SpillWarning, match="away"):
        assert at_once([start(f"run {n}") for n in range(6)], go) == [None] * 6
    with closing(SpillStore(behind, folder)) as store:
        assert store.waiting().documents == 7
    assert not behind.count(Everything())


class AtOnce(MayBeAway):
    """A store that can give up waiting for its server by itself."""

    def __init__(self):
        super().__init__()
        self.threads = []
        self.seconds = []

    def put(self, kind, doc):
        self.threads.append(threading.current_thread().name)
        super().put(kind, doc)

    def put_at_once(self, kind, doc, seconds):
        self.seconds.append(seconds)
        if self.is_away or not self.answers.wait(seconds):
            return False
        self.put(kind, doc)
        return True


@pytest.fixture
def quick():
    store = AtOnce()
    yield store
    store.answers.set()


def test_one_document_after_the_other_needs_no_other_thread(quick, folder):
    with closing(SpillStore(quick, folder)) as store:
        store.insert("start", start("a"))
        store.insert("start", start("b"))
    assert set(quick.threads) == {threading.current_thread().name}
    assert [doc["uid"] for _, doc in quick.order] == ["a", "b"]


def test_what_comes_while_one_is_on_its_way_goes_together(quick, folder, groups_of, eventually):
    groups = groups_of(quick)
    with closing(SpillStore(quick, folder, after=60)) as store, ThreadPoolExecutor(9) as pool:
        quick.answers.clear()
        tasks = [pool.submit(store.insert, "start", start("first"))]
        eventually(lambda: quick.seconds)
        tasks += [pool.submit(store.insert, "start", start("second"))]
        eventually(lambda: store._courier._is_busy)
        tasks += [pool.submit(store.insert, "start", start(f"run {n}")) for n in range(5)]
        eventually(lambda: store._courier._deliveries.qsize() == 5)
        quick.answers.set()
        assert [task.exception() for task in tasks] == [None] * 7
    assert len(quick.seconds) == 1
    assert groups == [5]


def test_what_is_refused_at_once_is_raised(quick, folder):
    with closing(SpillStore(quick, folder)) as store:
        store.insert("start", start("a"))
        with pytest.raises(ConflictingDocument):
            store.insert("start", start("a", note="another"))


def test_the_time_is_that_of_both_together(quick, folder, eventually):
    quick.answers.clear()
    with closing(SpillStore(quick, folder, after=0.3)) as store:
        with pytest.warns(SpillWarning, match=r"has not answered within 0\.3 s"):
            store.insert("start", start("a"))
        store.insert("start", start("b"))  # behind it
        assert (quick.seconds, store.waiting().documents) == ([0.3], 2)
        quick.answers.set()
        eventually(lambda: not store.waiting())
        store.insert("start", start("c"))
    assert [doc["uid"] for _, doc in quick.order] == ["a", "b", "c"]
    assert quick.threads[-1] == threading.current_thread().name


def test_a_server_that_is_away_is_noticed_at_once(quick, folder):
    quick.is_away = True
    with closing(SpillStore(quick, folder)) as store:
        with pytest.warns(SpillWarning, match="the server is away"):
            store.insert("start", start("a"))
        assert store.waiting().documents == 1


def test_a_store_that_is_closed_meanwhile_says_so(quick, folder, monkeypatch):
    store = SpillStore(quick, folder)

    def closed(*_):
        store.close()
        return False

    monkeypatch.setattr(quick, "put_at_once", closed)
    with pytest.raises(StoreUnavailable, match="closed"):
        store.insert("start", start("a"))
