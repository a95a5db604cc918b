"""The runs of a search: some of them, in another order, and their values as columns of a table."""

from __future__ import annotations

import datetime
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, SupportsIndex

from .._util.printable import shown
from ..errors import InvalidQuery
from ..query.keys import Key
from ..query.nodes import Node, Path
from ..query.projection import sort_key, value_at
from ..stores.facts import main_count

if TYPE_CHECKING:
    import pandas as pd

    from ..stores.base import RunRecord
    from .session import Session

_SMALL = 100

Row = tuple[Any, ...]

COLUMNS = ("uid", "scan_id", "time", "plan_name", "status", "num_events")
"""The columns of a list of runs, unless others are asked for."""

FactOf = Callable[[str, str], Any]
"""Gives a fact of a run that its stop document does not say, by its uid and the fact's name."""


@dataclass(frozen=True)
class Column:
    """A column of a list of runs."""

    name: str
    paths: tuple[Path, ...]
    value: Callable[..., Any]

    @property
    def is_plain(self) -> bool:
        """Whether its values are those of one key, as they are."""
        return self.value is _unchanged

    @property
    def holds_times(self) -> bool:
        """Whether its values are seconds since 1970."""
        return len(self.paths) == 1 and self.paths[0].text == "time"


def _unchanged(value: Any) -> Any:
    return value


UID = Column("uid", (Path("uid"),), _unchanged)
"""The uids of runs."""


def column(key: Any, fact_of: FactOf) -> Column:
    """Return the column of a name, of a key with dots, or of a `Key`.

    'status' and 'num_events' are drawn from the stop document, or else from what
    is known of the run; any other name is a key of the RunStart, or behind
    ``stop.`` of the RunStop.

    Examples
    --------
    >>> column("sample.name", max).paths
    (Path(text='sample.name', document='start'),)
    >>> column("num_events", max).value("a", {"primary": 5, "baseline": 2})
    5
    """
    if isinstance(key, Key) and key.path.document == "run":
        key = key.path.text
    if isinstance(key, Key):
        path = key.path
        prefix = "stop." if path.document == "stop" else ""
        return Column(prefix + path.text, (path,), _unchanged)
    if not isinstance(key, str):
        raise InvalidQuery(f"a column is a key such as 'sample.name', not {shown(key)}")
    if key == "num_events":

        def num_events(uid: str, counts: Any) -> Any:
            return fact_of(uid, key) if counts is None else main_count(counts)

        return Column(key, (Path("uid"), Path("num_events", "stop")), num_events)
    if key == "status":
        paths = (Path("uid"), Path("uid", "stop"), Path("exit_status", "stop"))

        def status(uid: str, ended: str | None, exit_status: Any) -> str:
            if ended is None:
                return str(fact_of(uid, key))
            return exit_status if isinstance(exit_status, str) else "unknown"

        return Column(key, paths, status)
    return Column(key, (Path.parse(key),), _unchanged)


def frame_of(
    columns: Sequence[Column],
    rows: Iterable[Row],
    timezone: str | datetime.tzinfo | None,
    convert_times: bool,
) -> pd.DataFrame:
    """Return rows, which hold the values at the paths of all columns, as a table.

    Without a zone, its times are naive UTC.
    """
    from .stream.table import named_frame, stamps

    found = list(zip(*rows, strict=True))
    data: dict[str, Any] = {}
    place = 0
    for each in columns:
        end = place + len(each.paths)
        values = list(map(each.value, *found[place:end])) if found else []
        if each.holds_times:
            data[each.name] = stamps(_seconds(values), convert_times, timezone)
        else:
            data[each.name] = _series(values)
        place = end
    return named_frame(data)


def _seconds(values: list[Any]) -> Any:
    """Return times as an array; what is none is NaN."""
    import numpy as np

    return np.array([value if _is_real(value) else np.nan for value in values], np.float64)


def _series(values: list[Any]) -> Any:
    """Return values with the plainest type that holds them as they are."""
    import pandas as pd

    types = set(map(type, values))
    missing = type(None) in types
    types.discard(type(None))
    try:
        if types == {int}:  # as floats, scan_ids would be hard to read
            return pd.Series(values, dtype="Int64" if missing else "int64")
        if types in ({float}, {int, float}):
            return pd.Series(values, dtype="float64")
        if types == {bool} and not missing:
            return pd.Series(values, dtype="bool")
    except OverflowError:
        pass  # integers beyond 64 bits stay what they are
    return pd.Series(values, dtype=object)


def _is_real(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300


@dataclass(frozen=True)
class Sorted:
    """A step that puts runs into the order of a column."""

    by: Column
    descending: bool


Step = int | Sorted
"""What is done with the runs of a search: so many of them are taken, or they are sorted."""


def checked_limit(n: SupportsIndex) -> int:
    """Return how many runs are wanted at most; a number below 0 is an error."""
    most = operator.index(n)
    if most < 0:
        raise InvalidQuery(f"limit takes a number from 0 upwards, not {most}")
    return most


@dataclass(frozen=True)
class RunQuery:
    """The runs of a search after some steps, read anew each time."""

    session: Session
    query: Node
    steps: tuple[Step, ...]

    @property
    def has_transforms(self) -> bool:
        """Whether documents are changed on their way out, so that the store knows other values."""
        return self.session.source.changes("start", "stop")

    def records(self) -> Iterator[RunRecord]:
        """Yield the runs as they are stored."""
        if not self._sorts:
            yield from self.session.view.find(self.query, limit=self._limit)
        else:
            yield from filter(None, map(self.session.view.record, self.uids()))

    def uids(self) -> Iterator[str]:
        """Yield the uids of the runs."""
        return (uid for (uid,) in self.values([UID]))

    def documents(self) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
        """Yield the start and stop documents of the runs as users see them."""
        return (self._transformed(record) for record in self.records())

    def count(self) -> int:
        """Return how many runs there are after all steps."""
        limit = self._limit
        if limit is not None and limit <= _SMALL:  # do not count what is not wanted
            return sum(1 for _ in self.session.view.find(self.query, limit=limit))
        found = self.session.view.count(self.query)
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
            return self.session.view.select(self.query, paths, limit)
        documents = map(self._transformed, self.session.view.find(self.query, limit=limit))
        return (tuple(value_at(start, stop, path) for path in paths) for start, stop in documents)

    def _transformed(self, run: RunRecord) -> tuple[dict[str, Any], dict[str, Any] | None]:
        transforms = self.session.of(run).transforms
        stop = None if run.stop is None else transforms("stop", run.stop)
        return transforms("start", run.start), stop


def _in_order(rows: list[Row], step: Sorted, at: int, end: int) -> list[Row]:
    keyed = [(sort_key(step.by.value(*row[at:end])), row) for row in rows]
    there = [(key, row) for key, row in keyed if key is not None]
    there.sort(key=lambda each: each[0], reverse=step.descending)
    return [row for _, row in there] + [row for key, row in keyed if key is None]
