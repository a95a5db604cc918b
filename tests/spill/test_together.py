"""What several threads insert while the server is busy goes to it at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from databroker.errors import ConflictingDocument, SpillWarning
from databroker.query.nodes import Everything
from databroker.stores.spill.store import SpillStore
from databroker.testing.conformance.base import start


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
def groups(behind, monkeypatch):
    """The sizes of the groups that the store is asked to keep."""
    sizes, put_many = [], behind.put_many

    def counted(documents):
        sizes.append(len(documents))
        put_many(documents)

    monkeypatch.setattr(behind, "put_many", counted)
    return sizes


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
