"""A column becomes the same, whether it is looked at as a whole or value by value."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from databroker.columns import arrow
from databroker.columns.arrow import from_arrow, to_arrow
from databroker.documents.encode import same
from databroker.documents.uuids import pack, unpack

NUMBERS = st.floats() | st.integers(-(2**65), 2**65) | st.booleans()


def columns():
    scalars = st.floats() | st.integers(-(2**65), 2**65) | st.text(max_size=3) | st.uuids().map(str)
    one_kind = st.sampled_from([st.floats(), st.integers(-9, 9), st.booleans()])
    shape = st.lists(st.integers(1, 3), min_size=1, max_size=3)
    rectangles = st.tuples(one_kind, shape).map(lambda made: nested(*made)).flatmap(lambda s: s)
    dtypes = st.sampled_from(["<f8", ">f8", "<i4", "?", "<U3", "<M8[ns]"])
    piles = dtypes.flatmap(
        lambda d: st.tuples(st.just(np.dtype(d)), arrays.array_shapes(max_side=2))
    )
    same_arrays = piles.flatmap(lambda made: st.lists(arrays.arrays(*made), min_size=1, max_size=5))
    ragged = st.lists(st.lists(NUMBERS | st.text(max_size=2), max_size=3), min_size=1, max_size=5)
    return (
        st.lists(scalars, min_size=1, max_size=5)
        | st.lists(rectangles, min_size=1, max_size=5)
        | rectangles.filter(lambda column: isinstance(column[0], list))
        | same_arrays
        | ragged
    )


def nested(elements, shape):
    for size in shape:
        elements = st.lists(elements, min_size=size, max_size=size)
    return elements


@settings(deadline=None)
@given(columns())
def test_a_column_is_the_same_as_a_whole_and_value_by_value(values):
    whole = to_arrow(values)
    assert all(map(same, from_arrow(whole), values))
    # Beside a value of another type, each is looked at by itself.
    single = to_arrow([*values, None])
    assert all(map(same, from_arrow(single), [*values, None]))
    if whole.exact is None and not whole.metadata:
        assert single.array.type == whole.array.type or str in map(type, values)
    elif whole.exact is None and b"uuid" not in whole.metadata:
        assert single.metadata == whole.metadata


def test_arrow_reads_arrays_up_to_the_widest_and_no_wider_ones():
    def read(width):
        schema = pa.schema([pa.field("x", pa.binary(width))])
        return pa.ipc.read_schema(schema.serialize()) == schema

    assert read(arrow._WIDEST)
    with pytest.raises(pa.ArrowInvalid, match="too large"):
        read(arrow._WIDEST + 1)


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("kind", [np.asarray, list])
def test_wider_arrays_are_kept_too(monkeypatch, rows, kind):
    monkeypatch.setattr(arrow, "_WIDEST", 24)
    for size in (3, 4):
        values = [kind([float(n) for n in range(row, row + size)]) for row in range(rows)]
        column = to_arrow(values)
        assert pa.types.is_fixed_size_binary(column.array.type) == (size == 3)
        assert same(from_arrow(column), values)


@pytest.mark.parametrize(
    "text",
    [
        "BB805845-5757-4642-b3ef-7ab14e9fd31e",
        "bb805845-5757-4642-b3ef-7ab14e9fd31 ",
        "bb805845-5757-4642-b3ef-7ab14e9f  1e",
        "bb805845-5757-4642-b3ef-7ab14e9fd3-e",
        "bb805845 5757-4642-b3ef-7ab14e9fd31e",
        "bb8058455757-4642-b3ef--7ab14e9fd31e",
        "bb805845-5757-4642-b3ef-7ab14e9fd31g",
        "bb805845-5757-4642-b3ef-7ab14e9fd31é",
        "bb805845-5757-4642-b3ef-7ab14e9fd31e0",
    ],
)
def test_only_canonical_uuids_are_packed(text):
    good = "bb805845-5757-4642-b3ef-7ab14e9fd31e"
    assert unpack(pack([good, good])) == [good, good]
    assert pack([text]) is None
    assert pack([good, text]) is None
