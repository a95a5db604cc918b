"""Datum documents are found by their ids, whatever those begin with."""

from hypothesis import given
from hypothesis import strategies as st

from databroker.errors import ConflictingDocument
from databroker.stores.memory import MemoryStore
from databroker.stores.sql import SQLiteStore
from databroker.testing.conformance.base import insert_all, quick, resource

WORDS = (
    st.lists(st.sampled_from(["a", "b", "0", ""]), min_size=1, max_size=4)
    .map("/".join)
    .filter(bool)
)


def datum(datum_id, owner, value=0):
    return {"datum_id": datum_id, "resource": owner, "datum_kwargs": {"n": value}}


def page(datum_id, owner, value=0):
    return {"datum_id": [datum_id], "resource": owner, "datum_kwargs": {"n": [value]}}


@quick(80)
@given(
    st.lists(WORDS, unique=True, max_size=4),
    st.lists(
        st.tuples(WORDS, WORDS, st.integers(0, 1), st.sampled_from(["datum", "datum_page"])),
        max_size=12,
    ),
)
def test_ids_with_slashes_are_found_as_in_memory(tmp_path_factory, resources, datums):
    path = tmp_path_factory.mktemp("datums") / "runs.db"
    store, memory = SQLiteStore(path), MemoryStore()
    try:
        for each in (store, memory):
            insert_all(each, [("resource", resource(uid)) for uid in resources])
        for datum_id, owner, value, kind in datums:
            make = datum if kind == "datum" else page
            refused = []
            for each in (store, memory):
                try:
                    each.insert(kind, make(datum_id, owner, value))
                except ConflictingDocument as error:
                    refused.append(type(error))
            assert len(refused) in (0, 2), (datum_id, owner)
            assert store.datum(datum_id) == memory.datum(datum_id)
        for datum_id, _, _, _ in datums:
            assert store.datum(datum_id) == memory.datum(datum_id)
    finally:
        store.close()
