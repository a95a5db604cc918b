"""Carrying out a search: newest first, page by page, from the most selective index.

The newest few runs, those of a value or of a uid are one statement, where it is sure of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice, repeat
from typing import Any

from ...._util.portable_text import portable, with_prefix
from ....errors import StoreDamaged
from ....query.evaluate import Predicate, RunView
from ....query.evaluate import compile as compile_predicate
from ....query.nodes import And, Equals, Everything, Node, UidPrefix
from ....query.values import thaw
from ...base import RunRecord
from ..damage import warn_of_damage
from ..engine.connection import Connection
from ..engine.schema import START
from ..engine.statements import runs
from ..run_key import newest_first
from ..starts import Run, open_run
from .compile import Compiler, Part
from .index import IDENTITY, bound, table_of
from .index_terms import EXACT_INTEGERS, NUMBER, TEXT, UNINDEXED, leaf
from .plan import Candidates

_MOST = 500
"""Of more runs, the first would be late."""

_SPARE = 8
"""So many runs more are read than are asked for: where keys were taken, they are out of order."""


@dataclass
class Skipped:
    """What a search could not read."""

    starts: int = 0
    stops: int = 0

    def warn(self) -> None:
        """Say how many, if there were any."""
        if self.starts or self.stops:
            warn_of_damage(
                f"This search could not read the starts of {self.starts} runs, which it left out, "
                f"and the stops of {self.stops}, which it took as missing: they are damaged."
            )


class Search:
    """One query on one database, bounded by the runs there are when it is made."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        query: Node,
        data_keys: Callable[[str], set[str]],
        fact: Callable[[str, dict[str, Any] | None, str], Any],
    ) -> None:
        self._connect = connect
        connection = connect()
        self._limits = connection.limits
        # The bound comes first: the plan knows of every path and mark of the runs within it.
        self._newest = runs.newest_arrival(connection)
        compiler = Compiler(connection)
        self.parts = compiler.plan(query)
        self.candidates = Candidates(connect, self.parts, compiler.places.every())
        self._data_keys = data_keys
        self._fact = fact

    @property
    def remainder(self) -> Node | None:
        """What the indexes cannot answer, for the evaluator."""
        return _joined(part for part in self.parts if not part.exact)

    def __iter__(self) -> Iterator[RunRecord]:
        return map(as_record, newest_first(self._fitting()))

    def count(self) -> int:
        """Return how many runs match."""
        if self.remainder is None:
            return self.candidates.count()
        return sum(1 for _ in self._fitting())

    def keys(self) -> Iterator[int]:
        """Yield the keys of the runs that match, by descending key."""
        if self.remainder is None:
            return iter(self.candidates.keys_below(None).tolist())
        return (found.id for found in self._fitting())

    def _fitting(self) -> Iterator[Run]:
        """Yield the runs that match, by descending key; at the end, say what was skipped."""
        skipped = Skipped()
        try:
            yield from self._filtered(skipped)
        finally:
            skipped.warn()

    def _filtered(self, skipped: Skipped) -> Iterator[Run]:
        residual = self.candidates.plan.residual
        check = self._check(part for part in self.parts if not part.exact or part in residual)
        fit = 0
        patience, rarely = self._limits.read_patience
        for looked, found in enumerate(self._documents(self.candidates, skipped), 1):
            if check(found):
                fit += 1
                yield found
            if residual and looked >= patience and fit < rarely * looked:
                check = self._check(part for part in self.parts if not part.exact)
                below = map(int, self.candidates.keys_below(found.id))
                yield from filter(check, self._documents(below, skipped))
                return

    def _check(self, parts: Iterable[Part]) -> Callable[[Run], bool]:
        question = _joined(parts)
        if question is None:
            return lambda found: True
        predicate: Predicate = compile_predicate(question)

        def check(found: Run) -> bool:
            keys = partial(self._data_keys, found.uid)
            fact = partial(self._fact, found.uid, found.stop)
            return predicate(RunView(found.start, found.stop, keys, fact))

        return check

    def _documents(self, keys: Iterable[int], skipped: Skipped) -> Iterator[Run]:
        """Yield runs by their keys, each page a statement of its own."""
        ahead = iter(keys)
        pages = self._limits.read
        for size in chain(pages, repeat(pages[-1])):
            page = list(islice(ahead, size))
            if not page:
                return
            yield from (run for run in self.runs(page, skipped) if run.arrival <= self._newest)

    def runs(self, keys: Sequence[int], skipped: Skipped) -> Iterator[Run]:
        """Yield runs by their keys, the newest first; in one statement, so not too many."""
        for row in self._rows(keys, skipped):
            try:
                run = open_run(row)
            except StoreDamaged:
                skipped.starts += 1
            else:
                skipped.stops += not run.intact
                yield run

    def _rows(self, keys: Sequence[int], skipped: Skipped) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of some runs, the newest first; where a page is damaged, the others."""
        try:
            rows = runs.by_keys(self._connect(), keys)
        except StoreDamaged:
            if len(keys) == 1:
                skipped.starts += 1
                return
            for key in keys:
                yield from self._rows([key], skipped)
            return
        skipped.starts += len(keys) - len(rows)
        yield from rows


def as_record(run: Run) -> RunRecord:
    """Return a stored run as a search finds it."""
    return RunRecord(run.uid, run.start, run.stop, (run.time, run.arrival))


def _joined(parts: Iterable[Part]) -> Node | None:
    nodes = [part.node for part in parts]
    return None if not nodes else nodes[0] if len(nodes) == 1 else And(nodes)


def few_runs(connection: Connection, query: Node, limit: int) -> list[Run] | None:
    """Return the newest runs that match, or None where one statement does not say for sure."""
    if limit > _MOST:
        return None
    try:
        found = _found(connection, query, limit)
    except StoreDamaged:
        return None
    return found if found is not None and all(run.intact for run in found) else None


def _found(connection: Connection, query: Node, limit: int) -> list[Run] | None:
    if isinstance(query, Everything):
        return _newest(runs.newest(connection, limit + _SPARE), limit)
    if isinstance(query, UidPrefix):
        return _of_prefix(connection, query.prefix, limit)
    if isinstance(query, Equals) and query.path.document == "start":
        return _of_value(connection, query.path.text, thaw(query.value), limit)
    return None


def _of_value(connection: Connection, path: str, value: Any, limit: int) -> list[Run] | None:
    if path == "uid" and isinstance(value, str):
        row = runs.by(connection, "uid", portable(value))
        return [] if row is None else [open_run(row)]
    kind, indexed = leaf(value)
    is_exact = kind == TEXT or (kind == NUMBER and abs(indexed) < EXACT_INTEGERS)
    if not is_exact or path in IDENTITY[START] or any(map(str.isdigit, path.split("."))):
        return None
    parts = path.split(".")
    ways = [".".join(parts[:end]) for end in range(len(parts) + 1)]
    rows = runs.newest_with(
        connection,
        (START, portable(path), kind),
        (table_of(kind), bound(kind, indexed)),
        (UNINDEXED, [portable(way) for way in ways]),
        limit + _SPARE,
    )
    return _newest(rows, limit) if rows else None


def _of_prefix(connection: Connection, prefix: str, limit: int) -> list[Run] | None:
    if not prefix:
        return None
    rows = runs.between_uids(connection, *with_prefix(prefix), limit + 1)
    if not rows or len(rows) > limit:
        return None
    found = map(open_run, rows)
    return sorted(found, key=lambda run: (run.time, run.arrival), reverse=True)


def _newest(rows: Sequence[tuple[Any, ...]], limit: int) -> list[Run] | None:
    """Return the newest of runs by descending key; None if more of them must be seen for that."""
    unread = iter(rows)
    found = list(islice(newest_first(map(open_run, unread)), limit))
    # Those that were read first may be in another order if there are more.
    is_sure = len(rows) < limit + _SPARE or next(unread, None) is not None
    return found if is_sure else None
