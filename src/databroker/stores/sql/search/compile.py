"""Queries as conditions on the indexes: one function for each kind of node.

Each returns a condition that every matching run fulfils, and whether the runs that fulfil it
are exactly the matching ones. Where they are not, the caller asks the evaluator about each of
them, so that nothing is ever wrongly found or lost; a node that has no function here is answered
by the evaluator alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

from ...._util.portable_text import portable, with_prefix
from ....query import nodes
from ....query.nodes import Node, Operator, Path, PathNode
from ....query.values import is_number
from ..engine.conditions import (
    ALL,
    NOTHING,
    Condition,
    KeyRange,
    Lookup,
    both,
    either,
    unless,
)
from ..engine.connection import Connection
from ..engine.schema import DATA_KEYS, RUNS
from ..engine.statements import runs
from ..run_key import displacement, key_of
from . import value_conditions
from .compiled import UNKNOWN, Compiled, all_of, any_of
from .index import IDENTITY, WORDS
from .index_terms import ARRAY, EXACT_INTEGERS, NUMBER, TEXT, leaf
from .path_index import ANYTHING, DOCUMENTS, VALUES, PathIndex

_EXIT_STATUS = Path("exit_status", "stop")
_MAIN_COUNT = Path("num_events.primary", "stop")
_FIRST, _LAST = -(2**63), 2**63 - 2  # of all keys


@dataclass(frozen=True, eq=False)
class Part:
    """One of the questions that must all be answered with yes, and what it becomes."""

    node: Node
    condition: Condition
    exact: bool


class Compiler:
    """Compiles queries for one database, whose paths and marks it looks up."""

    # Of what takes weak references, Python 3.13.0 keeps each that a method was dispatched for.
    __slots__ = ("_connection", "places")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.places = PathIndex(connection)

    def plan(self, query: Node) -> list[Part]:
        """Split a query into parts that must all hold, each compiled."""
        parts = query.nodes if isinstance(query, nodes.And) else (query,)
        return [Part(part, *self.compile(part)) for part in parts]

    @singledispatchmethod
    def compile(self, node: Node) -> Compiled:
        """Return a condition, and whether it says it all."""
        return UNKNOWN

    @compile.register
    def _everything(self, node: nodes.Everything) -> Compiled:
        return Compiled(ALL)

    @compile.register
    def _and(self, node: nodes.And) -> Compiled:
        return all_of(map(self.compile, node.nodes))

    @compile.register
    def _or(self, node: nodes.Or) -> Compiled:
        return any_of(map(self.compile, node.nodes))

    @compile.register
    def _not(self, node: nodes.Not) -> Compiled:
        inner = node.node
        if isinstance(inner, nodes.And | nodes.Or):
            # So that one part that is not exact does not spoil the others.
            join = any_of if isinstance(inner, nodes.And) else all_of
            return join(self._not(nodes.Not(part)) for part in inner.nodes)
        return ~self.compile(inner)

    @compile.register
    def _equals(self, node: nodes.Equals) -> Compiled:
        if node.path.document == "run" or _is_identity(node.path):
            return self._in(nodes.In(node.path, (node.value,)))
        return value_conditions.equal(self.places, node.path, node.value)

    @compile.register
    def _in(self, node: nodes.In) -> Compiled:
        if _is_identity(node.path):
            return self._identity(node.path, node.values)
        if node.path.document == "run":
            return self._fact(node.path, node.values)
        return value_conditions.one_of(self.places, node.path, node.values)

    @compile.register
    def _compare(self, node: nodes.Compare) -> Compiled:
        if node.path == Path("time"):
            return self._began(node.op, node.value)
        return value_conditions.compared(self.places, node)

    @compile.register
    def _exists(self, node: nodes.Exists) -> Compiled:
        if node.path.document not in DOCUMENTS:
            return UNKNOWN
        if _is_identity(node.path):
            found = Compiled(ALL if node.path.document == "start" else self.places.ended())
        else:
            found = self.places.find(node.path, ANYTHING).compiled
        return found if node.expected else ~found

    @compile.register
    def _contains_all(self, node: nodes.ContainsAll) -> Compiled:
        if not node.values:
            return Compiled(NOTHING)
        return all_of(self._equals(nodes.Equals(node.path, value)) for value in node.values)

    @compile.register
    def _has_type(self, node: nodes.HasType) -> Compiled:
        return value_conditions.of_type(self.places, node)

    @compile.register
    def _size(self, node: nodes.Size) -> Compiled:
        return self.places.find_values(node.path, ARRAY, [0]).compiled.at_least()

    @compile.register
    def _mod(self, node: nodes.Mod) -> Compiled:
        return self.places.find(node.path, ((NUMBER,), "any", ())).compiled.at_least()

    @compile.register
    def _matches(self, node: nodes.Matches) -> Compiled:
        return value_conditions.matching(self.places, node)

    @compile.register
    def _elem_match(self, node: nodes.ElemMatch) -> Compiled:
        if node.path.document not in DOCUMENTS:
            return UNKNOWN
        array = self.places.find_values(node.path, ARRAY, [0]).compiled
        return all_of([array, self._of_element(node.node, node.path)]).at_least()

    @compile.register
    def _data_key(self, node: nodes.DataKey) -> Compiled:
        kind, value = leaf(node.name)
        return Compiled(either(self.places.entries(DATA_KEYS, "", kind, value)), kind == TEXT)

    @compile.register
    def _time(self, node: nodes.TimeBounds) -> Compiled:
        bounds: list[tuple[Operator, Any]] = [("gte", node.since), ("lte", node.until)]
        return all_of(self._began(op, time) for op, time in bounds if time is not None)

    @compile.register
    def _uid_prefix(self, node: nodes.UidPrefix) -> Compiled:
        if not node.prefix:
            return Compiled(ALL)
        return Compiled(Lookup("runs", "uid", "within", with_prefix(node.prefix)))

    @compile.register
    def _full_text(self, node: nodes.FullText) -> Compiled:
        phrases = [word for phrase in node.phrases for word in phrase]
        single = [phrase[0] for phrase in node.excluded if len(phrase) == 1]
        partly = {
            word: list(self.places.unindexed(RUNS, WORDS, {word}))
            for word in {*node.words, *phrases, *single}
        }
        words = dict.fromkeys((*node.words, *phrases))
        required = [either([*self._word(word), *partly[word]]) for word in words]
        excluded = [unless(either(self._word(word))) for word in single]
        exact = not phrases and len(single) == len(node.excluded) and not any(partly.values())
        return Compiled(both([*required, *excluded]), exact)

    def _word(self, word: str) -> list[Lookup]:
        return self.places.entries(RUNS, WORDS, TEXT, word)

    # -- what each run has, and what is known of it --------------------------

    def _identity(self, path: Path, wanted: Sequence[Any]) -> Compiled:
        """Look up what each document has one of, in the table of runs."""
        if path.text == "time":
            return any_of(
                all_of([self._began("gte", value), self._began("lte", value)])
                for value in wanted
                if is_number(value)
            )
        column = "stop_uid" if (path.document, path.text) == ("stop", "uid") else "uid"
        texts = [portable(value) for value in wanted if isinstance(value, str)]
        chunks = [tuple(texts[at : at + 500]) for at in range(0, len(texts), 500)]
        found = either(Lookup("runs", column, "in", chunk) for chunk in chunks)
        if path.document == "start":
            return Compiled(found)
        ended = self.places.ended()
        missing = [unless(ended)] if None in wanted else []
        return Compiled(either([both([found, ended]), *missing]))

    def _began(self, op: Operator, time: Any) -> Compiled:
        """Compile a comparison of the run's start time.

        A key is never smaller than that of its time, and greater only by as much
        as runs were ever moved on. So only the runs that close to the bound need
        to be looked at, and mostly there are none.
        """
        if not is_number(time) or time != time:
            return Compiled(NOTHING)
        if time in (math.inf, -math.inf):  # integers of any size can be compared
            return Compiled(ALL if (time > 0) == op.startswith("l") else NOTHING)
        if abs(time) >= EXACT_INTEGERS:
            return UNKNOWN
        first = key_of(time)
        last = min(first + displacement(self._connection), _LAST)
        keys = KeyRange(first, _LAST) if op.startswith("g") else KeyRange(_FIRST, last)
        return Compiled(keys, not runs.any_beyond(self._connection, (first, last), op, time))

    def _fact(self, fact: Path, wanted: Sequence[Any]) -> Compiled:
        if fact.text == "num_events":
            # Where the main stream has no count, others have one, or events are counted.
            count = value_conditions.one_of(self.places, _MAIN_COUNT, [*wanted, None])
            return count.at_least()
        kinds = [kind for kind in VALUES if kind != TEXT]
        odd = self.places.find(_EXIT_STATUS, (kinds, "any", ()))
        if odd.marks or any(map(self.places.any, odd.lookups)):
            return UNKNOWN  # such a status is shown as another
        texts = [value for value in wanted if isinstance(value, str)]
        found = value_conditions.one_of(self.places, _EXIT_STATUS, texts)
        if {"running", "unknown"}.isdisjoint(texts):
            return found
        return any_of([found, value_conditions.equal(self.places, _EXIT_STATUS, None)]).at_least()

    def _of_element(self, node: Node, path: Path) -> Compiled:
        """Return what a run fulfils in which an element of an array answers a question."""
        if isinstance(node, nodes.And | nodes.Or):
            join = all_of if isinstance(node, nodes.And) else any_of
            return join(self._of_element(part, path) for part in node.nodes)
        if not isinstance(node, PathNode):
            return UNKNOWN
        moved = value_conditions.moved(node, path)
        return UNKNOWN if moved is None else self.compile(moved)


def _is_identity(path: Path) -> bool:
    document = DOCUMENTS.get(path.document)
    return document is not None and path.text in IDENTITY[document]
