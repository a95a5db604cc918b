"""Documents as bytes: exact there and back; wrong bytes are an error of one kind."""

import contextlib

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from databroker.documents.accept import accept
from databroker.documents.encode import decode, describe_dtype, encode, restore_dtype, same
from databroker.testing import values
from databroker.testing.difference import assert_identical

quick = settings(max_examples=150, deadline=None, database=None)


@quick
@given(values.values())
def test_any_value_comes_back_identical(value):
    assert_identical(decode(encode(value)), value)


@quick
@given(values.everyday_values())
def test_any_accepted_value_comes_back_identical(value):
    clean, _ = accept("start", {"uid": "a", "time": 1.0, "value": value})
    assert_identical(decode(encode(clean)), clean)


@quick
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats()
        | st.text(st.characters(exclude_categories=["Cs"]))
        | st.binary(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(max_size=3).filter(str.isascii), inner)
        ),
    )
)
def test_the_bytes_are_the_same_whichever_library_makes_them(value):
    assert encode(value) == msgpack.packb(value)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**400, -(10**400)])
def test_integers_of_any_size_stay_integers(number):
    assert_identical(decode(encode([number])), [number])


@pytest.mark.parametrize(
    "dtype", [*map(np.dtype, values.DTYPES), *values.STRUCTURES], ids=lambda dtype: dtype.str
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 2), (2, 3)], ids=str)
def test_arrays_keep_dtype_and_shape(dtype, shape):
    array = np.ones(shape, dtype)
    assert_identical(decode(encode({"a": array})), {"a": array})


def test_an_array_with_hundreds_of_fields_comes_back():
    array = np.zeros(2, [(f"a long name of a field {n}", "<f8") for n in range(400)])
    assert_identical(decode(encode(array)), array)


def test_an_array_of_empty_text_comes_back():
    array = np.zeros(3, np.dtype("U0"))
    assert_identical(decode(encode(array)), array)


def test_arrays_in_any_memory_order_come_back():
    array = np.arange(12.0).reshape(3, 4)
    for view in (array.T, array[::2, ::-1], np.asfortranarray(array)):
        assert np.array_equal(decode(encode(view)), view)


def test_decoded_arrays_can_be_written_to():
    array = decode(encode(np.zeros(3)))
    array[0] = 1.0
    assert array.tolist() == [1.0, 0.0, 0.0]


def test_a_memoryview_can_be_decoded():
    assert decode(memoryview(encode({"a": [1, "x"]}))) == {"a": [1, "x"]}


@settings(max_examples=250, deadline=None, database=None)
@given(values.values(), st.data())
def test_damaged_bytes_give_another_value_or_a_value_error(value, data):
    whole = encode(value)
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from(
            (whole[:at], whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + 1 :])
        )
    )
    with contextlib.suppress(ValueError):
        decode(damaged)


@given(values.dtypes())
def test_a_dtype_comes_back_from_its_description(dtype):
    assert restore_dtype(describe_dtype(dtype)) == dtype


@pytest.mark.parametrize("dtype", ["S5", "O"])
def test_what_h5py_notes_beside_a_dtype_is_nothing_to_be_warned_of(dtype, recwarn):
    noted = np.dtype(dtype, metadata={"h5py_encoding": "utf-8"})
    assert describe_dtype(noted) == describe_dtype(np.dtype(dtype))
    assert not recwarn.list


@quick
@given(values.values())
def test_same_holds_for_a_value_and_its_copy(value):
    assert same(value, decode(encode(value)))


@quick
@given(values.values(), values.values())
def test_same_is_symmetric(one, other):
    assert same(one, other) == same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (float("nan"), float("nan")),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (np.arange(3), [0, 1, 2]),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.array([1.0, np.nan]), [1.0, float("nan")]),
        (np.array(5), 5),
        (np.array([1, 2], ">i4"), np.array([1, 2], "<i8")),
        ([np.array([1, 2])], [[1, 2]]),
        (np.zeros(2, [("x", "f8")]), [[0.0], [0.0]]),
        (1, 1.0),
        ((1, 2), [1, 2]),
    ],
    ids=repr,
)
def test_same_holds_for(one, other):
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (None, 0),
        (None, float("nan")),
        ("1", 1),
        ([], {}),
        ([], None),
        ({"a": None}, {}),
        ([1, 2], [1, 2, 3]),
        (np.arange(3), np.arange(4)),
        (np.arange(4), np.arange(4).reshape(2, 2)),
        (np.arange(1), 0),
        (np.array([1, 2]), [1, 3]),
        (2**63, 2**63 + 1),
        ("é", "e\u0301"),
    ],
    ids=repr,
)
def test_same_does_not_hold_for(one, other):
    assert not same(one, other)
    assert not same(other, one)
