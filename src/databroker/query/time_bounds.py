"""When a run began: ``since=`` and ``until=``, and ``time=``, ``started=`` as lists show them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import times
from .._util.user_warnings import warn_user
from ..errors import InvalidQuery
from .aliases import own_or
from .nodes import And, Compare, Equals, Node, Path, TimeBounds

if TYPE_CHECKING:
    from ..times import Edge

TIME_KEYS = frozenset({"time", "started"})
"""The keys whose values may be written as times."""

_OLD_NAMES = {"start_time": "since", "stop_time": "until"}
_BOUNDS = frozenset({"since", "until", *_OLD_NAMES})
_EDGES: Mapping[str, Edge] = {
    "$gt": "since",
    "$gte": "since",
    "$eq": "since",
    "$ne": "since",
    "$lt": "until",
    "$lte": "until",
}
_TIME = Path("time")


class TimeReader:
    """Reads times in a zone, the machine's by default, relative to `now`."""

    def __init__(self, zone: datetime.tzinfo | None = None, now: float | None = None) -> None:
        self._zone = zone
        self._now = now

    def split(self, query: Mapping[str, Any]) -> tuple[TimeBounds | None, Mapping[str, Any]]:
        """Return the bounds that a question has, and the rest of it."""
        if _BOUNDS.isdisjoint(query):
            return None, query
        rest = _with_new_names(query)
        since, until = rest.pop("since", None), rest.pop("until", None)
        if since is None and until is None:
            return None, rest
        rest.pop("time", None)  # as ever, bounds take its place
        return TimeBounds(self._bound(since, "since"), self._bound(until, "until")), rest

    def question(self, key: str, value: Any) -> Any:
        """Return the node for a time that is written as one, or the value with times as numbers.

        Text names a stretch of time, from its first instant to the next: '2015-03-05'
        is a day. Times with an operator are bounds, as `since` and `until` take them.

        Examples
        --------
        >>> times = TimeReader(datetime.UTC)
        >>> times.question("time", "1970-01-02")
        (Key('time') >= 86400.0) & (Key('time') < 172800.0)
        >>> times.question("time", {"$gt": "1970-01-02"})
        {'$gt': 86400.0}
        """
        if isinstance(value, Mapping):
            return {
                name: self._bound(operand, _EDGES[name])
                if name in _EDGES and _is_written(operand)
                else operand
                for name, operand in value.items()
            }
        if not _is_written(value):
            return value
        node = self._started_at(key, value)
        return node if key == _TIME.text else own_or(key, value, node)

    def _started_at(self, key: str, value: Any) -> Node:
        period = times.parse_period(value, self._resolved_zone())
        if period is not None:
            return Compare(_TIME, "gte", period[0]) & Compare(_TIME, "lt", period[1])
        if isinstance(value, str):
            raise InvalidQuery(
                f"{key} takes a time as lists show it, such as '2015-03-05 10:01:30' or "
                f"'2015-03-05', not {value[:80]!r}; for all runs since then write "
                f"since={value[:80]!r}"
            )
        return Equals(_TIME, self._bound(value, "since"))

    def _bound(self, value: Any, edge: Edge) -> float | None:
        if value is None:
            return None
        return times.parse_bound(value, self._resolved_zone(), edge, self._now)

    def _resolved_zone(self) -> datetime.tzinfo:
        self._zone = self._zone or times.resolve_zone()
        return self._zone


def time_bounds(node: Node) -> TimeBounds:
    """Give the bounds in time that every run found must keep."""
    parts = node.nodes if isinstance(node, And) else (node,)
    bounds = [part for part in parts if isinstance(part, TimeBounds)]
    return TimeBounds(
        max((b.since for b in bounds if b.since is not None), default=None),
        min((b.until for b in bounds if b.until is not None), default=None),
    )


def _with_new_names(query: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {key: value for key, value in query.items() if key not in _OLD_NAMES}
    for old, new in _OLD_NAMES.items():
        if old in query:
            if new in renamed:
                raise TypeError(f"both {new!r} and its old name {old!r} were given; use {new!r}")
            warn_user(f"{old!r} is now called {new!r}", UserWarning)
            renamed[new] = query[old]
    return renamed


def _is_written(value: Any) -> bool:
    """Tell whether a value is a time that is no number."""
    is_stamp = getattr(getattr(value, "dtype", None), "kind", "") == "M"
    return isinstance(value, str | datetime.date) or is_stamp
