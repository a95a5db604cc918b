"""A page is accepted and stored by its columns as it would be row by row."""

import datetime
import uuid

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.strategies import values

from databroker.columns import from_page, from_rows, to_rows
from databroker.documents.accept import accept
from databroker.documents.encode import same
from databroker.documents.pages import unpack
from databroker.errors import InvalidDocument

ODD = st.sampled_from(
    [
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
)
ALIKE = st.sampled_from([1.5, 7, True, "text", None, [1, 2], [1.5, 2.5]])


@st.composite
def pages(draw):
    rows = draw(st.integers(1, 5))
    columns = st.lists(values | ODD, min_size=rows, max_size=rows) | ALIKE.map(
        lambda value: [value] * rows
    )
    names = draw(st.lists(st.sampled_from(["x", "y", "z/1", "#"]), unique=True))
    numbers = st.integers(1, 9) | st.sampled_from([1.0, 2**63, "1", np.int32(4)])
    return {
        "uid": [f"u{row}" for row in range(rows)],
        "descriptor": "d",
        "seq_num": draw(st.lists(numbers, min_size=rows, max_size=rows)),
        "time": draw(
            st.lists(
                st.floats(0, 10) | st.sampled_from([3, np.float64(2.5), float("nan"), None]),
                min_size=rows,
                max_size=rows,
            )
        ),
        "data": {name: draw(columns) for name in names},
        "timestamps": {name: [1.5] * rows for name in names},
        "filled": {},
    }


@settings(deadline=None)
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
    assert all(map(same, unpack("event_page", clean), events))
    by_page, by_rows = from_page("event", clean), from_rows("event", events)
    assert by_page.equals(by_rows, check_metadata=True)
    assert all(map(same, to_rows("event", "d", by_page), events))
