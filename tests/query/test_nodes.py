import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given

import databroker.queries
from databroker.errors import InvalidQuery
from databroker.queries import *  # noqa: F403
from databroker.queries import And, DataKey, Everything, FullText, Item, Key, Motor, Not, Or, ScanID
from databroker.query.nodes import MAX_DEPTH, Equals, Node, Path
from databroker.testing.questions import walk
from helpers.strategies import queries

NAMES = {name: getattr(databroker.queries, name) for name in databroker.queries.__all__}


@given(queries)
def test_a_query_prints_as_code_that_makes_it(query):
    again = eval(repr(query), dict(NAMES))
    assert repr(again) == repr(query)
    assert type(again) is type(query)


@pytest.mark.parametrize(
    "key", ["it's", 'say "x"', "a.b", "$x", "100%", "nul\x00", "😀", "", ".", "stop.", "stop"]
)
def test_odd_keys_print_as_code(key):
    query = Key(key) == "';drop table runs"
    assert eval(repr(query), dict(NAMES)) == query
    assert query == Equals(Path(key), "';drop table runs")


def test_a_key_behind_stop_is_one_of_the_stop_document_unless_said_otherwise():
    assert (Key("stop.exit_status") == "fail").path == Path("exit_status", "stop")
    assert (Key("stop") == 1).path == Path("stop", "start")
    literal = Key("stop.x", document="start") == 1
    assert literal.path == Path("stop.x", "start")
    assert eval(repr(literal), dict(NAMES)) == literal
    with pytest.raises(InvalidQuery, match="'start' or 'stop'"):
        Key("x", document="event")


def test_queries_pickle_and_copy():
    query = (Key("a") == [1, {"b": None}]) & ~DataKey("det") | Key("c").elem_match(Item > 1)
    assert pickle.loads(pickle.dumps(query)) == query
    assert copy.deepcopy(query) == query


def test_nodes_cannot_be_changed():
    with pytest.raises(AttributeError):
        (Key("a") == 1).value = 2


def test_everything_disappears_in_a_conjunction():
    node = Key("a") == 1
    assert (node & Everything()) is node
    assert (Everything() & node) is node
    assert And(Everything(), node).nodes == (node,)


def test_and_and_or_take_nodes_or_lists_of_nodes_and_flatten():
    a, b, c = (Key(name) == 1 for name in "abc")
    assert And(a, [b, And(c)]) == And(a, b, c) == a & b & c
    assert Or((a, b), c) == a | b | c
    with pytest.raises(InvalidQuery, match="And takes queries"):
        And(a, {"b": 1})
    with pytest.raises(InvalidQuery, match="Not takes a query"):
        Not("a")


def test_a_long_chain_is_flat_and_double_negation_vanishes():
    chain = Everything()
    for n in range(5_000):
        chain = chain & (Key("n") != n)
    assert chain.depth == 3
    node = Key("a") == 1
    for _ in range(5_001):
        node = ~node
    assert node == ~(Key("a") == 1)


def test_nesting_a_thousand_deep_is_refused_as_it_is_built():
    def repeat(wrap):
        node = Key("a") == 1
        for _ in range(1_000):
            node = wrap(node)

    with pytest.raises(InvalidQuery, match=f"more than {MAX_DEPTH} levels"):
        repeat(lambda node: (node & DataKey("x")) | DataKey("y"))
    with pytest.raises(InvalidQuery, match="levels deep"):
        repeat(lambda node: Key("a").elem_match(node))


def test_the_deepest_accepted_query_prints_and_answers():
    from databroker.query.evaluate import RunView, matches

    node = Key("a") == 1
    while node.depth < MAX_DEPTH - 1:
        node = (node & DataKey("x")) | (Key("b") == node.depth)
    assert matches(node, RunView({"b": node.depth - 2}))
    assert eval(repr(node), dict(NAMES)) == node


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: bool(Key("a") == 1),
        lambda: 1 < Key("a") < 5,
        lambda: (Key("a") == 1) and (Key("b") == 2),
        lambda: not Key("a").exists(),
        lambda: Key("a") == 1 & Key("b") == 2,
        lambda: ~Key("a"),
        lambda: Key("a") & Key("b"),
        lambda: bool(Key("a")),
    ],
)
def test_what_python_would_read_otherwise_raises(mistake):
    with pytest.raises(TypeError, match=r"neither true nor false|not yet a question"):
        mistake()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Key(5), "must be text"),
        (lambda: Key("a" + ".a" * 200), "at most"),
        (lambda: Key("a") == object(), "cannot search for a value of type object"),
        (lambda: Key("a") == Key("b"), "compared with a value"),
        (lambda: Key("a").isin("abc"), "a list of values"),
        (lambda: Key("a").isin(5), "a list of values"),
        (lambda: Key("a").matches("("), "not a valid pattern"),
        (lambda: Key("a").matches("a", "q"), "unknown pattern flag 'q'"),
        (lambda: Key("a").matches(b"a"), "must be text"),
        (lambda: Key("a").size("2"), "whole numbers"),
        (lambda: Key("a").size(True), "whole numbers"),
        (lambda: Key("a").has_type("datum"), "is no type"),
        (lambda: Key("a").mod(0, 1), "divide by 0"),
        (lambda: Key("a").elem_match({"b": 1}), "takes a query"),
        (lambda: Key("a").elem_match(DataKey("det")), "only ask about elements"),
        (lambda: FullText(5), "takes text"),
    ],
)
def test_wrong_arguments_say_what_is_expected(wrong, message):
    with pytest.raises(InvalidQuery, match=message):
        wrong()


def test_values_are_taken_as_documents_keep_them():
    import datetime
    import enum

    class Colour(enum.Enum):
        RED = "red"

    assert (Key("a") == np.float64(2.5)) == (Key("a") == 2.5)
    assert type((Key("a") == np.int64(2)).value) is int
    assert (Key("a") == np.array([[1, 2]])).value == [[1, 2]]
    assert (Key("a") == (1, 2)).value == [1, 2]
    assert (Key("a") == Colour.RED).value == "red"
    assert (Key("a") == {"b", "a"}).value == ["a", "b"]
    assert (Key("a") == datetime.date(2015, 3, 5)).value == "2015-03-05"
    assert math.isnan((Key("a") == np.float32("nan")).value)


def test_walk_visits_every_node():
    kinds = [type(node).__name__ for node in walk(~ScanID(1) & Key("a").elem_match(Item > 1))]
    assert kinds == ["And", "Not", "Equals", "ElemMatch", "Compare"]


def test_the_public_names_are_nodes_or_make_nodes():
    assert isinstance(Motor("eta"), Node)
    assert repr(ScanID(1, 2)) == "Key('scan_id').isin([1, 2])"
