"""Resources and the documents that point into them."""

from __future__ import annotations

import pytest

from ...stores.base import Store
from ..reference import read_rows
from .base import Base, datum, insert_all, resource, start, stream_datum

PREFIXES = ("res/", "res/a/", "/res/", "res//", "other/res/", "", "résumé/", "%_/", "res/\x00")


class External(Base):
    """Pointers to external files."""

    @pytest.mark.parametrize("prefix", PREFIXES)
    def test_a_datum_is_found_by_its_id(self, store: Store, prefix: str) -> None:
        store.insert("resource", resource())
        for number in range(3):
            store.insert("datum", datum(number, prefix=prefix))
        for number in range(3):
            found = store.datum(f"{prefix}{number}")
            self.assert_kept(found, datum(number, prefix=prefix))
        assert store.datum(f"{prefix}3") is None

    @pytest.mark.parametrize("prefix", PREFIXES)
    def test_a_datum_of_a_page_is_found_by_its_id(self, store: Store, prefix: str) -> None:
        ids = [f"{prefix}{number}" for number in range(300)]
        page = {"resource": "res", "datum_id": ids, "datum_kwargs": {"n": list(range(300))}}
        store.insert("resource", resource())
        store.insert("datum_page", page)
        for number in (0, 1, 150, 299):
            found = store.datum(f"{prefix}{number}")
            assert found == datum(number, prefix=prefix)
        assert store.datum(f"{prefix}300") is None

    def test_a_datum_of_the_old_bulk_form_is_found_by_its_id(self, store: Store) -> None:
        ids, kwargs = ["res/0", "b", "c/1"], [{"n": 0}, {}, {"n": 2, "m": [1]}]
        bulk = {"resource": "res", "datum_ids": ids, "datum_kwarg_list": kwargs}
        store.insert("bulk_datum", bulk)
        for name, kwarg in zip(ids, kwargs, strict=True):
            wanted = {"resource": "res", "datum_id": name, "datum_kwargs": kwarg}
            self.assert_kept(store.datum(name), wanted)

    def test_an_id_with_the_prefix_of_another_resource_belongs_to_its_own(
        self, store: Store
    ) -> None:
        insert_all(store, [("resource", resource("a")), ("resource", resource("b"))])
        insert_all(store, [("datum", datum(1, "b", "a/")), ("datum", datum(2, "a", "a/"))])
        self.assert_kept(store.datum("a/1"), datum(1, "b", "a/"))
        self.assert_kept(store.datum("a/2"), datum(2, "a", "a/"))
        self.assert_kept(read_rows(store, "datum", "b"), [datum(1, "b", "a/")])

    def test_unknown_ids_are_none(self, store: Store) -> None:
        store.insert("resource", resource())
        store.insert("datum", datum(1))
        for name in ("", "/", "res", "res/", "res/1/", "RES/1", "res/01", "%", "res/_", "\ud800"):
            assert store.datum(name) is None
            assert store.resource("x" + name) is None
        assert store.resource("") is None

    def test_a_resource_is_found_by_its_uid(self, store: Store) -> None:
        for uid, more in [("res", {"run_start": "run"}), ("orphan", {}), ("R\x00", {"id": "old"})]:
            store.insert("resource", resource(uid, **more))
            self.assert_kept(store.resource(uid), resource(uid, **more))

    def test_thousands_of_datum_documents_are_kept(self, store: Store) -> None:
        store.insert("resource", resource())
        count = self.many_rows(1200)
        wanted = [datum(number) for number in range(count)]
        for each in wanted:
            store.insert("datum", each)
        self.assert_kept(read_rows(store, "datum", "res"), wanted)
        low, high = count // 4, 3 * count // 4
        self.assert_kept(read_rows(store, "datum", "res", low, high), wanted[low:high])
        for number in (0, high, count - 1):
            self.assert_kept(store.datum(f"res/{number}"), wanted[number])

    def test_stream_datum_documents_are_kept_in_order(self, store: Store) -> None:
        insert_all(store, [("start", start()), ("stream_resource", {"uid": "sres"})])
        wanted = [stream_datum(number) for number in range(self.many_rows(300))]
        for each in wanted:
            store.insert("stream_datum", each)
        self.assert_kept(read_rows(store, "stream_datum", "sres"), wanted)
        self.assert_kept(read_rows(store, "stream_datum", "sres", 100, 105), wanted[100:105])

    def test_extents_of_external_documents_have_no_seq_nums(self, store: Store) -> None:
        for number in range(5):
            store.insert("datum", datum(number))
            store.insert("stream_datum", stream_datum(number))
        for kind, owner in (("datum", "res"), ("stream_datum", "sres")):
            extents = store.extents(kind, owner)
            assert sum(one.rows for one in extents) == 5
            assert {(one.min_seq, one.max_seq) for one in extents} == {(0, 0)}
