"""Tests of one value: equal to this, greater than this, of this kind.

Numbers compare by value, exactly, however large they are. Numbers compare with
numbers, text with text by code points, bool with bool, and nothing else.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from .nodes import Operator
from .values import KINDS, MISSING, is_number, thaw

Test = Callable[[Any], bool]

_OPERATORS: Mapping[Operator, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def equality(operand: Any) -> Test:
    """Test for being equal to a value, at any depth; None means null or missing."""
    if operand is None:
        return lambda value: value is None or value is MISSING
    return _equality(operand)


def one_of(operand: tuple[Any, ...]) -> Test:
    """Test for being equal to one of these."""
    # Text is by far the commonest, and long lists of uids should stay fast.
    texts = frozenset(value for value in operand if isinstance(value, str))
    others = [equality(value) for value in operand if not isinstance(value, str)]

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return value in texts
        return any(is_equal(value) for is_equal in others)

    return test


def comparison(op: Operator, operand: Any) -> Test:
    """Test for an order; ``>=`` and ``<=`` hold between NaN and NaN, and between null and null."""
    compare = _OPERATORS[op]
    if operand is None or operand != operand:  # these have an equal, but no order
        return equality(operand) if op in ("gte", "lte") else lambda value: False
    if isinstance(operand, bool):
        return lambda value: isinstance(value, bool) and compare(value, operand)
    if isinstance(operand, str):
        return lambda value: isinstance(value, str) and compare(value, operand)
    return lambda value: is_number(value) and compare(value, operand)


def kind(name: str) -> Test:
    """Test for a kind (`values.KINDS`); ``'number'`` is int or double."""
    if name == "number":
        return is_number
    types = KINDS[name]
    if name == "int":  # of which bool is a subclass
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    return lambda value: isinstance(value, types)


def remainder(divisor: int, operand: int) -> Test:
    """Test what the whole part of a number leaves; the remainder has the number's sign."""
    divisor = abs(divisor)

    def test(value: Any) -> bool:
        if not is_number(value) or (isinstance(value, float) and not math.isfinite(value)):
            return False
        whole = int(value)
        return (whole % divisor if whole >= 0 else -(-whole % divisor)) == operand

    return test


def _equality(operand: Any) -> Test:
    """Test for equality, in which NaN equals NaN, a bool only a bool, and null only null."""
    operand = thaw(operand)
    if operand is None or isinstance(operand, bool):
        return lambda value: value is operand
    if isinstance(operand, list | tuple):
        return _equal_array(operand)
    if isinstance(operand, Mapping):
        return _equal_object(operand)
    if isinstance(operand, str):
        return lambda value: isinstance(value, str) and value == operand
    if operand != operand:
        return lambda value: is_number(value) and value != value
    return lambda value: is_number(value) and bool(value == operand)


def _equal_array(operand: list[Any] | tuple[Any, ...]) -> Test:
    tests = [_equality(item) for item in operand]

    def test(value: Any) -> bool:
        return (
            isinstance(value, list | tuple)
            and len(value) == len(tests)
            and all(test(thaw(item)) for test, item in zip(tests, value, strict=True))
        )

    return test


def _equal_object(operand: Mapping[str, Any]) -> Test:
    tests = {key: _equality(item) for key, item in operand.items()}

    def test(value: Any) -> bool:
        return (
            isinstance(value, Mapping)
            and len(value) == len(tests)
            and all(key in value and test(thaw(value[key])) for key, test in tests.items())
        )

    return test
