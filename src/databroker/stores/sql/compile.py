"""Queries as conditions on the indexes: one function for each kind of node.

Each function returns a condition that every matching run fulfils, and whether
the runs that fulfil it are exactly the matching ones. Where they are not, the
caller asks the evaluator about each of them, so that nothing is ever wrongly
found or lost; a node that has no function here is answered by the evaluator
alone.
"""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

from ...query.nodes import (
    And,
    Compare,
    ContainsAll,
    DataKey,
    Equals,
    Everything,
    Exists,
    FullText,
    In,
    Node,
    Not,
    Or,
    Path,
    TimeBounds,
    UidPrefix,
)
from .conditions import (
    ALL,
    NOTHING,
    Both,
    Condition,
    Expression,
    Lookup,
    Unless,
    both,
    either,
)
from .connection import portable
from .index import bound, path_id
from .keys import key_of
from .leaves import (
    EXACT_INTEGERS,
    FALSE_TRUE,
    LONG_TEXT,
    NUMBER,
    PARTLY,
    TEXT,
    UNINDEXED,
    leaf,
    nearest_float,
)
from .schema import DATA_KEYS, START, STOP

Compiled = tuple[Condition, bool]

_DOCUMENTS = {"start": START, "stop": STOP}
_OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_UNKNOWN: Compiled = (ALL, False)


@dataclass(frozen=True)
class Plan:
    """A query as conditions that must all hold, and what the evaluator must still be asked."""

    conditions: list[Condition]
    remainder: Node | None


class Compiler:
    """Compiles queries for one database, whose paths and marks it looks up.

    Parameters
    ----------
    connection
        To the database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def plan(self, query: Node) -> Plan:
        """Split a query into what the indexes answer and the remainder."""
        parts = query.nodes if isinstance(query, And) else (query,)
        conditions, remainder = [], []
        for part in parts:
            condition, exact = self.compile(part)
            conditions.append(condition)
            if not exact:
                remainder.append(part)
        rest = None
        for part in remainder:
            rest = part if rest is None else rest & part
        return Plan(both(conditions), rest)

    @singledispatchmethod
    def compile(self, node: Node) -> Compiled:
        """Return a condition, and whether it says it all."""
        return _UNKNOWN

    @compile.register
    def _everything(self, node: Everything) -> Compiled:
        return ALL, True

    @compile.register
    def _and(self, node: And) -> Compiled:
        parts = [self.compile(part) for part in node.nodes]
        conditions = both([condition for condition, _ in parts])
        whole = Both(tuple(conditions)) if conditions else ALL
        return (conditions[0] if len(conditions) == 1 else whole), all(exact for _, exact in parts)

    @compile.register
    def _or(self, node: Or) -> Compiled:
        parts = [self.compile(part) for part in node.nodes]
        return either([condition for condition, _ in parts]), all(exact for _, exact in parts)

    @compile.register
    def _not(self, node: Not) -> Compiled:
        condition, exact = self.compile(node.node)
        if not exact:
            return _UNKNOWN
        if condition in (ALL, NOTHING):
            return (NOTHING if condition == ALL else ALL), True
        return Unless(condition), True

    @compile.register
    def _equals(self, node: Equals) -> Compiled:
        return self._value(node.path, node.value)

    @compile.register
    def _in(self, node: In) -> Compiled:
        parts = [self._value(node.path, value) for value in node.values]
        return either([condition for condition, _ in parts]), all(exact for _, exact in parts)

    @compile.register
    def _contains_all(self, node: ContainsAll) -> Compiled:
        if not node.values:
            return _UNKNOWN
        conditions = both([self._value(node.path, value)[0] for value in node.values])
        return (Both(tuple(conditions)) if conditions else ALL), False

    @compile.register
    def _compare(self, node: Compare) -> Compiled:
        value, operator = node.value, _OPERATORS[node.op]
        if isinstance(value, bool) or not isinstance(value, int | float | str) or value != value:
            return _UNKNOWN
        if isinstance(value, str):
            if len(value) > 64 or portable(value) != value:
                return _UNKNOWN
            found, exact = self._leaves(node.path, TEXT, f"x.value {operator} ?", (value,))
            long, _ = self._leaves(node.path, LONG_TEXT, "1", ())
            return either([found, long]), exact and long == NOTHING
        exact_here = abs(value) < EXACT_INTEGERS or math.isinf(value)
        if not exact_here:
            operator = operator[0] + "="
        limit = nearest_float(value) if isinstance(value, int) and not exact_here else value
        found, exact = self._leaves(node.path, NUMBER, f"x.value {operator} ?", (limit,))
        return found, exact and exact_here and not math.isinf(value)

    @compile.register
    def _exists(self, node: Exists) -> Compiled:
        if not node.expected:
            condition, exact = self._exists(Exists(node.path, True))
            return (Unless(condition), True) if exact and condition != NOTHING else _UNKNOWN
        return self._candidates(node.path, "1", ())

    @compile.register
    def _data_key(self, node: DataKey) -> Compiled:
        kind, value = leaf(node.name)
        return self._at(DATA_KEYS, "", kind, value), kind == TEXT

    @compile.register
    def _time(self, node: TimeBounds) -> Compiled:
        conditions: list[Condition] = []
        if node.since is not None:
            low = -math.inf if math.isnan(node.since) else node.since
            key = key_of(low) if math.isfinite(low) else -(2**63)
            conditions.append(Expression("r.id >= ? AND r.time >= ?", (key, low)))
        if node.until is not None:
            high = math.inf if math.isnan(node.until) else node.until
            key = key_of(high) if math.isfinite(high) else 2**63 - 1
            key = min(key + self._displacement(), 2**63 - 1)
            conditions.append(Expression("r.id <= ? AND r.time <= ?", (key, high)))
        # Times are compared once more as Python does: an integer may be beyond what a float holds.
        return (Both(tuple(conditions)) if conditions else ALL), not conditions

    @compile.register
    def _uid_prefix(self, node: UidPrefix) -> Compiled:
        prefix = portable(node.prefix)
        end = _after(node.prefix)
        if not isinstance(prefix, str) or end is None:
            return _UNKNOWN
        return Expression("r.uid >= ? AND r.uid < ?", (prefix, end)), False

    @compile.register
    def _full_text(self, node: FullText) -> Compiled:
        phrases = [word for phrase in node.phrases for word in phrase]
        single = [phrase[0] for phrase in node.excluded if len(phrase) == 1]
        partly = Lookup("words", "x.word = ?", (PARTLY,))
        some_partly = self._any(partly)
        required = [self._word(word) for word in {*node.words, *phrases}]
        if some_partly:
            return Both(tuple(either([word, partly]) for word in required)), False
        excluded = [Unless(self._word(word)) for word in single]
        exact = not phrases and len(single) == len(node.excluded)
        return Both((*required, *excluded)), exact

    def _word(self, word: str) -> Condition:
        return Lookup("words", "x.word = ?", (portable(word),))

    def _value(self, path: Path, value: Any) -> Compiled:
        """Compile the equality of something at a path with a value."""
        if value is None or not isinstance(value, bool | int | float | str):
            return _UNKNOWN
        kind, indexed = leaf(value)
        condition, exact = self._leaves(path, kind, "x.value = ?", (bound(kind, indexed),))
        sure = kind in (FALSE_TRUE, TEXT) or (kind == NUMBER and abs(indexed) < EXACT_INTEGERS)
        return condition, exact and sure

    def _leaves(self, path: Path, kind: int, test: str, values: tuple[Any, ...]) -> Compiled:
        return self._candidates(path, f"x.kind = {kind} AND {test}", values, test == "x.value = ?")

    def _candidates(
        self, path: Path, where: str, values: tuple[Any, ...], ordered: bool = False
    ) -> Compiled:
        """Look up leaves at a path, and runs that have something there that is not indexed."""
        document = _DOCUMENTS.get(path.document)
        if document is None or len(path.parts) > 32:
            return _UNKNOWN
        places, exact = _places(path.parts)
        if places is None:
            return _UNKNOWN
        conditions: list[Condition] = []
        for place in places:
            number = path_id(self._connection, document, place)
            if number is not None:
                where_there = f"x.path = {number} AND {where}"
                conditions.append(Lookup("leaves", where_there, values, ordered))
        marks = self._marks(document, path.parts)
        return either([*conditions, *marks]), exact and not marks

    def _marks(self, document: int, parts: tuple[str, ...]) -> list[Condition]:
        """Return the look-ups of runs in which something on the way to a path is not indexed."""
        found: list[Condition] = []
        plain = [part for part in parts if not _is_position(part)]
        ways = {".".join(way[:end]) for way in (parts, plain) for end in range(len(way) + 1)}
        for place in sorted(ways):
            mark = self._at(document, place, UNINDEXED, 0)
            if mark != NOTHING and self._any(mark):
                found.append(mark)
        return found

    def _at(self, document: int, place: str, kind: int, value: Any) -> Condition:
        number = path_id(self._connection, document, place)
        if number is None:
            return NOTHING
        where = f"x.path = {number} AND x.kind = {kind} AND x.value = ?"
        return Lookup("leaves", where, (bound(kind, value),))

    def _any(self, condition: Condition) -> bool:
        walk = condition.runs()
        assert walk is not None
        return self._connection.execute(f"{walk[0]} LIMIT 1", walk[1]).fetchone() is not None

    def _displacement(self) -> int:
        row = self._connection.execute(
            "SELECT value FROM meta WHERE key = 'displacement'"
        ).fetchone()
        return 0 if row is None else int(row[0])


def _after(prefix: str) -> str | None:
    """Return the first text after all that begin with a prefix; None where that is not simple."""
    if not prefix.isascii() or not prefix:
        return None
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _is_position(part: str) -> bool:
    return part.isdigit()


def _places(parts: tuple[str, ...]) -> tuple[list[str] | None, bool]:
    """Return the indexed paths that a path may lead to, and whether that is sure.

    A number may be a key or a position in an array; elements are indexed at
    the path of their array.
    """
    ways = [()]  # type: list[tuple[str, ...]]
    for part in parts:
        longer = [(*way, part) for way in ways]
        ways = longer + ways if _is_position(part) else longer
        if len(ways) > 16:
            return None, False
    places = list(dict.fromkeys(".".join(way) for way in ways if way))
    return (places or None), len(ways) == 1
