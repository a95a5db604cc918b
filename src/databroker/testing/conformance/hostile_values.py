"""Odd values are kept in a documented form, and the user is told once a run."""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import uuid
import warnings
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ...errors import ConflictingDocument, LossyDocumentWarning
from ...stores.base import Store
from .. import values
from ..reference import read_rows
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
)


class _Colour(enum.Enum):
    RED = "red"


class _Device:
    def __repr__(self) -> str:
        return "Device('det')"


class _Failing:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError


ODD: list[tuple[Any, Any]] = [
    ({1: "a", "b": {2: "c"}}, {"1": "a", "b": {"2": "c"}}),
    ({"b", "a"}, ["a", "b"]),
    (b"text", "text"),
    (b"\xff\x00", "base64:/wA="),
    (datetime.datetime(2024, 5, 6, 7, 8, 9), "2024-05-06T07:08:09"),
    (datetime.timedelta(seconds=90), 90.0),
    (1 + 2j, {"real": 1.0, "imag": 2.0}),
    (_Colour.RED, "red"),
    (_Device(), "Device('det')"),
    (_Failing(), "<_Failing that cannot be printed>"),
    (pathlib.PurePosixPath("/data/a.h5"), "/data/a.h5"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (decimal.Decimal("1.50"), "1.50"),
    (np.array([(1, 2.5)], [("n", "i4"), ("x", "f8")])[0], {"n": 1, "x": 2.5}),
    (np.array([None, "a"], dtype=object), [None, "a"]),
    ([{"in": [{3}]}], [{"in": [[3]]}]),
]
SILENT: list[tuple[Any, Any]] = [
    ((1, (2, 3)), [1, [2, 3]]),
    (range(3), [0, 1, 2]),
    (deque([1]), [1]),
    (np.float32(0.5), 0.5),
    (np.int64(5), 5),
    (np.bool_(True), True),
    (np.str_("a"), "a"),
    ([np.float64(0.5), (np.int8(1),)], [0.5, [1]]),
    (10**5000, 10**5000),
    ([-(10**5000)], [-(10**5000)]),
]


def _name(value: Any) -> str:
    # Not its repr, which for a set is another one in each process.
    return type(value).__name__


def _caught(found: list[warnings.WarningMessage]) -> list[str]:
    return [str(one.message) for one in found if one.category is LossyDocumentWarning]


class OddInput(Base):
    """What a subscriber must not raise for."""

    @pytest.mark.parametrize(("value", "kept"), ODD, ids=_name)
    def test_odd_values_are_kept_with_a_warning(self, store: Store, value: Any, kept: Any) -> None:
        with pytest.warns(LossyDocumentWarning, match=r"run.*value"):
            store.insert("start", start(value=value))
        record = store.record("run")
        assert record is not None
        self.assert_kept(record.start, start(value=kept))

    @pytest.mark.parametrize(("value", "kept"), SILENT, ids=_name)
    def test_everyday_values_are_kept_silently(self, store: Store, value: Any, kept: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            store.insert("start", start(value=value))
            store.insert("descriptor", descriptor() | {"value": value})
            store.insert("event", event(1, x=value))
            store.insert("datum", datum(1) | {"datum_kwargs": {"n": value}})
            page = event_page(range(2, 4)) | {"data": {"x": [value, value]}}
            store.insert("event_page", page)
            store.insert("stop", stop(value=value))
        record = store.record("run")
        assert record is not None
        self.assert_kept([record.start, record.stop], [start(value=kept), stop(value=kept)])
        rows = read_rows(store, "event", "desc")
        self.assert_kept([row["data"]["x"] for row in rows], [kept, kept, kept])
        self.assert_kept(store.datum("res/1"), datum(1) | {"datum_kwargs": {"n": kept}})

    @pytest.mark.parametrize(("value", "kept"), ODD, ids=_name)
    def test_odd_values_in_any_kind_of_document_warn_once_a_run(
        self, store: Store, value: Any, kept: Any
    ) -> None:
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            insert_all(store, [("start", start()), ("descriptor", descriptor())])
            assert _caught(found) == []
            store.insert("event", event(1, x=value))
            assert len(_caught(found)) == 1
            store.insert("event", event(2, x=value))
            store.insert("event_page", event_page(range(3, 5)) | {"data": {"x": [value, value]}})
            store.insert("bulk_events", {"primary": [event(5, x=value)]})
            store.insert("descriptor", descriptor("other") | {"note": value})
            store.insert("resource", resource(run_start="run", note=value))
            store.insert("datum", datum(1) | {"datum_kwargs": {"n": value}})
            ids = {"resource": "res", "datum_id": ["res/2"]}
            store.insert("datum_page", ids | {"datum_kwargs": {"n": [value]}})
            bulk = {"resource": "res", "datum_ids": ["b"], "datum_kwarg_list": [{"n": value}]}
            store.insert("bulk_datum", bulk)
            store.insert("stream_resource", {"uid": "sres", "run_start": "run", "note": value})
            store.insert("stream_datum", {"uid": "s/1", "stream_resource": "sres", "note": value})
            store.insert("stop", stop(note=value))
            assert len(_caught(found)) == 1
            store.insert("start", start("another", note=value))
            assert len(_caught(found)) == 2
        rows = read_rows(store, "event", "desc")
        self.assert_kept([row["data"]["x"] for row in rows], [kept] * 5)
        for name in ("res/1", "res/2", "b"):
            found_datum = store.datum(name)
            assert found_datum is not None
            self.assert_kept(found_datum["datum_kwargs"], {"n": kept})
        (row,) = read_rows(store, "stream_datum", "sres")
        self.assert_kept(row["note"], kept)

    def test_the_warning_names_the_run_and_what_was_changed(self, store: Store) -> None:
        with pytest.warns(LossyDocumentWarning) as found:
            store.insert("start", start("0123456789", sample={"tags": {"b"}}))
        assert "01234567" in str(found[0].message)
        assert "sample.tags (set) as list" in str(found[0].message)
        assert "once a run" in str(found[0].message)

    @pytest.mark.parametrize("flags", [{"x": True}, {}], ids=repr)
    def test_an_event_may_come_again_with_flags_that_it_had_not(
        self, store: Store, flags: dict[str, Any]
    ) -> None:
        bare = {key: value for key, value in event(1).items() if key != "filled"}
        insert_all(store, [("start", start()), ("descriptor", descriptor()), ("event", bare)])
        store.insert("event", bare | {"filled": flags})
        self.assert_kept(read_rows(store, "event", "desc"), [bare])
        with pytest.raises(ConflictingDocument):
            store.insert("event", bare | {"filled": flags, "time": 0.5})

    def test_flags_and_counters_of_old_pages_are_kept(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        page = event_page(range(2)) | {"seq_num": [1.0, 2.0], "filled": {"x": False}}
        store.insert("event_page", page)
        rows = read_rows(store, "event", "desc")
        self.assert_kept([row["seq_num"] for row in rows], [1, 2])
        self.assert_kept([row["filled"] for row in rows], [{"x": False}] * 2)

    def test_a_refused_document_does_not_warn(self, store: Store) -> None:
        store.insert("start", start())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ConflictingDocument):
                store.insert("start", start(tags={"b"}))

    def test_the_same_odd_document_twice_changes_nothing(self, store: Store) -> None:
        with pytest.warns(LossyDocumentWarning):
            store.insert("start", start(when=datetime.date(2024, 5, 6), tags={"a", "b", "c"}))
        store.insert("start", start(when=datetime.date(2024, 5, 6), tags={"c", "b", "a"}))
        record = store.record("run")
        assert record is not None
        assert record.start == start(when="2024-05-06", tags=["a", "b", "c"])

    @quick(25)
    @given(value=values.everyday_values(), cells=st.lists(values.everyday_values(), max_size=4))
    def test_any_everyday_value_is_kept(self, value: Any, cells: list[Any]) -> None:
        store = self.open_store()
        try:
            run: list[tuple[str, Any]] = [
                ("start", start(value=value)),
                ("descriptor", descriptor()),
            ]
            run += [("event", event(number, x=cell)) for number, cell in enumerate(cells)]
            insert_all(store, run)
            self.assert_holds(store, run)
        finally:
            store.close()

    @pytest.mark.parametrize("dtype", ["<f8", ">i4", "|b1", "<U2", "<M8[ns]", "<c8"])
    def test_a_column_of_a_page_may_be_an_array(self, store: Store, dtype: str) -> None:
        insert_all(store, [("start", start()), ("descriptor", descriptor())])
        stack = np.ones((3, 2), dtype)
        store.insert("event_page", event_page(range(3)) | {"data": {"x": stack}})
        rows = read_rows(store, "event", "desc")
        self.assert_kept([row["data"]["x"] for row in rows], list(stack))
        with warnings.catch_warnings():  # complex numbers and stamps have no plain form
            warnings.simplefilter("ignore", LossyDocumentWarning)
            store.insert("event_page", event_page(range(3, 6)) | {"data": {"x": stack[:, 0]}})
        assert len(read_rows(store, "event", "desc")) == 6
