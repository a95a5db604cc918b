"""From what a user writes to nodes: text, keywords, Mongo-style dictionaries.

Keywords and dictionaries follow the same rules, at every level:

- a key is a path in the RunStart, ``sample.name`` leads into a nested
  dictionary, ``stop.exit_status`` into the RunStop; ``start.`` may stand before it;
- ``since`` and ``until`` bound the time of the run, ``data_key`` asks for a
  column, and a few words look in more than one place (see `aliases`);
- a value is equal to the value there or to one of its elements; None means
  null or missing; a compiled pattern searches; a dictionary of operators
  (``{'$gt': 5}``) asks more.

>>> from_keywords("good sample", {"plan_name": "scan", "scan_id": {"$gt": 5}})
FullText('good sample') & (Key('plan_name') == 'scan') & (Key('scan_id') > 5)
>>> from_mongo({"$or": [{"sample.name": "Ni"}, {"motor": "x"}]})
(Key('sample.name') == 'Ni') | (Key('motor') == 'x') | (Key('motors') == 'x')
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, cast

from .._util.printable import shown
from ..errors import InvalidQuery, UnsupportedQuery
from .aliases import Target, as_listed, target_of
from .elements import check_paths
from .nodes import MAX_DEPTH, And, DataKey, Everything, Node, Or, Path, all_of, any_of
from .operators import Context, condition, refuse_operator
from .text import parse_text
from .time_bounds import TIME_KEYS, TimeReader


def from_keywords(
    text: Any,
    kwargs: Mapping[str, Any],
    zone: datetime.tzinfo | None = None,
    now: float | None = None,
) -> Node:
    """Read the arguments of ``db(text, **kwargs)``, which must all hold.

    `text` may be a query or a Mongo-style dictionary, too; None and ``''`` ask for
    nothing. `now` is what ``'3 days ago'`` refers to, in seconds since 1970.
    """
    reader = _Reader(TimeReader(zone, now))
    return _positional(text, reader) & reader.mapping(kwargs, 1)


def from_mongo(
    query: Mapping[str, Any], zone: datetime.tzinfo | None = None, now: float | None = None
) -> Node:
    """Read a whole Mongo-style dictionary."""
    return _Reader(TimeReader(zone, now)).mapping(query, 1)


def _positional(text: Any, reader: _Reader) -> Node:
    if text is None:
        return Everything()
    if isinstance(text, Node):
        return check_paths(text)
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

    def __init__(self, times: TimeReader) -> None:
        self._times = times

    def mapping(self, query: Any, depth: int) -> Node:
        bounds, query = self._times.split(_checked(query, depth))
        nodes = [self._item(key, value, depth) for key, value in query.items()]
        return all_of(nodes if bounds is None else [bounds, *nodes])

    def element(self, query: Any, depth: int) -> Node:
        """Read a question about an array's element, whose keys have no special meaning."""
        nodes = [
            self._logical(key, value, depth, in_element=True)
            if key.startswith("$")
            else condition(value, Context(Target((Path(key, "element"),)), self.element, depth))
            for key, value in _checked(query, depth).items()
        ]
        return all_of(nodes)

    def _item(self, key: str, value: Any, depth: int) -> Node:
        if key.startswith("$"):
            return self._logical(key, value, depth)
        if key == "data_key":
            return _data_key(value)
        if (node := as_listed(key, value)) is not None:
            return node
        if key in TIME_KEYS:
            value = self._times.question(key, value)
            if isinstance(value, Node):
                return value
        return condition(value, Context(target_of(key), self.element, depth))

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
            return all_of(nodes)
        return any_of(nodes) if name == "$or" else ~any_of(nodes)


def _checked(query: Any, depth: int) -> Mapping[str, Any]:
    if depth > MAX_DEPTH:
        raise InvalidQuery(f"the query is nested more than {MAX_DEPTH} levels deep")
    if not isinstance(query, Mapping):
        raise InvalidQuery(f"expected a dictionary such as {{'key': value}}, not {shown(query)}")
    for key in query:
        if not isinstance(key, str):
            raise InvalidQuery(f"a key must be text such as 'sample.name', not {shown(key)}")
    return query


_NO_DIFFERENCE = {"$caseSensitive": False, "$diacriticSensitive": False}


def _full_text(operand: Any) -> Node:
    """Read MongoDB's form of a search for words; its words must all occur, as ours must."""
    # Programs (bluesky-widgets) ask for no text to see whether a catalog answers this at all.
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
        return all_of([_data_key_operator(name, operand) for name, operand in value.items()])
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
