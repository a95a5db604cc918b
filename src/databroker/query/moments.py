"""When a run began, asked as lists show it: ``started='2015-03-05 10:01:30'``, ``time=...``."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidQuery
from ..times import Edge, parse_bound, parse_period
from .nodes import Compare, Equals, Exists, Node, Path

__all__ = ["MOMENTS", "moment", "or_own"]

MOMENTS = frozenset({"time", "started"})
"""The keys whose values may be written as times."""

_TIME = Path("time")
_EDGES: Mapping[str, Edge] = {
    "$gt": "since",
    "$gte": "since",
    "$eq": "since",
    "$ne": "since",
    "$lt": "until",
    "$lte": "until",
}


def moment(key: str, value: Any, zone: datetime.tzinfo, now: float | None) -> Any:
    """Return the question for a time that is written as one, or the value with times as numbers.

    Text names a stretch of time, from its first instant to the next: '2015-03-05'
    is a day. Times with an operator are bounds, as `since` and `until` take them.

    Examples
    --------
    >>> moment("started", "1970-01-02", datetime.UTC, None)
    (Key('time') >= 86400.0) & (Key('time') < 172800.0)
    >>> moment("time", datetime.datetime(1970, 1, 2, tzinfo=datetime.UTC), datetime.UTC, None)
    Key('time') == 86400.0
    >>> moment("time", {"$gt": "1970-01-02"}, datetime.UTC, None)
    {'$gt': 86400.0}
    """
    if isinstance(value, Mapping):
        return {
            name: parse_bound(operand, zone, _EDGES[name], now)
            if name in _EDGES and _is_written(operand)
            else operand
            for name, operand in value.items()
        }
    if not _is_written(value):
        return value
    period = parse_period(value, zone)
    if period is not None:
        return Compare(_TIME, "gte", period[0]) & Compare(_TIME, "lt", period[1])
    if isinstance(value, str):
        raise InvalidQuery(
            f"{key} takes a time as lists show it, such as '2015-03-05 10:01:30' or '2015-03-05', "
            f"not {value[:80]!r}; for all runs since then write since={value[:80]!r}"
        )
    return Equals(_TIME, parse_bound(value, zone, "since", now))


def or_own(key: str, value: Any, shown: Node) -> Node:
    """Let a run that has a key of this very name be judged by it."""
    own = Path(key)
    return shown if own == _TIME else Equals(own, value) | (Exists(own, False) & shown)


def _is_written(value: Any) -> bool:
    """Tell whether a value is a time that is no number."""
    is_stamp = getattr(getattr(value, "dtype", None), "kind", "") == "M"
    return isinstance(value, str | datetime.date) or is_stamp
