"""A page and the single documents inside it."""

import pytest

from databroker.documents.pages import unpack
from databroker.errors import InvalidDocument
from databroker.testing.difference import assert_identical


def test_an_event_page_holds_events():
    page = {
        "uid": ["a", "b"],
        "descriptor": "d",
        "seq_num": [1, 2],
        "time": [0.5, 1.5],
        "data": {"x": [1, [2]], "y": ["s", None]},
        "timestamps": {"x": [0.1, 0.2], "y": [0.3, 0.4]},
        "filled": {"x": [True, "r/1"]},
    }
    assert_identical(
        list(unpack("event_page", page)),
        [
            {
                "uid": "a",
                "descriptor": "d",
                "seq_num": 1,
                "time": 0.5,
                "data": {"x": 1, "y": "s"},
                "timestamps": {"x": 0.1, "y": 0.3},
                "filled": {"x": True},
            },
            {
                "uid": "b",
                "descriptor": "d",
                "seq_num": 2,
                "time": 1.5,
                "data": {"x": [2], "y": None},
                "timestamps": {"x": 0.2, "y": 0.4},
                "filled": {"x": "r/1"},
            },
        ],
    )


@pytest.mark.parametrize("filled", [{}, None])
def test_an_event_page_need_not_say_what_is_filled(filled):
    page = {"uid": ["a"], "time": [1.0], "seq_num": [1], "data": {}, "timestamps": {}}
    if filled is not None:
        page["filled"] = filled
    (event,) = unpack("event_page", page)
    assert event.get("filled") == filled


def test_a_page_without_rows_holds_no_events():
    page = {"uid": [], "time": [], "seq_num": [], "data": {"x": []}, "timestamps": {"x": []}}
    assert list(unpack("event_page", page)) == []


def test_rows_of_a_page_share_no_dictionaries():
    page = {"uid": ["a", "b"], "time": [1, 2], "seq_num": [1, 2], "data": {}, "filled": {}}
    one, other = unpack("event_page", page)
    one["data"]["x"] = 1
    one["filled"]["x"] = True
    assert other["data"] == other["filled"] == {}


def test_a_datum_page_holds_datum_documents():
    page = {"datum_id": ["r/0", "r/1"], "datum_kwargs": {"n": [4, 5], "m": [6, 7]}, "resource": "r"}
    assert_identical(
        list(unpack("datum_page", page)),
        [
            {"datum_id": "r/0", "datum_kwargs": {"n": 4, "m": 6}, "resource": "r"},
            {"datum_id": "r/1", "datum_kwargs": {"n": 5, "m": 7}, "resource": "r"},
        ],
    )


def test_a_datum_page_without_arguments_holds_datum_documents():
    page = {"resource": "r", "datum_id": ["r/0"], "datum_kwargs": {}}
    assert list(unpack("datum_page", page)) == [
        {"resource": "r", "datum_id": "r/0", "datum_kwargs": {}}
    ]


def test_bulk_events_hold_the_events_of_several_streams():
    one, two, three = {"uid": "a"}, {"uid": "b"}, {"uid": "c"}
    assert list(unpack("bulk_events", {"x": [one, two], "y": [], "z": [three]})) == [
        one,
        two,
        three,
    ]


def test_bulk_datum_holds_datum_documents():
    bulk = {"resource": "r", "datum_ids": ["r/0", "r/1"], "datum_kwarg_list": [{"n": 4}, {}]}
    assert list(unpack("bulk_datum", bulk)) == [
        {"resource": "r", "datum_id": "r/0", "datum_kwargs": {"n": 4}},
        {"resource": "r", "datum_id": "r/1", "datum_kwargs": {}},
    ]


def test_bulk_events_must_hold_lists():
    with pytest.raises(InvalidDocument, match="'primary' holds dict"):
        list(unpack("bulk_events", {"primary": {"uid": "a"}}))
