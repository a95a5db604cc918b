"""Questions as filters of the adapter of databroker 2, where one leaves no answer out.

It asks MongoDB for start documents alone, and knows fewer filters than Tiled's own catalogs. What
MongoDB takes for equal, it looks for in arrays, too, as a question of ours does.
"""

from __future__ import annotations

import re
from typing import Any

from ...query import nodes as n
from .filters import SCALARS, Filters, condition, equal, filters_of, whole_prefix

# Each part a plain word: a number may be a position in an array.
_PLAIN_PATH = re.compile(
    r"(?!_id\b)[A-Za-z_][A-Za-z0-9_]{0,99}(\.[A-Za-z_][A-Za-z0-9_]{0,99}){0,9}"
)
_EXACT = 2**53
_MOST_TEXT = 200
_MOST_VALUES = 50


def adapter_filters_of(node: n.Node) -> Filters:
    """Return filters that all runs pass which answer a question, and perhaps others.

    Examples
    --------
    >>> adapter_filters_of(n.Equals(n.Path("plan_name"), "scan")).params[1]
    ('filter[eq][condition][value]', '"scan"')
    >>> adapter_filters_of(n.Equals(n.Path("exit_status", "stop"), "fail"))
    Filters(params=(), exact=False)
    """
    match node:
        case n.And(nodes):
            return Filters.of_all(adapter_filters_of(each) for each in nodes)
        case n.Everything() | n.TimeBounds():
            return filters_of(node)
        case n.UidPrefix(prefix) if whole_prefix(prefix):
            pattern = ("filter[regex][condition][pattern]", f"^{prefix}")
            key = ("filter[regex][condition][key]", "start.uid")
            return Filters((key, pattern, ("filter[regex][condition][case_sensitive]", "true")))
        case n.PathNode(path) if path.document == "start":
            return _of_start(node, path)
    return Filters()


def _of_start(node: n.PathNode, path: n.Path) -> Filters:
    if ("start", path.text) in SCALARS and isinstance(node, n.Equals | n.In | n.Compare):
        found = filters_of(node)
        return found if found.exact else Filters()
    if not _PLAIN_PATH.fullmatch(path.text):
        return Filters()
    key = f"start.{path.text}"
    match node:
        case n.Equals(_, value) if _is_plain(value):
            return Filters(equal(key, value))
        case n.In(_, values) if 0 < len(values) <= _MOST_VALUES and all(map(_is_plain, values)):
            return Filters(condition("in", key, list(values)))
    return Filters()


def _is_plain(value: Any) -> bool:
    """Tell whether all servers agree on what is equal to a value."""
    if isinstance(value, str):
        return value.isascii() and value.isprintable() and len(value) <= _MOST_TEXT
    return isinstance(value, int | float) and -_EXACT < value < _EXACT
