"""Single values of many runs: from the indexes where these know them, else from documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from ...._util.portable_text import original
from ....errors import StoreDamaged
from ....query.nodes import Path
from ....query.projection import Keyed, distinct_values, keyed_value, value_at
from ..engine.conditions import Lookup
from ..engine.connection import Connection
from ..engine.statements import index, runs
from ..run_key import displacement, newest_first
from ..starts import NOBODY, Run, find_run, open_stop
from .index import text_of
from .index_terms import EXACT_INTEGERS, FALSE_TRUE, LONG_TEXT, NAN, NULL, NUMBER, TEXT
from .path_index import ANYTHING, PathIndex
from .search import Search, Skipped

Leaves = dict[int, Lookup]
"""Look-ups of the leaves of a path, by kind."""

_SCALARS = (NULL, FALSE_TRUE, NUMBER, TEXT)


class Projection:
    """The values at some paths of the runs that a search finds."""

    def __init__(self, connect: Callable[[], Connection], search: Search) -> None:
        self._connect = connect
        self._search = search
        self._limits = connect().limits

    def rows(self, paths: Sequence[Path], limit: int | None = None) -> Iterator[tuple[Any, ...]]:
        """Yield the values at the paths, a tuple for each run, newest first."""
        if limit is not None and limit <= self._limits.few_documents:
            for run in islice(self._search, limit):
                yield tuple(value_at(run.start, run.stop, path) for path in paths)
            return
        keys = list(self._search.keys())
        known = self._known(paths, len(keys))
        getters = [self._getter(path, known.get(path)) for path in paths]
        needed = {path.document for path in paths if path not in known and path not in _COLUMNS}
        found = self._runs(keys, with_start="start" in needed)
        if displacement(self._connect()):
            found = newest_first(found)
        yield from (tuple([get(run) for get in getters]) for run in islice(found, limit))

    def counts(self, path: Path) -> Counter[Keyed]:
        """Return in how many of the runs each value at a path occurs."""
        leaves = self._leaves(path, several=True)
        if leaves is not None and self._search.remainder is None and self._is_exact(leaves):
            counts = self._counted(leaves)
            if counts is not None:
                return counts
        counts = Counter()
        for run in self._search:
            counts.update(distinct_values(run.start, run.stop, path))
        return counts

    def _counted(self, leaves: Leaves) -> Counter[Keyed] | None:
        """Count leaves; None if reading documents is faster."""
        if self._search.candidates.is_window:
            connection, bounds = self._connect(), self._search.candidates.bounds
            rows = [
                (kind, *row)
                for kind, lookup in leaves.items()
                for row in index.counts(connection, lookup, bounds)
            ]
        else:
            keys = set(self._search.keys())
            stored = self._leaf_rows(leaves, self._limits.leaves * len(keys))
            if stored is None:
                return None
            found = Counter((kind, value) for run, kind, value in stored if run in keys)
            rows = [(*leaf, count) for leaf, count in found.items()]
        counts: Counter[Keyed] = Counter()
        for kind, value, count in rows:
            keyed = keyed_value(_restored(kind, value)) if kind in _SCALARS else None
            if keyed is not None:
                counts[keyed] += count
        return counts

    def _runs(self, keys: Sequence[int], with_start: bool) -> Iterator[Run]:
        """Yield runs, without starts where none is needed; at the end, say what was skipped."""
        read = self._search.runs if with_start else self._without_starts
        skipped = Skipped()
        try:
            page = self._limits.values
            for at in range(0, len(keys), page):
                yield from read(keys[at : at + page], skipped)
        finally:
            skipped.warn()

    def _without_starts(self, keys: Sequence[int], skipped: Skipped) -> Iterator[Run]:
        rows = runs.without_starts(self._connect(), keys)
        skipped.starts += len(keys) - len(rows)
        for key, time, arrival, uid, stop_uid, body in rows:
            try:
                stop = open_stop(uid, stop_uid, body)
            except StoreDamaged:
                skipped.stops += 1
                stop = None
            if abs(time) >= EXACT_INTEGERS:  # such a column may be rounded
                time = self._start(key)["time"]
            yield Run(key, original(uid), arrival, time, {}, stop, NOBODY, True)

    def _getter(self, path: Path, known: Mapping[int, Any] | None) -> Callable[[Run], Any]:
        """Return a function from a run to the value at a path."""
        if known is not None:
            held = known.get

            def from_leaves(run: Run) -> Any:
                value = held(run.id)
                return value if value is not _LOOK else value_at(self._start(run.id), None, path)

            return from_leaves
        return _COLUMNS.get(path) or (lambda run: value_at(run.start, run.stop, path))

    def _start(self, key: int) -> Any:
        run = find_run(self._connect(), "id", key)
        return {} if run is None else run.start

    def _known(self, paths: Sequence[Path], count: int) -> dict[Path, dict[int, Any]]:
        """Return values by key for the paths whose leaves are quicker to read than documents."""
        found: dict[Path, dict[int, Any]] = {}
        wanted = {path for path in paths if path.document == "start"} - _COLUMNS.keys()
        for path in wanted:
            leaves = self._leaves(path)
            most = self._limits.leaves * count // len(wanted)
            values = None if leaves is None else self._values(leaves, most)
            if values is None:
                return {}  # a document must be read anyway, and has all the values
            found[path] = values
        return found

    def _values(self, leaves: Leaves, most: int) -> dict[int, Any] | None:
        """Return the values of a path by run; None if they are too many, or not mostly scalars."""
        rows = self._leaf_rows(leaves, most)
        if rows is None:
            return None
        values: dict[int, Any] = {}
        for run, kind, value in rows:
            values[run] = _LOOK if run in values else _restored(kind, value)
        odd = sum(1 for value in values.values() if value is _LOOK)
        return values if odd * 10 <= len(values) else None

    def _leaf_rows(self, leaves: Leaves, most: int) -> list[tuple[Any, ...]] | None:
        """Return run, kind and value of leaves; None if they are too many."""
        rows: list[tuple[Any, ...]] = []
        for kind, lookup in leaves.items():
            bounds, left = self._search.candidates.bounds, most + 1 - len(rows)
            found = index.values_by_run(self._connect(), lookup, bounds, left)
            rows += [(run, kind, value) for run, value in found]
            if len(rows) > most:
                return None
        return rows

    def _leaves(self, path: Path, several: bool = False) -> Leaves | None:
        """Return the look-ups of the leaves of a path by kind, if these say all about it.

        Not if something there is not indexed; nor, unless told so, if a run
        may have several values there, of which equal ones are one leaf.
        """
        paths = PathIndex(self._connect())
        found = paths.find(path, ANYTHING)
        if not found.sure or found.marks or (not several and paths.arrays(path)):
            return None
        return paths.leaves(path)

    def _is_exact(self, leaves: Leaves) -> bool:
        """Tell whether the leaves of a path are its values, none of them shortened."""
        if LONG_TEXT in leaves:
            return False
        numbers = leaves.get(NUMBER)
        limits = (("gte", EXACT_INTEGERS), ("lte", -EXACT_INTEGERS))
        return numbers is None or not any(
            index.any_entry(self._connect(), replace(numbers, op=op, values=(limit,)))
            for op, limit in limits
        )


_COLUMNS: dict[Path, Callable[[Run], Any]] = {
    Path("uid"): lambda run: run.uid,
    Path("time"): lambda run: run.time,
}

_LOOK: Any = object()
"""Stands for a value that the index does not hold as it is."""


def _restored(kind: int, value: Any) -> Any:
    if kind == TEXT:
        return text_of(value)
    if kind == NUMBER:
        return value if abs(value) < EXACT_INTEGERS else _LOOK
    if kind == FALSE_TRUE:
        return bool(value)
    return None if kind == NULL else float("nan") if kind == NAN else _LOOK
