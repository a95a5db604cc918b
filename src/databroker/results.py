"""What a search gives: runs, loaded one by one as a loop asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from .header import Header
from .query.nodes import Node

if TYPE_CHECKING:
    from .broker import Broker

_SHOWN = 10


class Results:
    """The runs that match a search, newest first.

    Loop over it, as often as you like: each loop is a fresh search, and only a
    few runs are in memory at a time. There may be any number of runs, so there
    is no indexing; use ``list(results)`` where they are few.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> for n in range(3):
    ...     db.insert("start", {"uid": f"run {n}", "time": float(n), "sample": "Ni"})
    >>> results = db(sample="Ni")
    >>> [header.uid for header in results], results.count()
    (['run 2', 'run 1', 'run 0'], 3)
    """

    def __init__(self, db: Broker, query: Node) -> None:
        self._db = db
        self._query = query

    @property
    def query(self) -> Node:
        """What was searched for, with time bounds resolved; it prints as code."""
        return self._query

    def __iter__(self) -> Iterator[Header]:
        for record in self._db.store.find(self._query):
            yield Header(self._db, record)

    def __getitem__(self, key: Any) -> NoReturn:
        raise TypeError(
            "'Results' object does not support indexing. Loop over it, or use "
            f"list(results)[{key!r}], which may be slow if the results are many."
        )

    def count(self) -> int:
        """Return how many runs match, without loading them."""
        return self._db.store.count(self._query)

    def _repr_html_(self) -> str:
        from .display.html import results_html

        newest = list(islice(self, _SHOWN + 1))
        rows = [(header.start, header.status) for header in newest[:_SHOWN]]
        return results_html(rows, len(newest) > _SHOWN, self._db.zone)


# Users and their tools know the class under this name.
Results.__module__ = "databroker.v1"
