"""Questions as filters of a Tiled server, where it knows one that leaves no answer out.

Tiled compares the one value at a path, while a question of ours also looks into arrays and into
dictionaries inside of them. So what is asked of any key is pushed only where that makes no
difference: for keys that the event model keeps to one value, and for words as a whole, which the
server looks up anywhere in a document. Every hit is asked the whole question afterwards, unless
the filters say all of it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from ...query import nodes as n

Params = tuple[tuple[str, str], ...]

SCALARS = {
    ("start", "uid"): str,
    ("start", "scan_id"): int,
    ("start", "time"): float,
    ("stop", "exit_status"): str,
}
"""Keys that the event model keeps to one value, and its type."""

_MOST_VALUES = 50  # in one address, of which servers take some kilobytes
_WORD = re.compile(r"[A-Za-z]{2,40}")
_PREFIX = re.compile(r"[0-9A-Za-z-]{1,64}")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_WHOLE = 2**53
_OPERATORS = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}


@dataclass(frozen=True)
class Filters:
    """What a server is asked, and whether that is the whole question."""

    params: Params = ()
    exact: bool = False

    @classmethod
    def of_all(cls, parts: Iterable[Filters]) -> Filters:
        """Return the filters of questions that are asked together."""
        found = list(parts)
        params = tuple(param for part in found for param in part.params)
        return cls(params, all(part.exact for part in found))


@singledispatch
def filters_of(node: n.Node) -> Filters:
    """Return filters that all runs pass which answer a question, and perhaps others.

    Examples
    --------
    >>> filters_of(n.Equals(n.Path("scan_id"), 5)).params
    (('filter[eq][condition][key]', 'start.scan_id'), ('filter[eq][condition][value]', '5'))
    >>> filters_of(n.Equals(n.Path("shape"), 5))
    Filters(params=(), exact=False)
    """
    return Filters()


@filters_of.register
def _everything(node: n.Everything) -> Filters:
    return Filters(exact=True)


@filters_of.register
def _and(node: n.And) -> Filters:
    return Filters.of_all(filters_of(each) for each in node.nodes)


@filters_of.register
def _equals(node: n.Equals) -> Filters:
    value = _scalar(node.path, node.value)
    if value is not None:
        return Filters(equal(_key(node.path), value), exact=True)
    if node.path.document in ("start", "stop") and _is_word(node.value):
        return Filters((("filter[fulltext][condition][text]", node.value.lower()),))
    return Filters()


@filters_of.register
def _in(node: n.In) -> Filters:
    values = [_scalar(node.path, value) for value in node.values]
    if not 0 < len(values) <= _MOST_VALUES or None in values:
        return Filters()
    return Filters(condition("in", _key(node.path), values), exact=True)


@filters_of.register
def _compare(node: n.Compare) -> Filters:
    value = _scalar(node.path, node.value)
    if value is None or isinstance(value, str):
        return Filters()
    return Filters(comparison(_OPERATORS[node.op], _key(node.path), value), exact=True)


@filters_of.register
def _time_bounds(node: n.TimeBounds) -> Filters:
    params: Params = ()
    for operator, bound in (("ge", node.since), ("le", node.until)):
        if bound is not None and not math.isfinite(bound):
            return Filters()
        if bound is not None:
            params += comparison(operator, "start.time", float(bound))
    return Filters(params, exact=True)


@filters_of.register
def _exists(node: n.Exists) -> Filters:
    if not node.expected or node.path.document not in ("start", "stop"):
        return Filters()
    if not _KEY.fullmatch(node.path.text):
        return Filters()
    return Filters(
        (
            ("filter[keypresent][condition][key]", _key(node.path)),
            ("filter[keypresent][condition][exists]", "true"),
        )
    )


@filters_of.register
def _uid_prefix(node: n.UidPrefix) -> Filters:
    if not whole_prefix(node.prefix):
        return Filters()
    return Filters(
        (
            ("filter[like][condition][key]", "start.uid"),
            ("filter[like][condition][pattern]", json.dumps(f"{node.prefix}%")),
        )
    )


def whole_prefix(prefix: str) -> bool:
    """Tell whether a beginning of uids has no letter that stands for others in a pattern."""
    return _PREFIX.fullmatch(prefix) is not None


def comparison(operator: str, key: str, value: float) -> Params:
    """Return the filter that compares the number at a key."""
    return (
        ("filter[comparison][condition][operator]", operator),
        *condition("comparison", key, value),
    )


def equal(key: str, value: Any) -> Params:
    """Return the filter that compares the value at a key."""
    return condition("eq", key, value)


def condition(name: str, key: str, value: Any) -> Params:
    """Return the filter of a name that asks something of the value at a key."""
    return (
        (f"filter[{name}][condition][key]", key),
        (f"filter[{name}][condition][value]", json.dumps(value)),
    )


def _key(path: n.Path) -> str:
    return f"{path.document}.{path.text}"


def _scalar(path: n.Path, value: Any) -> Any:
    """Return a value as the server compares it with that of a key; None if it should not."""
    kind = SCALARS.get((path.document, path.text))
    if kind is str:
        return value if isinstance(value, str) and value.isascii() and value.isprintable() else None
    if kind is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -_WHOLE < value < _WHOLE or (kind is int and value != int(value)):
        return None
    return kind(value)


def _is_word(value: Any) -> bool:
    """Tell whether a text is one word to any server, whatever stands around it."""
    return isinstance(value, str) and _WORD.fullmatch(value) is not None
