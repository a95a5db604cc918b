"""Carrying out a search: newest first, page by page, from the most selective index."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ...documents import decode
from ...query.evaluate import compile as compile_predicate
from ...query.nodes import Node
from ...query.view import Predicate, RunView
from ..contract import RunRecord
from .compile import Compiler, Plan
from .conditions import Condition, Lookup
from .connection import fetch
from .keys import newest_first

FEW = 2_000
"""So many runs from an index are sorted at once; of more, the newest are looked for."""

_PAGES = (8, 64, 256, 512)
_COLUMNS = "r.id, r.uid, r.start, r.stop"


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
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        query: Node,
        data_keys: Callable[[str], set[str]],
    ) -> None:
        self._connect = connect
        connection = connect()
        # The bound comes first: the plan knows of every path and mark of the runs within it.
        self._newest = connection.execute("SELECT max(arrival) FROM runs").fetchone()[0] or 0
        self._plan: Plan = Compiler(connection).plan(query)
        self._data_keys = data_keys
        rest = self._plan.remainder
        self._predicate: Predicate | None = None if rest is None else compile_predicate(rest)

    def __iter__(self) -> Iterator[RunRecord]:
        for found in newest_first(self._rows()):
            assert isinstance(found, Found)
            if self._fits(found):
                yield RunRecord(found.uid, found.start, found.stop)

    def count(self) -> int:
        """Return how many runs match."""
        if self._predicate is not None:
            return sum(map(self._fits, self._rows()))
        conditions = self._plan.conditions
        if len(conditions) == 1 and isinstance(conditions[0], Lookup) and conditions[0].ordered:
            sql, values = conditions[0].runs()
            counted = self._connect().execute(f"SELECT count(*) FROM ({sql})", values)
        else:
            source, where, values = _statement(self._connect(), conditions)
            counted = self._connect().execute(
                f"SELECT count(*) FROM {source} WHERE {where}", values
            )
        count: int = counted.fetchone()[0]
        return count

    def _fits(self, found: Found) -> bool:
        if self._predicate is None:
            return True
        view = RunView(found.start, found.stop, lambda: self._data_keys(found.uid))
        return self._predicate(view)

    def _rows(self) -> Iterator[Found]:
        """Yield candidates by descending key, each page a statement of its own."""
        source, where, values = _statement(self._connect(), self._plan.conditions)
        sql = (
            f"SELECT {_COLUMNS} FROM {source} WHERE {where} AND r.arrival <= ? AND r.id < ? "
            f"ORDER BY {'d.run' if ' d ' in source else 'r.id'} DESC LIMIT ?"
        )
        before: float = 2**63 - 1
        page = 0
        while True:
            limit = _PAGES[min(page, len(_PAGES) - 1)]
            rows = fetch(self._connect(), sql, [*values, self._newest, before, limit])
            for key, uid, start, stop in rows:
                document = decode(start)
                yield Found(key, document["uid"], document, None if stop is None else decode(stop))
            if len(rows) < limit:
                return
            before = rows[-1][0]
            page += 1


def _statement(
    connection: sqlite3.Connection, conditions: list[Condition]
) -> tuple[str, str, list[Any]]:
    """Choose where to begin, and return the FROM and WHERE of a statement, with its values.

    Begins at the index with the fewest entries, if its entries are in the
    order of runs or few enough to be sorted; else at the runs themselves.
    """
    driver = _driver(connection, conditions)
    tests = [condition.test() for condition in conditions if condition is not driver]
    where = " AND ".join(sql for sql, _ in tests) or "1"
    values = [value for _, more in tests for value in more]
    if driver is None:
        return "runs r", where, values
    walk = driver.runs()
    assert walk is not None
    if isinstance(driver, Lookup) and driver.ordered:
        source = f"{driver.table} d CROSS JOIN runs r"
        where = f"{driver.where.replace('x.', 'd.')} AND r.id = d.run AND {where}"
        return source, where, [*driver.values, *values]
    sql, driving = walk
    return f"(SELECT DISTINCT run FROM ({sql})) d CROSS JOIN runs r", (
        f"r.id = d.run AND {where}"
    ), [*driving, *values]


def _driver(
    connection: sqlite3.Connection, conditions: list[Condition]
) -> Condition | None:
    best, fewest = None, float("inf")
    for condition in conditions:
        walk = condition.runs()
        if walk is None:
            continue
        sql, values = walk
        entries = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM ({sql}) LIMIT {FEW})", values
        ).fetchone()[0]
        ordered = isinstance(condition, Lookup) and condition.ordered
        if entries < fewest and (ordered or entries < FEW):
            best, fewest = condition, entries
    return best
