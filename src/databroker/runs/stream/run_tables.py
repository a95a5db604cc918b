"""One stream of many runs as tables: of those that are alike together, of the others one by one."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...columns import Selection
from ...external.fields.filling import check_on_missing, external_fields
from ...query.nodes import Exists, Path
from ...stores.many import RunsPage, in_pages
from .alike import Joint, joint_tables
from .layout import Array
from .many import Wanted
from .table import stacked

if TYPE_CHECKING:
    from ...external.fields.filling import OnMissing
    from ..run import Run
    from ..session import Session


@dataclass(frozen=True)
class Options:
    """Which stream is wanted, and how it is shown; as in `Run.table`."""

    stream: str = "primary"
    on_missing: OnMissing = "raise"
    convert_times: bool = True
    timezone: str | datetime.tzinfo | None = None

    def __post_init__(self) -> None:
        check_on_missing(self.on_missing)
        if not isinstance(self.stream, str):  # a table is of one stream: ALL is the name of none
            name = getattr(self.stream, "__name__", str(self.stream))
            object.__setattr__(self, "stream", name)


@dataclass(frozen=True)
class TablePage:
    """The tables of some runs; those without the stream have none.

    ``first`` says how many runs come before them.
    """

    runs: list[str]
    tables: list[Joint]
    first: int

    def in_order(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each run that has the stream, with its table."""
        tables = dict(chain.from_iterable(joint.parts() for joint in self.tables))
        return ((run, tables[run]) for run in self.runs if run in tables)


@dataclass
class RunTables:
    """Reads one stream of many runs, which a session knows; `run_of` gives a run by its uid."""

    session: Session
    run_of: Callable[[str], Run]
    wanted: Wanted
    options: Options
    has_any: bool = False
    _last: str | None = field(default=None, repr=False)
    _nowhere: dict[str, bool] = field(default_factory=dict, repr=False)

    def pages(self, uids: Iterable[str], before: int = 0) -> Iterator[TablePage]:
        """Yield the tables of runs, of which so many came before."""
        names = self.wanted.names
        selection = Selection(None if names is None else frozenset(names), frozenset())
        for page in self._stored(uids, selection):
            yield TablePage(page.runs, list(self._tables(page)), before)
            before += len(page.runs)
            self._last = page.runs[-1]

    def check(self) -> None:
        """Say what none of the runs had, once all were read: the stream, or a field."""
        if self._last is not None and not self.has_any:
            self.run_of(self._last).table(self.options.stream)  # which says it
        self.wanted.check()

    def data_keys(self, uids: Iterable[str]) -> Iterator[Mapping[str, Any]]:
        """Yield what descriptors of the stream declare, no row being read."""
        for page in self._stored(uids, None):
            yield from (alike.data_keys for alike in page.alike)
            streams = (self.run_of(uid).streams.get(self.options.stream) for uid in page.apart)
            for stream in filter(None, streams):
                yield from (descriptor["data_keys"] for descriptor in stream.descriptors)

    def _stored(self, uids: Iterable[str], selection: Selection | None) -> Iterator[RunsPage]:
        if self.session.source.changes("descriptor"):  # the store knows other streams and fields
            return (RunsPage(runs, [], runs) for runs in in_pages(uids))
        return self.session.store.read_many(uids, self.options.stream, selection)

    def _tables(self, page: RunsPage) -> Iterator[Joint]:
        apart = list(page.apart)
        for alike in page.alike:
            names = self._simple(alike.data_keys)
            if names is None:
                apart += alike.runs
                continue
            self.has_any = True
            joints, others = joint_tables(alike, names, *self._times)
            yield from joints
            apart += others
        yield from filter(None, map(self._alone, apart))

    @property
    def _times(self) -> tuple[bool, str | datetime.tzinfo | None]:
        return self.options.convert_times, self.options.timezone

    def _simple(self, data_keys: Mapping[str, Any]) -> list[str] | None:
        """Return the fields to show of runs with these keys, if their rows are all it takes."""
        names = self.wanted.among(data_keys, self._is_nowhere)
        external = external_fields([{"data_keys": data_keys}])
        if names is None or "stream" in external.values():
            return None
        return None if set(self.wanted.filling.fields(external)) & set(names) else names

    def _is_nowhere(self, name: str) -> bool:
        """Tell whether no start or stop document has a name; stores tell it of descriptors."""
        if name not in self._nowhere:
            store, changed = self.session.store, self.session.source.changes("start", "stop")
            self._nowhere[name] = not changed and not any(
                any(store.select(Exists(path), [path], 1)) for path in _places(name)
            )
        return self._nowhere[name]

    def _alone(self, uid: str) -> Joint | None:
        stream = self.run_of(uid).streams.get(self.options.stream)
        if stream is None:
            return None
        self.has_any = True
        convert_times, timezone = self._times
        table = stream.table(
            self.wanted.of([stream]),
            fill=self.wanted.filling,
            on_missing=self.options.on_missing,
            convert_times=convert_times,
            timezone=timezone,
        )
        return Joint([uid], np.array([len(table)]), table)


def _places(name: str) -> tuple[Path, Path]:
    return Path(name), Path(name, "stop")


def in_one(pages: Iterable[TablePage]) -> tuple[pd.DataFrame, Array]:
    """Return the tables of all runs, one below the other, and which run each row is of."""
    placed: list[tuple[Array, Joint]] = []
    for page in pages:
        places = {run: place for place, run in enumerate(page.runs, page.first)}
        found = [(np.array([places[run] for run in each.runs]), each) for each in page.tables]
        placed += sorted(found, key=lambda pair: int(pair[0][0]))
    table = stacked([joint.table for _, joint in placed])
    runs = [np.repeat(places, joint.sizes) for places, joint in placed]
    owners = np.concatenate(runs) if runs else np.empty(0, np.intp)
    if (owners[1:] < owners[:-1]).any():
        order = np.argsort(owners, kind="stable")
        return table.iloc[order], owners[order]
    return table, owners
