"""The query objects of databroker 1.x: ``TimeRange`` and ``TextQuery``."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._util.printable import repr_of, shown
from ..errors import InvalidQuery
from ..times import parse_bound, resolve_zone
from .nodes import And, Compare, Node, Operator, Or, Path, all_of
from .text import parse_text


class Query(Mapping[str, Any]):
    """A question that is also the Mongo-style dictionary for it."""

    def __init__(self, node: Node, query: Mapping[str, Any], **kwargs: Any) -> None:
        self._node = node
        self._query = query
        self._kwargs = kwargs

    @property
    def query(self) -> dict[str, Any]:
        """The question as a Mongo-style dictionary."""
        return copy.deepcopy(dict(self._query))

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments from which the question was made."""
        return dict(self._kwargs)

    def to_node(self) -> Node:
        """Give the question as a node."""
        return self._node

    def replace(self, **kwargs: Any) -> Query:
        """Give a copy with some arguments replaced."""
        make: Callable[..., Query] = type(self)
        return make(**{**self.kwargs, **kwargs})

    def __iter__(self) -> Iterator[str]:
        return iter(self.query)

    def __getitem__(self, key: str) -> Any:
        return self.query[key]

    def __len__(self) -> int:
        return len(self.query)

    def __and__(self, other: Node | Query) -> Node:
        return And(self.to_node(), _node(other))

    def __or__(self, other: Node | Query) -> Node:
        return Or(self.to_node(), _node(other))

    def __rand__(self, other: Node) -> Node:
        return other & self.to_node()

    def __ror__(self, other: Node) -> Node:
        return other | self.to_node()

    def __invert__(self) -> Node:
        return ~self.to_node()

    def __repr__(self) -> str:
        given = ", ".join(f"{key}={repr_of(value)}" for key, value in self.kwargs.items())
        return f"{type(self).__name__}({given})"


def _node(other: Any) -> Any:
    return other.to_node() if isinstance(other, Query) else other


_TIME = Path("time")


class TimeRange(Query):
    """Runs that began in a stretch of time, whose end does not belong to it.

    In ``db(since=..., until=...)`` both ends belong to it; here, as in 1.x,
    ranges can be put end to end without finding a run twice.

    Parameters
    ----------
    since, until
        Bounds, as in ``db(since=...)``.
    timezone
        The name of the zone in which local times are read; by default the machine's.

    Examples
    --------
    >>> year = TimeRange(since="2014", until="2015", timezone="UTC")
    >>> year.query
    {'time': {'$gte': 1388534400.0, '$lt': 1420070400.0}}
    >>> year.replace(until=None)
    TimeRange(since='2014', until=None, timezone='UTC')
    >>> ~year
    ~((Key('time') >= 1388534400.0) & (Key('time') < 1420070400.0))
    """

    def __init__(
        self,
        since: Any = None,
        until: Any = None,
        timezone: str | datetime.tzinfo | None = None,
    ) -> None:
        zone = resolve_zone(timezone)
        first = None if since is None else parse_bound(since, zone, "since")
        end = None if until is None else parse_bound(until, zone, "until")
        if first is not None and end is not None and first > end:
            raise InvalidQuery(f"since ({shown(since)}) is later than until ({shown(until)})")
        ends: list[tuple[Operator, float | None]] = [("gte", first), ("lt", end)]
        bounds = {op: time for op, time in ends if time is not None}
        super().__init__(
            all_of(Compare(_TIME, op, time) for op, time in bounds.items()),
            {"time": {f"${op}": time for op, time in bounds.items()}} if bounds else {},
            since=since,
            until=until,
            # What 1.x printed: the zone that was used, also where none was given.
            timezone=timezone if isinstance(timezone, str) else getattr(zone, "key", zone),
        )


class TextQuery(Query):
    """The words that occur in a run's metadata: the 1.x name of ``FullText``.

    Examples
    --------
    >>> TextQuery("good sample").to_node()
    FullText('good sample')
    """

    def __init__(self, text_search: str) -> None:
        query = {"$text": {"$search": text_search}}
        super().__init__(parse_text(text_search), query, text_search=text_search)
