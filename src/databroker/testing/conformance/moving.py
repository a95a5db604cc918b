"""Rows that come as batches, and runs that are looked at, and read, several at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given

from ...columns import ALL, from_rows, to_rows
from ...documents.kinds import OWNER
from ...errors import ConflictingDocument, InvalidDocument, UnknownDescriptor
from ...stores.base import Store
from ...stores.contents import StoredRun
from ...stores.registry import open_store
from ...stores.rows import batches_of
from .. import strategies
from ..reference import answers, expected, read_rows, singles
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


def _begin(store: Store) -> None:
    insert_all(store, [("start", start()), ("descriptor", descriptor())])


def _batches(numbers: range, size: int) -> Iterator[Any]:
    """Yield events in batches of a size."""
    for first in range(numbers.start, numbers.stop, size):
        last = min(first + size, numbers.stop)
        yield from_rows("event", [event(number) for number in range(first, last)])


class Moving(Base):
    """What those need who move runs from one store to another."""

    @pytest.mark.parametrize("size", [1, 7, 3000])
    def test_rows_come_as_batches(self, store: Store, size: int) -> None:
        _begin(store)
        numbers = range(1, 21 if size == 1 else 1 + self.many_rows(3000))
        store.insert_batches("event", "desc", _batches(numbers, size))
        wanted = [event(number) for number in numbers]
        self.assert_kept(read_rows(store, "event", "desc"), wanted)
        insert_all(store, [("event", event(5000)), ("stop", stop())])
        self.assert_kept(read_rows(store, "event", "desc"), [*wanted, event(5000)])

    def test_batches_go_on_where_single_rows_end(self, store: Store) -> None:
        _begin(store)
        insert_all(store, [("event", event(number)) for number in range(5)])
        store.insert_batches("event", "desc", _batches(range(5, 9), 2))
        self.assert_kept(read_rows(store, "event", "desc"), [event(n) for n in range(9)])

    def test_batches_of_each_kind(self, store: Store) -> None:
        _begin(store)
        insert_all(store, [("resource", resource(run_start="run"))])
        sres = {"uid": "sres", "run_start": "run", "uri": "file://localhost/a"}
        insert_all(store, [("stream_resource", sres)])
        datums = [datum(0), datum(1), datum(2, prefix="by another name ")]
        stretches = [stream_datum(0), stream_datum(1)]
        store.insert_batches("datum", "res", [from_rows("datum", datums)])
        store.insert_batches("stream_datum", "sres", [from_rows("stream_datum", stretches)])
        self.assert_kept(read_rows(store, "datum", "res"), datums)
        self.assert_kept([store.datum(each["datum_id"]) for each in datums], datums)
        self.assert_kept(read_rows(store, "stream_datum", "sres"), stretches)

    def test_rows_of_a_batch_that_are_there_change_nothing(self, store: Store) -> None:
        _begin(store)
        insert_all(store, [("event", event(3)), ("event_page", event_page(range(6, 8)))])
        for _ in range(2):
            store.insert_batches("event", "desc", _batches(range(2, 9), 5))
        rows = read_rows(store, "event", "desc")
        self.assert_kept(
            sorted(rows, key=lambda row: int(row["seq_num"])), list(map(event, range(2, 9)))
        )
        twice = from_rows("event", [event(20), event(20)])
        store.insert_batches("event", "desc", [twice, twice])
        assert len(read_rows(store, "event", "desc")) == 8

    def test_a_row_of_a_batch_that_differs_is_refused(self, store: Store) -> None:
        _begin(store)
        store.insert("event", event(4))
        other = from_rows("event", [event(4, x=99.0)])
        with pytest.raises(ConflictingDocument, match="'desc-4'"):
            store.insert_batches("event", "desc", [*_batches(range(2), 1), other])
        self.assert_kept(read_rows(store, "event", "desc"), list(map(event, (4, 0, 1))))

    def test_batches_of_an_unknown_descriptor_are_refused(self, store: Store) -> None:
        store.insert("start", start())
        with pytest.raises(UnknownDescriptor, match="'desc'"):
            store.insert_batches("event", "desc", _batches(range(2), 2))

    @pytest.mark.parametrize(
        "odd", [{"uid": ""}, {"uid": 5}, {"time": float("nan")}, {"time": "1"}, {"seq_num": 2**70},
                {"seq_num": 1.5}, {"data": 7}, {"timestamps": None}, {"uid": None}],
    )  # fmt: skip
    def test_a_batch_that_cannot_be_placed_is_refused(
        self, store: Store, odd: dict[str, Any]
    ) -> None:
        _begin(store)
        (key,) = odd
        batch = from_rows("event", [event(1), event(2) | odd])
        with pytest.raises(InvalidDocument, match=f"'{key}' must be"):
            store.insert_batches("event", "desc", [batch])
        missing = from_rows("event", [{name: event(1)[name] for name in event(1) if name != key}])
        with pytest.raises(InvalidDocument, match=f"'{key}' must be"):
            store.insert_batches("event", "desc", [missing])
        assert read_rows(store, "event", "desc") == []

    @quick(10)
    @given(documents=strategies.runs())
    def test_any_rows_as_batches_are_what_they_were(self, documents: Documents) -> None:
        with closing(open_store("memory")) as source, closing(self.open_store()) as store:
            insert_all(source, documents)
            insert_all(
                store, [(kind, doc) for kind, doc in singles(documents) if kind not in OWNER]
            )
            owners = dict.fromkeys(
                (kind, doc[OWNER[kind]]) for kind, doc in singles(documents) if kind in OWNER
            )
            for owner in owners:
                store.insert_batches(*owner, batches_of(source, *owner, ALL))
            self.assert_kept(answers(store, documents), expected(documents))

    def test_what_runs_consist_of_is_known_without_reading_them(self, store: Store) -> None:
        insert_all(store, [*whole_run("a"), *whole_run("b")[:-1], ("start", start("bare"))])
        insert_all(store, [("event", event(40, "a-desc"))])  # after the stop
        found = store.outlines(["bare", "a", "nobody", "b"])
        assert set(found) == {"a", "b", "bare"}
        assert found["bare"].rows == {}
        assert found["b"].stop is None
        assert found["a"].stop == whole_run("a")[-1][1]
        assert found["a"].start == whole_run("a")[0][1]
        for uid, more in (("a", 1), ("b", 0)):
            assert found[uid].rows == {
                ("event", f"{uid}-desc"): 3 + more,
                ("event", f"{uid}-paged"): 4,
                ("datum", f"{uid}-res"): 4,
                ("stream_datum", f"{uid}-sres"): 1,
            }

    def test_runs_are_read_as_they_are(self, store: Store) -> None:
        large = [("event_page", event_page(range(n, n + 500))) for n in range(0, 3000, 500)]
        insert_all(store, [*whole_run("a"), ("start", start()), ("descriptor", descriptor())])
        insert_all(store, large)
        insert_all(store, [("start", start("bare")), *whole_run("b")[:-1]])
        uids = ["run", "b", "nobody", "bare", "a"]
        runs = list(store.read_runs(uids))
        assert [run.uid for run in runs] == ["run", "b", "bare", "a"]
        for run in runs:
            self.assert_kept(run.linked, list(store.documents(run.uid)))
            assert run.outline == store.outlines([run.uid])[run.uid]
            for owner in run.extents:
                self.assert_kept(_rows_of(store, run, owner), read_rows(store, *owner))

    def test_runs_with_their_rows_are_kept_as_they_are(self, store: Store) -> None:
        begun = whole_run("c")[:5]
        documents = [*begun, *whole_run("a"), *whole_run("b")[:-1], *whole_run("c")[5:]]
        with closing(open_store("memory")) as source:
            insert_all(source, documents)
            runs = [_with_rows(source, run) for run in source.read_runs("abc")]
        insert_all(store, begun)
        for _ in range(2):
            store.insert_runs(runs)
        self.assert_holds(store, documents)
        other = dataclasses.replace(runs[0], start=start("a", sample="another"))
        with pytest.raises(ConflictingDocument, match="'a' is already stored"):
            store.insert_runs([other])
        odd = dataclasses.replace(runs[0], start=start("odd", time="never"))
        with pytest.raises(InvalidDocument, match="'time'"):
            store.insert_runs([odd])
        self.assert_holds(store, documents)


def _with_rows(store: Store, run: StoredRun) -> StoredRun:
    batches = {owner: list(batches_of(store, *owner, ALL)) for owner in run.extents}
    return dataclasses.replace(run, batches=batches)


def _rows_of(store: Store, run: StoredRun, owner: tuple[str, str]) -> list[dict[str, Any]]:
    kind, uid = owner
    if run.batches is not None:
        batches = run.batches[owner]
    else:
        batches = [each for one in run.extents[owner] for each in store.read(kind, one, ALL)]
    return [row for batch in batches for row in to_rows(kind, uid, batch)]
