"""Carrying out a search: newest first, page by page, from the most selective index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from ...documents import decode
from ...query.evaluate import compile as compile_predicate
from ...query.nodes import And, Node
from ...query.view import Predicate, RunView
from ..contract import RunRecord
from .candidates import Candidates
from .compile import Compiler, Part
from .connection import fetch
from .keys import newest_first

_PAGES = (8, 64, 256, 512)

_PATIENCE = 500
"""After so many runs looked at, of which few fit, sets of runs are made in memory."""

_FEW = 0.05


@dataclass(slots=True)
class Found:
    """A run as a row of a search."""

    id: int
    uid: str
    start: dict[str, Any]
    stop: dict[str, Any] | None

    @property
    def time(self) -> float:
        """The run's start time."""
        time: float = self.start["time"]
        return time


class Search:
    """One query on one database, bounded by the runs there are when it is made.

    Parameters
    ----------
    connect
        Gives the connection of the calling thread, again and again: an
        iteration may be continued in another one.
    query
        What is searched for.
    data_keys
        Gives the data keys of a run by its uid.
    fact
        Gives a fact of a run by its uid, its stop document and the fact's name.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        query: Node,
        data_keys: Callable[[str], set[str]],
        fact: Callable[[str, dict[str, Any] | None, str], Any],
    ) -> None:
        self._connect = connect
        connection = connect()
        # The bound comes first: the plan knows of every path and mark of the runs within it.
        self._newest = connection.execute("SELECT max(arrival) FROM runs").fetchone()[0] or 0
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
        for found in newest_first(self._fitting()):
            yield RunRecord(found.uid, found.start, found.stop)

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

    def _fitting(self) -> Iterator[Found]:
        """Yield the runs that match, by descending key."""
        untested = self.candidates.untested
        check = self._check(part for part in self.parts if not part.exact or part in untested)
        fit = 0
        for looked, found in enumerate(self._documents(self.candidates), 1):
            if check(found):
                fit += 1
                yield found
            if untested and looked >= _PATIENCE and fit < _FEW * looked:
                yield from self._fitting_below(found.id)
                return

    def _fitting_below(self, key: int) -> Iterator[Found]:
        check = self._check(part for part in self.parts if not part.exact)
        keys = self.candidates.keys_below(key)
        yield from filter(check, self._documents(map(int, keys)))

    def _check(self, parts: Iterable[Part]) -> Callable[[Found], bool]:
        question = _joined(parts)
        if question is None:
            return lambda found: True
        predicate: Predicate = compile_predicate(question)

        def check(found: Found) -> bool:
            keys = partial(self._data_keys, found.uid)
            fact = partial(self._fact, found.uid, found.stop)
            return predicate(RunView(found.start, found.stop, keys, fact))

        return check

    def _documents(self, keys: Iterable[int]) -> Iterator[Found]:
        """Yield runs by their keys, each page a statement of its own."""
        ahead = iter(keys)
        for size in chain(_PAGES, iter(lambda: _PAGES[-1], None)):
            page = list(islice(ahead, size))
            if not page:
                return
            rows = fetch(
                self._connect(),
                "SELECT id, arrival, start, stop FROM runs "
                f"WHERE id IN ({', '.join('?' * len(page))}) ORDER BY id DESC",
                page,
            )
            for key, arrival, start, stop in rows:
                if arrival <= self._newest:
                    doc = decode(start)
                    yield Found(key, doc["uid"], doc, None if stop is None else decode(stop))


def _joined(parts: Iterable[Part]) -> Node | None:
    nodes = [part.node for part in parts]
    return None if not nodes else nodes[0] if len(nodes) == 1 else And(nodes)
