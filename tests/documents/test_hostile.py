"""Objects that raise wherever they are looked at: kept as far as they can be, or refused."""

import array
import collections
import contextlib
import datetime
import decimal
import os
import pathlib
import sys
import uuid
import warnings
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import databroker
from databroker.documents.accept import accept
from databroker.documents.encode import decode, encode
from databroker.documents.kinds import ACCEPTED
from databroker.documents.normalise import normalise
from databroker.errors import (
    ConflictingDocument,
    DatabrokerError,
    InvalidDocument,
    UnknownDocumentKind,
)
from databroker.stores.registry import open_store
from databroker.testing import values
from databroker.testing.difference import assert_identical

SPECIAL = (
    "__str__",
    "__repr__",
    "__array__",
    "__len__",
    "__iter__",
    "__eq__",
    "__fspath__",
    "__getattr__",
    "__int__",
    "__index__",
    "__float__",
    "__format__",
    "__bool__",
    "__getitem__",
    "__contains__",
    "items",
    "keys",
    "values",
    "isoformat",
    "total_seconds",
    "tolist",
    "dtype",
    "value",
)
BASES = (object, dict, list, tuple, set, str, int, float, bytes, collections.UserDict)


def hex_of(number):
    return hex(number)[:6]


def name(value):
    return type(value).__name__


def fails(*args, **kwargs):
    raise RuntimeError("not today \x1b[2J")


@st.composite
def hostile(draw):
    """Make an object of a class of which some methods raise."""
    base = draw(st.sampled_from(BASES))
    names = draw(st.lists(st.sampled_from(SPECIAL), unique=True, min_size=1))
    # What raises is hashable all the same, unless that raises, too.
    body = dict.fromkeys(names, fails) | {"__hash__": lambda self: 1}
    if draw(st.booleans()):
        body["__class__"] = property(fails)
    try:
        return type("Hostile", (base,), body)()
    except RuntimeError:
        return type("Hostile", (), body)()


def documents():
    huge = st.integers(4_000, 6_000).map(lambda digits: -(10**digits))
    leaves = values.everyday_values() | hostile() | huge
    keys = values.keys() | hostile() | st.integers() | huge
    nested = st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(values.keys(), inner, max_size=3)
            | st.lists(st.tuples(keys, inner), max_size=3).map(_mapping)
            | st.lists(hostile(), max_size=3).map(_set)
        ),
        max_leaves=8,
    )
    own = st.sampled_from(("uid", "time", "seq_num", "descriptor", "data", "timestamps", "filled"))
    return st.dictionaries(own | values.keys(), nested, max_size=5) | hostile()


def _mapping(pairs):
    made = {}
    for key, value in pairs:
        try:
            made[key] = value
        except RuntimeError:
            continue
    return made


def _set(items):
    try:
        return set(items)
    except RuntimeError:
        return set()


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def store(request, tmp_path_factory):
    where = {} if request.param == "memory" else {"path": tmp_path_factory.mktemp("s") / "a.db"}
    with contextlib.closing(open_store(request.param, **where)) as opened:
        yield opened


@settings(max_examples=80, deadline=None, database=None)
@given(kind=st.sampled_from(ACCEPTED), doc=documents(), number=st.integers(0, 10**9))
def test_whatever_is_inserted_only_errors_of_ours_are_raised(store, kind, doc, number):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(ConflictingDocument):  # the same number was drawn before
            store.insert("start", {"uid": f"u{number}", "time": 1.0, "everything": doc})
        with contextlib.suppress(DatabrokerError):
            store.insert(kind, doc)
    assert "everything" in store.record(f"u{number}").start


@pytest.mark.parametrize("number", [10**5000, -(10**5000), 2**64, -(2**80), 10**400], ids=hex_of)
def test_integers_of_any_size_are_kept_and_found(number):
    assert decode(encode({"n": number})) == {"n": number}
    with databroker.temp() as db:
        db.insert("start", {"uid": "a", "time": 1.0, "n": number, "m": {"n": [number]}})
        db.insert("start", {"uid": "b", "time": 2.0, "n": 1})
        db.insert("descriptor", {"uid": "d", "run_start": "a", "time": 1.0, "data_keys": {"n": {}}})
        one = {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 1.0, "timestamps": {"n": 1.0}}
        db.insert("event", {**one, "data": {"n": number}})
        page = {"uid": ["f"], "descriptor": "d", "seq_num": [2], "time": [1.0]}
        db.insert("event_page", {**page, "data": {"n": [number]}, "timestamps": {"n": [1.0]}})
        db.insert("stop", {"uid": "s", "run_start": "a", "time": 3.0, "n": number})
        header = db["a"]
        assert header.start["n"] == header.stop["n"] == header.start["m"]["n"][0] == number
        assert [event["data"]["n"] for event in header.events()] == [number, number]
        assert list(header.table()["n"]) == [number, number]
        assert [found.uid for found in db(n=number)] == ["a"]
        assert [found.uid for found in db(**{"m.n": number})] == ["a"]
        wanted = {"$gte": number} if number > 0 else {"$lte": number}
        assert [found.uid for found in db(n=wanted)] == ["a"]
        assert repr(db(n=number))
        assert header._repr_html_()
        assert str(header)


def test_old_integers_are_read():
    import msgpack

    digits = msgpack.packb({"n": msgpack.ExtType(1, str(-(2**80)).encode())})
    assert decode(digits) == {"n": -(2**80)}


def test_a_refusal_shows_integers_of_any_size():
    with pytest.raises(InvalidDocument, match="'uid' = 0x"):
        accept("start", {"uid": 10**5000, "time": 1.0})


@pytest.mark.parametrize("kind", [[], {}, None, 5, "strat", 10**5000], ids=name)
def test_what_is_no_kind_of_document_is_refused(kind):
    with pytest.raises(UnknownDocumentKind, match="is not a kind of document"):
        accept(kind, {"uid": "a", "time": 1.0})


class Hidden(collections.UserDict):
    def items(self):
        raise RuntimeError("not today")


class Unprintable:
    __str__ = __repr__ = fails


def test_a_mapping_that_does_not_say_what_is_in_it_costs_nothing_but_itself():
    with databroker.temp() as db:
        with pytest.warns(databroker.errors.LossyDocumentWarning) as told:
            db.insert("start", {"uid": "a", "time": 1.0, "odd": Hidden(a=1), "good": 2})
        assert db[-1].start["good"] == 2
        assert isinstance(db[-1].start["odd"], str)
    assert "odd (Hidden) as str" in str(told[0].message)


def test_a_document_that_does_not_say_what_is_in_it_is_refused():
    with pytest.raises(InvalidDocument, match=r"a Hidden, cannot be read: it raises RuntimeError"):
        accept("start", Hidden(uid="a", time=1.0))


def test_a_dictionary_has_its_values_whatever_its_class_says():
    made = type("Odd", (dict,), {"items": fails, "__iter__": fails, "__repr__": fails})
    assert normalise({"odd": made(a=1)})[0] == {"odd": {"a": 1}}


def test_keys_that_cannot_be_printed_are_kept_apart():
    clean, changes = normalise({Unprintable(): 1, Unprintable(): 2, Unprintable(): {3}})
    assert list(clean.values()) == [1, 2, [3]]
    assert all("Unprintable" in key for key in clean)
    assert len(changes) == 4


def test_many_keys_of_one_text_do_not_take_the_square_of_their_number():
    class Same:
        def __str__(self):
            return "same"

    clean, _ = normalise({Same(): number for number in range(20_000)})
    assert sorted(clean.values()) == list(range(20_000))


def test_a_set_of_what_cannot_be_printed_is_kept():
    clean, _ = normalise({"set": {Unprintable(), "a", 1}})
    assert len(clean["set"]) == 3


def test_a_caller_who_is_deep_already_gets_an_error_of_ours():
    def deep(left):
        return deep(left - 1) if left else accept("start", {"uid": "a", "time": 1.0, "x": nested})

    nested = []
    for _ in range(150):
        nested = [nested]
    refused = 0
    for left in range(100, sys.getrecursionlimit(), 20):
        try:
            deep(left)
        except InvalidDocument:
            refused += 1
        except RecursionError:
            break  # of the test's own
    assert refused


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (pathlib.PurePosixPath("/data/a.h5"), "/data/a.h5"),
        (pathlib.PureWindowsPath("C:/data"), r"C:\data"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (decimal.Decimal("1.50"), "1.50"),
        (np.void(b"ab"), "ab"),
        (
            np.array([(1, (2.5, "x"))], [("n", "i4"), ("in", [("f", "f8"), ("t", "U2")])])[0],
            {"n": 1, "in": {"f": 2.5, "t": "x"}},
        ),
    ],
    ids=name,
)
def test_what_has_a_text_or_fields_is_kept_as_these(value, kept):
    clean, changes = normalise({"value": value, "several": [value]})
    assert_identical(clean, {"value": kept, "several": [kept]})
    assert any(change.startswith(f"value ({name(value)}) as") for change in changes)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (pd.Series([1.5, 2.5]), np.array([1.5, 2.5])),
        (pd.Series([1, 2]).index, np.array([0, 1])),
        (pd.Series(["a", None], dtype=object), ["a", None]),
        (pd.to_datetime(["2024-01-01"]).as_unit("us"), np.array(["2024-01-01"], "M8[us]")),
        (xr.DataArray([[1, 2], [3, 4]], dims=("x", "y")), np.array([[1, 2], [3, 4]])),
        (xr.Dataset({"a": ("x", [1, 2])}), {"a": np.array([1, 2])}),
        (
            pd.DataFrame({"n": [1, 2], 5: ["x", "y"]}),
            {"n": np.array([1, 2]), "5": ["x", "y"]},
        ),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), np.array([[1, 2], [3, 4]])),
        (array.array("d", [1.0, 2.0]), [1.0, 2.0]),
        ({"a": 1, "b": 2}.keys(), ["a", "b"]),
        (Fraction(1, 3), "1/3"),
    ],
    ids=name,
)
def test_what_is_an_array_or_a_table_is_kept_as_that(value, kept):
    assert_identical(normalise({"value": value})[0], {"value": kept})


def test_what_is_kept_as_an_array_without_its_unit_is_told():
    class Metres(np.ndarray): ...

    clean, changes = normalise({"value": np.ones(2).view(Metres)})
    assert type(clean["value"]) is np.ndarray
    assert changes == ["value (Metres) as ndarray"]


class Quantity:
    units = "m"

    def __array__(self, dtype=None, copy=None):
        return np.array(5)

    def __repr__(self):
        return "5 m"


class Unwilling:
    __array__ = fails

    def __repr__(self):
        return "an array elsewhere"


def test_what_would_lose_its_unit_or_be_computed_is_kept_as_its_repr():
    lazy = pytest.importorskip("dask.array").from_delayed(
        pytest.importorskip("dask").delayed(pytest.fail)(), (2,), float
    )
    kept = {"q": Quantity(), "lazy": lazy, "in xarray": xr.DataArray(lazy), "no": Unwilling()}
    clean, changes = normalise(kept)
    assert (clean["q"], clean["no"]) == ("5 m", "an array elsewhere")
    assert "dask.array" in clean["lazy"]
    assert "dask.array" in clean["in xarray"]
    assert len(changes) == 4


def test_no_generator_is_used_up():
    numbers = iter([1, 2])
    assert "iterator" in normalise({"value": numbers})[0]["value"]
    assert next(numbers) == 1


def test_whatever_has_a_path_is_kept_as_that():
    class Place:
        def __init__(self, path):
            self.path = path

        def __fspath__(self):
            return self.path

    assert normalise({"a": Place("/data"), "b": Place(b"/data\xff")})[0] == {
        "a": "/data",
        "b": os.fsdecode(b"/data\xff"),
    }


@pytest.fixture
def in_new_york(monkeypatch):
    import time

    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_the_second_of_two_equal_hours_is_kept_as_that(in_new_york):
    twice = datetime.datetime(2024, 11, 3, 1, 30)
    zone = ZoneInfo("America/New_York")
    kept = {
        "first": twice,
        "second": twice.replace(fold=1),
        "once": datetime.datetime(2024, 6, 3, 1, 30, fold=1),
        "aware": twice.replace(fold=1, tzinfo=zone),
    }
    assert normalise(kept)[0] == {
        "first": "2024-11-03T01:30:00",
        "second": "2024-11-03T01:30:00-05:00",
        "once": "2024-06-03T01:30:00",
        "aware": "2024-11-03T01:30:00-05:00",
    }


HUGE = 10**5000


@pytest.fixture(scope="module")
def huge():
    """A run in which every number that nobody checks is huge."""
    with databroker.temp() as db:
        start = {"uid": "a", "time": 1.0, "scan_id": HUGE, "motors": [HUGE], "num_points": HUGE}
        db.insert("start", {**start, "x": HUGE, "hints": {"dimensions": [[[HUGE], "primary"]]}})
        keys = {
            "m": {"dtype": "array", "shape": [HUGE], "source": "s", "precision": HUGE},
            "img": {"dtype": "array", "shape": [HUGE], "source": "s", "external": "STREAM:"},
        }
        run = {"run_start": "a", "time": 1.0}
        db.insert("descriptor", {"uid": "d", **run, "name": "primary", "data_keys": keys})
        one = {"uid": "e", "descriptor": "d", "seq_num": 1, "time": 1.0}
        db.insert("event", {**one, "data": {"m": HUGE}, "timestamps": {"m": 1.0}})
        where = {"mimetype": "application/x-hdf5", "uri": "file:///x", "data_key": "img"}
        db.insert("stream_resource", {"uid": "r", **run, **where, "parameters": {"a": HUGE}})
        for number, end in enumerate((HUGE, 1e308, [1])):
            spans = {"indices": {"start": 0, "stop": end}, "seq_nums": {"start": 1, "stop": end}}
            claim = {"uid": f"c{number}", "stream_resource": "r", "descriptor": "d"}
            with contextlib.suppress(InvalidDocument):
                db.insert("stream_datum", {**claim, **spans})
        stop = {"uid": "s", **run, "exit_status": HUGE, "num_events": {"primary": HUGE}}
        db.insert("stop", {**stop, "x": HUGE})
        yield db


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "look",
    [
        lambda db: repr(db[-1].start) + repr(db[-1].stop) + repr(db[-1].descriptors),
        lambda db: str(db[-1]) + db[-1]._repr_html_(),
        lambda db: str(db()) + db()._repr_html_() + str(db().to_frame().columns),
        lambda db: repr(db().distinct("x")) + repr(db(x=HUGE)),
        lambda db: repr(db[-1].preview()) + db[-1].preview()._repr_html_(),
        lambda db: repr(db.v2[-1].metadata["start"]) + repr(db.v2[-1].metadata["stop"]),
        lambda db: db[-1].table(fields=["m"]),
        lambda db: db[-1].xarray(fields=["m"]),
        lambda db: db.v2[-1]["primary"].to_dask(),
        lambda db: list(db[-1].documents()),
        lambda db: list(db[-1].table()["img"]),
        lambda db: db(time={"$lt": HUGE}).count() == 1 and db(time={"$gt": HUGE}).count() == 0,
    ],
    ids=range(12),
)
def test_a_run_of_huge_numbers_is_shown_and_read(huge, look):
    with contextlib.suppress(DatabrokerError):
        look(huge)


@pytest.mark.parametrize(
    "ask",
    [
        lambda db: db[HUGE + 1],
        lambda db: db[-HUGE],
        lambda db: db[-HUGE:],
        lambda db: db[: -HUGE + 1 : HUGE],
        lambda db: db[Fraction(HUGE, 7)],
        lambda db: db[decimal.Decimal("inf")],
        lambda db: db[decimal.Decimal("nan")],
        lambda db: db[float("nan")],
        lambda db: list(db(since=HUGE)),
        lambda db: list(db(data_key=HUGE)),
        lambda db: list(db(x={"$type": HUGE})),
        lambda db: list(db(x={"$in": HUGE})),
        lambda db: list(db(x={"$size": HUGE})),
        lambda db: list(db({HUGE: 1})),
        lambda db: list(db(HUGE)),
        lambda db: db().sort(HUGE),
        lambda db: db().to_frame([HUGE]),
        lambda db: db()[HUGE],
    ],
    ids=range(18),
)
def test_questions_with_huge_numbers_have_answers_or_errors_of_ours(huge, ask):
    try:
        ask(huge)
    except (DatabrokerError, TypeError) as error:
        assert len(str(error)) < 1000  # noqa: PT017
