import datetime
import re
import sys

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from databroker import queries
from databroker.errors import InvalidQuery, UnsupportedQuery
from databroker.queries import (
    And,
    DataKey,
    Detector,
    Everything,
    FullText,
    Key,
    Motor,
    Or,
    Status,
    TextQuery,
    TimeBounds,
    TimeRange,
)
from databroker.query.evaluate import RunView, matches
from databroker.query.nodes import (
    Compare,
    ContainsAll,
    ElemMatch,
    Equals,
    Exists,
    In,
    Matches,
    Path,
)
from databroker.query.operators import OPERATORS
from databroker.query.parse import from_keywords, from_mongo
from databroker.query.time_bounds import time_bounds
from databroker.times import resolve_zone
from helpers.strategies import documents, values

UTC = resolve_zone("UTC")


def read(text=None, /, **kwargs):
    return from_keywords(text, kwargs, UTC)


def test_no_arguments_ask_for_everything():
    for text in (None, "", "  ", {}):
        assert read(text) == Everything()


def test_keywords_are_anded_in_order():
    assert read("good", a=1, **{"b.c": "x"}) == And(
        FullText("good"), Equals(Path("a"), 1), Equals(Path("b.c"), "x")
    )


def test_the_positional_argument_may_be_a_query_a_dictionary_or_an_old_query_object():
    assert read(Key("a") == 1, b=2) == (Key("a") == 1) & (Key("b") == 2)
    assert read({"a": {"$gt": 1}}, b=2) == (Key("a") > 1) & (Key("b") == 2)
    assert read(TextQuery("good")) == FullText("good")
    assert read(TimeRange(since=5, until=9)) == (Key("time") >= 5.0) & (Key("time") < 9.0)


@pytest.mark.parametrize("text", [5, ["a"], b"good", Key("a"), True, object()])
def test_any_other_positional_argument_is_refused(text):
    with pytest.raises(InvalidQuery, match="cannot search for"):
        read(text)


def test_stop_keys_are_looked_for_in_the_stop_document():
    assert read(**{"stop.exit_status": "fail"}) == Status("fail")
    assert read(stop=1) == Equals(Path("stop"), 1)


def test_a_nested_dictionary_is_a_value():
    assert read(sample={"name": "Ni"}) == Equals(Path("sample"), {"name": "Ni"})
    assert read(sample={}) == Equals(Path("sample"), {})
    assert read(sample={"$eq": {"$x": 1}}) == Equals(Path("sample"), {"$x": 1})


def test_a_compiled_pattern_searches():
    expected = Matches(Path("a"), "^n", "im")
    assert read(a=re.compile("^n", re.IGNORECASE | re.MULTILINE)) == expected
    assert read(a=regex.compile("^n", regex.IGNORECASE | regex.MULTILINE)) == expected
    assert (Key("a") == re.compile("^n", re.I | re.M)) == expected
    assert read(a={"$in": ["x", re.compile("y")]}) == Or(
        In(Path("a"), ("x",)), Matches(Path("a"), "y")
    )
    with pytest.raises(InvalidQuery, match="text pattern"):
        read(a=re.compile(b"x"))
    with pytest.raises(UnsupportedQuery, match="V1"):
        read(a=regex.compile("x", regex.V1))


def test_every_operator():
    path = Path("a")
    for query, node in {
        "$eq": (1, Equals(path, 1)),
        "$ne": (1, ~Equals(path, 1)),
        "$gt": (1, Compare(path, "gt", 1)),
        "$gte": (1, Compare(path, "gte", 1)),
        "$lt": ("x", Compare(path, "lt", "x")),
        "$lte": (True, Compare(path, "lte", True)),
        "$in": ((1, None), In(path, (1, None))),
        "$nin": ([1], ~In(path, (1,))),
        "$exists": (True, Exists(path)),
        "$regex": ("x", Matches(path, "x")),
        "$not": ({"$gt": 1}, ~Compare(path, "gt", 1)),
        "$all": ([1, 2], ContainsAll(path, (1, 2))),
        "$size": (2.0, Key("a").size(2)),
        "$elemMatch": ({"b": 1}, ElemMatch(path, Equals(Path("b", "element"), 1))),
        "$type": ("str", Key("a").has_type("string")),
        "$mod": ([4, 1], Key("a").mod(4, 1)),
    }.items():
        operand, expected = node
        assert from_mongo({"a": {query: operand}}) == expected, query
    assert from_mongo({"a": {"$exists": False}}) == Exists(path, False)
    assert from_mongo({"a": {"$regex": "x", "$options": "ix"}}) == Matches(path, "x", "ix")
    assert from_mongo({"a": {"$options": "u", "$regex": re.compile("x", re.S)}}) == Matches(
        path, "x", "s"
    )
    assert from_mongo({"a": {"$type": [1, "bool", list]}}) == Or(
        *(Key("a").has_type(kind) for kind in ("double", "bool", "array"))
    )
    one, two = Equals(path, 1), Equals(Path("b"), 2)
    assert from_mongo({"$and": [{"a": 1}, {"b": 2}]}) == one & two
    assert from_mongo({"$or": [{"a": 1}, {"b": 2}]}) == one | two
    assert from_mongo({"$nor": [{"a": 1}, {"b": 2}]}) == ~(one | two)
    assert from_mongo({"$not": {"a": 1}, "b": 2}) == ~one & two


def test_operands_may_be_numpy_values():
    assert from_mongo({"a": {"$in": np.array([1, 2])}}) == In(Path("a"), (1, 2))
    assert from_mongo({"a": {"$gt": np.float32(0.5), "$size": np.int64(1)}}) == And(
        Compare(Path("a"), "gt", 0.5), Key("a").size(1)
    )


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ({"a": {"$gtt": 1}}, "$gt"),
        ({"a": {"$exist": 1}}, "$exists"),
        ({"a": {"$elemmatch": {}}}, "$elemMatch"),
        ({"a": {"$GTE": 1}}, "$gte"),
        ({"a": {"$regexp": "x"}}, "$regex"),
        ({"a": {"$not": {"$inn": [1]}}}, "$in"),
        ({"a": {"$elemMatch": {"$siez": 1}}}, "$size"),
        ({"$adn": []}, "$and"),
        ({"$norr": []}, "$nor"),
        ({"$or": [{"a": {"$modd": [1, 2]}}]}, "$mod"),
    ],
)
def test_a_misspelt_operator_is_answered_with_the_nearest(query, meant):
    with pytest.raises(InvalidQuery, match=rf"did you mean {re.escape(meant)}\?"):
        from_mongo(query)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"a": {"$zzz": 1}}, "known are"),
        ({"$gt": 5}, "belongs inside a key"),
        ({"$options": 5}, "belongs inside a key"),
        ({"a": {"$or": []}}, "in the place of a key"),
        ({"a": {"$gt": 1, "b": 2}}, "mixes operators"),
        ({"a": {"$options": "i"}}, r"\$options needs a \$regex"),
        ({"a": {"$regex": "("}}, "not a valid pattern"),
        ({"a": {"$regex": 5}}, "must be text"),
        ({"a": {"$regex": "x" * 20_000}}, "at most"),
        ({"a": {"$regex": "(" * 5_000 + ")" * 5_000}}, "not a valid pattern"),
        ({"a": {"$regex": "x", "$options": "z"}}, "unknown pattern flag"),
        ({"a": {"$regex": "x", "$options": 5}}, "flags are letters"),
        ({"a": {"$in": "abc"}}, "takes a list"),
        ({"a": {"$in": {"b": 1}}}, "takes a list"),
        ({"a": {"$nin": 5}}, "takes a list"),
        ({"a": {"$all": 5}}, "takes a list"),
        ({"a": {"$exists": "yes"}}, "True or False"),
        ({"a": {"$exists": 2}}, "True or False"),
        ({"a": {"$size": -1}}, "from 0 upwards"),
        ({"a": {"$size": 1.5}}, "whole numbers"),
        ({"a": {"$size": True}}, "whole numbers"),
        ({"a": {"$size": float("nan")}}, "whole numbers"),
        ({"a": {"$mod": [0, 1]}}, "cannot divide by 0"),
        ({"a": {"$mod": [1]}}, "divisor, remainder"),
        ({"a": {"$mod": ["a", 1]}}, "whole numbers"),
        ({"a": {"$mod": [float("inf"), 1]}}, "whole numbers"),
        ({"a": {"$type": "datum"}}, "is no type"),
        ({"a": {"$type": []}}, "at least one"),
        ({"a": {"$type": True}}, "is no type"),
        ({"a": {"$type": {}}}, "is no type"),
        ({"a": {"$not": 5}}, "takes operators or a pattern"),
        ({"a": {"$not": {}}}, "takes operators or a pattern"),
        ({"a": {"$not": {"b": 1}}}, "takes operators or a pattern"),
        ({"a": {"$elemMatch": 5}}, "takes a dictionary"),
        ({"a": {"$eq": re.compile("x")}}, r"write \$regex"),
        ({"a": {"$ne": re.compile("x")}}, r"\$not"),
        ({"$and": {"a": 1}}, "at least one dictionary"),
        ({"$or": []}, "at least one dictionary"),
        ({"$or": [5]}, "expected a dictionary"),
        ({"$not": 5}, "expected a dictionary"),
        ({5: 1}, "a key must be text"),
        ({None: 1}, "a key must be text"),
        ({"a": {5: 1, "$gt": 2}}, "mixes operators"),
        ({"a": {5: 1}}, "must be text"),
        ({"a": object()}, "cannot search for a value"),
        ({"a": {"$in": [object()]}}, "cannot search for a value"),
        ({"data_key": ["a", "b"]}, "name of one data key"),
        ({"data_key": 5}, "name of one data key"),
        ({"data_key": {"$in": "ab"}}, "list of names"),
    ],
)
def test_malformed_queries_say_what_was_found_and_what_is_expected(query, message):
    with pytest.raises(InvalidQuery, match=message):
        from_mongo(query)


@pytest.mark.parametrize(
    "query",
    [
        {"$where": "this.a == 1"},
        {"$text": {"$search": "good", "$caseSensitive": True}},
        {"a": {"$text": {"$search": "good"}}},
        {"samples": {"$elemMatch": {"$text": {"$search": "good"}, "a": 1}}},
        {"$expr": {}},
        {"a": {"$near": [1, 2]}},
        {"a": {"$bitsAllSet": 1}},
        {"a": {"$not": {"$geoWithin": {}}}},
        {"a": {"$gt": [1]}},
        {"a": {"$lt": {"b": 1}}},
        {"data_key": {"$regex": "x"}},
    ],
)
def test_what_mongodb_answers_and_databroker_does_not(query):
    with pytest.raises(UnsupportedQuery):
        from_mongo(query)
    assert issubclass(UnsupportedQuery, NotImplementedError)


def test_mongodb_s_search_for_words_is_ours():
    good = FullText("good sample")
    words = {"$text": {"$search": "good sample", "$language": "none", "$caseSensitive": False}}
    assert from_mongo(words) == from_mongo(dict(TextQuery("good sample"))) == good
    assert from_mongo({"a": 1, **words}) == And(Key("a") == 1, good)
    assert from_mongo({"$or": [words, {"a": 1}]}) == Or(good, Key("a") == 1)
    assert from_mongo({"$nor": [words]}) == from_mongo({"$not": words}) == ~good
    for wrong in ("good", {}, {"$search": 5}, {"$search": "?"}):
        with pytest.raises(InvalidQuery):
            from_mongo({"$text": wrong})


@pytest.mark.parametrize("kind", ["$and", "$or", "$nor", "$not", "value", "elem", "not-op", "dict"])
@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_a_thousand_levels_are_refused_never_misread(kind, depth):
    query = {"a": 1}
    for _ in range(depth):
        if kind in ("$and", "$or", "$nor"):
            query = {kind: [query]}
        elif kind == "$not":
            query = {"$not": query}
        elif kind == "value":
            query = {"a": {"$in": [query]}}
        elif kind == "elem":
            query = {"a": {"$elemMatch": query}}
        elif kind == "not-op":
            query = {"a": {"$not": query["a"] if isinstance(query["a"], dict) else {"$gt": 1}}}
        else:
            query = {"a": query}
    limit = sys.getrecursionlimit()
    with pytest.raises(InvalidQuery, match="nested more than"):
        from_mongo(query)
    assert sys.getrecursionlimit() == limit


def test_a_query_that_contains_itself_is_refused():
    query: dict = {}
    query["$and"] = [query]
    with pytest.raises(InvalidQuery, match="nested more than"):
        from_mongo(query)
    value: list = []
    value.append(value)
    with pytest.raises(InvalidQuery, match="nested more than"):
        read(a=value)


def test_deep_but_accepted_queries_are_answered():
    query = {"a": 1}
    for _ in range(80):
        query = {"$nor": [query]}
    assert matches(from_mongo(query), RunView({"a": 1}))
    assert not matches(from_mongo(query), RunView({"a": 2}))


@pytest.mark.parametrize(
    "key",
    ["it's", 'a"b', "a..b", ".", "", "100%", "nul\x00l", "😀", "'; drop table runs; --", "\ud800"],
)
def test_odd_keys_and_values_are_looked_up_as_they_are(key):
    node = from_mongo({key: key})
    assert matches(node, RunView({key: key}))
    assert not matches(node, RunView({"a": key}))


# -- motors and detectors --------------------------------------------------------


def involved(query, **start):
    return matches(read(**query), RunView(start))


def test_motor_and_detector_look_in_both_keys():
    assert read(motor="eta") == Motor("eta") == (Key("motor") == "eta") | (Key("motors") == "eta")
    assert involved({"motor": "eta"}, motors=["eta", "phi"])
    assert involved({"motor": "eta"}, motor="eta")
    assert involved({"detector": "det"}, detectors=["det"])
    assert not involved({"motor": "det"}, detectors=["det"])
    assert read(detector="det") == Detector("det")


@pytest.mark.parametrize(
    ("condition", "start", "expected"),
    [
        ({"$ne": "x"}, {"motor": "y", "motors": ["x"]}, False),
        ({"$ne": "x"}, {"motors": ["y"]}, True),
        ({"$nin": ["x", "z"]}, {"motors": ["y", "z"]}, False),
        ({"$in": ["x", "z"]}, {"motors": ["y", "z"]}, True),
        (None, {"motors": ["x"]}, False),
        (None, {}, True),
        ({"$in": [None, "y"]}, {"motors": ["x"]}, False),
        ({"$in": [None, "x"]}, {"motors": ["x"]}, True),
        ({"$in": [None]}, {}, True),
        ({"$exists": False}, {"motors": ["x"]}, False),
        ({"$exists": False}, {}, True),
        ({"$exists": True}, {"motor": None}, True),
        ({"$all": ["x", "y"]}, {"motor": "x", "motors": ["y"]}, True),
        ({"$all": []}, {"motors": []}, False),
        ({"$not": {"$regex": "^x"}}, {"motors": ["y", "x1"]}, False),
        (re.compile("^x"), {"motors": ["y", "x1"]}, True),
        (["x", "y"], {"motors": ["x", "y"]}, True),
    ],
)
def test_conditions_on_motors_hold_for_both_keys_together(condition, start, expected):
    assert involved({"motor": condition}, **start) is expected


# -- data keys -------------------------------------------------------------------


def test_data_key():
    assert read(data_key="det") == DataKey("det")
    assert read(data_key=None) == Everything()
    assert read(data_key={"$in": ["a", "b"]}) == DataKey("a") | DataKey("b")
    assert read(data_key={"$all": ["a", "b"]}) == DataKey("a") & DataKey("b")
    assert read(data_key={"$nin": ["a"], "$ne": "b"}) == ~Or(DataKey("a")) & ~DataKey("b")
    assert read(data_key={"$not": {"$eq": "a"}}) == ~DataKey("a")
    run = RunView({}, data_keys=lambda: {"a"})
    assert not matches(read(data_key={"$all": []}), run)
    assert not matches(read(data_key={"$in": []}), run)


# -- times -----------------------------------------------------------------------


def test_since_and_until_become_bounds():
    assert read(since="1970-1-2", until=200_000) == TimeBounds(86400.0, 200_000.0)
    assert read(since=0) == TimeBounds(0.0, None)
    assert read(since=None, until=None) == Everything()
    assert read(until=datetime.date(1970, 1, 2)) == TimeBounds(None, 86400.0)


def test_relative_bounds_refer_to_the_time_given():
    assert from_keywords(None, {"since": "2 days ago"}, UTC, now=86400.0 * 10) == TimeBounds(
        691200.0
    )


def test_bounds_are_read_in_the_zone_given():
    new_york = resolve_zone("America/New_York")
    assert from_keywords(None, {"since": "1970"}, new_york) == TimeBounds(5 * 3600.0)


def test_bounds_take_the_place_of_an_explicit_time():
    assert read(since=5, time=7) == TimeBounds(5.0)
    assert read(since=None, time=7) == Equals(Path("time"), 7)


def test_bounds_work_inside_a_nested_query():
    assert read({"$or": [{"since": 5}, {"a": 1}]}) == TimeBounds(5.0) | (Key("a") == 1)
    assert from_mongo({"a": {"$elemMatch": {"since": 5}}}).node == Equals(
        Path("since", "element"), 5
    )


def test_old_names_of_the_bounds_warn():
    with pytest.warns(UserWarning, match="'start_time' is now called 'since'"):
        assert read(start_time=5) == TimeBounds(5.0)
    with pytest.warns(UserWarning, match="'stop_time' is now called 'until'"):
        assert read(stop_time="1970-1-2") == TimeBounds(None, 86400.0)


@pytest.mark.parametrize("pair", [("since", "start_time"), ("until", "stop_time")])
def test_old_and_new_name_together_are_a_type_error(pair):
    with pytest.raises(TypeError, match="both"):
        read(**dict.fromkeys(pair, 5))


def test_a_bad_bound_shows_the_accepted_forms():
    with pytest.raises(ValueError, match="'2015-3-5 10:01'"):
        read(since="last teatime")


def test_resolved_bounds_can_be_read_back():
    assert time_bounds(read(since=5)) == TimeBounds(5.0)
    assert time_bounds(read("good", since=5, until=9, a=1)) == TimeBounds(5.0, 9.0)
    both = read(since=5, until=9) & read(since=7)
    assert time_bounds(both) == TimeBounds(7.0, 9.0)
    assert time_bounds(read(a=1) | read(since=5)) == TimeBounds()


# -- old query objects -----------------------------------------------------------


def test_time_range_behaves_as_in_databroker_1():
    import pickle

    year = TimeRange(since="2014", until="2015", timezone="UTC")
    assert dict(year) == year.query == {"time": {"$gte": 1388534400.0, "$lt": 1420070400.0}}
    assert len(year) == 1
    assert year == TimeRange(since="2014", until="2015", timezone="UTC")
    assert pickle.loads(pickle.dumps(year)) == year
    assert year.replace(until="2016").kwargs == {
        "since": "2014",
        "until": "2016",
        "timezone": "UTC",
    }
    assert dict(TimeRange()) == {}
    assert matches(TimeRange().to_node(), RunView({}))
    assert (
        repr(TimeRange(since=2014, timezone="UTC"))
        == "TimeRange(since=2014, until=None, timezone='UTC')"
    )
    with pytest.raises(ValueError, match="later than"):
        TimeRange(since="2015", until="2014")


def test_the_end_of_a_time_range_does_not_belong_to_it():
    node = TimeRange(since=5, until=9).to_node()
    assert [matches(node, RunView({"time": t})) for t in (4.9, 5, 8.9, 9)] == [
        False,
        True,
        True,
        False,
    ]


def test_old_query_objects_combine_with_new_ones():
    late = TimeRange(since=5)
    failed = Status("fail")
    assert late & failed == And(Key("time") >= 5.0, failed)
    assert failed & late == And(failed, Key("time") >= 5.0)
    assert late | TextQuery("good") == Or(Key("time") >= 5.0, FullText("good"))
    assert failed | late == Or(failed, Key("time") >= 5.0)
    assert ~late == ~(Key("time") >= 5.0)
    assert TextQuery("good").query == {"$text": {"$search": "good"}}


def test_how_a_run_stands_that_has_not_ended_is_a_question_about_the_run():
    for status in ("running", "unknown"):
        assert Status(status) == Equals(Path("status", "run"), status)
        assert eval(repr(Status(status)), vars(queries)) == Status(status)


# -- any input -------------------------------------------------------------------

_names = st.sampled_from(
    [
        *OPERATORS,
        *("$regex", "$options", "$and", "$or", "$nor", "$where", "$oops"),
        *("a", "a.b", "motor", "data_key", "since", "time", "stop.x"),
    ]
)
_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.sampled_from(["", "a", "(", "i", "2015"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_names, _anything, max_size=3), documents)
def test_any_dictionary_is_answered_or_refused_clearly(query, document):
    try:
        node = from_mongo(query, UTC)
    except (InvalidQuery, UnsupportedQuery) as error:
        message = str(error)
        assert 10 < len(message) < 1_000
    else:
        assert matches(node, RunView(document)) in (True, False)


@given(st.dictionaries(st.sampled_from(["a", "b", "x.y"]), values, max_size=3))
def test_the_metadata_of_a_run_find_it(metadata):
    literal = {key: {"$eq": value} for key, value in metadata.items()}
    assert matches(from_mongo(literal), RunView(metadata))
