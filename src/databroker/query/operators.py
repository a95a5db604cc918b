"""The operators of Mongo-style questions: ``{'$gt': 5}`` and its kin.

Each operator is one small function that checks its operand and makes nodes.
The *target* is the places that a key stands for (see `aliases`).
"""

from __future__ import annotations

from collections.abc import Callable, KeysView, Mapping, ValuesView
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

from .._util.printable import shown
from .._util.suggestions import nearest
from ..errors import InvalidQuery, UnsupportedQuery
from .aliases import Target
from .nodes import (
    MAX_DEPTH,
    Compare,
    ContainsAll,
    ElemMatch,
    Equals,
    Exists,
    HasType,
    In,
    Mod,
    Node,
    Operator,
    Path,
    Size,
    all_of,
    any_of,
)
from .operands import comparable, nonzero, plain, type_name, whole_number
from .patterns import is_pattern, matching
from .values import thaw

#: Operators that MongoDB has and that nothing here answers.
_ELSEWHERE = """
    $where $text $expr $jsonSchema $near $nearSphere $geoWithin $geoIntersects $geometry $box
    $center $centerSphere $polygon $maxDistance $minDistance $bitsAllSet $bitsAnySet $bitsAllClear
    $bitsAnyClear $comment $rand $function $meta $natural $sampleRate
"""
_LOGICAL = ("$and", "$or", "$nor", "$not")


@dataclass(frozen=True, slots=True)
class Context:
    """Where in a question an operator stands, and how the keys of an element are read there."""

    target: Target
    read_element: Callable[[Any, int], Node]
    depth: int

    def deeper(self) -> Context:
        """Go one level down, within bounds."""
        if self.depth >= MAX_DEPTH:
            raise InvalidQuery(f"the query is nested more than {MAX_DEPTH} levels deep")
        return replace(self, depth=self.depth + 1)


def condition(value: Any, context: Context) -> Node:
    """Read what a key is asked for: a value, a pattern, or a dictionary of operators."""
    if is_pattern(value):
        return context.target.any(lambda path: matching(path, value))
    if not _has_operators(value):
        return equal(value, context)
    return _all_operators(value, context)


def equal(value: Any, context: Context) -> Node:
    """Make the question whether one of the places holds this value."""
    if (value := plain(value)) is None:  # missing in one place says nothing of the other
        return context.target.every(lambda path: Equals(path, None))
    return context.target.of(value).any(lambda path: Equals(path, value))


def _has_operators(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    dollars = [isinstance(key, str) and key.startswith("$") for key in value]
    if any(dollars) and not all(dollars):
        raise InvalidQuery(
            f"{shown(dict(value))} mixes operators (keys with $) and plain keys; for equality "
            "with a nested dictionary write {'$eq': {...}}"
        )
    return any(dollars)


def _all_operators(value: Mapping[str, Any], context: Context) -> Node:
    if "$options" in value and "$regex" not in value:
        raise InvalidQuery("$options needs a $regex beside it")
    nodes = []
    for name, operand in value.items():
        if name == "$regex":
            make = partial(matching, pattern=operand, flags=value.get("$options", ""))
            nodes.append(context.target.any(make))
        elif name in OPERATORS:
            nodes.append(OPERATORS[name](operand, context))
        elif name != "$options":
            refuse_operator(name, (*OPERATORS, "$regex", "$options"))
    return all_of(nodes)


def refuse_operator(name: str, known: tuple[str, ...]) -> NoReturn:
    """Say why an operator is not accepted here, and what might be meant."""
    if name in _ELSEWHERE.split():
        hint = "; for full text give the words themselves: db('good sample')"
        raise UnsupportedQuery(f"databroker does not answer {name}{hint * (name == '$text')}")
    if name in _LOGICAL:
        raise InvalidQuery(
            f"{name} stands in the place of a key, not inside one: {{'{name}': [{{'key': value}}]}}"
        )
    if name in OPERATORS or name in ("$regex", "$options"):
        raise InvalidQuery(f"{name} belongs inside a key: {{'key': {{'{name}': ...}}}}")
    meant = nearest(name, known)
    hint = f"did you mean {meant}?" if meant else f"known are {', '.join(known)}"
    raise InvalidQuery(
        f"unknown operator {shown(name)}; {hint} (for a key that begins with $: "
        "Key(...) from databroker.queries)"
    )


def _eq(operand: Any, context: Context) -> Node:
    if is_pattern(operand):
        raise InvalidQuery("$eq takes a value; to search for a pattern write $regex")
    return equal(operand, context)


def _ne(operand: Any, context: Context) -> Node:
    if is_pattern(operand):
        raise InvalidQuery("$ne takes a value; write {'$not': {'$regex': ...}}")
    return ~equal(operand, context)


def _comparing(op: Operator) -> Callable[[Any, Context], Node]:
    def compare(operand: Any, context: Context) -> Node:
        value = comparable(operand, f"${op}")
        if value is None:
            return context.target.every(lambda path: Compare(path, op, None))
        return context.target.any(lambda path: Compare(path, op, value))

    return compare


def _in(operand: Any, context: Context) -> Node:
    items = _array("$in", operand)
    patterns = [item for item in items if is_pattern(item)]
    values = tuple(plain(item) for item in items if not is_pattern(item))
    nodes = []
    if not context.target.is_one and None in values:
        nodes.append(equal(None, context))
        values = tuple(value for value in values if value is not None)
    if values or not (patterns or nodes):
        nodes.append(context.target.any(lambda path: In(path, values)))
    nodes += [condition(pattern, context) for pattern in patterns]
    return any_of(nodes)


def _exists(operand: Any, context: Context) -> Node:
    operand = plain(operand)
    if operand not in (0, 1):
        raise InvalidQuery(f"$exists takes True or False, not {shown(operand)}")
    node = context.target.any(Exists)
    if operand:
        return node
    return Exists(context.target.paths[0], False) if context.target.is_one else ~node


def _not(operand: Any, context: Context) -> Node:
    if not is_pattern(operand) and not (operand and _has_operators(operand)):
        raise InvalidQuery(
            f"$not takes operators or a pattern, not {shown(operand)}; for a value write $ne"
        )
    return ~condition(operand, context.deeper())


def _all(operand: Any, context: Context) -> Node:
    items = _array("$all", operand)
    if any(is_pattern(item) or _has_operators(item) for item in items):
        return all_of([condition(item, context.deeper()) for item in items])
    values = tuple(map(plain, items))
    if not context.target.is_one and values:  # each value may be in either place
        return all_of([equal(value, context) for value in values])
    return context.target.any(lambda path: ContainsAll(path, values))


def _size(operand: Any, context: Context) -> Node:
    n = whole_number("$size", operand)
    if n < 0:
        raise InvalidQuery(f"$size takes a number from 0 upwards, not {shown(n)}")
    return context.target.any(lambda path: Size(path, n))


def _elem_match(operand: Any, context: Context) -> Node:
    if not isinstance(operand, Mapping):
        raise InvalidQuery(f"$elemMatch takes a dictionary, not {shown(operand)}")
    below = context.deeper()
    if operand and all(str(key).startswith("$") and key not in _LOGICAL for key in operand):
        inner = condition(operand, replace(below, target=Target((Path("", "value"),))))
    else:
        inner = context.read_element(operand, below.depth)
    return context.target.any(lambda path: ElemMatch(path, inner))


def _type(operand: Any, context: Context) -> Node:
    kinds = operand if isinstance(operand, list | tuple) else [operand]
    if not kinds:
        raise InvalidQuery("$type takes the name of a type, or a list of at least one")
    return any_of(context.target.any(partial(HasType, type=type_name(kind))) for kind in kinds)


def _mod(operand: Any, context: Context) -> Node:
    if not isinstance(operand, list | tuple) or len(operand) != 2:
        raise InvalidQuery(f"$mod takes [divisor, remainder], not {shown(operand)}")
    divisor, remainder = nonzero("$mod", operand[0]), whole_number("$mod", operand[1])
    return context.target.any(lambda path: Mod(path, divisor, remainder))


#: The operators that stand inside a key; ``$regex`` and ``$options`` come as a pair.
OPERATORS: dict[str, Callable[[Any, Context], Node]] = {
    "$eq": _eq,
    "$ne": _ne,
    "$gt": _comparing("gt"),
    "$gte": _comparing("gte"),
    "$lt": _comparing("lt"),
    "$lte": _comparing("lte"),
    "$in": _in,
    "$nin": lambda operand, context: ~_in(_array("$nin", operand), context),
    "$exists": _exists,
    "$not": _not,
    "$all": _all,
    "$size": _size,
    "$elemMatch": _elem_match,
    "$type": _type,
    "$mod": _mod,
}


# Where the order does not matter, whatever holds some values will do.
_COLLECTIONS = (list, tuple, set, frozenset, range, KeysView, ValuesView)


def _array(name: str, operand: Any) -> list[Any]:
    operand = thaw(operand)
    if not isinstance(operand, _COLLECTIONS):
        raise InvalidQuery(f"{name} takes a list of values, not {shown(operand)}")
    return list(operand)
