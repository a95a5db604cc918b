"""The door of every store: documents are copied, plain and checked."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databroker.documents.accept import accept
from databroker.documents.kinds import PAGES
from databroker.documents.pages import unpack
from databroker.testing import strategies
from databroker.testing.difference import assert_identical, difference

EVENT = {
    "uid": "e",
    "descriptor": "d",
    "time": 1.5,
    "seq_num": 1,
    "data": {"x": 1.0},
    "timestamps": {"x": 1.0},
    "filled": {},
}
PAGE = {
    "descriptor": "d",
    "uid": ["u", "v"],
    "time": [1.5, 2.5],
    "seq_num": [1, 2],
    "data": {"x": [1, 2]},
    "timestamps": {"x": [1.0, 2.0]},
}


@settings(max_examples=60, deadline=None, database=None)
@given(strategies.runs())
def test_whole_runs_are_accepted_unchanged_and_without_complaint(run):
    for kind, doc in run:
        before = copy.deepcopy(doc)
        clean, changes = accept(kind, doc)
        assert changes == []
        assert_identical(clean, before)
        assert_identical(doc, before)


@pytest.mark.parametrize(
    "data",
    [
        {"x": np.float64(1.0)},
        {"x": (1.0, 2)},
        {"x": np.arange(3)},
        {"x": [1, [2]]},
        {1: 2.0},
        {"x": {"y": {1, 2}}},
    ],
    ids=lambda data: type(next(iter(data.values()))).__name__,
)
def test_events_with_anything_but_scalars_are_normalised(data):
    clean, _ = accept("event", {**EVENT, "data": data})
    again, changes = accept("event", clean)
    assert difference(clean, again) is None
    assert changes == []


@pytest.mark.parametrize("value", [1.0, {"a": 1}, [1]], ids=repr)
def test_top_level_keys_of_events_become_text(value):
    clean, changes = accept("event", {**EVENT, 5: value})
    assert clean["5"] == value
    assert len(changes) == 1


def _spoil(value):
    """Change everything inside a document that can be changed."""
    if isinstance(value, dict):
        for inner in list(value.values()):
            _spoil(inner)
        value["spoilt"] = "yes"
    elif isinstance(value, list):
        for inner in value:
            _spoil(inner)
        value.append("spoilt")
    elif isinstance(value, np.ndarray) and value.size and value.dtype.kind in "fiu":
        value[...] = 77


@settings(max_examples=60, deadline=None, database=None)
@given(strategies.runs())
def test_what_is_accepted_shares_nothing_with_the_original(run):
    for kind, doc in run:
        clean, _ = accept(kind, doc)
        kept = copy.deepcopy(clean)
        _spoil(doc)
        assert_identical(clean, kept)


def test_columns_of_pages_share_nothing_with_the_original():
    page = copy.deepcopy(PAGE)
    clean, _ = accept("event_page", page)
    _spoil(page)
    assert_identical(clean, PAGE)


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        (np.array([1.5, 2.5]), [1.5, 2.5]),
        (np.array([1, 2], ">i4"), [1, 2]),
        (np.array([True, False]), [True, False]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([0.5, 1.5], np.longdouble), [0.5, 1.5]),
        ((1, 2), [1, 2]),
        ([np.float32(0.5), np.int8(1)], [0.5, 1]),
        ([(1, 2), (3,)], [[1, 2], [3]]),
        (np.array([None, 1.5], dtype=object), [None, 1.5]),
    ],
    ids=repr,
)
def test_columns_of_pages_become_lists_of_plain_values(column, rows):
    clean, _ = accept("event_page", {**PAGE, "data": {"x": column}})
    assert_identical([row["data"]["x"] for row in unpack("event_page", clean)], rows)


@pytest.mark.parametrize(
    "column",
    [
        np.array(["2024-05-06T07:08:09.123456789", "2024-05-06"], "M8[ns]"),
        np.array([1, 2], "m8[ns]"),
        np.array([1 + 2j, 3]),
    ],
    ids=lambda column: column.dtype.str,
)
def test_a_column_given_as_array_is_kept_like_its_elements_one_by_one(column):
    page, _ = accept("event_page", {**PAGE, "data": {"x": column}})
    singles = [accept("event", {**EVENT, "data": {"x": value}})[0] for value in column]
    rows = unpack("event_page", page)
    assert [row["data"] for row in rows] == [single["data"] for single in singles]


def test_a_column_given_as_array_of_arrays_has_arrays_as_rows():
    images = np.arange(12, dtype=">u2").reshape(2, 2, 3)
    clean, _ = accept("event_page", {**PAGE, "data": {"x": images}})
    rows = [row["data"]["x"] for row in unpack("event_page", clean)]
    assert_identical(rows, list(images))
    assert not np.shares_memory(rows[0], images)


@pytest.mark.parametrize("key", ["uid", "time", "seq_num"])
def test_the_own_columns_of_a_page_may_be_arrays(key):
    clean, _ = accept("event_page", {**PAGE, key: np.array(PAGE[key])})
    assert_identical(clean, PAGE)


@pytest.mark.parametrize("key", ["uid", "time", "seq_num", "data"])
def test_a_column_without_rows_is_refused(key):
    value = {"x": np.array(1)} if key == "data" else np.array(1)
    with pytest.raises(ValueError, match="event_page"):
        accept("event_page", {**PAGE, key: value})


@pytest.mark.parametrize(
    ("ids", "numbers"),
    [
        (["r/0", "r/1"], np.arange(2)),
        (np.array(["r/0", "r/1"]), [0, 1]),
        (("r/0", "r/1"), (np.int8(0), np.int64(1))),
    ],
)
def test_datum_pages_may_hold_arrays(ids, numbers):
    page = {"resource": "r", "datum_id": ids, "datum_kwargs": {"n": numbers}}
    clean, _ = accept("datum_page", page)
    rows = list(unpack("datum_page", clean))
    expected = [{"resource": "r", "datum_id": f"r/{n}", "datum_kwargs": {"n": n}} for n in range(2)]
    assert_identical(rows, expected)


@pytest.mark.parametrize("kind", sorted(PAGES))
@given(data=st.data())
@settings(max_examples=20, deadline=None, database=None)
def test_documents_inside_pages_are_accepted_as_they_are(kind, data):
    pages = [doc for found, doc in data.draw(strategies.runs()) if found == kind]
    for page in pages:
        for single in unpack(kind, page):
            clean, changes = accept(PAGES[kind], single)
            assert_identical(clean, single)
            assert changes == []
