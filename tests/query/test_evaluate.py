import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.errors import QueryTimeout
from databroker.queries import And, DataKey, Everything, Key, Or, TimeBounds, UidPrefix
from databroker.query.evaluate import RunView, compile, matches
from databroker.query.nodes import Node
from databroker.query.parse import from_mongo
from helpers.strategies import documents, names, paths, queries, runs, scalars, values


def ask(query, start, stop=None):
    return matches(from_mongo(query), RunView(start, stop))


# The documents and answers by which MongoDB's own null semantics can be told apart.
NULLS = {
    "empty_subobject": {"a": {}},
    "null": {"a": None},
    "number": {"a": 4},
    "subobject_b_not_null": {"a": {"b": "hi"}},
    "subobject_b_null": {"a": {"b": None}},
    "no_a": {},
    "double_array": {"a": [[]]},
    "empty_array": {"a": []},
    "objects_all_null": {"a": [{"b": None}, {}]},
    "objects_no_null": {"a": [{"b": 1}, {"b": "text"}]},
    "objects_some_null": {"a": [{"b": None}, {"b": 3}]},
    "objects_some_missing": {"a": [{"b": 3}, {}]},
    "values_all_null": {"a": [None, None]},
    "values_no_null": {"a": [1, "text"]},
    "values_some_null": {"a": [1, None]},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"a": None}, "null no_a values_all_null values_some_null"),
        ({"a": {"$in": [None, 4]}}, "null number no_a values_all_null values_some_null"),
        ({"a": {"$exists": False}}, "no_a"),
        ({"a": {"$gte": None}}, "null no_a values_all_null values_some_null"),
        ({"a": {"$type": "null"}}, "null values_all_null values_some_null"),
        (
            {"a.b": None},
            "empty_subobject null number subobject_b_null no_a "
            "objects_all_null objects_some_null objects_some_missing",
        ),
        (
            {"a.b": {"$exists": False}},
            "empty_subobject null number no_a double_array empty_array "
            "values_all_null values_no_null values_some_null",
        ),
        ({"a": {"$elemMatch": {"$eq": None}}}, "values_all_null values_some_null"),
        (
            {"a": {"$elemMatch": {"b": {"$ne": None}}}},
            "objects_no_null objects_some_null objects_some_missing",
        ),
        (
            {"a": {"$elemMatch": {"b": None}}},
            "objects_all_null objects_some_null objects_some_missing",
        ),
    ],
)
def test_null_and_missing_follow_mongodb(query, expected):
    found = {name for name, document in NULLS.items() if ask(query, document)}
    assert found == set(expected.split())
    assert {n for n, d in NULLS.items() if ask({"$nor": [query]}, d)} == set(NULLS) - found


@pytest.mark.parametrize(
    ("query", "document", "expected"),
    [
        ({"a": 5}, {"a": 5.0}, True),
        ({"a": 5}, {"a": "5"}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": 0}, {"a": False}, False),
        ({"a": ""}, {"a": None}, False),
        ({"a": [1]}, {"a": [True]}, False),
        ({"a": 2**53 + 1}, {"a": 2.0**53}, False),
        ({"a": 2**53}, {"a": 2.0**53}, True),
        ({"a": 10**400}, {"a": 10**400}, True),
        ({"a": 10**400}, {"a": math.inf}, False),
        ({"a": {"$lt": math.inf}}, {"a": 10**400}, True),
        ({"a": {"$gt": 2**53}}, {"a": 2**53 + 1}, True),
        ({"a": {"$gt": 2.0**53}}, {"a": 2**53 + 1}, True),
        ({"a": math.nan}, {"a": math.nan}, True),
        ({"a": math.nan}, {"a": 1.0}, False),
        ({"a": {"$gte": math.nan}}, {"a": math.nan}, True),
        ({"a": {"$gte": math.nan}}, {"a": 1}, False),
        ({"a": {"$gte": 0}}, {"a": math.nan}, False),
        ({"a": {"$lt": math.nan}}, {"a": 1}, False),
        ({"a": -0.0}, {"a": 0}, True),
        # arrays
        ({"a": 1}, {"a": [3, 1]}, True),
        ({"a": [3, 1]}, {"a": [3, 1]}, True),
        ({"a": [1, 3]}, {"a": [3, 1]}, False),
        ({"a": [3]}, {"a": [3, 1]}, False),
        ({"a": [1, 2]}, {"a": [[1, 2], 3]}, True),
        ({"a": 1}, {"a": [[1, 2], 3]}, False),
        ({"a": []}, {"a": []}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2.0, "b": 1}}, True),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, False),
        ({"a": {"b": 1}}, {"a": [{"b": 1}]}, True),
        ({"a": {}}, {"a": {}}, True),
        ({"a.1": 7}, {"a": [5, 7]}, True),
        ({"a.1": 5}, {"a": [5, 7]}, False),
        ({"a.01": 7}, {"a": [5, 7]}, False),
        ({"a.1": 7}, {"a": {"1": 7}}, True),
        ({"a.1": 7}, {"a": [{"1": 7}]}, True),
        ({"a.1.b": 7}, {"a": [0, {"b": 7}]}, True),
        ({"a.b": 1}, {"a": [[{"b": 1}]]}, False),
        ({"a.0.b": 1}, {"a": [[{"b": 1}]]}, True),
        # keys that hold dots
        ({"a.b": 1}, {"a.b": 1}, True),
        ({"a.b.c": 1}, {"a": {"b.c": 1}}, True),
        ({"a.b.c": 1}, {"a.b": {"c": 1}}, True),
        ({"a.b": {"$exists": True}}, {"a.b": None, "a": {}}, True),
        # comparison: like with like
        ({"a": {"$gt": 4}}, {"a": "5"}, False),
        ({"a": {"$gt": "4"}}, {"a": 5}, False),
        ({"a": {"$gt": 0}}, {"a": True}, False),
        ({"a": {"$gt": False}}, {"a": True}, True),
        ({"a": {"$gt": False}}, {"a": 1}, False),
        ({"a": {"$lt": "b"}}, {"a": "B"}, True),
        ({"a": {"$gt": None}}, {"a": None}, False),
        ({"a": {"$gt": 4, "$lt": 2}}, {"a": [1, 5]}, True),
        ({"a": {"$elemMatch": {"$gt": 4, "$lt": 2}}}, {"a": [1, 5]}, False),
        ({"a": {"$elemMatch": {"$gt": 2, "$lt": 6}}}, {"a": [1, 5]}, True),
        ({"a": {"$elemMatch": {"$gt": 2}}}, {"a": 5}, False),
        ({"a": {"$elemMatch": {"$elemMatch": {"$gt": 2}}}}, {"a": [[1], [3]]}, True),
        ({"a": {"$elemMatch": {"$gt": 2}}}, {"a": [[3]]}, False),
        ({"a": {"$elemMatch": {"b": 1, "c": 2}}}, {"a": [{"b": 1}, {"c": 2}]}, False),
        ({"a": {"$elemMatch": {"b": 1, "c": 2}}}, {"a": [{"b": 1, "c": 2}]}, True),
        ({"a": {"$elemMatch": {"$or": [{"b": 1}, {"b": 2}]}}}, {"a": [{"b": 2}]}, True),
        ({"a": {"$elemMatch": {"motor": 1}}}, {"a": [{"motors": 1}]}, False),
        # other operators
        ({"a": {"$ne": 1}}, {"a": [1, 2]}, False),
        ({"a": {"$ne": 1}}, {}, True),
        ({"a": {"$nin": [1, 2]}}, {"a": 3}, True),
        ({"a": {"$nin": [1, None]}}, {}, False),
        ({"a": {"$in": []}}, {"a": 1}, False),
        ({"a": {"$nin": []}}, {"a": 1}, True),
        ({"a": {"$not": {"$gt": 5}}}, {}, True),
        ({"a": {"$not": {"$gt": 5}}}, {"a": [1, 9]}, False),
        ({"a": {"$all": [1, 2]}}, {"a": [2, 3, 1]}, True),
        ({"a": {"$all": [1]}}, {"a": 1}, True),
        ({"a": {"$all": [[1]]}}, {"a": [1]}, True),
        ({"a": {"$all": []}}, {"a": []}, False),
        ({"a": {"$all": [{"$elemMatch": {"b": 1}}]}}, {"a": [{"b": 1}]}, True),
        ({"a": {"$size": 0}}, {"a": []}, True),
        ({"a": {"$size": 2}}, {"a": [1, [2]]}, True),
        ({"a": {"$size": 1}}, {"a": "x"}, False),
        ({"a.b": {"$size": 1}}, {"a": [{"b": []}, {"b": [1]}]}, True),
        ({"a": {"$type": "number"}}, {"a": [None, 2]}, True),
        ({"a": {"$type": "int"}}, {"a": True}, False),
        ({"a": {"$type": "array"}}, {"a": []}, True),
        ({"a": {"$type": ["string", "bool"]}}, {"a": False}, True),
        ({"a": {"$mod": [4, 0]}}, {"a": 12}, True),
        ({"a": {"$mod": [4, 1]}}, {"a": 13.9}, True),
        ({"a": {"$mod": [4, -1]}}, {"a": -13}, True),
        ({"a": {"$mod": [-4, 1]}}, {"a": 13}, True),
        ({"a": {"$mod": [2, 0]}}, {"a": math.inf}, False),
        ({"a": {"$mod": [2, 0]}}, {"a": 10**400}, True),
        ({"a": {"$mod": [1, 0]}}, {"a": True}, False),
        ({"a": {"$regex": "^N", "$options": "i"}}, {"a": ["cu", "ni"]}, True),
        ({"a": {"$regex": "1"}}, {"a": 1}, False),
        ({"a": {"$in": ["x"]}}, {"a": ["y", "x"]}, True),
    ],
)
def test_answers(query, document, expected):
    assert ask(query, document) is expected


def test_an_array_answers_as_the_list_would():
    document = {"a": np.array([[1, 2], [3, 4]]), "b": {"c": np.arange(3)}, "d": np.float32(0.5)}
    assert ask({"a": [1, 2]}, document)
    assert ask({"a": np.array([[1, 2], [3, 4]])}, document)
    assert ask({"b.c": 2, "b.c.1": 1}, document)
    assert ask({"b.c": {"$size": 3}}, document)
    assert ask({"d": 0.5}, document)
    assert not ask({"a": 1}, document)
    assert ask({"b": {"c": [0, 1, 2]}}, document)


def test_a_question_about_the_stop_of_a_running_scan_finds_it_missing():
    running = RunView({"uid": "a"})
    assert not matches(Key("stop.exit_status") == "fail", running)
    assert matches(Key("stop.exit_status") != "fail", running)
    assert matches(~Key("stop.uid").exists(), running)
    assert matches(Key("stop.exit_status") == None, running)  # noqa: E711
    ended = RunView({}, {"num_events": {"primary": 12}})
    assert matches(Key("stop.num_events.primary") > 10, ended)


def test_data_keys_are_only_looked_up_when_asked_for():
    def never():
        raise AssertionError("data keys were loaded")

    assert not matches((Key("a") == 1) & DataKey("det"), RunView({}, data_keys=never))
    assert matches(DataKey("det"), RunView({}, data_keys=lambda: {"det"}))


def test_a_uid_prefix_is_literal():
    assert not matches(UidPrefix(".*"), RunView({"uid": "abc"}))
    assert not matches(UidPrefix("a"), RunView({}))


@given(queries, runs)
def test_a_query_holds_or_its_opposite_does(query, run):
    assert matches(query, run) is not matches(~query, run)


@given(queries, queries, runs)
def test_and_or_not_obey_de_morgan(one, other, run):
    assert matches(~(one & other), run) == matches(~one | ~other, run)
    assert matches(~(one | other), run) == matches(~one & ~other, run)
    assert matches(one & other, run) == (matches(one, run) and matches(other, run))


@given(queries, runs)
def test_a_printed_query_means_the_same(query, run):
    import databroker.queries as public

    again = eval(repr(query), {name: getattr(public, name) for name in public.__all__})
    assert matches(again, run) == matches(query, run)


@given(paths, values, runs)
def test_in_is_several_equalities_and_all_is_them_at_once(path, value, run):
    each = [Key(path) == v for v in (value, 1, None)]
    assert matches(Key(path).isin([value, 1, None]), run) == matches(Or(each), run)
    assert matches(Key(path).contains_all([value, 1, None]), run) == matches(And(each), run)


@given(paths, scalars, runs)
def test_at_least_is_greater_or_equal(path, value, run):
    if value is None:
        return
    key = Key(path)
    assert matches(key >= value, run) == matches((key > value) | (key == value), run)
    assert matches(key <= value, run) == matches((key < value) | (key == value), run)


@given(documents, names)
def test_a_document_answers_to_its_own_values(document, name):
    if name in document:
        assert matches(Key(name) == document[name], RunView(document))
        assert matches(Key(name).exists(), RunView(document))


@given(st.dictionaries(st.sampled_from("ab"), st.lists(st.integers(0, 2)) | st.integers(0, 2)))
def test_flat_documents_agree_with_plain_python(document):
    for key in "ab":
        held = document.get(key)
        held = held if isinstance(held, list) else [held]
        for value in range(3):
            assert matches(Key(key) == value, RunView(document)) == (value in held)
            assert matches(Key(key) > value, RunView(document)) == any(
                item is not None and item > value for item in held
            )


@given(st.floats(0, 10), st.floats(0, 10), st.floats(0, 10))
def test_time_bounds_include_both_ends(time_, since, until):
    run = RunView({"time": time_})
    assert matches(TimeBounds(since, until), run) == (since <= time_ <= until)
    assert matches(TimeBounds(time_, time_), run)


def test_a_run_without_a_sensible_time_is_in_no_bounds():
    for start in ({}, {"time": None}, {"time": "now"}, {"time": True}, {"time": math.nan}):
        assert not matches(TimeBounds(since=0), RunView(start))
        assert matches(TimeBounds(), RunView(start))


def test_a_pattern_that_blows_up_is_given_up_with_an_explanation():
    begin = time.perf_counter()
    with pytest.raises(QueryTimeout, match=r"'\(a\|aa\)\+\$' took longer than 1 s.*key 'sample'"):
        matches(Key("sample").matches(r"(a|aa)+$"), RunView({"sample": ["a" * 90 + "!"] * 5}))
    assert time.perf_counter() - begin < 60  # on a busy machine


def test_all_texts_of_a_run_share_the_time_limit(monkeypatch):
    monkeypatch.setattr("databroker.query.patterns.PATTERN_SECONDS", 0.2)
    query = Key("sample").matches(r"(a|aa)+$")
    slow = "a" * 22 + "!"
    assert not matches(query, RunView({"sample": slow}))
    with pytest.raises(QueryTimeout):
        matches(query, RunView({"sample": [slow] * 10_000}))


def test_positions_and_names_together_do_not_multiply():
    document = {"0": [{"0": 1}]}
    for _ in range(60):
        document = {"0": [document, document]}
    begin = time.perf_counter()
    matches(Key(".".join("0" * 99)) == 1, RunView(document))
    assert time.perf_counter() - begin < 60  # on a busy machine


def test_a_document_nested_deeper_than_the_question_is_no_problem():
    deep = {"a": 1}
    for _ in range(100_000):
        deep = {"a": [deep]}
    assert not matches(Key(".".join("a" * 100)) == 1, RunView(deep))
    assert matches(Key("a") != {"a": 1}, RunView(deep))


def test_an_unknown_node_is_refused():
    class Mystery(Node):
        pass

    with pytest.raises(NotImplementedError, match="does not know Mystery"):
        compile(Mystery())
    assert compile(Everything())(RunView({}))
