"""What each node that looks at a value means; the others are in `evaluate`."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._util.signals import from_signal
from ..errors import QueryTimeout
from .get_path import path_getter
from .nodes import Compare, Equals, Exists, HasType, In, Matches, Mod, Path, Size
from .patterns import compile_pattern
from .values import MISSING, Test, equality, is_number, kind_of, thaw
from .view import Predicate, RunView

__all__ = [
    "PATTERN_SECONDS",
    "compare",
    "equals",
    "exists",
    "has_type",
    "in_",
    "matches",
    "mod",
    "size",
]

#: How long a pattern may take on one run before the search is given up.
PATTERN_SECONDS = 1.0


def equals(node: Equals) -> Predicate:
    """Ask for what is equal by value; None means null or missing.

    >>> run = RunView({"n": 5, "flag": True, "gone": None, "a": [{"b": 1}, {}]})
    >>> equals(Equals(Path("n"), 5.0))(run), equals(Equals(Path("flag"), 1))(run)
    (True, False)
    >>> [equals(Equals(Path(key), None))(run) for key in ("gone", "nowhere", "a.b", "n")]
    [True, True, True, False]
    """
    return _any_value(node.path, _equal_or_missing(node.value))


def in_(node: In) -> Predicate:
    """Ask for what is equal to one of the values, each as in `Equals`.

    >>> in_(In(Path("shape"), (7, "x")))(RunView({"shape": [5, 7]}))
    True
    """
    return _any_value(node.path, _one_of(node.values))


def compare(node: Compare) -> Predicate:
    """Compare numbers with numbers, text with text, bool with bool, and nothing else.

    Text compares by code points. NaN is neither greater nor less than anything;
    ``>=`` and ``<=`` hold between NaN and NaN, as they do between null and null.

    >>> run = RunView({"n": 5, "s": "b", "flag": True})
    >>> compare(Compare(Path("n"), "gt", 4.5))(run), compare(Compare(Path("n"), "gt", "4"))(run)
    (True, False)
    >>> compare(Compare(Path("flag"), "gte", 1))(run), compare(Compare(Path("s"), "lt", "c"))(run)
    (False, True)
    """
    return _any_value(node.path, _comparison(node))


def exists(node: Exists) -> Predicate:
    """Ask whether the path leads to something, be it null.

    >>> run = RunView({"gone": None})
    >>> exists(Exists(Path("gone")))(run), exists(Exists(Path("nowhere"), False))(run)
    (True, True)
    """
    find = path_getter(node.path)
    expected = node.expected
    return lambda run: any(found is not MISSING for found in find(run)) is expected


def matches(node: Matches) -> Predicate:
    """Ask whether a pattern is found somewhere in a text; other values never match.

    >>> run = RunView({"sample": ["Ni foil", 5]})
    >>> [matches(Matches(Path("sample"), pattern, "i"))(run) for pattern in ("^ni", "5")]
    [True, False]
    """
    find = path_getter(node.path)
    search = compile_pattern(node.pattern, node.flags).search

    def predicate(run: RunView) -> bool:
        end: float | None = None
        for value in _tried(find(run)):
            if isinstance(value, str):
                end = end or time.monotonic() + PATTERN_SECONDS
                if _search(search, value, end, node):
                    return True
        return False

    return predicate


def size(node: Size) -> Predicate:
    """Ask for an array with this number of elements.

    >>> size(Size(Path("shape"), 2))(RunView({"shape": [5, 7]}))
    True
    """
    find, n = path_getter(node.path), node.n
    return lambda run: any(isinstance(v, list | tuple) and len(v) == n for v in find(run))


def has_type(node: HasType) -> Predicate:
    """Ask for a value of this kind (`values.KINDS`); ``'number'`` is int or double.

    >>> run = RunView({"shape": [5, 7.5]})
    >>> [has_type(HasType(Path("shape"), kind))(run) for kind in ("array", "double", "string")]
    [True, True, False]
    """
    kinds = ("int", "double") if node.type == "number" else (node.type,)
    return _any_value(node.path, lambda found: kind_of(found) in kinds)


def mod(node: Mod) -> Predicate:
    """Ask what the whole part of a number leaves; the remainder has the number's sign.

    >>> run = RunView({"scan_id": 42, "z": -7.9})
    >>> mod(Mod(Path("scan_id"), 10, 2))(run), mod(Mod(Path("z"), 5, -2))(run)
    (True, True)
    """
    divisor, remainder = abs(node.divisor), node.remainder

    def test(found: Any) -> bool:
        if not is_number(found) or (isinstance(found, float) and not math.isfinite(found)):
            return False
        whole = int(found)
        return (whole % divisor if whole >= 0 else -(-whole % divisor)) == remainder

    return _any_value(node.path, test)


# -- tests on values ---------------------------------------------------------


def _tried(found: list[Any]) -> Iterator[Any]:
    """Iterate over the values at a path, and over the elements of arrays among them."""
    for value in found:
        yield value
        if isinstance(value, list | tuple):
            yield from map(thaw, value)


def _any_value(path: Path, test: Test) -> Predicate:
    find = path_getter(path)
    if path.document == "value":  # an element stands for itself, also if it is an array
        return lambda run: any(map(test, find(run)))

    def predicate(run: RunView) -> bool:
        for value in find(run):
            if test(value):
                return True
            if isinstance(value, list | tuple) and any(test(thaw(item)) for item in value):
                return True
        return False

    return predicate


def _equal_or_missing(wanted: Any) -> Test:
    if wanted is None:
        return lambda found: found is None or found is MISSING
    return equality(wanted)


def _one_of(wanted: tuple[Any, ...]) -> Test:
    # Text is by far the commonest, and long lists of uids should stay fast.
    texts = frozenset(value for value in wanted if isinstance(value, str))
    others = [_equal_or_missing(value) for value in wanted if not isinstance(value, str)]

    def test(found: Any) -> bool:
        if isinstance(found, str):
            return found in texts
        return any(other(found) for other in others)

    return test


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def _comparison(node: Compare) -> Test:
    wanted, compare = node.value, _OPERATORS[node.op]
    if wanted is None or wanted != wanted:  # null and NaN have an equal, but no order
        return _equal_or_missing(wanted) if node.op in ("gte", "lte") else lambda found: False
    if isinstance(wanted, bool):
        return lambda found: isinstance(found, bool) and compare(found, wanted)
    if isinstance(wanted, str):
        return lambda found: isinstance(found, str) and compare(found, wanted)
    return lambda found: is_number(found) and compare(found, wanted)


def _search(search: Callable[..., Any], text: str, end: float, node: Matches) -> bool:
    # regex takes a timeout of 0 for none at all.
    left = max(end - time.monotonic(), 1e-3)
    try:
        return search(text, timeout=left) is not None
    except TimeoutError as error:
        if from_signal(error):
            raise
        raise QueryTimeout(
            f"the pattern {node.pattern!r} took longer than {PATTERN_SECONDS:g} s on one run "
            f"(key {node.path.text!r}). Nested repetitions such as (a+)+ are the usual cause; "
            "write the pattern so that a text can match it in one way only"
        ) from error
