"""Conditions as SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from .conditions import Both, Condition, Either, KeyRange, Lookup, Unless

Sql = tuple[str, tuple[Any, ...]]
"""SQL, and the values of its question marks."""

OPERATORS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
"""How comparisons are written."""

VALUES = 900
"""So many values in one statement that stores rows."""

MANY = 32
"""So many look-ups in one statement: to join more takes longer than to read all their runs."""


def marks(values: Collection[Any]) -> str:
    """Return a mark for each of some values; where there are none, what equals none."""
    return ", ".join("?" * len(values)) or "NULL"


def inserting(table: str, rows: int, columns: int, are_new: bool) -> str:
    """Return the statement for so many rows; where not all are new, those that are there stay."""
    row = f"({', '.join('?' * columns)})"
    otherwise = "" if are_new else " ON CONFLICT DO NOTHING"
    return f"INSERT INTO {table} VALUES {', '.join([row] * rows)}{otherwise}"


def together(changes: Sequence[Sql]) -> Sql:
    """Return several changes as one statement, where a database takes changes after WITH."""
    *others, (last, _) = changes
    steps = ", ".join(f"step{n} AS ({sql})" for n, (sql, _) in enumerate(others))
    return f"WITH {steps} {last}" if steps else last, _values_of(changes)


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
    return f"{column} {OPERATORS[op]} ?", values


def between(lookup: Lookup, low: int, high: int) -> Sql:
    """Return what stands behind FROM to give the entries of runs between two keys."""
    sql, values = entries(lookup)
    return f"{sql} AND {run_of(lookup)} BETWEEN ? AND ?", (*values, low, high)


def test_of(condition: Condition) -> Sql | None:
    """Return an expression on the run ``k.run``; None if one run is not quickly looked up."""
    if isinstance(condition, Lookup):
        if not condition.ordered:
            return None
        sql, values = entries(condition)
        return f"EXISTS (SELECT 1 FROM {sql} AND {run_of(condition)} = k.run)", values
    if isinstance(condition, KeyRange):
        return "k.run BETWEEN ? AND ?", (condition.low, condition.high)
    if isinstance(condition, Unless):
        inner = test_of(condition.part)
        return None if inner is None else (f"NOT {inner[0]}", inner[1])
    if len(condition.parts) > MANY:
        return None
    tests = [test for part in condition.parts if (test := test_of(part)) is not None]
    return joined(tests, type(condition)) if len(tests) == len(condition.parts) else None


def joined(tests: Sequence[Sql], kind: type[Both] | type[Either]) -> Sql:
    """Return several tests as one."""
    if not tests:
        return "1 = 1" if kind is Both else "1 = 0", ()
    word = " AND " if kind is Both else " OR "
    return f"({word.join(sql for sql, _ in tests)})", _values_of(tests)


def candidates(
    scans: Sequence[Lookup], test: Sql, keys: tuple[int, int], size: int | None = None
) -> Sql:
    """Return the question for the runs between two keys that scans meet, and if they pass a test.

    The newest come first; of `size` the newest so many, for which scans are followed in order.
    """
    branches = [_scan(scan, keys, size) for scan in scans]
    met, values = branches[0]
    if len(branches) > 1 or size is None:
        each = " UNION ALL ".join(f"SELECT run FROM ({sql}) AS branch" for sql, _ in branches)
        met, values = f"SELECT DISTINCT run FROM ({each}) AS met", _values_of(branches)
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
