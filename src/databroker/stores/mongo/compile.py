"""What the server is asked, so that fewer runs need to be looked at.

A filter leaves out only runs that do not match, by what MongoDB's manual says of it and ours says
of the question; whether a run that passes it matches is decided by `databroker.query.evaluate`,
unless the filter `is_exact`. So what is compiled is little, and each part of it is something that
servers of all versions agree on: equality with text, numbers and bools, the order of numbers and
of text, that there is something, how long arrays are, how text begins. Stops and descriptors are in
collections of their own, which are asked first; where few fit, their runs are named. Left to the
evaluator are, among others, patterns that may begin anywhere, null, negations (nearly all runs pass
them), and full text: a text index of MongoDB does not know words that it takes for too common, and
knows others by their stem in the language that a document names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from ..._util.portable_text import portable, with_prefix
from ...query import nodes as n
from ...query.patterns import literal_beginning
from .dotted import has_dotted

Filter = dict[str, Any]

RunsOf = Callable[[Literal["stop", "descriptor"], Filter], Sequence[str] | None]
"""Gives the uids of the runs with a document that passes a filter; None if these are too many."""

# Each part a plain word: a number may be a position in an array. With more than a dozen parts, what
# is asked about dotted keys would be nested deeper than a server takes.
_PLAIN_PATH = re.compile(r"(?!_id\b)[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,7}")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_:-]+")
_EXACT = 2**53  # integers up to this are the same as floats
_SIZES = range(2**31)  # that a server takes
_NOTHING: Filter = {"uid": {"$in": []}}
_FOREIGN: Filter = {"$type": ["objectId", "date", "binData", "decimal", "timestamp", "regex"]}
"""Values that only other programs store; they are read as something else."""


class Compiled(NamedTuple):
    """A filter, None if all runs pass it; and whether all that pass it match."""

    filter: Filter | None
    is_exact: bool


_ANY = Compiled(None, False)


def compile_node(
    node: n.Node, odd: Sequence[str] | None, runs_of: RunsOf = lambda *_: None
) -> Compiled:
    """Return what the server can tell of a question.

    Parameters
    ----------
    node
        What runs must match.
    odd
        The uids of runs in which the server does not see all keys and values; None if these are
        too many to be named.
    runs_of
        What looks stops and descriptors up.

    Examples
    --------
    >>> compile_node(n.UidPrefix("5a") & n.FullText(("ni",)), [])
    Compiled(filter={'uid': {'$gte': '5a', '$lt': '5b'}}, is_exact=False)
    """
    match node:
        case n.Everything():
            return Compiled(None, True)
        case n.And(nodes):
            return _all_of([compile_node(each, odd, runs_of) for each in nodes])
        case n.Or(nodes):
            return _any_of([compile_node(each, odd, runs_of) for each in nodes])
        case n.TimeBounds(since, until):
            return _between(since, until)
        case n.UidPrefix(prefix):
            first, after = with_prefix(prefix) if prefix else ("", None)
            bounds = {"$gte": first} | ({} if after is None else {"$lt": after})
            return Compiled({"uid": bounds}, True)
        case n.Equals(n.Path("uid", "start"), str(uid)):
            return Compiled({"uid": portable(uid)}, True)
        case n.ContainsAll(path, values) if values:
            return compile_node(n.And(n.Equals(path, value) for value in values), odd, runs_of)
        case n.DataKey(name) if _PLAIN_KEY.fullmatch(name):
            return _named(runs_of("descriptor", {f"data_keys.{name}": {"$exists": True}}), [])
        case n.PathNode(path) if _PLAIN_PATH.fullmatch(path.text):
            condition = _condition(node)
            if condition is not None and path.document == "start":
                return _with_odd(_at_path(path.text, condition), odd)
            if condition is not None and path.document == "stop":
                return _named(runs_of("stop", _at_path(path.text, condition)), odd)
    return _ANY


def _all_of(parts: Sequence[Compiled]) -> Compiled:
    filters = [part.filter for part in parts if part.filter is not None]
    is_exact = all(part.is_exact for part in parts)
    if len(filters) < 2:
        return Compiled(filters[0] if filters else None, is_exact)
    return Compiled({"$and": filters}, is_exact)


def _any_of(parts: Sequence[Compiled]) -> Compiled:
    if not parts:
        return Compiled(_NOTHING, True)
    filters = [part.filter for part in parts if part.filter is not None]
    is_exact = all(part.is_exact for part in parts)
    if len(filters) < len(parts):
        return Compiled(None, is_exact and any(part.filter is None for part in parts))
    return Compiled(_either(filters), is_exact)


def _between(since: float | None, until: float | None) -> Compiled:
    bounds = {
        operator: bound
        for operator, bound in (("$gte", since), ("$lte", until))
        if bound is not None and math.isfinite(bound)
    }
    is_exact = len(bounds) == sum(bound is not None for bound in (since, until))
    return Compiled({"time": bounds} if bounds else None, is_exact)


def _condition(node: n.PathNode) -> Any:
    """Return what the server is asked of the value at a path, None for nothing."""
    match node:
        case n.Equals(_, value) if _is_plain(value):
            return value
        case n.In(_, values) if all(map(_is_plain, values)):
            return {"$in": list(values)}
        case n.Compare(_, op, value) if _is_plain(value) and type(value) is not bool:
            return {f"${op}": value}
        case n.Exists(_, True):
            return {"$exists": True}
        case n.Size(_, size) if size in _SIZES:
            return {"$size": size}
        case n.Matches(_, pattern, flags) if beginning := literal_beginning(pattern, flags):
            first, after = with_prefix(beginning)
            return {"$gte": first, "$lt": after}
    return None


def _at_path(path: str, condition: Any) -> Filter:
    """Return a filter that a value at a path passes, whoever stored it, and if keys have dots."""
    dotted = has_dotted(path)
    ways = [{path: condition}, {path: _FOREIGN}]
    return _either(ways if dotted is None else [*ways, dotted])


def _is_plain(value: Any) -> bool:
    """Tell whether all servers agree on what is equal to a value."""
    if type(value) is str:
        return portable(value) == value
    return type(value) is bool or _is_number(value)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and -_EXACT <= value <= _EXACT


def _named(runs: Sequence[str] | None, odd: Sequence[str] | None) -> Compiled:
    if runs is None or odd is None:
        return _ANY
    return Compiled({"uid": {"$in": [*runs, *odd]}}, False)


def _with_odd(condition: Filter, odd: Sequence[str] | None) -> Compiled:
    if odd is None:
        return _ANY
    return Compiled(
        _either([condition, {"uid": {"$in": list(odd)}}] if odd else [condition]), False
    )


def _either(filters: Sequence[Filter]) -> Filter:
    return {"$or": list(filters)} if len(filters) > 1 else filters[0]
