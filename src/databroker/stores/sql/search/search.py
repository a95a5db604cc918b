"""Carrying out a search: newest first, page by page, from the most selective index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from ....errors import StoreDamaged
from ....query.evaluate import Predicate, RunView
from ....query.evaluate import compile as compile_predicate
from ....query.nodes import And, Node
from ...base import RunRecord
from ..damage import warn_of_damage
from ..engine.connection import Connection
from ..engine.failures import DatabaseError, is_damage
from ..engine.statements import runs
from ..run_key import newest_first
from ..starts import Run, open_run
from .compile import Compiler, Part
from .plan import Candidates

_PAGES = (8, 64, 256, 512)
"""How many documents are read at once: few first, as one asks mostly for few."""

_PATIENCE, _RARELY = 500, 0.05
"""After so many documents evaluated, of which so few fit, the sets of all are sooner made."""


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
        residual = self.candidates.residual
        check = self._check(part for part in self.parts if not part.exact or part in residual)
        fit = 0
        for looked, found in enumerate(self._documents(self.candidates, skipped), 1):
            if check(found):
                fit += 1
                yield found
            if residual and looked >= _PATIENCE and fit < _RARELY * looked:
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
        for size in chain(_PAGES, iter(lambda: _PAGES[-1], None)):
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
        except DatabaseError as error:
            if not is_damage(error):
                raise
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
