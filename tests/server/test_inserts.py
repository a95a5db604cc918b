"""Documents that clients insert at once are stored together, and each learns its own fate."""

import asyncio
import threading

from databroker.errors import ConflictingDocument, InvalidDocument, StoreAway
from databroker.query.nodes import Everything
from databroker.server.inserts import Inserts
from databroker.stores.memory import MemoryStore
from databroker.testing.conformance.base import start


class Counting(MemoryStore):
    """Counts how often it is asked to keep something, and begins only once it may."""

    def __init__(self):
        super().__init__()
        self.may_begin = threading.Event()
        self.asked = []

    def put(self, kind, doc):
        assert self.may_begin.wait(60)
        self.asked.append(1)
        super().put(kind, doc)

    def put_many(self, documents):
        self.asked.append(len(documents))
        for kind, doc in documents:
            super().put(kind, doc)


def inserted(store, documents):
    """Insert documents at once, the first of which is waited for; return what came of each."""
    inserts = Inserts()

    async def run():
        tasks = [asyncio.create_task(inserts.insert(store, *pair)) for pair in documents]
        await asyncio.sleep(0)
        store.may_begin.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(run())


def test_what_comes_while_another_is_stored_is_stored_in_one():
    store = Counting()
    documents = [("start", start(f"run {n}")) for n in range(20)]
    assert inserted(store, documents) == [None] * 20
    assert store.count(Everything()) == 20
    assert len(store.asked) <= 2


def test_each_learns_what_it_was_refused_for():
    store = Counting()
    documents = [("start", start(f"run {n}")) for n in range(9)]
    documents[3] = "start", start("run 2", note="another")
    documents[6] = "start", {}
    errors = inserted(store, documents)
    assert {n: type(each) for n, each in enumerate(errors) if each is not None} == {
        3: ConflictingDocument,
        6: InvalidDocument,
    }
    assert store.count(Everything()) == 7


def test_a_store_that_is_away_is_waited_for_once():
    class Away(Counting):
        def put_many(self, documents):
            self.asked.append(len(documents))
            raise StoreAway("the database is away")

    store = Away()
    errors = inserted(store, [("start", start(f"run {n}")) for n in range(9)])
    assert errors.count(None) == 9 - store.asked[-1]
    assert len(store.asked) <= 2


def test_who_goes_away_leaves_the_others_be():
    store, inserts = Counting(), Inserts()

    async def run():
        tasks = [
            asyncio.create_task(inserts.insert(store, "start", start(f"run {n}"))) for n in range(3)
        ]
        await asyncio.sleep(0)
        tasks[1].cancel()
        store.may_begin.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(run())
    assert (first, third) == (None, None)
    assert isinstance(second, asyncio.CancelledError)
    asyncio.run(inserts.insert(store, "start", start("after")))  # in another loop
    assert store.record("after") is not None
