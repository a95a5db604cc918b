"""No data is refused for the sake of a flag, or of the type of a counter."""

import numpy as np
import pytest

from databroker.documents.accept import accept
from databroker.documents.pages import unpack
from databroker.testing.difference import assert_identical

PAGE = {
    "descriptor": "d",
    "uid": ["u", "v"],
    "time": [1.5, 2.5],
    "seq_num": [1, 2],
    "data": {"x": ["r/1", "r/2"]},
    "timestamps": {"x": [1.0, 2.0]},
}
EVENT = {
    "uid": "e",
    "descriptor": "d",
    "time": 1.5,
    "seq_num": 1,
    "data": {"x": 1.0},
    "timestamps": {"x": 1.0},
}


@pytest.mark.parametrize(
    ("flags", "rows"),
    [
        ({"x": False}, [{"x": False}] * 2),
        ({"x": np.bool_(True)}, [{"x": True}] * 2),
        ({"x": "r/1"}, [{"x": "r/1"}] * 2),
        ({"x": None}, [{"x": None}] * 2),
        ({"x": (True, False)}, [{"x": True}, {"x": False}]),
        ({"x": np.array([True, False])}, [{"x": True}, {"x": False}]),
        ({}, [{}] * 2),
        (True, [True] * 2),
        (None, [None] * 2),
    ],
    ids=repr,
)
def test_flags_of_a_page_in_any_form_are_kept_row_by_row(flags, rows):
    clean, changes = accept("event_page", {**PAGE, "filled": flags})
    assert [row["filled"] for row in unpack("event_page", clean)] == rows
    assert changes == []


def test_flags_for_other_rows_than_there_are_say_nothing_and_that_is_said():
    clean, changes = accept("event_page", {**PAGE, "filled": {"x": [True], "y": [True, False]}})
    assert [row["filled"] for row in unpack("event_page", clean)] == [{"y": True}, {"y": False}]
    assert changes == ["filled.x (1 flags for 2 rows) as nothing"]


@pytest.mark.parametrize("number", [2.0, np.float64(2.0), np.float32(2), np.int8(2)], ids=repr)
def test_an_integral_float_is_the_integer_that_it_counts(number):
    assert_identical(accept("event", {**EVENT, "seq_num": number})[0]["seq_num"], 2)
    clean, _ = accept("event", {**EVENT, "data": {"x": [1]}, "seq_num": number})
    assert_identical(clean["seq_num"], 2)
    clean, _ = accept("bulk_events", {"primary": [{**EVENT, "seq_num": number}]})
    assert_identical(clean["primary"][0]["seq_num"], 2)
    for numbers in ([1, number], (1.0, number), np.array([1.0, number])):
        assert_identical(accept("event_page", {**PAGE, "seq_num": numbers})[0]["seq_num"], [1, 2])
    span = {"start": number, "stop": number}
    datum = {"uid": "s", "stream_resource": "r", "indices": span, "seq_nums": span}
    clean, _ = accept("stream_datum", datum)
    assert_identical(clean["indices"], {"start": 2, "stop": 2})
    datum["indices"] = {"start": 0.0, "stop": 1.0, "weight": 0.0}
    clean, _ = accept("stream_datum", datum)
    assert_identical(clean["indices"], {"start": 0, "stop": 1, "weight": 0.0})
    assert_identical(clean["seq_nums"], {"start": 2, "stop": 2})


@pytest.mark.parametrize("number", [2.5, float("nan"), float("inf"), "2", True, 2.0**64], ids=repr)
def test_what_counts_nothing_is_refused_still(number):
    with pytest.raises(ValueError, match="seq_num"):
        accept("event", {**EVENT, "seq_num": number})
    with pytest.raises(ValueError, match="seq_num"):
        accept("event_page", {**PAGE, "seq_num": [1, number]})
