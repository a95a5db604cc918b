"""Runs in any order, a page at a time: what a store gives newest first, turned round."""

import asyncio
import random

import pytest
from fastapi import HTTPException

import databroker
from databroker.query.nodes import Everything
from databroker.runs.session import StoreView
from databroker.tiled.catalog import Runs
from databroker.tiled.cursors import Cursor, to_number
from databroker.tiled.orders import OldestFirst, order_of


def filled(times):
    db = databroker.temp()
    for number, time in enumerate(times):
        db.insert("start", {"uid": f"run {number}", "time": time, "n": number % 3})
    return db


def paged(tree, limit):
    """Return the names on all pages, by their cursors."""

    async def pages():
        found, cursor = [], await tree.cursor_for_offset(0)
        while cursor is not None:
            keys, cursor = await tree.keys_page(cursor, limit)
            found += keys
        return found

    return asyncio.run(pages())


@pytest.mark.parametrize("sorting", [("", 1), ("start.time", -1), ("start.n", 1), ("n", -1)])
@pytest.mark.parametrize("limit", [3, 50])
def test_pages_follow_each_other(sorting, limit):
    chance = random.Random(5)
    times = [chance.choice([-1e300, -5.0, 0.0, 1.5e9, 1.5e9, 1.6e9 + chance.random(), 1e300])
             for _ in range(40)]  # fmt: skip
    db = filled(times)
    newest = [run.uid for run in db()]
    wanted = {
        "": newest[::-1],
        "start.time": newest,
        "start.n": [run.uid for run in db().sort("n")],
        "n": [run.uid for run in db().sort("n", descending=True)],
    }[sorting[0]]
    tree = Runs(db).sort([sorting])
    assert paged(tree, limit) == wanted
    items = asyncio.run(tree.items_range(7, 5))
    assert [name for name, _ in items] == wanted[7:12]


def test_a_run_that_comes_meanwhile_shifts_nothing():
    for direction, wanted in (-1, [5, 4, 3]), (1, [4, 5, 6]):
        db = filled([float(n) for n in range(10)])
        tree = Runs(db).sort([("start.time", direction)])
        _, cursor = asyncio.run(tree.keys_page(None, 4))
        db.insert("start", {"uid": "new", "time": -100.0 * direction})
        keys, _ = asyncio.run(tree.keys_page(cursor, 3))
        assert keys == [f"run {n}" for n in wanted]


class Noted(StoreView):
    """A view that notes how many runs it gave, and what it counted."""

    def find(self, query, *, limit=None, after=None):
        for run in super().find(query, limit=limit, after=after):
            self.source.noted["given"] += 1
            yield run

    def count(self, query):
        self.source.noted["counts"] += 1
        return super().count(query)


def test_the_oldest_are_found_without_passing_all_others():
    db = filled([1.6e9 + 60 * n for n in range(1000)])
    db.store.noted = {"given": 0, "counts": 0}
    runs = OldestFirst().runs(Noted(db.store), None, None)
    assert [next(runs)[0].uid for _ in range(3)] == ["run 0", "run 1", "run 2"]
    assert db.store.noted["given"] <= 301
    assert db.store.noted["counts"] < 60
    place = [1.6e9 + 60 * 700, "run 700"]
    assert next(OldestFirst().runs(Noted(db.store), place, None))[0].uid == "run 701"
    assert db.store.noted["given"] <= 602


def test_no_more_is_counted_than_is_asked(monkeypatch):
    db = filled([float(n) for n in range(50)])
    tree = Runs(db).search(_eq("n", 1))
    monkeypatch.setattr(StoreView, "count", None)
    assert asyncio.run(tree.lbound_len(5)) == 6
    assert asyncio.run(tree.approx_len()) is None
    assert len(asyncio.run(tree.keys_page(None, 4))[0]) == 4


@pytest.mark.parametrize("sorting", [("", -1), ("", 1), ("n", 1)])
def test_a_cursor_that_somebody_made_up_is_refused(sorting):
    tree = Runs(filled([1.0, 2.0])).sort([sorting])
    for after in ({"a": 1}, {"time": "x"}):
        with pytest.raises(HTTPException, match="none that this server gave"):
            tree.page(to_number(Cursor(0, after)), 5)
    for number in (0, 7, to_number(Cursor(-1)), to_number(Cursor("x"))):
        with pytest.raises(HTTPException, match="none that this server gave"):
            tree.page(number, 5)


def test_orders_are_told_by_their_keys():
    assert type(order_of([("time", 1)])) is OldestFirst
    assert list(OldestFirst().runs(filled([]).view, None, None)) == []
    assert filled([1.0]).view.count(Everything()) == 1


def _eq(key, value):
    from tiled.queries import Eq

    return Eq(key, value)
