"""What is not to be seen is not reached by a trick either, and nothing is written into it."""

import threading
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from databroker.columns import ALL
from databroker.errors import (
    ConflictingDocument,
    ExternalDataMissing,
    NotPermitted,
    QueryTimeout,
)
from databroker.query import nodes as n
from databroker.query import patterns
from databroker.stores.federation import FederatedStore
from databroker.stores.memory import MemoryStore
from databroker.stores.narrowed import NarrowedStore
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import (
    datum,
    descriptor,
    event,
    event_page,
    insert_all,
    resource,
    start,
    stop,
    stream_datum,
    whole_run,
)

MINE = n.Equals(n.Path("proposal"), "1234")


def run_of_proposal(uid, proposal, **more):
    (kind, doc), *others = whole_run(uid)
    return [(kind, doc | {"proposal": proposal} | more), *others]


@pytest.fixture(params=["memory", "sqlite"])
def behind(request, tmp_path):
    """A store with a run of mine, and one of others."""
    store = MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "runs.db")
    with closing(store):
        insert_all(store, run_of_proposal("mine", "1234"))
        insert_all(store, run_of_proposal("other", "5678", secret="a" * 30 + "!"))
        yield store


@pytest.fixture
def store(behind):
    """What I may see of it."""
    return NarrowedStore(behind, MINE)


def rows(store, kind, extent):
    return sum(batch.num_rows for batch in store.read(kind, extent, ALL))


def test_extents_that_are_made_up_lead_nowhere(store):
    for kind, owner in (("event", "desc"), ("datum", "res"), ("stream_datum", "sres")):
        extent, *_ = store.extents(kind, f"mine-{owner}")
        assert rows(store, kind, extent) == extent.rows
        forged = replace(extent, token=(f"other-{owner}", 0))
        assert rows(store, kind, forged) == 0
        assert not any(store.read_extents(kind, [forged], ALL))
        assert rows(store, "datum" if kind == "event" else "event", extent) == 0


def test_extents_stay_good_while_rows_come_and_are_put_together(behind):
    insert_all(
        behind, [("start", start("new", proposal="1234")), ("descriptor", descriptor("d", "new"))]
    )
    store = NarrowedStore(behind, MINE)
    seen, numbers = [], []
    for number in range(1, 60):
        behind.insert("event", event(number, "d"))
        if number % 10 == 0:
            (*_, extent) = store.extents("event", "d")
            seen.append(extent)
            behind.insert("event_page", event_page(range(number + 100, number + 103), "d"))
    behind.insert("stop", stop("new"))
    for extent in seen:
        (batch,) = store.read("event", extent, ALL, (extent.rows - 1, extent.rows))
        numbers += batch.column("seq_num").to_pylist()
    assert numbers == [10, 20, 30, 40, 50]


def test_a_pattern_is_not_tried_on_what_is_hidden(store, behind, monkeypatch):
    slow = n.Matches(n.Path("secret"), "^(a|aa)+$")
    with monkeypatch.context() as patience:
        patience.setattr(patterns, "PATTERN_SECONDS", 0.05)
        with pytest.raises(QueryTimeout):
            behind.count(slow)
    tried = []
    try_it = patterns._search
    monkeypatch.setattr(patterns, "_search", lambda *a: tried.append(a[1]) or try_it(*a))
    assert store.count(slow) == 0
    assert store.count(~n.ElemMatch(n.Path("secret"), n.Or(slow, slow))) == 1
    assert store.count(n.Matches(n.Path("proposal"), "^[15]")) == 1
    assert list(store.find(slow)) == []
    assert list(store.select(slow, [n.Path("uid")])) == []
    assert store.distinct(n.Path("uid"), slow) == []
    assert set(tried) == {"1234"}


def test_an_array_is_read_for_a_document_alone_that_is_stored(monkeypatch, behind):
    monkeypatch.setattr(type(behind), "read_array", lambda *_: np.zeros(3), raising=False)
    store = NarrowedStore(behind, MINE)
    ((_, mine),) = store.documents("mine", ["stream_resource"])
    ((_, other),) = behind.documents("other", ["stream_resource"])
    assert len(store.read_array(mine, [slice(3)])) == 3
    for forged in (other, other | {"run_start": "mine"}, mine | {"uri": other["uri"] + "b"}, {}):
        with pytest.raises(ExternalDataMissing):
            store.read_array(forged, [slice(3)])


def test_an_owner_that_two_sources_have_differently_is_nobodys(behind):
    evil = MemoryStore()
    insert_all(evil, [("start", start("evil", proposal="1234"))])
    insert_all(evil, [("descriptor", descriptor("other-desc", "evil"))])
    for members in ({"evil": evil, "good": behind}, {"good": behind, "evil": evil}):
        store = NarrowedStore(FederatedStore(members), MINE)
        assert store.count(n.Everything()) == 2
        assert store.run_of("event", "other-desc") is None
        assert store.extents("event", "other-desc") == []


@pytest.mark.parametrize(
    ("kind", "doc"),
    [
        ("start", start("other", proposal="1234")),
        ("descriptor", descriptor("other-desc", "evil")),
        ("resource", resource("other-res", run_start="evil")),
        ("stream_resource", {"uid": "other-sres", "run_start": "evil", "uri": "file:///b"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_takes_the_place_of_what_is_in_another_source(behind, kind, doc):
    both = FederatedStore({"new": MemoryStore(), "old": behind}, write_to="new")
    whole = [(kind, doc), ("stop", stop(doc.get("run_start", "other")))]
    begun = [] if kind == "start" else [("start", start("evil", proposal="1234"))]
    with pytest.raises(ConflictingDocument, match="identity of this one"):
        NarrowedStore(both, MINE).insert_many([*begun, *whole])
    assert both.record("other").start["proposal"] == "5678"
    assert both.run_of("event", "other-desc") == both.run_of("datum", "other-res") == "other"


def test_members_of_a_federation_are_narrowed_too(behind):
    store = NarrowedStore(FederatedStore({"lab": behind}), MINE)
    (run,) = store.find(n.Everything())
    assert store.members[run.source[0]].record("other") is None
    assert store.members[run.source[0]].record("mine").start["proposal"] == "1234"


def test_that_others_write_is_not_told(store, behind):
    before = store.state()
    insert_all(behind, run_of_proposal("another", "5678"))
    assert store.state() == before
    assert not store.wait_for_changes(before, 0.05)
    timer = threading.Timer(0.05, behind.insert, ("start", start("fresh", proposal="1234")))
    timer.start()
    assert store.wait_for_changes(before, 60)
    timer.join()
    assert store.state() != before


def test_a_run_that_ends_as_wanted_is_seen_from_then_on(behind):
    store = NarrowedStore(behind, n.Equals(n.Path("exit_status", "stop"), "success") & MINE)
    behind.insert("start", start("new", proposal="1234"))
    behind.insert("descriptor", descriptor("d", "new"))
    behind.insert("event", event(1, "d"))
    assert store.record("new") is None
    assert store.extents("event", "d") == []
    behind.insert("stop", stop("new", exit_status="success"))
    assert store.record("new") is not None
    assert store.extents("event", "d")[0].rows == 1


# -- writing -----------------------------------------------------------------


def test_a_run_of_mine_is_written_with_all_that_belongs_to_it(store, behind):
    for kind, doc in run_of_proposal("one by one", "1234"):
        store.insert(kind, doc)
    store.insert_many(run_of_proposal("together", "1234"))
    store.insert_runs(list(NarrowedStore(behind, MINE).read_runs(["mine"]))[:0])
    assert store.count(n.Everything()) == 3
    assert sum(e.rows for e in store.extents("event", "together-paged")) == 4
    batches = [b for e in store.extents("event", "mine-desc") for b in store.read("event", e, ALL)]
    store.insert("descriptor", descriptor("copied", "mine"))
    store.insert_batches("event", "copied", batches)
    assert sum(e.rows for e in store.extents("event", "copied")) == 3


@pytest.mark.parametrize(
    ("kind", "doc"),
    [
        ("start", start("x", proposal="5678")),
        ("start", start("x")),
        ("descriptor", descriptor("x", "other")),
        ("descriptor", descriptor("x", "nowhere")),
        ("resource", resource("x", run_start="other")),
        ("resource", resource("x")),
        ("resource", resource("x", run_start={"uid": "mine"})),
        ("stream_resource", {"uid": "x", "run_start": "other"}),
        ("stop", stop("other")),
        ("stop", stop("nowhere")),
        ("event", event(7, "other-desc")),
        ("event", event(7, "nowhere")),
        ("event_page", event_page(range(7, 9), "other-desc")),
        ("bulk_events", {"primary": [event(7, "mine-desc"), event(7, "other-desc")]}),
        ("datum", datum(7, "other-res")),
        ("datum_page", {"resource": "other-res", "datum_id": ["q"], "datum_kwargs": {}}),
        ("bulk_datum", {"resource": "other-res", "datum_ids": ["q"], "datum_kwarg_list": [{}]}),
        ("stream_datum", stream_datum(7, "other-sres")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_is_written_into_what_others_have(store, behind, kind, doc):
    before = behind.state()
    with pytest.raises(NotPermitted):
        store.insert(kind, doc)
    with pytest.raises(NotPermitted):
        store.insert_many([(kind, doc)])
    assert behind.state() == before


def test_no_batch_is_written_into_what_others_have(store, behind):
    (extent,) = store.extents("event", "mine-desc")
    before = behind.state()
    with pytest.raises(NotPermitted, match="'other-desc'"):
        store.insert_batches("event", "other-desc", store.read("event", extent, ALL))
    assert behind.state() == before


def test_what_is_hidden_is_refused_as_what_is_not_there(store):
    for owner in ("other", "nowhere"):
        with pytest.raises(NotPermitted) as caught:
            store.insert("event", event(7, f"{owner}-desc"))
        assert str(caught.value).startswith(f"There is no descriptor '{owner}-desc' among")


@pytest.mark.parametrize(
    ("kind", "doc"),
    [
        ("start", start("other", proposal="1234")),
        ("descriptor", descriptor("other-desc", "mine")),
        ("datum", datum(0, "mine-res", "other-res/")),
    ],
)
def test_a_conflict_does_not_tell_what_is_stored(store, kind, doc):
    with pytest.raises(ConflictingDocument) as caught:
        store.insert(kind, doc | {"note": "made up"})
    words = "A different document with the identity of this one is stored already."
    assert str(caught.value) == words
    assert caught.value.__cause__ is None
