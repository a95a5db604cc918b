"""Conditions as SQL: one function for each sort of condition that an index can answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

Sql = tuple[str, tuple[Any, ...]]
"""SQL, and the values of its question marks."""

OPERATORS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
"""How comparisons are written."""

BYTES = "bytes"
"""The operator that finds text which is no UTF-8 and stands as bytes, behind all other text."""


@dataclass(frozen=True)
class Lookup:
    """Entries of an index, or rows of the table of runs.

    Attributes
    ----------
    index
        'numbers', 'texts' or 'runs'.
    path
        The number of a path and a kind of value; of runs, the column.
    op, values
        How the value there compares with others: one of OPERATORS, 'in', 'within' (from the
        first of two on, and below the second), 'any' or BYTES.
    """

    index: str
    path: int | str
    op: str = "any"
    values: tuple[Any, ...] = ()


def marks(values: Collection[Any]) -> str:
    """Return a mark for each of some values."""
    return ", ".join("?" * len(values))


def run_of(lookup: Lookup) -> str:
    """Return the column that holds the key of a run."""
    return "x.id" if lookup.index == "runs" else "x.run"


def entries(lookup: Lookup) -> Sql:
    """Return what stands behind FROM to give the entries ``x``, and WHERE with it."""
    if lookup.index == "runs":
        sql, values = _compared(f"x.{lookup.path}", lookup)
        return f"runs x WHERE {sql}", values
    table = f"{lookup.index} x WHERE x.path = ?"
    if lookup.op == "any":
        return table, (lookup.path,)
    sql, values = _compared("x.value", lookup)
    return f"{table} AND {sql}", (lookup.path, *values)


def _compared(column: str, lookup: Lookup) -> Sql:
    op, values = lookup.op, lookup.values
    if op == "in":
        return f"{column} IN ({marks(values)})", values
    if op == "within":
        return f"{column} >= ? AND {column} < ?", values
    if op == BYTES:
        return f"{column} >= x''", ()
    return f"{column} {OPERATORS[op]} ?", values


def between(lookup: Lookup, low: int, high: int) -> Sql:
    """Return what stands behind FROM to give the entries of runs between two keys."""
    sql, values = entries(lookup)
    return f"{sql} AND {run_of(lookup)} BETWEEN ? AND ?", (*values, low, high)


def has_entry(lookup: Lookup) -> Sql:
    """Return a test whether the run ``k.run`` has such an entry."""
    sql, values = entries(lookup)
    return f"EXISTS (SELECT 1 FROM {sql} AND {run_of(lookup)} = k.run)", values


def within_keys(low: int, high: int) -> Sql:
    """Return a test whether the key ``k.run`` is between two others."""
    return "k.run BETWEEN ? AND ?", (low, high)


def constant(fits: bool) -> Sql:
    """Return a test that is always, or never, passed."""
    return "1 = 1" if fits else "1 = 0", ()


def negated(test: Sql) -> Sql:
    """Return the opposite of a test."""
    return f"NOT {test[0]}", test[1]


def joined(tests: Sequence[Sql], word: str) -> Sql:
    """Return several tests as one."""
    values = tuple(value for _, values in tests for value in values)
    return f"({f' {word} '.join(sql for sql, _ in tests)})", values


def candidates(
    scans: Sequence[Lookup], test: Sql, keys: tuple[int, int], size: int | None = None
) -> Sql:
    """Return the question for the runs between two keys that scans meet, and if they pass a test.

    The newest come first; of `size` the newest so many, for which scans are followed in order.
    """
    branches = [_scan(scan, keys, size) for scan in scans]
    met, values = branches[0]
    if len(branches) > 1 or size is None:
        each = " UNION ALL ".join(f"SELECT run FROM ({sql})" for sql, _ in branches)
        met, values = f"SELECT DISTINCT run FROM ({each})", _values_of(branches)
        if size is not None:
            met += f" ORDER BY run DESC LIMIT {size}"
    return f"SELECT k.run, {test[0]} FROM ({met}) k ORDER BY k.run DESC", (*test[1], *values)


def _scan(scan: Lookup, keys: tuple[int, int], size: int | None) -> Sql:
    sql, values = between(scan, *keys)
    order = "" if size is None else f" ORDER BY {run_of(scan)} DESC LIMIT {size}"
    return f"SELECT {run_of(scan)} AS run FROM {sql}{order}", values


def _values_of(parts: Sequence[Sql]) -> tuple[Any, ...]:
    return tuple(value for _, values in parts for value in values)


def is_small(test: Sql, values: int, depth: int) -> bool:
    """Tell whether a test has no more values, and is no deeper, than that."""
    nesting = deepest = 0
    for letter in test[0]:
        nesting += {"(": 1, ")": -1}.get(letter, 0)
        deepest = max(deepest, nesting)
    return len(test[1]) <= values and deepest <= depth
