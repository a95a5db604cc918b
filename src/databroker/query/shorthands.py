"""Short names for everyday questions, and the names that databroker 2 and Tiled have for them.

A key begins in the RunStart; ``start.`` before it says so, ``stop.`` leads into the RunStop.
"""

from __future__ import annotations

import enum
import operator as operators
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .._util.printable import shown
from ..errors import InvalidQuery, UnsupportedQuery
from . import nodes
from .keys import Key
from .nodes import Equals, Node, Path, UidPrefix, any_of
from .operands import plain
from .parse import from_mongo
from .text import parse_text


def FullText(text: str) -> nodes.FullText:
    """Words of the RunStart's text values.

    Parameters
    ----------
    text
        Words that must all occur, ``"words in quotes"`` that must stand
        together, ``-word`` that must not occur.

    Examples
    --------
    >>> FullText("good 'Ni' sample -burnt")
    FullText('good ni sample -"burnt"')
    """
    if not isinstance(text, str):
        raise InvalidQuery(f"FullText takes text, not {type(text).__name__}")
    return parse_text(text)


def check_duplicates(duplicates: str) -> None:
    """Refuse to choose among the runs of one scan_id."""
    if duplicates != "all":
        raise UnsupportedQuery(
            f"a search finds all runs of a scan_id: duplicates is 'all', not {shown(duplicates)}. "
            "The newest one is db[scan_id]."
        )


def ScanID(*scan_ids: int, duplicates: str = "all") -> Node:
    """Give the runs with this scan_id, or one of these: all of them, newest first.

    Examples
    --------
    >>> ScanID(42)
    Key('scan_id') == 42
    >>> ScanID(1, 2)
    Key('scan_id').isin([1, 2])
    """
    check_duplicates(duplicates)
    if len(scan_ids) == 1:
        return Equals(Path("scan_id"), plain(scan_ids[0]))
    return nodes.In(Path("scan_id"), tuple(map(plain, scan_ids)))


def PlanName(name: str) -> Node:
    """Give the runs of this plan.

    Examples
    --------
    >>> PlanName("scan")
    Key('plan_name') == 'scan'
    """
    return Equals(Path("plan_name"), plain(name))


def Motor(name: Any) -> Node:
    """Give the runs that name this motor, in ``motor`` or in ``motors``.

    Examples
    --------
    >>> Motor("eta")
    (Key('motor') == 'eta') | (Key('motors') == 'eta')
    """
    return from_mongo({"motor": name})


def Detector(name: Any) -> Node:
    """Give the runs that name this detector, in ``detector`` or in ``detectors``."""
    return from_mongo({"detector": name})


def MotorOrDetector(name: Any) -> Node:
    """Give the runs that name this device as a motor or as a detector."""
    return Motor(name) | Detector(name)


def Status(status: str) -> Node:
    """Give the runs that stand so: 'success', 'abort', 'fail', 'running' or 'unknown'.

    Examples
    --------
    >>> Status("fail"), Status("running")
    (Key('stop.exit_status') == 'fail', Key('status', document='run') == 'running')
    """
    if status in ("running", "unknown"):
        return Equals(Path("status", "run"), status)
    return Equals(Path("exit_status", "stop"), plain(status))


# -- the names of databroker 2 and of Tiled ---------------------------------------


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
