"""The questions of databroker 2 and of Tiled, as thin forms of ours.

A key begins in the RunStart; ``start.`` before it says so, ``stop.`` leads into
the RunStop.
"""

from __future__ import annotations

import enum
import operator as operators
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._util.printable import shown
from ..errors import InvalidQuery
from .keys import Key
from .nodes import Node, UidPrefix, any_of
from .parse import from_mongo
from .shorthands import check_duplicates

__all__ = [
    "Comparison",
    "Contains",
    "Eq",
    "In",
    "KeyLookup",
    "KeyPresent",
    "Like",
    "NotEq",
    "NotIn",
    "Operator",
    "PartialUID",
    "RawMongo",
    "Regex",
    "ScanIDRange",
]


class Operator(enum.StrEnum):
    """How `Comparison` compares."""

    lt = "lt"
    gt = "gt"
    le = "le"
    ge = "ge"


_COMPARED: Mapping[str, Callable[[Key, Any], Node]] = {
    name.value: getattr(operators, name) for name in Operator
}


def Eq(key: str, value: object) -> Node:
    """Ask for what equals this, or has an equal element; ``Key(key) == value``.

    Examples
    --------
    >>> Eq("start.sample.name", "Ni"), Eq("stop.exit_status", "fail")
    (Key('sample.name') == 'Ni', Key('stop.exit_status') == 'fail')
    """
    return Key(key) == value


def NotEq(key: str, value: object) -> Node:
    """Ask for what does not equal this; ``Key(key) != value``."""
    return Key(key) != value


def In(key: str, value: Iterable[Any]) -> Node:
    """Ask for one of these values; ``Key(key).isin(value)``."""
    return Key(key).isin(value)


def NotIn(key: str, value: Iterable[Any]) -> Node:
    """Ask for none of these values; ``Key(key).notin(value)``."""
    return Key(key).notin(value)


def Comparison(operator: str, key: str, value: Any) -> Node:
    """Compare: 'lt', 'le', 'gt' or 'ge'.

    Examples
    --------
    >>> Comparison("gt", "temperature", 300), Comparison(Operator.le, "temperature", 300)
    (Key('temperature') > 300, Key('temperature') <= 300)
    """
    if operator not in _COMPARED:
        raise InvalidQuery(f"Comparison knows {', '.join(Operator)}, not {shown(operator)}")
    return _COMPARED[operator](Key(key), value)


def Contains(key: str, value: Any) -> Node:
    """Ask for an array with this element, or for a text with this text in it.

    Examples
    --------
    >>> Contains("shape", 5)
    Key('shape') == 5
    >>> Contains("detectors", "ccd")
    (Key('detectors') == 'ccd') | (~Key('detectors').has_type('array') & Key('detectors')\
.matches('ccd'))
    """
    if not isinstance(value, str):
        return Eq(key, value)
    is_text_with = ~Key(key).has_type("array") & Key(key).matches(re.escape(value))
    return Eq(key, value) | is_text_with


def Regex(key: str, pattern: str, case_sensitive: bool = True) -> Node:
    """Ask for a text in which a regular expression is found.

    Examples
    --------
    >>> Regex("sample.name", "Cu.*"), Regex("sample.name", "^cu", case_sensitive=False)
    (Key('sample.name').matches('Cu.*'), Key('sample.name').matches('^cu', 'i'))
    """
    return Key(key).matches(pattern, "" if case_sensitive else "i")


def Like(key: str, pattern: str) -> Node:
    r"""Ask for a text that is like a pattern: ``%`` is any text, ``_`` any character.

    Examples
    --------
    >>> Like("sample", "Ni%")
    Key('sample').matches('\\ANi.*\\Z', 's')
    """
    if not isinstance(pattern, str):
        raise InvalidQuery(f"Like takes text such as 'Ni%', not {shown(pattern)}")
    parts = (re.escape(part) for part in re.split("([%_])", pattern))
    wild = {"%": ".*", "_": "."}
    return Key(key).matches(rf"\A{''.join(wild.get(part, part) for part in parts)}\Z", "s")


def KeyPresent(key: str, exists: bool = True) -> Node:
    """Ask whether a key is there, or is not; ``Key(key).exists()``.

    Examples
    --------
    >>> KeyPresent("sample.name"), KeyPresent("sample.name", exists=False)
    (Key('sample.name').exists(), Key('sample.name').exists(False))
    """
    return Key(key).exists(exists)


def KeyLookup(key: str) -> Node:
    """Ask for the run of a uid."""
    return Eq("uid", key)


def PartialUID(*partial_uids: str) -> Node:
    """Ask for the runs whose uid begins with one of these.

    Examples
    --------
    >>> PartialUID("bb80"), PartialUID("bb80", "x39d")
    (UidPrefix('bb80'), UidPrefix('bb80') | UidPrefix('x39d'))
    """
    for prefix in partial_uids:
        if not isinstance(prefix, str):
            raise InvalidQuery(f"PartialUID takes text, not {shown(prefix)}")
    return any_of(map(UidPrefix, partial_uids))


def ScanIDRange(start_id: int, end_id: int, duplicates: str = "all") -> Node:
    """Ask for a stretch of scan_ids, whose end does not belong to it.

    Parameters
    ----------
    start_id, end_id
        The first scan_id, and the one behind the last.
    duplicates
        'all': of a scan_id that was given twice, both runs are found.

    Raises
    ------
    UnsupportedQuery
        `duplicates` is something else.

    Examples
    --------
    >>> ScanIDRange(5, 10)
    (Key('scan_id') >= 5) & (Key('scan_id') < 10)
    """
    check_duplicates(duplicates)
    return (Key("scan_id") >= start_id) & (Key("scan_id") < end_id)


def RawMongo(start: Mapping[str, Any]) -> Node:
    """Read a Mongo-style dictionary, as ``db({...})`` does.

    Examples
    --------
    >>> RawMongo(start={"scan_id": {"$gt": 5}})
    Key('scan_id') > 5
    """
    return from_mongo(start)
