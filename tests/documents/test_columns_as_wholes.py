"""A page is accepted and stored by its columns as it would be row by row."""

import datetime
import uuid

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from databroker.columns import from_page, from_rows, to_rows
from databroker.documents.accept import accept
from databroker.documents.pages import unpack
from databroker.errors import InvalidDocument
from databroker.testing.difference import assert_identical
from helpers.strategies import values

ODD = [
    (1, 2.5),
    np.float32(1.5),
    np.array([1, 2]),
    np.array(3.0),
    np.array([None, "a"]),
    {1: 2},
    {"b", "a"},
    b"\xff",
    datetime.date(2020, 1, 2),
    uuid.UUID(int=7),
    2**70,
    [[1.5], [2.5]],
    [[1], [2.5]],
    [],
]
ALIKE = [1.5, 7, 2**70, True, "text", None, [1, 2], [1.5, 2.5], [2**70], (1, 2), [(1,), (2,)]]
SEQ_NUMS = [1.0, 2**63, "1", np.int32(4)]
TIMES = [3, np.float64(2.5), float("nan"), None]


@st.composite
def pages(draw):
    rows = draw(st.integers(1, 5))

    def column(elements, odd):
        # Mostly all of one kind: one odd number of time is enough for a page to be refused.
        few = st.lists(elements | st.sampled_from(odd), min_size=rows, max_size=rows)
        return st.one_of(*[st.lists(elements, min_size=rows, max_size=rows)] * 4, few)

    alike = st.sampled_from(ALIKE).map(lambda value: [value] * rows)
    columns = st.booleans().flatmap(lambda one: alike if one else column(values, ODD))
    names = draw(st.lists(st.sampled_from(["x", "y", "z/1", "#"]), unique=True))
    return {
        "uid": [f"u{row}" for row in range(rows)],
        "descriptor": "d",
        "seq_num": draw(column(st.integers(1, 9), SEQ_NUMS)),
        "time": draw(column(st.floats(0, 10), TIMES)),
        "data": {name: draw(columns) for name in names},
        "timestamps": {name: [1.5] * rows for name in names},
        "filled": {},
    }


@settings(deadline=None, max_examples=150)
@given(pages())
def test_a_page_is_accepted_as_its_events_are(page):
    try:
        events = [accept("event", event)[0] for event in unpack("event_page", page)]
    except InvalidDocument:
        events = None
    try:
        clean = accept("event_page", page)[0]
    except InvalidDocument:
        clean = None
    if events is None or clean is None:
        assert events is clean
        return
    assert_identical(list(unpack("event_page", clean)), events)
    by_page, by_rows = from_page("event", clean), from_rows("event", events)
    assert by_page.schema.equals(by_rows.schema, check_metadata=True)
    assert by_page.serialize() == by_rows.serialize()  # Arrow says that NaN differs from NaN
    assert_identical(to_rows("event", "d", by_page), events)
