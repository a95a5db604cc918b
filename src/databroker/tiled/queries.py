"""Queries of Tiled's clients, translated into ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tiled.queries import QueryValueError
from tiled.query_registration import default_query_registry
from tiled.structures.core import StructureFamily

from .. import queries as q
from ..errors import DatabrokerError
from ..query.nodes import Everything, In, Node, Path, TimeBounds, all_of

_ALL, _NONE = Everything(), ~Everything()


def _family(query: Any) -> Node:
    return _ALL if query.value == StructureFamily.container else _NONE


def _specs(query: Any, of_runs: frozenset[str]) -> Node:
    is_run = of_runs.issuperset(query.include) and of_runs.isdisjoint(query.exclude)
    return _ALL if is_run else _NONE


def _time_range(query: Any) -> Node:
    before = [] if query.until is None else [q.Comparison("lt", "time", query.until)]
    return all_of([TimeBounds(since=query.since), *before])


_TRANSLATIONS: Mapping[str, Callable[[Any], Node]] = {
    # By the names under which Tiled knows them.
    "eq": lambda query: q.Eq(query.key, query.value),
    "noteq": lambda query: q.NotEq(query.key, query.value),
    "comparison": lambda query: q.Comparison(query.operator.value, query.key, query.value),
    "in": lambda query: q.In(query.key, query.value),
    "notin": lambda query: q.NotIn(query.key, query.value),
    "contains": lambda query: q.Contains(query.key, query.value),
    "like": lambda query: q.Like(query.key, query.pattern),
    "regex": lambda query: q.Regex(query.key, query.pattern, query.case_sensitive),
    "fulltext": lambda query: q.FullText(query.text),
    "keypresent": lambda query: q.KeyPresent(query.key, query.exists),
    "keys_filter": lambda query: In(Path("uid"), tuple(query.keys)),
    "lookup": lambda query: q.KeyLookup(query.key),
    "structure_family": _family,
    # What older clients of the package bluesky-tiled-plugins ask.
    "scan_id": lambda query: q.ScanID(*query.scan_ids),
    "scan_id_range": lambda query: q.ScanIDRange(query.start_id, query.end_id),
    "partial_uid": lambda query: q.PartialUID(*query.partial_uids),
    "time_range": _time_range,
}


def translate(query: Any, specs: frozenset[str]) -> Node:
    """Return a query of Tiled as a node.

    Parameters
    ----------
    query
        One that its server knows.
    specs
        The names of the specs that each run has.

    Raises
    ------
    QueryValueError
        It makes no sense, or is of a kind that runs cannot be searched by.

    Examples
    --------
    >>> from tiled.queries import Eq, Like, SpecsQuery
    >>> translate(Eq("start.scan_id", 5), frozenset())
    Key('scan_id') == 5
    >>> translate(SpecsQuery(["BlueskyRun"]), frozenset({"BlueskyRun"}))
    Everything()
    """
    name = default_query_registry.query_type_to_name.get(type(query), type(query).__name__)
    try:
        if name == "specs":
            return _specs(query, specs)
        if name in _TRANSLATIONS:
            return _TRANSLATIONS[name](query)
    except DatabrokerError as error:
        raise QueryValueError(str(error)) from error
    raise QueryValueError(f"Runs of databroker cannot be asked {name!r}.")
