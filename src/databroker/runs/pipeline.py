"""Taking some of the runs of a search, and putting them into another order."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

from ..errors import InvalidQuery
from ..query.nodes import Node, Path
from ..query.projection import sort_key, value_at
from .run_table import Column

if TYPE_CHECKING:
    from ..stores.base import RunRecord
    from .store_view import StoreView
    from .transforms import Transforms

_UID = Path("uid")
_SMALL = 100

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Sorted:
    """A step that puts runs into the order of a column."""

    by: Column
    descending: bool


Step = int | Sorted
"""What is done with the runs of a search: so many of them are taken, or they are sorted."""


def checked_limit(n: SupportsIndex) -> int:
    """Return how many runs are wanted at most.

    Examples
    --------
    >>> checked_limit(-1)
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: limit takes a number from 0 upwards, not -1
    """
    most = operator.index(n)
    if most < 0:
        raise InvalidQuery(f"limit takes a number from 0 upwards, not {most}")
    return most


@dataclass(frozen=True)
class RunQuery:
    """The runs of a search after some steps, read anew each time."""

    runs: StoreView
    transforms: Transforms
    query: Node
    steps: tuple[Step, ...]

    @property
    def has_transforms(self) -> bool:
        """Whether documents are changed on their way out, so that the store knows other values."""
        return "start" in self.transforms or "stop" in self.transforms

    def records(self) -> Iterator[RunRecord]:
        """Yield the runs as they are stored."""
        if not self._sorts:
            yield from self.runs.find(self.query, limit=self._limit)
            return
        for (uid,) in self.values([Column("uid", (_UID,), lambda value: value)]):
            record = self.runs.record(uid)
            if record is not None:
                yield record

    def documents(self) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """Yield the start and stop documents of the runs as users see them."""
        return (self._transformed(record) for record in self.records())

    def count(self) -> int:
        """Return how many runs there are after all steps."""
        limit = self._limit
        if limit is not None and limit <= _SMALL:  # do not count what is not wanted
            return sum(1 for _ in self.runs.find(self.query, limit=limit))
        found = self.runs.count(self.query)
        return found if limit is None else min(found, limit)

    def values(self, columns: Sequence[Column]) -> Iterator[Row]:
        """Yield the values at the paths of some columns, a tuple for each run."""
        sorts = self._sorts
        paths = [path for each in (*columns, *(step.by for step in sorts)) for path in each.paths]
        if not sorts:
            return self._select(paths, self._limit)
        first = self.steps[0]
        rows = list(self._select(paths, first if isinstance(first, int) else None))
        shown = at = sum(len(each.paths) for each in columns)
        for step in self.steps:
            if isinstance(step, Sorted):
                end = at + len(step.by.paths)
                rows = _in_order(rows, step, at, end)
                at = end
            else:
                rows = rows[:step]
        return (row[:shown] for row in rows)

    @property
    def _sorts(self) -> list[Sorted]:
        return [step for step in self.steps if isinstance(step, Sorted)]

    @property
    def _limit(self) -> int | None:
        return min((step for step in self.steps if isinstance(step, int)), default=None)

    def _select(self, paths: Sequence[Path], limit: int | None) -> Iterator[Row]:
        if not self.has_transforms:
            return self.runs.select(self.query, paths, limit)
        documents = map(self._transformed, self.runs.find(self.query, limit=limit))
        return (tuple(value_at(start, stop, path) for path in paths) for start, stop in documents)

    def _transformed(self, run: RunRecord) -> tuple[dict[str, Any], dict[str, Any] | None]:
        stop = None if run.stop is None else self.transforms("stop", run.stop)
        return self.transforms("start", run.start), stop


def _in_order(rows: list[Row], step: Sorted, at: int, end: int) -> list[Row]:
    keyed = [(sort_key(step.by.value(*row[at:end])), row) for row in rows]
    there = [(key, row) for key, row in keyed if key is not None]
    there.sort(key=lambda each: each[0], reverse=step.descending)
    return [row for _, row in there] + [row for key, row in keyed if key is None]
