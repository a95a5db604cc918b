"""Questions travel as JSON: nothing changes on the way, and nothing that comes is believed."""

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker.errors import InvalidQuery
from databroker.query import nodes as n
from databroker.query.parse import from_keywords
from databroker.query.values import KINDS
from databroker.query.wire import _NODES, from_json, to_json
from databroker.testing.conformance.base import quick
from databroker.testing.questions import questions
from databroker.testing.strategies import runs

STARTS = [{"uid": "a", "time": 1.5, "sample": {"name": "Ni", "sizes": [1, 2.5, None]}, "n": 2**70}]

EXAMPLES = {
    "all_of": n.And(n.DataKey("a"), n.DataKey("b")),
    "any_of": n.Or(),
    "not": n.Not(n.DataKey("a")),
    "everything": n.Everything(),
    "equals": n.Equals(n.Path("a.b", "stop"), {"x": [1, float("inf"), {}], "$int": "3"}),
    "in": n.In(n.Path("a"), (None, True, 1, 1.0, "\ud800", -(2**70))),
    "compare": n.Compare(n.Path("num_events", "run"), "gte", 3),
    "exists": n.Exists(n.Path("a"), False),
    "matches": n.Matches(n.Path("a"), "^x", "im"),
    "contains_all": n.ContainsAll(n.Path("a"), ([1], "b")),
    "size": n.Size(n.Path("a"), 2**65),
    "elem_match": n.ElemMatch(n.Path("a"), n.Equals(n.Path("", "value"), 1)),
    "has_type": n.HasType(n.Path("a"), "string"),
    "mod": n.Mod(n.Path("a"), 5, -2),
    "time_bounds": n.TimeBounds(None, 1e9),
    "full_text": n.FullText(("a",), (("b", "c"),), (("d",),)),
    "data_key": n.DataKey("det"),
    "uid_prefix": n.UidPrefix("b2"),
}


def travelled(node):
    return from_json(json.loads(json.dumps(to_json(node), allow_nan=False)))


@pytest.mark.parametrize("name", _NODES)
def test_every_kind_of_node_travels(name):
    node = EXAMPLES[name]
    assert to_json(node)["node"] == name
    assert travelled(node) == node
    assert repr(travelled(node)) == repr(node)


def test_every_type_travels():
    for kind in ("number", *KINDS):
        assert travelled(n.HasType(n.Path("a"), kind)) == n.HasType(n.Path("a"), kind)


def test_every_node_has_a_name():
    classes = {each for name in n.__all__ if isinstance(each := getattr(n, name), type)}
    assert {each for each in classes if issubclass(each, n.Node)} == {n.Node, *_NODES.values()}


@quick(100)
@given(st.data(), st.lists(runs(), max_size=2))
def test_any_question_travels(data, some):
    starts = [doc for run in some for kind, doc in run if kind == "start"] or STARTS
    node = data.draw(questions(starts))
    assert repr(travelled(node)) == repr(node)


def nested(levels):
    node = {"node": "everything"}
    for _ in range(levels):
        node = {"node": "not", "of": node}
    return node


def nested_value(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return {"node": "equals", "path": ["start", "a"], "value": value}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "a dictionary with the key 'node', not None"),
        ([], "not \\[\\]"),
        ({"node": ["equals"]}, "with the key 'node'"),
        ({"node": "drop"}, "there is no query 'drop'; there are all_of"),
        ({"node": "size"}, "a 'size' has 'n', 'node', 'path', not 'node'"),
        ({"node": "everything", "x": 1}, "has 'node', not 'node', 'x'"),
        ({"node": "exists", "path": "a", "expected": True}, "must be a document and a key"),
        ({"node": "exists", "path": ["file", "a"], "expected": True}, "a document and a key"),
        ({"node": "exists", "path": ["start", "a"], "expected": 1}, "must be true or false, not 1"),
        ({"node": "size", "path": ["start", "a"], "n": True}, "a whole number, not True"),
        ({"node": "size", "path": ["start", "a"], "n": 1.5}, "a whole number, not 1.5"),
        ({"node": "mod", "path": ["start", "a"], "divisor": 0, "remainder": 0}, "must not be 0"),
        ({"node": "compare", "path": ["start", "a"], "op": "ne", "value": 1}, "gt, gte, lt, lte"),
        ({"node": "compare", "path": ["start", "a"], "op": [], "value": 1}, "gt, gte, lt, lte"),
        ({"node": "has_type", "path": ["start", "a"], "type": "blob"}, "must be one of null"),
        ({"node": "matches", "path": ["start", "a"], "pattern": "(", "flags": ""}, "no.* pattern"),
        ({"node": "matches", "path": ["start", "a"], "pattern": "a", "flags": "q"}, "must be of a"),
        ({"node": "in", "path": ["start", "a"], "values": "ab"}, "must be a list, not 'ab'"),
        ({"node": "in", "path": ["start", "a"], "values": [{"$int": "x"}]}, "stands for no value"),
        ({"node": "in", "path": ["start", "a"], "values": [{"a": 1}]}, "stands for no value"),
        ({"node": "in", "path": ["start", "a"], "values": [{"$dict": [[1, 2]]}]}, "pairs of a te"),
        ({"node": "time_bounds", "since": "now", "until": None}, "must be seconds or null"),
        ({"node": "full_text", "words": [1], "phrases": [], "excluded": []}, "a list of words"),
        ({"node": "data_key", "name": 5}, "must be text, not 5"),
        ({"node": "any_of", "of": {}}, "must be a list of queries"),
        ({"node": "any_of", "of": [5]}, "not 5"),
        ({"node": "exists", "path": ["run", "a"], "expected": True}, "known of a run is"),
        (nested(n.MAX_DEPTH), "more than 100 levels deep"),
        (nested(5_000), "more than 100 levels deep"),
        (nested_value(500), "more than 100 levels deep"),
    ],
)
def test_what_is_no_question_is_refused(data, message):
    with pytest.raises(InvalidQuery, match=message):
        from_json(data)


def test_the_deepest_question_travels():
    node = n.Exists(n.Path("a", "element"))
    while node.depth < n.MAX_DEPTH - 1:
        node = n.ElemMatch(n.Path("a", "element"), node)
    node = n.ElemMatch(n.Path("a"), node)
    assert node.depth == n.MAX_DEPTH
    assert travelled(node) == node


OF_RUN, OF_ELEMENT = n.Size(n.Path("a"), 3), n.Size(n.Path("a", "element"), 3)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (OF_ELEMENT, "can stand in elem_match alone"),
        (n.Not(n.Size(n.Path("", "value"), 3)), "can stand in elem_match alone"),
        (n.Or(OF_RUN, OF_ELEMENT), "can stand in elem_match alone"),
        (n.ElemMatch(n.Path("a"), n.And(OF_ELEMENT, OF_RUN)), "can only ask about elements"),
        (n.ElemMatch(n.Path("a"), n.DataKey("a")), "can only ask about elements"),
    ],
    ids=str,
)
def test_where_a_path_cannot_begin_is_said(node, message):
    with pytest.raises(InvalidQuery, match=message):
        travelled(node)
    with pytest.raises(InvalidQuery, match=message):
        from_keywords(node, {})


def test_what_no_document_holds_is_refused():
    with pytest.raises(InvalidQuery, match="value of type object"):
        to_json(n.Equals(n.Path("a"), object()))


def test_each_part_of_a_node_is_checked():
    from databroker.query.wire import _PARTS

    names = {each.name for node in _NODES.values() for each in fields(node)}
    assert names - {"depth", "node", "nodes"} == set(_PARTS)
