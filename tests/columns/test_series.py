"""Several short series that become columns together are what each of them is alone."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from databroker.columns import from_rows, from_series, to_rows
from databroker.documents.encode import same

VALUES = {
    "float": st.floats(),
    "int": st.integers(-(2**65), 2**65),
    "text": st.text(max_size=3),
    "uuid": st.uuids(version=4).map(str),
    "nothing": st.none(),
    "list": st.lists(st.floats(), min_size=2, max_size=2),
}
SOME = st.one_of(*VALUES.values())


@st.composite
def series(draw):
    """Rows of which most are alike."""
    column = draw(st.sampled_from([*VALUES.values(), SOME]))
    keys = draw(st.sampled_from([("x",), ("x", "y")]))
    lengths = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    return [[row(draw, keys, column) for _ in range(length)] for length in lengths]


def row(draw, keys, column):
    if draw(st.integers(0, 20)) == 20:
        keys = keys[1:]
    return {"uid": draw(VALUES["uuid"]), "descriptor": "d", "data": {k: draw(column) for k in keys}}


@settings(deadline=None)
@given(st.lists(series(), min_size=1, max_size=3))
def test_series_are_the_same_alone_and_together(several):
    together = [rows for one in several for rows in one]
    for rows, batch in zip(together, from_series("event", together), strict=True):
        alone = from_rows("event", rows)
        assert batch.schema.names == alone.schema.names
        for field, other in zip(batch.schema, alone.schema, strict=True):
            # Text that is a uuid everywhere in one series, but not in the others, stays text.
            assert field.type in (other.type, pa.string())
        assert same(to_rows("event", "d", batch), rows)
