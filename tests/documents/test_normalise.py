"""Odd input is kept where it can be, in a documented form, and the caller is told."""

import collections
import datetime
import enum
from decimal import Decimal
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings

from databroker.documents.normalise import MAX_DEPTH, normalise
from databroker.errors import InvalidDocument
from databroker.testing import values
from databroker.testing.difference import assert_identical, difference


def name(value):
    # Not its repr, which for a set is another one in each process.
    return type(value).__name__


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Name(str):
    pass


class Subclass(np.ndarray):
    pass


class Broken:
    def __repr__(self):
        raise RuntimeError("no repr today")


Point = collections.namedtuple("Point", "x y")


@settings(max_examples=150, deadline=None, database=None)
@given(values.records())
def test_plain_values_are_kept_as_they_are(doc):
    clean, changes = normalise(doc)
    assert_identical(clean, doc)
    assert changes == []


@settings(max_examples=150, deadline=None, database=None)
@given(values.everyday_values())
def test_normalising_twice_changes_nothing_more(value):
    once, _ = normalise({"value": value})
    twice, changes = normalise(once)
    assert_identical(twice, once)
    assert changes == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (Point(1, 2), [1, 2]),
        (range(3), [0, 1, 2]),
        (collections.deque([1, 2]), [1, 2]),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int16(3), 3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (Name("text"), "text"),
        (MappingProxyType({"a": (1,)}), {"a": [1]}),
        (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (collections.ChainMap({"a": 1}), {"a": 1}),
    ],
    ids=name,
)
def test_everyday_forms_are_kept_silently(value, kept):
    clean, changes = normalise({"value": value})
    assert_identical(clean, {"value": kept})
    assert changes == []


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"b", "a"}, ["a", "b"]),
        (frozenset({2, 1}), [1, 2]),
        ({1, "a", None}, [None, 1, "a"]),
        (b"text", "text"),
        (b"\xff\x00", "base64:/wA="),
        (bytearray(b"text"), "text"),
        (memoryview(b"text"), "text"),
        (np.bytes_(b"text"), "text"),
        (datetime.datetime(2024, 5, 6, 7, 8, 9), "2024-05-06T07:08:09"),
        (datetime.date(2024, 5, 6), "2024-05-06"),
        (datetime.time(7, 8), "07:08:00"),
        (datetime.timedelta(minutes=1), 60.0),
        (1 + 2j, {"real": 1.0, "imag": 2.0}),
        (np.complex64(1 + 2j), {"real": 1.0, "imag": 2.0}),
        (Colour.RED, "red"),
        (Decimal("1.5"), "1.5"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), [1.0, None]),
        (np.array([1, "a", None], dtype=object), [1, "a", None]),
        (np.array([[1], [2.5]], dtype=object), [[1], [2.5]]),
    ],
    ids=name,
)
def test_odd_values_are_kept_in_another_form_and_named(value, kept):
    clean, changes = normalise({"meta": {"value": value}})
    assert_identical(clean, {"meta": {"value": kept}})
    assert len(changes) == 1
    assert "meta.value" in changes[0]


def test_stamps_of_nanoseconds_keep_what_they_are():
    clean, _ = normalise({"at": np.datetime64("2024-05-06T07:08:09.123456789", "ns")})
    assert clean == {"at": "2024-05-06T07:08:09.123456789"}


def test_any_object_is_kept_as_what_it_prints():
    clean, changes = normalise({"device": object})
    assert clean == {"device": "<class 'object'>"}
    assert changes == ["device (type) as str"]


def test_an_object_that_cannot_be_printed_is_kept_too():
    clean, changes = normalise({"device": Broken()})
    assert "Broken" in clean["device"]
    assert len(changes) == 1


def test_integer_keys_become_text_and_are_named():
    clean, changes = normalise({1: "a", "x": {2.5: "b", None: "c", (1, 2): "d"}})
    assert clean == {"1": "a", "x": {"2.5": "b", "None": "c", "(1, 2)": "d"}}
    assert len(changes) == 4


@pytest.mark.parametrize(
    "doc",
    [
        {1: "int", "1": "text"},
        {1: "int", b"1": "bytes"},
        {b"1": 1, "1": 2, 1: 3},
        {None: 1, "None": 2},
    ],
    ids=repr,
)
def test_keys_with_one_text_do_not_hide_each_other(doc):
    clean, _ = normalise(doc)
    assert sorted(map(str, clean.values())) == sorted(map(str, doc.values()))
    assert all(type(key) is str for key in clean)


def test_numpy_text_keys_pass_silently():
    clean, changes = normalise({np.str_("a"): 1})
    assert_identical(clean, {"a": 1})
    assert changes == []


@pytest.mark.parametrize("dtype", [*map(np.dtype, values.DTYPES), *values.STRUCTURES], ids=str)
def test_arrays_are_copied_with_their_dtype(dtype):
    array = np.ones((2, 2), dtype)
    clean, changes = normalise({"a": array})
    assert_identical(clean["a"], array)
    assert clean["a"] is not array
    assert not np.shares_memory(clean["a"], array)
    assert changes == []


def test_a_subclass_of_array_becomes_a_plain_array():
    clean, _ = normalise({"a": np.array([1, 2]).view(Subclass)})
    assert type(clean["a"]) is np.ndarray


def test_the_copy_shares_nothing_with_the_original():
    doc = {"a": [[1], {"b": [2]}], "c": {"d": {"e": [3]}}, "t": ([4],)}
    clean, _ = normalise(doc)
    before = repr(clean)
    doc["a"][0].append(0)
    doc["a"][1]["b"].append(0)
    doc["c"]["d"]["e"].append(0)
    doc["t"][0].append(0)
    assert repr(clean) == before


def _nested(depth):
    value = "end"
    for _ in range(depth):
        value = {"in": value}
    return {"a": value}


def test_documents_of_everyday_depth_are_kept():
    clean, _ = normalise(_nested(100))
    assert difference(clean, _nested(100)) is None


def test_too_deep_a_document_is_refused_with_the_limit():
    with pytest.raises(InvalidDocument, match=str(MAX_DEPTH)):
        normalise(_nested(MAX_DEPTH + 50))


@pytest.mark.parametrize("make", [list, dict, collections.deque])
def test_a_value_that_contains_itself_is_refused(make):
    value = make()
    if isinstance(value, dict):
        value["self"] = value
    else:
        value.append(value)
    with pytest.raises(InvalidDocument, match="contains itself"):
        normalise({"a": value})


def test_an_array_of_objects_that_contains_itself_is_refused():
    array = np.empty(1, dtype=object)
    array[0] = array
    with pytest.raises(InvalidDocument, match="contains itself"):
        normalise({"a": array})


class Mode(enum.StrEnum):
    FLY = "fly"


class Gain(str, enum.Enum):  # noqa: UP042 - as older programs write it
    HIGH = "high"


def test_enumerations_that_are_text_or_numbers_lose_nothing():
    clean, changes = normalise({"mode": Mode.FLY, "gain": Gain.HIGH, "levels": [Level.LOW]})
    assert_identical(clean, {"mode": "fly", "gain": "high", "levels": [1]})
    assert changes == []


@pytest.mark.parametrize("shape", [(10**9, 0), (0, 10**5, 10**5), (10**9, 0, 2)])
@pytest.mark.parametrize("kind", [np.asarray, np.ma.masked_array])
def test_an_array_that_is_nothing_but_empty_lists_is_refused(shape, kind):
    with pytest.raises(InvalidDocument, match="no values"):
        normalise({"a": [{"b": kind(np.empty(shape, "u1"))}]})


def test_small_empty_arrays_are_kept():
    clean, _ = normalise({"a": np.empty((3, 0)), "b": np.empty(0)})
    assert (clean["a"].shape, clean["b"].shape) == ((3, 0), (0,))
