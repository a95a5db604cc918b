"""What each node means: the reference that every store agrees with.

The meaning follows MongoDB, and differs on purpose in four places: the order
of the keys of a dictionary does not matter for equality, a key that itself
contains dots is found under its full path, patterns are Python's and have a
time limit, and full text knows only whole words, all of which must occur.

**Paths.** ``a.b`` looks up ``a``, then ``b`` in it. On its way through an
array a path goes into every dictionary in the array; a part that is a number
also picks the element at that position.

>>> from databroker.query.nodes import Equals, Path
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
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch
from itertools import chain
from typing import Any

from . import nodes, value_tests
from .nodes import Node, Path, PathNode
from .paths import path_getter
from .patterns import searcher
from .text import contains_phrase, texts_of, words
from .value_tests import Test
from .values import MISSING, is_number, thaw


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as questions see it: `stop` is None while there is none.

    `data_keys` gives the names of the data keys of all descriptors, `fact` one of
    `paths.FACTS` or None; they are called only if a question needs them.
    """

    start: Mapping[str, Any]
    stop: Mapping[str, Any] | None = None
    data_keys: Callable[[], Container[str]] = frozenset
    fact: Callable[[str], Any] = lambda name: None


Predicate = Callable[[RunView], bool]


def matches(node: Node, run: RunView) -> bool:
    """Tell whether a run answers a question."""
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


# -- combinations ------------------------------------------------------------------


@compile.register
def _everything(node: nodes.Everything) -> Predicate:
    return lambda run: True


@compile.register(nodes.And)
@compile.register(nodes.Or)
def _combined(node: nodes.And | nodes.Or) -> Predicate:
    """Ask that all of the nodes answer, or any, of an array by one element or by several."""
    predicates = [compile(child) for child in node.nodes]
    decides = isinstance(node, nodes.Or)  # the first that answers so

    def predicate(run: RunView) -> bool:
        for each in predicates:  # twice as fast as all(...)
            if each(run) == decides:
                return decides
        return not decides

    return predicate


@compile.register
def _not(node: nodes.Not) -> Predicate:
    """Ask for exactly the runs that the inner node leaves out, those without the key too."""
    inner = compile(node.node)
    return lambda run: not inner(run)


# -- values at a path --------------------------------------------------------------


_TESTS: Mapping[type[nodes.Node], Callable[[Any], Test]] = {
    nodes.Equals: lambda node: value_tests.equality(node.value),
    nodes.In: lambda node: value_tests.one_of(node.values),
    nodes.Compare: lambda node: value_tests.comparison(node.op, node.value),
    nodes.HasType: lambda node: value_tests.kind(node.type),
    nodes.Mod: lambda node: value_tests.remainder(node.divisor, node.remainder),
}
"""What is asked of each value at a path."""


@compile.register(nodes.PathNode)
def _any_value_of(node: Any) -> Predicate:
    return _any_value(node.path, _TESTS[type(node)](node))


@compile.register
def _contains_all(node: nodes.ContainsAll) -> Predicate:
    """Ask that each of the values is equal to what is there, or to an element; none never is."""
    if not node.values:
        return lambda run: False
    return compile(nodes.And(*(nodes.Equals(node.path, value) for value in node.values)))


@compile.register
def _matches(node: nodes.Matches) -> Predicate:
    """Ask whether a pattern is found somewhere in a text; other values never match."""
    get, is_found = _values_getter(node.path), searcher(node)
    return lambda run: is_found(_with_elements(get(run)))


@compile.register
def _exists(node: nodes.Exists) -> Predicate:
    """Ask whether the path leads to something, be it null."""
    get, expected = _values_getter(node.path), node.expected
    return lambda run: any(value is not MISSING for value in get(run)) is expected


@compile.register
def _size(node: nodes.Size) -> Predicate:
    get, n = _values_getter(node.path), node.n
    return lambda run: any(isinstance(v, list | tuple) and len(v) == n for v in get(run))


@compile.register
def _elem_match(node: nodes.ElemMatch) -> Predicate:
    """Ask for one element that answers the whole inner node."""
    get = _values_getter(node.path)
    inner = compile(node.node)
    by_value = _asks_for_value(node.node)

    def predicate(run: RunView) -> bool:
        return any(
            inner(RunView({"": element} if by_value else element))
            for array in get(run)
            if isinstance(array, list | tuple)
            for element in map(thaw, array)
            if by_value or isinstance(element, Mapping)
        )

    return predicate


def _values_getter(path: Path) -> Callable[[RunView], list[Any]]:
    """Make a function that gives the values at a path of a run, as `get_path` does."""
    if path.document == "value":
        return lambda run: [run.start[""]]
    if path.document == "run":
        return lambda run: [MISSING if (fact := run.fact(path.text)) is None else fact]
    if path.document != "stop" and "." not in path.text:  # nearly always
        key = path.text
        return lambda run: [thaw(run.start.get(key, MISSING))]
    get = path_getter(path.parts)
    if path.document == "stop":
        return lambda run: [MISSING] if run.stop is None else get(run.stop)
    return lambda run: get(run.start)


def _any_value(path: Path, test: Test) -> Predicate:
    """Ask that a value at the path, or an element of an array there, passes a test."""
    get = _values_getter(path)
    if path.document == "value":  # an element stands for itself, also if it is an array
        return lambda run: any(map(test, get(run)))

    def predicate(run: RunView) -> bool:
        for value in get(run):
            if test(value):
                return True
            if isinstance(value, list | tuple) and any(test(thaw(item)) for item in value):
                return True
        return False

    return predicate


def _with_elements(values: list[Any]) -> Iterator[Any]:
    for value in values:
        yield value
        if isinstance(value, list | tuple):
            yield from map(thaw, value)


def _asks_for_value(node: Node) -> bool:
    """Tell whether the paths in a node inside `ElemMatch` stand for the element itself."""
    if isinstance(node, nodes.And | nodes.Or):
        return any(map(_asks_for_value, node.nodes))
    if isinstance(node, nodes.Not):
        return _asks_for_value(node.node)
    return isinstance(node, PathNode) and node.path.document == "value"


# -- the run as a whole ------------------------------------------------------------


@compile.register
def _time_bounds(node: nodes.TimeBounds) -> Predicate:
    """Ask for a time between two others, which belong; a time must be a number."""
    if node.since is None and node.until is None:
        return lambda run: True
    since = -math.inf if node.since is None else node.since
    until = math.inf if node.until is None else node.until

    def predicate(run: RunView) -> bool:
        time = thaw(run.start.get("time"))
        return is_number(time) and since <= time <= until

    return predicate


@compile.register
def _full_text(node: nodes.FullText) -> Predicate:
    """Ask that all words and phrases occur in the RunStart's text values, no excluded one."""
    required = frozenset(node.words)
    phrases, excluded = node.phrases, node.excluded

    def predicate(run: RunView) -> bool:
        texts = [words(text) for text in texts_of(run.start)]
        if not required.issubset(chain.from_iterable(texts)):
            return False
        return all(_occurs(phrase, texts) for phrase in phrases) and not any(
            _occurs(phrase, texts) for phrase in excluded
        )

    return predicate


def _occurs(phrase: tuple[str, ...], texts: list[list[str]]) -> bool:
    if len(phrase) == 1:
        return any(phrase[0] in text for text in texts)
    return any(contains_phrase(text, phrase) for text in texts)


@compile.register
def _data_key(node: nodes.DataKey) -> Predicate:
    name = node.name
    return lambda run: name in run.data_keys()


@compile.register
def _uid_prefix(node: nodes.UidPrefix) -> Predicate:
    prefix = node.prefix

    def predicate(run: RunView) -> bool:
        uid = run.start.get("uid")
        return isinstance(uid, str) and uid.startswith(prefix)

    return predicate
