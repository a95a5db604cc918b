"""Documents before their parents are kept, and linked when the parent appears."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from ...documents.kinds import OWNER
from ...query.nodes import DataKey, Equals, Everything, Path
from ...stores.base import Store
from .. import strategies
from ..reference import answers, expected, read_rows
from ..streams import Documents
from .base import (
    Base,
    datum,
    descriptor,
    event,
    insert_all,
    quick,
    resource,
    start,
    stop,
    stream_datum,
)


def _reordered(run: Documents, seed: random.Random) -> Documents:
    """Return documents in any order in which no event comes before its descriptor."""
    shuffled = list(run)
    seed.shuffle(shuffled)
    waiting: dict[str, Documents] = {}
    seen: set[str] = set()
    found: Documents = []
    for kind, doc in shuffled:
        if kind.startswith("event") and doc["descriptor"] not in seen:
            waiting.setdefault(doc["descriptor"], []).append((kind, doc))
            continue
        found.append((kind, doc))
        if kind == "descriptor":
            seen.add(doc["uid"])
            found += waiting.pop(doc["uid"], [])
    return found


class Orphans(Base):
    """Odd order."""

    def test_a_stop_before_its_start(self, store: Store) -> None:
        store.insert("stop", stop(exit_status="fail"))
        assert list(store.find(Everything())) == []
        assert store.record("run") is None
        assert store.resolve("", 5) == []
        store.insert("start", start())
        record = store.record("run")
        assert record is not None
        assert record.stop == stop(exit_status="fail")
        failed = Equals(Path("exit_status", "stop"), "fail")
        assert [run.uid for run in store.find(failed)] == ["run"]
        assert store.count(failed) == 1

    def test_a_descriptor_and_events_before_their_start(self, store: Store) -> None:
        store.insert("descriptor", descriptor("desc", "run", "det"))
        for number in range(5):
            store.insert("event", event(number, det=number))
        assert store.count(Everything()) == 0
        assert store.count(DataKey("det")) == 0
        store.insert("start", start())
        wanted = [["descriptor", descriptor("desc", "run", "det")]]
        self.assert_kept([list(pair) for pair in store.documents("run")], wanted)
        wanted_rows = [event(number, det=number) for number in range(5)]
        self.assert_kept(read_rows(store, "event", "desc"), wanted_rows)
        assert [run.uid for run in store.find(DataKey("det"))] == ["run"]
        assert store.activity("run").last_time == 1.5e9 + 4

    def test_a_datum_before_its_resource(self, store: Store) -> None:
        store.insert("datum", datum(1))
        page = {"resource": "res", "datum_id": ["res/2", "x"], "datum_kwargs": {"n": [2, 3]}}
        store.insert("datum_page", page)
        assert store.resource("res") is None
        self.assert_kept(store.datum("res/1"), datum(1))
        store.insert("resource", resource(run_start="run"))
        assert store.datum("res/2") == datum(2)
        assert store.datum("x") == datum(3) | {"datum_id": "x"}
        assert len(read_rows(store, "datum", "res")) == 3
        assert list(store.documents("run")) == [("resource", resource(run_start="run"))]

    def test_a_stream_datum_before_its_stream_resource(self, store: Store) -> None:
        store.insert("stream_datum", stream_datum(0))
        store.insert("stream_resource", {"uid": "sres", "run_start": "run"})
        store.insert("stream_datum", stream_datum(1))
        self.assert_kept(
            read_rows(store, "stream_datum", "sres"), [stream_datum(0), stream_datum(1)]
        )
        (found,) = store.documents("run")
        assert found == ("stream_resource", {"uid": "sres", "run_start": "run"})

    def test_a_resource_of_old_times_without_a_run(self, store: Store) -> None:
        insert_all(store, [("resource", resource("old")), ("datum", datum(1, "old", ""))])
        self.assert_kept(store.resource("old"), resource("old"))
        self.assert_kept(store.datum("1"), datum(1, "old", ""))

    def test_a_descriptor_of_old_times_without_a_name(self, store: Store) -> None:
        old = {"uid": "desc", "run_start": "run", "data_keys": {"x": {}}}
        insert_all(store, [("start", start()), ("descriptor", old), ("event", event(1))])
        assert list(store.documents("run")) == [("descriptor", old)]

    @quick(20)
    @given(run=strategies.runs(), seed=st.randoms(use_true_random=False))
    def test_any_order_of_delivery_gives_the_same_run(
        self, run: Documents, seed: random.Random
    ) -> None:
        reordered = _reordered(run, seed)
        store = self.open_store()
        try:
            insert_all(store, reordered)
            self.assert_holds(store, reordered)
            found, wanted = answers(store, run), expected(run)
            assert found["rows"].keys() == wanted["rows"].keys()
            for name, rows in wanted["rows"].items():
                kind = name.partition(" ")[0]
                assert kind in OWNER
                assert len(found["rows"][name]) == len(rows)
        finally:
            store.close()
