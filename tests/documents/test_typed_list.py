"""The types of a column are told exactly, however they are looked at."""

import enum
import struct

import msgspec
import numpy as np
import pytest

from databroker.documents.typed_list import TypedList


class Half(enum.Enum):
    HALF = 0.5


class Third(float, enum.Enum):
    THIRD = 1 / 3


class Size(enum.IntEnum):
    LARGE = 5


ODD = [
    1,
    2**70,
    10**400,
    True,
    None,
    "12345678",
    "\udc00",
    [1.5],
    Half.HALF,
    Third.THIRD,
    np.float64(2),
    msgspec.Raw(b"\xcb12345678"),
    object(),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
@pytest.mark.parametrize("size", [1, 15, 2**16 - 1])  # with the odd one, the next larger heads
def test_one_value_of_another_type_among_floats_is_seen(odd, size):
    for values in ([1.5] * size + [odd], [odd] + [1.5] * size):
        column = TypedList(values)
        assert column.types == {float, type(odd)}
        assert column.numbers is None
        assert all(kept is given for kept, given in zip(column, values, strict=True))


@pytest.mark.parametrize("size", [1, 15, 16, 2**16 - 1, 2**16])
def test_floats_are_kept_bit_by_bit(size):
    patterns = np.random.default_rng(size).bytes(8 * size)  # some that are no number, too
    column = TypedList(struct.unpack(f"{size}d", patterns))
    assert column.types == {float}
    assert column.numbers.tobytes() == struct.pack(f"{size}d", *column)


def test_integers_of_other_classes_become_plain_and_booleans_stay_apart():
    column = TypedList([1, Size.LARGE, 2**70])
    assert list(map(type, column)) == [int, int, int]
    assert column == [1, 5, 2**70]
    assert TypedList([1, True]).types == {int, bool}
    assert TypedList([1, 1.0]).types == {int, float}
    assert TypedList([1, np.int64(1)]).types == {int, np.int64}


def test_uuids_are_told_from_other_texts():
    uid = "0b5fd2a5-9d2a-4a3c-8a63-0f3f4d5e6a7b"
    assert TypedList([uid, uid]).uuids.shape == (2, 16)
    for other in (uid.upper(), "text", None, 5):
        assert TypedList([uid, other]).uuids is None
