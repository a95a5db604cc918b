"""From what a user writes to nodes: text, keywords, Mongo-style dictionaries.

Keywords and dictionaries follow the same rules, at every level:

- a key is a path in the RunStart, ``sample.name`` leads into a nested
  dictionary, ``stop.exit_status`` into the RunStop; ``start.`` may stand before it;
- ``since`` and ``until`` bound the time of the run, ``data_key`` asks for a
  column, and a few words look in more than one place (see `words`);
- a value is equal to the value there or to one of its elements; None means
  null or missing; a compiled pattern searches; a dictionary of operators
  (``{'$gt': 5}``) asks more.

>>> zone = resolve_zone("UTC")
>>> from_keywords("good sample", {"plan_name": "scan", "scan_id": {"$gt": 5}}, zone)
FullText('good sample') & (Key('plan_name') == 'scan') & (Key('scan_id') > 5)
>>> from_mongo({"$or": [{"sample.name": "Ni"}, {"motor": "x"}]})
(Key('sample.name') == 'Ni') | (Key('motor') == 'x') | (Key('motors') == 'x')
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, cast

from .._util.printable import shown
from .._util.telling import warn_user
from ..errors import InvalidQuery, UnsupportedQuery
from ..times import Edge, parse_bound, resolve_zone
from .moments import MOMENTS, moment, or_own
from .nodes import MAX_DEPTH, And, DataKey, Everything, Node, Or, Path, TimeBounds
from .operators import Place, condition, refuse_operator
from .text import parse_text
from .words import Target, target_of, written

__all__ = ["from_keywords", "from_mongo", "time_bounds"]

_OLD_NAMES = {"start_time": "since", "stop_time": "until"}
_SPECIAL = frozenset({"since", "until", *_OLD_NAMES})


def from_keywords(
    text: Any,
    kwargs: Mapping[str, Any],
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
) -> Node:
    """Read the arguments of ``db(text, **kwargs)``.

    The text may also be a query of `databroker.queries`, or a dictionary, a whole Mongo-style
    query; None and '' ask for nothing. All of it must hold together.

    Examples
    --------
    >>> from_keywords(None, {"since": 0, "data_key": "det", "operator": None})
    TimeBounds(since=0.0, until=None) & DataKey('det') & (Key('operator') == None)
    >>> from_keywords({"scan_id": {"$gtt": 5}}, {})
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: unknown operator '$gtt'; did you mean $gt? ...
    """
    reader = _Reader(zone, now)
    return _positional(text, reader) & reader.mapping(kwargs, 1)


def from_mongo(
    query: Mapping[str, Any], zone: datetime.tzinfo | None = None, now: float | None = None
) -> Node:
    """Read a whole Mongo-style dictionary.

    Examples
    --------
    >>> from_mongo({"tags": {"$all": ["a", "b"]}, "$nor": [{"x": 1}, {"y": {"$exists": True}}]})
    Key('tags').contains_all(['a', 'b']) & ~((Key('x') == 1) | Key('y').exists())
    """
    return _Reader(zone, now).mapping(query, 1)


def time_bounds(node: Node) -> TimeBounds:
    """Give the bounds in time that every run found must keep.

    Examples
    --------
    >>> time_bounds(from_keywords("good", {"since": 5, "until": 9}))
    TimeBounds(since=5.0, until=9.0)
    >>> time_bounds(Everything())
    TimeBounds(since=None, until=None)
    """
    anded = node.nodes if isinstance(node, And) else (node,)
    bounds = [part for part in anded if isinstance(part, TimeBounds)]
    return TimeBounds(
        max((b.since for b in bounds if b.since is not None), default=None),
        min((b.until for b in bounds if b.until is not None), default=None),
    )


def _positional(text: Any, reader: _Reader) -> Node:
    if text is None:
        return Everything()
    if isinstance(text, Node):
        return text
    if isinstance(text, str):
        return parse_text(text) if text.strip() else Everything()
    to_node = getattr(text, "to_node", None)
    if callable(to_node):
        return cast(Node, to_node())
    if isinstance(text, Mapping):
        return reader.mapping(text, 1)
    raise InvalidQuery(
        f"cannot search for {type(text).__name__}: give text, a dictionary such as "
        "{'plan_name': 'scan'}, or a query such as Key('plan_name') == 'scan'"
    )


class _Reader:
    """Reads dictionaries, level by level."""

    def __init__(self, zone: datetime.tzinfo | None, now: float | None) -> None:
        self._zone = zone
        self._now = now

    def mapping(self, query: Any, depth: int) -> Node:
        query = _checked(query, depth)
        nodes: list[Node] = []
        if not _SPECIAL.isdisjoint(query):
            query = _renamed(query)
            bounds = self._bounds(query)
            # As ever, since and until take the place of a `time=`.
            replaced = ("since", "until") if bounds is None else ("since", "until", "time")
            query = {key: value for key, value in query.items() if key not in replaced}
            nodes += [bounds] if bounds is not None else []
        for key, value in query.items():
            nodes.append(self._item(key, value, depth))
        return _joined(nodes)

    def element(self, query: Mapping[str, Any], depth: int) -> Node:
        """Read a question about an array's element, whose keys have no special meaning."""
        query = _checked(query, depth)
        return _joined(
            [
                self._logical(key, value, depth, in_element=True)
                if key.startswith("$")
                else condition(value, Place(Target((Path(key, "element"),)), self, depth))
                for key, value in query.items()
            ]
        )

    def _item(self, key: str, value: Any, depth: int) -> Node:
        if key.startswith("$"):
            return self._logical(key, value, depth)
        if key == "data_key":
            return _data_key(value)
        if (asked := written(key, value)) is not None:
            return asked
        if key in MOMENTS:
            found = moment(key, value, self._resolved_zone(), self._now)
            if isinstance(found, Node):
                return or_own(key, value, found)
            value = found
        return condition(value, Place(target_of(key), self, depth))

    def _bounds(self, query: Mapping[str, Any]) -> TimeBounds | None:
        if query.get("since") is None and query.get("until") is None:
            return None
        return TimeBounds(self._bound("since", query), self._bound("until", query))

    def _bound(self, edge: Edge, query: Mapping[str, Any]) -> float | None:
        value = query.get(edge)
        if value is None:
            return None
        return parse_bound(value, self._resolved_zone(), edge, self._now)

    def _resolved_zone(self) -> datetime.tzinfo:
        self._zone = self._zone or resolve_zone()
        return self._zone

    def _logical(self, name: str, operand: Any, depth: int, in_element: bool = False) -> Node:
        read = self.element if in_element else self.mapping
        if name == "$not":
            return ~read(operand, depth + 1)
        if name == "$text" and not in_element:
            return _full_text(operand)
        if name not in ("$and", "$or", "$nor"):
            refuse_operator(name, ("$and", "$or", "$nor", "$not"))
        if not isinstance(operand, list | tuple) or not operand:
            raise InvalidQuery(
                f"{name} takes a list of at least one dictionary, not {type(operand).__name__}"
            )
        nodes = [read(item, depth + 1) for item in operand]
        if name == "$and":
            return _joined(nodes)
        either = nodes[0] if len(nodes) == 1 else Or(nodes)
        return either if name == "$or" else ~either


def _checked(query: Any, depth: int) -> Mapping[str, Any]:
    if depth > MAX_DEPTH:
        raise InvalidQuery(f"the query is nested more than {MAX_DEPTH} levels deep")
    if not isinstance(query, Mapping):
        raise InvalidQuery(f"expected a dictionary such as {{'key': value}}, not {shown(query)}")
    for key in query:
        if not isinstance(key, str):
            raise InvalidQuery(f"a key must be text such as 'sample.name', not {shown(key)}")
    return query


def _renamed(query: Mapping[str, Any]) -> Mapping[str, Any]:
    given = {key: value for key, value in query.items() if key not in _OLD_NAMES}
    for old, new in _OLD_NAMES.items():
        if old in query:
            if new in given:
                raise TypeError(f"both {new!r} and its old name {old!r} were given; use {new!r}")
            warn_user(f"{old!r} is now called {new!r}", UserWarning)
            given[new] = query[old]
    return given


def _joined(nodes: list[Node]) -> Node:
    joined = And(nodes)
    if not joined.nodes:
        return Everything()
    return joined.nodes[0] if len(joined.nodes) == 1 else joined


_NO_DIFFERENCE = {"$caseSensitive": False, "$diacriticSensitive": False}


def _full_text(operand: Any) -> Node:
    """Read MongoDB's form of a search for words; its words must all occur, as ours must.

    Empty text asks for nothing, as elsewhere: programs put ``{"$text": ""}`` to see whether
    a catalog answers such a search at all (bluesky-widgets does).
    """
    if operand in ("", {"$search": ""}):
        return Everything()
    if not isinstance(operand, Mapping) or not isinstance(operand.get("$search"), str):
        raise InvalidQuery(f"$text takes {{'$search': 'some words'}}, not {shown(operand)}")
    for name, value in operand.items():
        if name not in ("$search", "$language") and _NO_DIFFERENCE.get(name) is not value:
            raise UnsupportedQuery(
                "$text here takes no heed of case or accents; "
                f"{shown(name)} cannot be {shown(value)}"
            )
    return parse_text(operand["$search"])


def _data_key(value: Any) -> Node:
    if value is None:
        return Everything()
    if isinstance(value, str):
        return DataKey(str(value))
    if isinstance(value, Mapping) and value:
        return _joined([_data_key_operator(name, operand) for name, operand in value.items()])
    raise InvalidQuery(
        "data_key takes the name of one data key, or {'$in': [names]} or {'$all': [names]}, "
        f"not {shown(value)}"
    )


def _data_key_operator(name: str, operand: Any) -> Node:
    if name in ("$eq", "$ne") and isinstance(operand, str):
        return DataKey(operand) if name == "$eq" else ~DataKey(operand)
    if name in ("$in", "$nin", "$all"):
        if not isinstance(operand, list | tuple | set | frozenset) or not all(
            isinstance(item, str) for item in operand
        ):
            raise InvalidQuery(f"data_key: {name} takes a list of names, not {shown(operand)}")
        nodes = [DataKey(item) for item in operand]
        if name == "$all":
            return And(nodes) if nodes else ~Everything()
        return Or(nodes) if name == "$in" else ~Or(nodes)
    if name == "$not" and isinstance(operand, Mapping):
        return ~_data_key(operand)
    raise UnsupportedQuery(
        "data_key understands $eq, $ne, $in, $nin, $all and $not, "
        f"not {shown(name)} with {shown(operand)}"
    )
