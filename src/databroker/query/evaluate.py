"""What each node means: the reference that every store agrees with.

The meaning follows MongoDB, and differs on purpose in four places: the order
of the keys of a dictionary does not matter for equality, a key that itself
contains dots is found under its full path, patterns are Python's and have a
time limit, and full text knows only whole words, all of which must occur.

**Paths.** ``a.b`` looks up ``a``, then ``b`` in it. On its way through an
array a path goes into every dictionary in the array; a part that is a number
also picks the element at that position.

>>> from databroker.query.nodes import Compare, Equals, Path
>>> run = RunView({"samples": [{"name": "Ni"}, {"name": "Cu"}], "shape": [5, 7]})
>>> matches(Equals(Path("samples.name"), "Cu"), run)
True
>>> matches(Equals(Path("samples.0.name"), "Cu"), run)
False

**Arrays.** Where the value at the end of a path is an array, each element is
tried, and the array as a whole. This holds for all nodes that look at a value
except `Exists`, `Size` and `ElemMatch`, which look at the array itself.

>>> matches(Equals(Path("shape"), 7), run), matches(Equals(Path("shape"), [5, 7]), run)
(True, True)

See the functions below, and in `value_tests`, for each node.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import singledispatch

from . import value_tests
from .get_path import path_getter
from .nodes import (
    And,
    ContainsAll,
    DataKey,
    ElemMatch,
    Equals,
    Everything,
    FullText,
    Node,
    Not,
    Or,
    TimeBounds,
    UidPrefix,
)
from .text import contains_phrase, texts_of, words
from .value_tests import PATTERN_SECONDS
from .values import is_number, thaw
from .view import Predicate, RunView

__all__ = ["PATTERN_SECONDS", "Predicate", "RunView", "compile", "matches"]


def matches(node: Node, run: RunView) -> bool:
    """Tell whether a run answers a question.

    Examples
    --------
    >>> from databroker.query.nodes import Equals, Path
    >>> run = RunView({"plan_name": "scan", "sample": {"name": "Ni"}}, {"exit_status": "fail"})
    >>> matches(Equals(Path("sample.name"), "Ni"), run)
    True
    >>> matches(Equals(Path("exit_status", "stop"), "success"), run)
    False
    """
    return compile(node)(run)


@singledispatch
def compile(node: Node) -> Predicate:
    """Make a function that tells whether a run answers a question.

    Do this once and call the function for each of many runs.

    Examples
    --------
    >>> from databroker.query.nodes import Equals, Path
    >>> is_scan = compile(Equals(Path("plan_name"), "scan"))
    >>> is_scan(RunView({"plan_name": "scan"})), is_scan(RunView({"plan_name": "count"}))
    (True, False)
    """
    raise NotImplementedError(f"the evaluator does not know {type(node).__name__}")


compile.register(value_tests.equals)
compile.register(value_tests.in_)
compile.register(value_tests.compare)
compile.register(value_tests.exists)
compile.register(value_tests.matches)
compile.register(value_tests.size)
compile.register(value_tests.has_type)
compile.register(value_tests.mod)


@compile.register
def _everything(node: Everything) -> Predicate:
    """Ask nothing."""
    return lambda run: True


@compile.register
def _and(node: And) -> Predicate:
    """Ask that all of the nodes answer, each by itself.

    Two questions about one array may be answered by two of its elements; it is
    `ElemMatch` that asks for one element which answers both.
    """
    predicates = [compile(child) for child in node.nodes]

    def predicate(run: RunView) -> bool:
        for each in predicates:  # noqa: SIM110 - twice as fast as all(...)
            if not each(run):
                return False
        return True

    return predicate


@compile.register
def _or(node: Or) -> Predicate:
    """Ask that at least one of the nodes answers."""
    predicates = [compile(child) for child in node.nodes]

    def predicate(run: RunView) -> bool:
        for each in predicates:  # noqa: SIM110
            if each(run):
                return True
        return False

    return predicate


@compile.register
def _not(node: Not) -> Predicate:
    """Ask for exactly the runs that the inner node leaves out, those without the key too.

    >>> from databroker.query.nodes import Equals, Path
    >>> run = RunView({"tags": ["a", "b"]})
    >>> matches(~Equals(Path("tags"), "a"), run), matches(~Equals(Path("x"), 1), run)
    (False, True)
    """
    inner = compile(node.node)
    return lambda run: not inner(run)


@compile.register
def _contains_all(node: ContainsAll) -> Predicate:
    """Ask that each of the values is equal to what is there, or to an element; none never is.

    >>> from databroker.query.nodes import Path
    >>> run = RunView({"motors": ["x", "y"]})
    >>> matches(ContainsAll(Path("motors"), ("y", "x")), run)
    True
    >>> matches(ContainsAll(Path("motors"), ()), run)
    False
    """
    if not node.values:
        return lambda run: False
    return compile(And(*(Equals(node.path, value) for value in node.values)))


@compile.register
def _elem_match(node: ElemMatch) -> Predicate:
    """Ask for one element that answers the whole inner node.

    Inner paths into an element need a dictionary there.

    >>> from databroker.query.nodes import Compare, Path
    >>> run = RunView({"samples": [{"name": "Ni", "mass": 1}, {"name": "Cu", "mass": 2}]})
    >>> inner = Equals(Path("name", "element"), "Ni") & Compare(Path("mass", "element"), "gt", 1)
    >>> matches(ElemMatch(Path("samples"), inner), run)
    False
    """
    find = path_getter(node.path)
    inner = compile(node.node)
    by_value = _asks_for_value(node.node)

    def predicate(run: RunView) -> bool:
        return any(
            inner(RunView({"": element} if by_value else element))
            for array in find(run)
            if isinstance(array, list | tuple)
            for element in map(thaw, array)
            if by_value or isinstance(element, Mapping)
        )

    return predicate


@compile.register
def _time_bounds(node: TimeBounds) -> Predicate:
    """Ask for a time between two others, which belong; a time must be a number.

    >>> matches(TimeBounds(since=1, until=2), RunView({"time": 2.0}))
    True
    """
    since = -math.inf if node.since is None else node.since
    until = math.inf if node.until is None else node.until
    if node.since is None and node.until is None:
        return lambda run: True

    def predicate(run: RunView) -> bool:
        found = thaw(run.start.get("time"))
        return is_number(found) and since <= found <= until

    return predicate


@compile.register
def _full_text(node: FullText) -> Predicate:
    """Ask that all words and phrases occur in the RunStart's text values, no excluded one.

    >>> run = RunView({"purpose": "Good sample", "tags": ["Ni_foil"]})
    >>> from databroker.query.text import parse_text
    >>> [matches(parse_text(text), run) for text in ("foil good", "goo", '"sample ni"', "-foil")]
    [True, False, False, False]
    """
    wanted = frozenset(node.words)
    phrases, excluded = node.phrases, node.excluded

    def predicate(run: RunView) -> bool:
        texts = [words(text) for text in texts_of(run.start)]
        if not wanted <= {word for text in texts for word in text}:
            return False
        return all(_occurs(phrase, texts) for phrase in phrases) and not any(
            _occurs(phrase, texts) for phrase in excluded
        )

    return predicate


@compile.register
def _data_key(node: DataKey) -> Predicate:
    """Ask whether a descriptor of the run has this data key.

    >>> matches(DataKey("det"), RunView({}, data_keys=lambda: {"det"}))
    True
    """
    name = node.name
    return lambda run: name in run.data_keys()


@compile.register
def _uid_prefix(node: UidPrefix) -> Predicate:
    """Ask whether the uid begins with this text.

    >>> run = RunView({"uid": "abc"})
    >>> matches(UidPrefix("ab"), run), matches(UidPrefix("."), run)
    (True, False)
    """
    prefix = node.prefix

    def predicate(run: RunView) -> bool:
        uid = run.start.get("uid")
        return isinstance(uid, str) and uid.startswith(prefix)

    return predicate


def _asks_for_value(node: Node) -> bool:
    """Tell whether the paths in a node inside `ElemMatch` stand for the element itself."""
    if isinstance(node, And | Or):
        return any(map(_asks_for_value, node.nodes))
    if isinstance(node, Not):
        return _asks_for_value(node.node)
    path = getattr(node, "path", None)
    return path is not None and path.document == "value"


def _occurs(phrase: tuple[str, ...], texts: list[list[str]]) -> bool:
    if len(phrase) == 1:
        return any(phrase[0] in text for text in texts)
    return any(contains_phrase(text, phrase) for text in texts)
