"""Which runs are meant, as one types it: words, conditions such as ``scan_id>42``, and queries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidQuery

_TIMES = ("since", "until", "time", "started")
_CONDITION = re.compile(r"(?P<key>[^\s=<>!~]+)(?P<operator>!=|>=|<=|=|>|<|~)(?P<value>.*)", re.S)
_OPERATORS = {
    "!=": "$ne",
    ">=": "$gte",
    "<=": "$lte",
    ">": "$gt",
    "<": "$lt",
    "~": "$regex",
}


@dataclass(frozen=True)
class Query:
    """What `db(query, **keywords)` takes.

    Attributes
    ----------
    query
        A query as MongoDB has them, or None.
    keywords
        Values, or operators, by key.
    """

    query: dict[str, Any] | None = None
    keywords: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.query or self.keywords)

    def as_one(self) -> dict[str, Any] | None:
        """Return all of it as one query; None if that is every run."""
        return {**self.keywords, **(self.query or {})} or None


def query_of(
    where: Iterable[str] = (),
    text: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Query:
    """Return what is searched for: everything that is given must hold.

    Parameters
    ----------
    where
        Conditions (``plan_name=scan``, ``scan_id>=42``, ``sample.name~^Ni``) or queries as
        JSON objects.
    text
        Words that must occur.
    since, until
        Bounds in time.

    Raises
    ------
    InvalidQuery
        A condition is none.

    Examples
    --------
    >>> query_of(["scan_id>42", "scan_id<50"], "good sample", since="2024")
    Query(query={'$text': {'$search': 'good sample'}},
          keywords={'scan_id': {'$gt': 42, '$lt': 50}, 'since': '2024'})
    """
    queries: list[dict[str, Any]] = [{"$text": {"$search": text}}] if text else []
    keywords: dict[str, Any] = {}
    for condition in where:
        if condition.lstrip().startswith("{"):
            queries.append(_object(condition))
        elif not _add(condition, keywords):
            queries.append(_condition(condition))
    bounds = {"since": since, "until": until}
    keywords |= {name: bound for name, bound in bounds.items() if bound is not None}
    query = queries[0] if len(queries) == 1 else {"$and": queries} if queries else None
    return Query(query, keywords)


def query_of_words(words: Sequence[str], **more: Any) -> Query:
    """Return what is searched for by words among which conditions and queries stand.

    Examples
    --------
    >>> query_of_words(["good", "sample", "plan_name=scan"])
    Query(query={'$text': {'$search': 'good sample'}}, keywords={'plan_name': 'scan'})
    """
    where = [word for word in words if word.lstrip().startswith("{") or _CONDITION.fullmatch(word)]
    text = " ".join(word for word in words if word not in where)
    return query_of([*where, *more.pop("where", ())], text or None, **more)


def listed(names: str | None) -> list[str] | None:
    """Return names that have commas between them."""
    return None if names is None else list(filter(None, map(str.strip, names.split(","))))


def options_of(pairs: Iterable[str]) -> dict[str, Any]:
    """Return options by their keys.

    Raises
    ------
    InvalidQuery
        One of them is not written as key=value.

    Examples
    --------
    >>> options_of(["units=true", "sheet=a b"])
    {'units': True, 'sheet': 'a b'}
    """
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (equals and key.isidentifier()):
            raise InvalidQuery(f"{pair!r} is no option: write key=value.")
        found[key] = _value(value)
    return found


def _add(condition: str, keywords: dict[str, Any]) -> bool:
    """Add a condition to others, unless there is one that it cannot stand beside."""
    ((key, wanted),) = _condition(condition).items()
    there = keywords.setdefault(key, wanted)
    if there is wanted:
        return True
    both = isinstance(there, dict) and isinstance(wanted, dict)
    if not both or there.keys() & wanted.keys():
        return False
    there.update(wanted)
    return True


def _condition(text: str) -> dict[str, Any]:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InvalidQuery(
            f"{text!r} is no condition. Write key=value, or != > >= < <= ~ (a pattern) in place "
            'of =, or a query such as \'{"scan_id": {"$gt": 5}}\'.'
        )
    key, operator, value = match.group("key", "operator", "value")
    if operator == "=":
        # A time is text, and a year is no second since 1970.
        return {key: value if key in _TIMES else _value(value)}
    return {key: {_OPERATORS[operator]: value if operator == "~" else _value(value)}}


def _object(text: str) -> dict[str, Any]:
    try:
        query: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise InvalidQuery(f"{text!r} is not JSON: {error}") from None
    return query


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
