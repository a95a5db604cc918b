"""What a server is asked of a question: whatever no run can match without."""

from dataclasses import replace

import pytest

from databroker.query import nodes as n
from databroker.stores.mongo.compile import compile_node

TEMPERATURE = n.Path("sample.temp")


def asked(node):
    """Return the filter without what is only asked because of old and foreign documents."""
    compiled = compile_node(node, [])
    assert not compiled.is_exact
    return compiled.filter and compiled.filter["$or"][0]


@pytest.mark.parametrize(
    ("node", "condition"),
    [
        (n.Equals(TEMPERATURE, 3), 3),
        (n.Compare(TEMPERATURE, "gt", 3), {"$gt": 3}),
        (n.Compare(TEMPERATURE, "lte", -0.5), {"$lte": -0.5}),
        (n.Compare(TEMPERATURE, "gte", "cold"), {"$gte": "cold"}),
        (n.In(TEMPERATURE, (3, "cold")), {"$in": [3, "cold"]}),
        (n.Exists(TEMPERATURE), {"$exists": True}),
        (n.Size(TEMPERATURE, 2), {"$size": 2}),
        (n.Matches(TEMPERATURE, "^co.*d$"), {"$gte": "co", "$lt": "cp"}),
    ],
)
def test_what_is_asked_at_a_path_of_a_start_and_of_a_stop(node, condition):
    assert asked(node) == {"sample.temp": condition}
    looked_up = []
    of_stop = replace(node, path=n.Path(TEMPERATURE.text, "stop"))
    assert compile_node(of_stop, [], lambda *pair: looked_up.append(pair)).filter is None
    ((kind, query),) = looked_up
    assert (kind, query["$or"][0]) == ("stop", {"sample.temp": condition})


def test_runs_that_have_a_data_key_are_named():
    asked = {"descriptor": {"data_keys.det": {"$exists": True}}}
    runs_of = lambda kind, query: ["a", "b"] if asked[kind] == query else None  # noqa: E731
    found = compile_node(n.DataKey("det"), [], runs_of)
    assert found == ({"uid": {"$in": ["a", "b"]}}, False)
    assert compile_node(n.DataKey("det"), []).filter is None


@pytest.mark.parametrize(
    "node",
    [
        n.Equals(TEMPERATURE, None),
        n.Equals(TEMPERATURE, [3]),
        n.Equals(TEMPERATURE, 2**53 + 1),
        n.Equals(n.Path("samples.0"), 3),
        n.Equals(n.Path("_id"), 3),
        n.Equals(n.Path("a.b.c.d.e.f.g.h.i"), 3),
        n.Compare(TEMPERATURE, "lt", True),
        n.Compare(TEMPERATURE, "gte", float("nan")),
        n.Compare(TEMPERATURE, "gt", "\x00"),
        n.ContainsAll(TEMPERATURE, ()),
        n.Exists(TEMPERATURE, False),
        n.In(TEMPERATURE, (3, None)),
        n.Matches(TEMPERATURE, "cold"),
        n.Matches(TEMPERATURE, "^cold", "i"),
        n.Size(TEMPERATURE, -1),
        n.DataKey("a.b"),
        ~n.Equals(TEMPERATURE, 3),
    ],
)
def test_what_is_left_to_the_evaluator(node):
    assert compile_node(node, [], lambda *_: pytest.fail("stops were asked")).filter is None


def test_several_conditions_are_asked_together():
    node = n.ContainsAll(n.Path("motors"), ("eta", "phi")) & n.TimeBounds(5, None)
    motors, time = compile_node(node, []).filter["$and"]
    assert [each["$or"][0] for each in motors["$and"]] == [{"motors": "eta"}, {"motors": "phi"}]
    assert time == {"time": {"$gte": 5}}


def test_runs_with_odd_values_pass_all_the_same():
    named = compile_node(n.Compare(TEMPERATURE, "gt", 3), ["odd"]).filter["$or"]
    assert named[-1] == {"uid": {"$in": ["odd"]}}
    assert compile_node(n.Compare(TEMPERATURE, "gt", 3), None).filter is None


def depth_of(query):
    """Return how deeply a question is nested."""
    inner = query.values() if isinstance(query, dict) else query if isinstance(query, list) else []
    return 1 + max(map(depth_of, inner), default=0)


def test_no_question_is_nested_deeper_than_a_server_takes():
    longest = compile_node(n.Equals(n.Path("a.b.c.d.e.f.g.h"), 3), []).filter
    assert 40 < depth_of(longest) < 90
