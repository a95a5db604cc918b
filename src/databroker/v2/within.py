"""Look-ups among the runs of a search."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ..query.nodes import Equals, Node, Path, UidPrefix
from ..stores.contract import RunRecord, Store

__all__ = ["Within"]


class Within:
    """The runs of a store that match a query, as far as looking one up needs it.

    Parameters
    ----------
    store
        Where the runs are.
    query
        What they must match.
    limit
        How many of them, the newest first; None for all.
    """

    def __init__(self, store: Store, query: Node, limit: int | None = None) -> None:
        self._store = store
        self._query = query
        self._limit = limit

    def find(self, query: Node) -> Iterator[RunRecord]:
        """Yield the runs that match, newest first."""
        if self._limit is None:
            return self._store.find(self._query & query)
        # Only the newest few count, and of those the ones that match.
        uids = {run.uid for run in islice(self._store.find(self._query), self._limit)}
        return (run for run in self._store.find(self._query & query) if run.uid in uids)

    def count(self, query: Node) -> int:
        """Return how many runs match."""
        if self._limit is None:
            return self._store.count(self._query & query)
        return sum(1 for _ in self.find(query))

    def record(self, uid: str) -> RunRecord | None:
        """Return the run of this full uid, or None."""
        return next(self.find(Equals(Path("uid"), uid)), None)

    def resolve(self, prefix: str, limit: int) -> list[str]:
        """Return the uids that begin with ``prefix``, sorted, at most ``limit``."""
        return sorted(run.uid for run in islice(self.find(UidPrefix(prefix)), limit))
