"""The same document twice changes nothing; another one of the same identity is refused."""

from __future__ import annotations

import copy
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ...errors import (
    ConflictingDocument,
    InvalidDocument,
    UnknownDescriptor,
    UnknownDocumentKind,
)
from ...query.nodes import Equals, Path
from ...stores.base import Store
from .. import strategies
from ..difference import assert_identical
from ..reference import answers
from ..streams import Documents
from .base import (
    Base,
    datum,
    descriptor,
    event,
    event_page,
    insert_all,
    quick,
    resource,
    start,
    stop,
    stream_datum,
    whole_run,
)

CHANGED: list[tuple[str, dict[str, Any]]] = [
    ("start", start(sample={"name": "Cu"}, shape=[3, 2])),
    ("start", start(sample={"name": "Ni"})),
    ("start", start(sample={"name": "Ni"}, shape=[3, 2], more=None)),
    ("start", start(sample={"name": "Ni"}, shape=[3, 2], time=1.0)),
    ("descriptor", descriptor("run-desc", "run", "y")),
    ("descriptor", descriptor("run-desc", "other run")),
    ("resource", resource("run-res", run_start="run", spec="T")),
    ("datum", datum(0, "run-res", "run-res/") | {"datum_kwargs": {"n": 5}}),
    ("datum", datum(0, "other", "run-res/")),
    ("datum", {"datum_id": "run-res/2", "resource": "run-res", "datum_kwargs": {"n": None}}),
    ("stream_resource", {"uid": "run-sres", "run_start": "run", "uri": "file://localhost/b"}),
    ("stream_datum", stream_datum(0, "run-sres") | {"indices": {"start": 0, "stop": 2}}),
    ("event", event(1, "run-desc") | {"seq_num": 2}),
    ("event", event(1, "run-desc") | {"time": 1.0}),
    ("event", event(1, "run-desc", x=None)),
    ("event", event(1, "run-desc", x="0.5")),
    ("event", event(1, "run-desc", x=0.5, y=1)),
    ("event", event(2, "run-paged") | {"filled": {"x": True}}),
    ("event", event(1, "run-desc") | {"more": 1}),
    ("stop", stop(exit_status="fail")),
    ("stop", stop("run") | {"uid": "another stop", "exit_status": "success"}),
    (
        "datum_page",
        {"resource": "run-res", "datum_id": ["new", "run-res/1"], "datum_kwargs": {"n": [1, 2]}},
    ),
    ("event_page", event_page(range(3, 9), "run-desc") | {"seq_num": [9, 8, 7, 6, 5, 4]}),
    ("bulk_events", {"a": [event(7, "run-desc"), event(1, "run-desc") | {"time": 0.0}]}),
    ("event_page", event_page(range(8, 10), "run-desc") | {"uid": ["twice", "twice"]}),
]

REFUSED: list[tuple[str, Any, type[Exception]]] = [
    ("event", event(1, "unknown"), UnknownDescriptor),
    ("event_page", event_page(range(1, 3), "unknown"), UnknownDescriptor),
    ("bulk_events", {"a": [event(9, "run-desc"), event(1, "unknown")]}, UnknownDescriptor),
    ("evnt", event(9, "run-desc"), UnknownDocumentKind),
    ("", {}, UnknownDocumentKind),
    ("start", {"time": 1.0}, InvalidDocument),
    ("start", {"uid": "new"}, InvalidDocument),
    ("start", None, InvalidDocument),
    ("stop", {"uid": "new", "time": 1.0}, InvalidDocument),
    ("descriptor", {"uid": "new", "run_start": "run"}, InvalidDocument),
    ("event", {"uid": "new", "descriptor": "run-desc", "time": 1.0}, InvalidDocument),
    ("datum", {"datum_id": "new", "datum_kwargs": {}}, InvalidDocument),
    ("resource", {"spec": "S"}, InvalidDocument),
    ("event_page", event_page(range(8, 10), "run-desc") | {"time": [1.0]}, InvalidDocument),
]


class Identity(Base):
    """Idempotence and refusals."""

    def assert_refused(
        self, store: Store, kind: str, doc: Any, error: type[Exception], match: str | None = None
    ) -> None:
        """Fail unless a document raises and leaves the store as it was."""
        asked = [*whole_run(), ("event", event(9, "run-desc")), ("datum", datum(9))]
        before = answers(store, asked)
        given = copy.deepcopy(doc)
        try:
            with pytest.raises(error, match=match):
                store.insert(kind, doc)
            assert_identical(doc, given)
            assert_identical(answers(store, asked), before)
        except BaseException as failure:
            failure.add_note(f"The document was {kind!r}, {given!r}.")
            raise

    @quick(20)
    @given(run=strategies.runs(), seed=st.randoms(use_true_random=False))
    def test_any_run_delivered_again_changes_nothing(
        self, run: Documents, seed: random.Random
    ) -> None:
        store = self.open_store()
        try:
            insert_all(store, run)
            before = answers(store, run)
            again = copy.deepcopy(run)
            seed.shuffle(again)
            insert_all(store, again)
            assert_identical(answers(store, run), before)
        finally:
            store.close()

    @quick(15)
    @given(run=strategies.runs(), data=st.data())
    def test_documents_delivered_twice_on_the_way_change_nothing(
        self, run: Documents, data: st.DataObject
    ) -> None:
        store = self.open_store()
        try:
            for number, (kind, doc) in enumerate(run):
                store.insert(kind, doc)
                store.insert(*run[data.draw(st.integers(0, number))])
            self.assert_holds(store, run)
        finally:
            store.close()

    def test_large_events_among_small_ones(self, store: Store) -> None:
        image = np.arange(100_000.0)
        events = [
            event(number, x=image + number if number % 3 == 1 else number) for number in range(12)
        ]
        delivered = [("start", start()), ("descriptor", descriptor())]
        delivered += [("event", each) for each in events]
        insert_all(store, delivered)
        self.assert_holds(store, delivered)
        insert_all(store, delivered)
        self.assert_holds(store, [*delivered, ("event", events[4])])
        with pytest.raises(ConflictingDocument, match="desc-4"):
            store.insert("event", event(4, x=image))

    def test_delivery_again_after_each_document_changes_nothing(self, store: Store) -> None:
        run = whole_run()
        for number in range(len(run)):
            insert_all(store, run[: number + 1])
        self.assert_holds(store, run)

    def test_events_known_alone_are_ignored_in_a_page(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        alone = [("event", event(number)) for number in (2, 4, 5)]
        insert_all(store, alone)
        store.insert("event_page", event_page(range(1, 8)))
        wanted = [one for _, one in alone] + [event(number) for number in (1, 3, 6, 7)]
        self.assert_holds(store, [("start", start()), ("descriptor", descriptor())] + [
            ("event", one) for one in wanted
        ])  # fmt: skip

    def test_events_known_from_a_page_are_ignored_alone(self, store: Store) -> None:
        page = [
            ("start", start()),
            ("descriptor", descriptor()),
            ("event_page", event_page(range(9))),
        ]
        insert_all(store, page)
        for number in range(9):
            store.insert("event", event(number))
        self.assert_holds(store, page)

    def test_many_events_are_recognised_after_the_stop(self, store: Store) -> None:
        run: list[tuple[str, Any]] = [("start", start()), ("descriptor", descriptor())]
        run += [("event", event(number)) for number in range(self.many_rows(1500))]
        insert_all(store, [*run, ("stop", stop())])
        insert_all(store, run[::-29])
        self.assert_holds(store, [*run, ("stop", stop())])

    def test_one_event_twice_in_a_page_is_kept_once(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        one = event(1)
        store.insert("bulk_events", {"primary": [one, copy.deepcopy(one)], "again": [one]})
        self.assert_holds(store, [("start", start()), ("descriptor", descriptor()), ("event", one)])

    @pytest.mark.parametrize(
        "value",
        [float("nan"), np.array([1.0, np.nan]), [float("nan")], np.zeros((0, 3)), 2**70, "\ud800"],
    )
    def test_values_that_are_hard_to_compare_are_recognised(self, store: Store, value: Any) -> None:
        run = [
            ("start", start(value=value)),
            ("descriptor", descriptor()),
            ("event", event(1, x=value)),
            ("stop", stop(value=value)),
        ]
        insert_all(store, run)
        insert_all(store, copy.deepcopy(run))
        self.assert_holds(store, run)

    def test_lists_are_recognised_as_the_arrays_they_were(self, store: Store) -> None:
        array = np.arange(3)
        run = [
            ("start", start(a=array)),
            ("descriptor", descriptor()),
            ("event", event(1, x=array)),
        ]
        insert_all(store, run)
        store.insert("start", start(a=[0, 1, 2]))
        store.insert("event", event(1, x=[0, 1, 2]))
        self.assert_holds(store, run)

    def test_another_document_of_a_known_identity_is_refused(self, store: Store) -> None:
        insert_all(store, whole_run())
        for kind, doc in CHANGED:
            self.assert_refused(store, kind, doc, ConflictingDocument)

    def test_another_document_is_refused_while_the_run_is_in_progress(self, store: Store) -> None:
        insert_all(store, whole_run()[:-1])
        for kind, doc in CHANGED:
            if kind != "stop":
                self.assert_refused(store, kind, doc, ConflictingDocument)

    def test_documents_refused_with_others_can_come_alone(self, store: Store) -> None:
        run = whole_run()
        insert_all(store, run)
        late: list[tuple[str, Any]] = []
        for number in (7, 8, 9):
            new, changed = event(number, "run-desc"), event(1, "run-desc") | {"time": 0.0}
            self.assert_refused(store, "bulk_events", {"a": [new, changed]}, ConflictingDocument)
            late.append(("event", new | {"time": 5.0}))
            store.insert(*late[-1])
            page: dict[str, Any] = {"resource": "run-res", "datum_kwargs": {"n": [1, 99]}}
            page["datum_id"] = [f"new {number}", "run-res/0"]
            self.assert_refused(store, "datum_page", page, ConflictingDocument)
            late.append(("datum", datum(number, "run-res", "new ")))
            store.insert(*late[-1])
        self.assert_holds(store, [*run, *late])
        insert_all(store, [*late, *run])
        self.assert_holds(store, [*run, *late])

    def test_the_refusal_names_document_key_and_values(self, store: Store) -> None:
        insert_all(store, whole_run())
        changed = start(sample={"name": "Cu"}, shape=[3, 2])
        self.assert_refused(
            store, "start", changed, ConflictingDocument, "start document 'run'.*'sample'.*Ni.*Cu"
        )

    def test_a_second_stop_is_refused(self, store: Store) -> None:
        insert_all(store, whole_run())
        second = stop() | {"uid": "second"}
        self.assert_refused(store, "stop", second, ConflictingDocument, "second")

    def test_a_stop_made_for_a_dead_writer_gives_way_to_its_own(self, store: Store) -> None:
        made = stop() | {"uid": "made", "exit_status": "fail", "closed_by": "somebody"}
        insert_all(store, [("start", start()), ("stop", made)])
        self.assert_holds(store, [("start", start()), ("stop", made)])
        own = stop(exit_status="success")
        store.insert("stop", own)
        self.assert_holds(store, [("start", start()), ("stop", own)])
        for status, found in (("fail", []), ("success", ["run"])):
            question = Equals(Path("exit_status", "stop"), status)
            assert [run.uid for run in store.find(question)] == found
            assert store.count(question) == len(found)
        self.assert_refused(store, "stop", stop() | {"uid": "third"}, ConflictingDocument)

    def test_what_cannot_be_placed_is_refused(self, store: Store) -> None:
        insert_all(store, whole_run())
        for kind, doc, error in REFUSED:
            self.assert_refused(store, kind, doc, error)

    def test_an_event_of_an_unknown_descriptor_names_it(self, store: Store) -> None:
        with pytest.raises(UnknownDescriptor, match="descriptor 'unknown', which was never"):
            store.insert("event", event(1, "unknown"))
