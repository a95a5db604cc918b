"""The operators of Mongo-style questions: ``{'$gt': 5}`` and its kin.

Each operator is one small function that checks its operand and makes nodes.
The *target* is the places that a key stands for (see `words`).
"""

from __future__ import annotations

from collections.abc import Callable, KeysView, Mapping, ValuesView
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from .._util.printable import shown
from .._util.suggestions import nearest
from ..errors import InvalidQuery, UnsupportedQuery
from .nodes import (
    MAX_DEPTH,
    And,
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
    Or,
    Path,
    Size,
)
from .patterns import is_pattern, matching
from .values import is_number, plain, thaw, type_name
from .words import Target

__all__ = ["OPERATORS", "Place", "condition", "equal", "refuse_operator"]

#: Operators that MongoDB has and that nothing here answers.
_ELSEWHERE = frozenset(
    {
        "$where",
        "$text",
        "$expr",
        "$jsonSchema",
        "$near",
        "$nearSphere",
        "$geoWithin",
        "$geoIntersects",
        "$geometry",
        "$box",
        "$center",
        "$centerSphere",
        "$polygon",
        "$maxDistance",
        "$minDistance",
        "$bitsAllSet",
        "$bitsAnySet",
        "$bitsAllClear",
        "$bitsAnyClear",
        "$comment",
        "$rand",
        "$function",
        "$meta",
        "$natural",
        "$sampleRate",
    }
)
_LOGICAL = ("$and", "$or", "$nor", "$not")


class Reader(Protocol):
    """What an operator needs for the questions inside its operand."""

    def element(self, mapping: Mapping[str, Any], depth: int) -> Node:
        """Read a question about the keys of an array's element."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a question an operator stands."""

    target: Target
    reader: Reader
    depth: int

    def deeper(self) -> Place:
        """Go one level down, within bounds."""
        if self.depth >= MAX_DEPTH:
            raise InvalidQuery(f"the query is nested more than {MAX_DEPTH} levels deep")
        return Place(self.target, self.reader, self.depth + 1)


def condition(value: Any, place: Place) -> Node:
    """Read what a key is asked for: a value, a pattern, or a dictionary of operators."""
    if is_pattern(value):
        return place.target.any(lambda path: matching(path, value))
    if not _has_operators(value):
        return equal(value, place)
    return _all_operators(value, place)


def equal(value: Any, place: Place) -> Node:
    """Make the question whether one of the places holds this value."""
    if (value := plain(value)) is None:  # missing in one place says nothing of the other
        return place.target.every(lambda path: Equals(path, None))
    return place.target.of(value).any(lambda path: Equals(path, value))


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


def _all_operators(value: Mapping[str, Any], place: Place) -> Node:
    nodes = []
    for name, operand in value.items():
        if name == "$options":
            if "$regex" not in value:
                raise InvalidQuery("$options needs a $regex beside it")
        elif name == "$regex":
            nodes.append(_regex(operand, value.get("$options", ""), place))
        elif name in OPERATORS:
            nodes.append(OPERATORS[name](operand, place))
        else:
            refuse_operator(name, (*OPERATORS, "$regex", "$options"))
    return _all_of(nodes)


def refuse_operator(name: str, known: tuple[str, ...]) -> NoReturn:
    """Say why an operator is not accepted here, and what might be meant."""
    if name in _ELSEWHERE:
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


# -- one function for each operator ---------------------------------------------


def _eq(operand: Any, place: Place) -> Node:
    if is_pattern(operand):
        raise InvalidQuery("$eq takes a value; to search for a pattern write $regex")
    return equal(operand, place)


def _ne(operand: Any, place: Place) -> Node:
    if is_pattern(operand):
        raise InvalidQuery("$ne takes a value; write {'$not': {'$regex': ...}}")
    return ~equal(operand, place)


def _comparing(op: Operator) -> Callable[[Any, Place], Node]:
    def compare(operand: Any, place: Place) -> Node:
        value = comparable(operand, f"${op}")
        if value is None:
            return place.target.every(lambda path: Compare(path, op, None))
        return place.target.any(lambda path: Compare(path, op, value))

    return compare


def comparable(operand: Any, name: str) -> Any:
    """Check a value that others are compared with.

    Examples
    --------
    >>> comparable(5, "$gt")
    5
    >>> comparable([5], "$gt")
    Traceback (most recent call last):
    databroker.errors.UnsupportedQuery: $gt compares with a number, text or bool, not [5]
    """
    value = plain(operand)
    if isinstance(value, list | dict):
        raise UnsupportedQuery(f"{name} compares with a number, text or bool, not {shown(operand)}")
    return value


def _in(operand: Any, place: Place) -> Node:
    items = _array("$in", operand)
    patterns = [item for item in items if is_pattern(item)]
    values = tuple(plain(item) for item in items if not is_pattern(item))
    nodes = []
    if not place.target.is_one and None in values:
        nodes.append(equal(None, place))
        values = tuple(value for value in values if value is not None)
    if values or not (patterns or nodes):
        nodes.append(place.target.any(lambda path: In(path, values)))
    nodes += [condition(pattern, place) for pattern in patterns]
    return nodes[0] if len(nodes) == 1 else Or(nodes)


def _nin(operand: Any, place: Place) -> Node:
    return ~_in(_array("$nin", operand), place)


def _exists(operand: Any, place: Place) -> Node:
    operand = plain(operand)
    if operand not in (0, 1):
        raise InvalidQuery(f"$exists takes True or False, not {shown(operand)}")
    node = place.target.any(Exists)
    if operand:
        return node
    return Exists(place.target.paths[0], False) if place.target.is_one else ~node


def _regex(operand: Any, options: Any, place: Place) -> Node:
    return place.target.any(lambda path: matching(path, operand, options))


def _not(operand: Any, place: Place) -> Node:
    if not is_pattern(operand) and not (operand and _has_operators(operand)):
        raise InvalidQuery(
            f"$not takes operators or a pattern, not {shown(operand)}; for a value write $ne"
        )
    return ~condition(operand, place.deeper())


def _all(operand: Any, place: Place) -> Node:
    items = _array("$all", operand)
    if any(is_pattern(item) or _has_operators(item) for item in items):
        return _all_of([condition(item, place.deeper()) for item in items])
    values = tuple(map(plain, items))
    if not place.target.is_one and values:  # each value may be in either place
        return _all_of([equal(value, place) for value in values])
    return place.target.any(lambda path: ContainsAll(path, values))


def _size(operand: Any, place: Place) -> Node:
    n = whole_number("$size", operand)
    if n < 0:
        raise InvalidQuery(f"$size takes a number from 0 upwards, not {shown(n)}")
    return place.target.any(lambda path: Size(path, n))


def _elem_match(operand: Any, place: Place) -> Node:
    if not isinstance(operand, Mapping):
        raise InvalidQuery(f"$elemMatch takes a dictionary, not {shown(operand)}")
    below = place.deeper()
    if operand and all(str(key).startswith("$") and key not in _LOGICAL for key in operand):
        inner = condition(operand, Place(Target((Path("", "value"),)), place.reader, below.depth))
    else:
        inner = place.reader.element(operand, below.depth)
    return place.target.any(lambda path: ElemMatch(path, inner))


def _type(operand: Any, place: Place) -> Node:
    kinds = operand if isinstance(operand, list | tuple) else [operand]
    if not kinds:
        raise InvalidQuery("$type takes the name of a type, or a list of at least one")
    nodes = [_of_type(type_name(kind), place) for kind in kinds]
    return nodes[0] if len(nodes) == 1 else Or(nodes)


def _of_type(name: str, place: Place) -> Node:
    return place.target.any(lambda path: HasType(path, name))


def _mod(operand: Any, place: Place) -> Node:
    if not isinstance(operand, list | tuple) or len(operand) != 2:
        raise InvalidQuery(f"$mod takes [divisor, remainder], not {shown(operand)}")
    divisor, remainder = (whole_number("$mod", item) for item in operand)
    if divisor == 0:
        raise InvalidQuery("$mod cannot divide by 0")
    return place.target.any(lambda path: Mod(path, divisor, remainder))


#: The operators that stand inside a key; ``$regex`` and ``$options`` come as a pair.
OPERATORS: dict[str, Callable[[Any, Place], Node]] = {
    "$eq": _eq,
    "$ne": _ne,
    "$gt": _comparing("gt"),
    "$gte": _comparing("gte"),
    "$lt": _comparing("lt"),
    "$lte": _comparing("lte"),
    "$in": _in,
    "$nin": _nin,
    "$exists": _exists,
    "$not": _not,
    "$all": _all,
    "$size": _size,
    "$elemMatch": _elem_match,
    "$type": _type,
    "$mod": _mod,
}


def whole_number(name: str, operand: Any) -> int:
    """Check a whole number, which may be written as 5.0."""
    value = plain(operand)
    if not is_number(value) or value != value or value in (float("inf"), float("-inf")):
        raise InvalidQuery(f"{name} takes whole numbers, not {shown(operand)}")
    if int(value) != value:
        raise InvalidQuery(f"{name} takes whole numbers, not {shown(operand)}")
    return int(value)


# Where the order does not matter, whatever holds some values will do.
_COLLECTIONS = (list, tuple, set, frozenset, range, KeysView, ValuesView)


def _array(name: str, operand: Any) -> list[Any]:
    operand = thaw(operand)
    if not isinstance(operand, _COLLECTIONS):
        raise InvalidQuery(f"{name} takes a list of values, not {shown(operand)}")
    return list(operand)


def _all_of(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else And(nodes)
