"""Events in their order of arrival, whole, in ranges and in single columns."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ...columns import Selection
from ...stores.base import Store
from ...stores.rows import Extent, batches_of
from .. import strategies
from ..reference import read_rows
from ..streams import Documents
from ..values import DTYPES, STRUCTURES
from .base import (
    Base,
    descriptor,
    event,
    event_page,
    insert_all,
    quick,
    start,
    stop,
    whole_run,
)

Row = dict[str, Any]


def _begun(store: Store) -> None:
    insert_all(store, [("start", start()), ("descriptor", descriptor())])


def _mixed(numbers: range) -> list[tuple[str, Row]]:
    """Return events alone and in pages, by turns."""
    found: list[tuple[str, Row]] = []
    for first in range(numbers.start, numbers.stop, 7):
        found += [("event", event(number)) for number in range(first, min(first + 3, numbers.stop))]
        if first + 3 < numbers.stop:
            page = event_page(range(first + 3, min(first + 7, numbers.stop)))
            found.append(("event_page", page))
    return found


class Rows(Base):
    """Reading the rows of one owner."""

    def assert_extents_fit(self, store: Store, kind: str, owner: str, rows: list[Row]) -> None:
        """Fail unless extents cover the rows without a gap and know their seq_nums."""
        first = 0
        for extent in store.extents(kind, owner):
            assert extent.rows > 0
            numbers = [row.get("seq_num", 0) for row in rows[first : first + extent.rows]]
            assert (extent.min_seq, extent.max_seq) == (min(numbers), max(numbers))
            first += extent.rows
        assert first == len(rows)

    def test_an_owner_says_its_run(self, store: Store) -> None:
        insert_all(store, [*whole_run("a"), *whole_run("b")])
        for uid in ("a", "b"):
            assert store.run_of("event", f"{uid}-desc") == uid
            assert store.run_of("datum", f"{uid}-res") == uid
            assert store.run_of("stream_datum", f"{uid}-sres") == uid
            assert store.run_of("event", f"{uid}-res") is None
        assert store.run_of("datum", "never heard of") is None

    def test_an_owner_without_rows_has_no_extents(self, store: Store) -> None:
        _begun(store)
        for kind in ("event", "datum", "stream_datum"):
            for owner in ("desc", "never heard of"):
                assert store.extents(kind, owner) == []
                assert read_rows(store, kind, owner, 0, 10) == []

    def test_a_page_without_rows_leaves_nothing(self, store: Store) -> None:
        _begun(store)
        store.insert("event_page", event_page(range(0)))
        store.insert("datum_page", {"resource": "r", "datum_id": [], "datum_kwargs": {"n": []}})
        store.insert("bulk_events", {"primary": []})
        assert store.extents("event", "desc") == []
        assert store.extents("datum", "r") == []

    def test_rows_come_in_order_of_arrival(self, store: Store) -> None:
        _begun(store)
        numbers = [3, 1, 2, -7, 2**40, 5, 4]
        for number in numbers:
            store.insert("event", event(number))
        rows = read_rows(store, "event", "desc")
        assert [row["seq_num"] for row in rows] == numbers
        self.assert_extents_fit(store, "event", "desc", rows)

    def test_thousands_of_events_alone_and_in_pages(self, store: Store) -> None:
        _begun(store)
        numbers = range(1, 1 + self.many_rows(4000))
        insert_all(store, _mixed(numbers))
        wanted = [event(number) for number in numbers]
        self.assert_kept(read_rows(store, "event", "desc"), wanted)
        self.assert_extents_fit(store, "event", "desc", wanted)
        store.insert("stop", stop())
        self.assert_kept(read_rows(store, "event", "desc"), wanted)
        self.assert_extents_fit(store, "event", "desc", wanted)

    def test_any_range_of_many_rows_can_be_read(self, store: Store) -> None:
        _begun(store)
        count = self.many_rows(1500)
        insert_all(store, _mixed(range(1, 1 + count)))
        wanted = [event(number) for number in range(1, 1 + count)]
        extents = store.extents("event", "desc")
        edges = [0, 1, count // 2, count, count + 1, 9999]
        ends = list(itertools.accumulate(extent.rows for extent in extents))
        for end in random.Random(1).sample(ends, min(4, len(ends))):
            edges += [end - 1, end, end + 1]
        lengths = (0, 1, 40, 99999)
        for first, length in self.some([*itertools.product(sorted(set(edges)), lengths)]):
            found = read_rows(store, "event", "desc", first, first + length)
            self.assert_kept(found, wanted[first : first + length])

    def test_any_range_within_an_extent_can_be_read(self, store: Store) -> None:
        from ...columns import ALL, to_rows

        _begun(store)
        insert_all(store, _mixed(range(1, 301)))
        wanted = [event(number) for number in range(1, 301)]
        for extent in store.extents("event", "desc"):
            mine, wanted = wanted[: extent.rows], wanted[extent.rows :]
            for low in {0, 1, extent.rows // 2, extent.rows - 1, extent.rows}:
                for high in {low, min(low + 1, extent.rows), extent.rows}:
                    batches = store.read("event", extent, ALL, (low, high))
                    found = [row for batch in batches for row in to_rows("event", "desc", batch)]
                    self.assert_kept(found, mine[low:high])

    def test_extents_can_be_read_together(self, store: Store) -> None:
        from ...columns import ALL, to_rows

        _begun(store)
        insert_all(store, [("descriptor", descriptor("other"))])
        insert_all(store, _mixed(range(1, 201)))
        insert_all(store, [("event", event(number, "other")) for number in range(1, 50)])
        every = store.extents("event", "desc")
        mixed = [*every, *store.extents("event", "other"), *every[::-1], *every[1:]]
        for extents in ([], every, mixed):
            together = store.read_extents("event", iter(extents), ALL)
            for extent, some in zip(extents, together, strict=True):
                alone = store.read("event", extent, ALL)
                found, wanted = (
                    [row for batch in batches for row in to_rows("event", "desc", batch)]
                    for batches in (some, alone)
                )
                assert len(found) == extent.rows
                self.assert_kept(found, wanted)

    def test_extents_may_have_been_elsewhere_when_they_are_read(self, store: Store) -> None:
        """In a file, or at another machine: their tokens are what JSON can hold."""
        from ...columns import ALL, to_rows

        owner = "d \x00\ud800/ü"
        insert_all(store, [("start", start()), ("descriptor", descriptor(owner))])
        insert_all(store, [("event", event(number, owner)) for number in range(40)])
        extents = json.loads(
            json.dumps([dataclasses.asdict(e) for e in store.extents("event", owner)])
        )
        store.insert("stop", stop())
        batches = [
            batch
            for extent in extents
            for batch in store.read("event", Extent(**extent), Selection.from_json(ALL.to_json()))
        ]
        rows = [row for batch in batches for row in to_rows("event", owner, batch)]
        self.assert_kept(rows, [event(number, owner) for number in range(40)])

    def test_columns_can_be_read_alone(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor("desc", "run", "x", "y"))])
        for number in range(50):
            store.insert("event", event(number, x=number, y=[number, "two"]))
        none: frozenset[str] = frozenset()
        for selection, data, timestamps in [
            (Selection(frozenset({"x"})), {"x"}, none),
            (Selection(frozenset({"y"})), {"y"}, none),
            (Selection(None), {"x", "y"}, none),
            (Selection(none, frozenset({"y"})), none, {"y"}),
            (Selection(frozenset({"x"}), None), {"x"}, {"x", "y"}),
            (Selection(others=True), none, none),
            (Selection(frozenset({"x", "nothing"}), frozenset({"nothing"})), {"x"}, none),
        ]:
            rows = read_rows(store, "event", "desc", 10, 40, selection)
            assert len(rows) == 30
            top = {"time", "seq_num"} | ({"uid"} if selection.others else none)
            for number, row in enumerate(rows, 10):
                whole = event(number, x=number, y=[number, "two"])
                self.assert_kept(
                    {key: row.get(key) for key in sorted(top)},
                    {key: whole[key] for key in sorted(top)},
                )
                assert set(row) & {"time", "uid", "seq_num"} == top
                for section, keys in (("data", data), ("timestamps", timestamps)):
                    wanted = {key: value for key, value in whole[section].items() if key in keys}
                    self.assert_kept(row.get(section, {}), wanted)

    def test_no_columns_at_all_still_count_the_rows(self, store: Store) -> None:
        _begun(store)
        insert_all(store, _mixed(range(20)))
        for selection in (Selection(), Selection(frozenset({"nothing"}), frozenset({"time"}))):
            batches = itertools.islice(batches_of(store, "event", "desc", selection), 99)
            assert sum(batch.num_rows for batch in batches) == 20

    @quick(15)
    @given(run=strategies.runs(), data=st.data())
    def test_any_column_of_any_run_can_be_read_alone(
        self, run: Documents, data: st.DataObject
    ) -> None:
        store = self.open_store()
        try:
            insert_all(store, run)
            for owner in [doc["uid"] for kind, doc in run if kind == "descriptor"]:
                rows = read_rows(store, "event", owner)
                self.assert_extents_fit(store, "event", owner, rows)
                fields = sorted({field for row in rows for field in row["data"]})
                if not fields:
                    continue
                field = data.draw(st.sampled_from(fields))
                first = data.draw(st.integers(0, len(rows)))
                last = data.draw(st.integers(first, len(rows)))
                selection = Selection(frozenset({field}))
                found = read_rows(store, "event", owner, first, last, selection)
                self.assert_kept(
                    [[row["time"], row["data"]] for row in found],
                    [
                        [row["time"], {k: v for k, v in row["data"].items() if k == field}]
                        for row in rows[first:last]
                    ],
                )
        finally:
            store.close()

    @pytest.mark.parametrize("shape", [(), (0,), (1,), (3,), (2, 0), (2, 3)], ids=str)
    def test_arrays_of_every_dtype_are_kept(self, store: Store, shape: tuple[int, ...]) -> None:
        arrays = [np.ones(shape, dtype) for dtype in (*DTYPES, *STRUCTURES)]
        run: list[tuple[str, Any]] = [("start", start(arrays=arrays))]
        for number, array in enumerate(arrays):
            owner = f"d{number}"
            run.append(("descriptor", descriptor(owner)))
            run += [("event", event(row, owner, x=array)) for row in range(2)]
            page = event_page(range(2, 4), owner)
            run.append(("event_page", page | {"data": {"x": [array, array]}}))
        insert_all(store, [*run, ("stop", stop(arrays=arrays))])
        self.assert_holds(store, [*run, ("stop", stop(arrays=arrays))])

    def test_wide_rows_are_kept(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor("desc", "run", "x", "y"))])
        wanted = []
        for number in range(5):
            image = np.full((400, 400), number, ">f4")
            wanted.append(event(number, x=number, y=image))
            store.insert("event", wanted[-1])
        self.assert_kept(read_rows(store, "event", "desc"), wanted)
        self.assert_kept(read_rows(store, "event", "desc", 2, 4), wanted[2:4])
        store.insert("stop", stop())
        self.assert_kept(read_rows(store, "event", "desc"), wanted)

    def test_rows_with_hundreds_of_columns_are_kept(self, store: Store) -> None:
        fields = [f"field {number}" for number in range(600)]
        insert_all(store, [("start", start()), ("descriptor", descriptor("desc", "run", *fields))])
        wanted = [
            event(row) | {"data": {field: (row + place) / 3 for place, field in enumerate(fields)}}
            for row in range(30)
        ]
        insert_all(store, [("event", one) for one in wanted])
        self.assert_kept(read_rows(store, "event", "desc"), wanted)

    def test_a_column_may_change_its_type_among_thousands_of_rows(self, store: Store) -> None:
        _begun(store)
        some = range(self.many_rows(1000))
        values: list[Any] = [*some, *(n / 2 for n in some), *map(str, some[::2]), None]
        wanted = [event(number, x=value) for number, value in enumerate(values)]
        insert_all(store, [("event", one) for one in wanted])
        store.insert("stop", stop())
        self.assert_kept(read_rows(store, "event", "desc"), wanted)

    def test_equal_event_uids_under_two_descriptors_are_two_events(self, store: Store) -> None:
        _begun(store)
        store.insert("descriptor", descriptor("other"))
        for owner in ("desc", "other"):
            store.insert("event", event(1, owner) | {"uid": "same"})
        for owner in ("desc", "other"):
            rows = read_rows(store, "event", owner)
            self.assert_kept(rows, [event(1, owner) | {"uid": "same"}])

    def test_owners_and_uids_are_not_mixed_up(self, store: Store) -> None:
        _begun(store)
        insert_all(store, [("descriptor", descriptor("d")), ("descriptor", descriptor("d\x00"))])
        pairs = [("d", "\x00x"), ("d\x00", "x"), ("d", "x"), ("d\x00", "\x00x")]
        events = [event(1, owner) | {"uid": uid} for owner, uid in pairs]
        store.insert("bulk_events", {"primary": events})
        self.assert_kept(read_rows(store, "event", "d"), [events[0], events[2]])
        self.assert_kept(read_rows(store, "event", "d\x00"), [events[1], events[3]])
