"""Queries as conditions on the indexes: one function for each kind of node.

Each function returns a condition that every matching run fulfils, and whether
the runs that fulfil it are exactly the matching ones. Where they are not, the
caller asks the evaluator about each of them, so that nothing is ever wrongly
found or lost; a node that has no function here is answered by the evaluator
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatchmethod
from typing import Any

from ....query.nodes import (
    And,
    Compare,
    ContainsAll,
    DataKey,
    ElemMatch,
    Equals,
    Everything,
    Exists,
    FullText,
    HasType,
    In,
    Matches,
    Mod,
    Node,
    Not,
    Or,
    Path,
    Size,
    TimeBounds,
    UidPrefix,
)
from ....query.values import is_number
from ..engine.connection import Connection, portable
from ..engine.render import BYTES
from ..engine.schema import RUNS
from . import fact_conditions, pattern_conditions, value_conditions
from .conditions import ALL, NOTHING, Condition, Lookup, both, either, unless
from .index import IDENTITY, WORDS
from .index_terms import ARRAY, NUMBER, TEXT, leaf
from .path_index import ANYTHING, DOCUMENTS, PathIndex
from .time_range import window
from .value_conditions import Compiled

_ABOUT_A_VALUE = (Equals, In, Compare, Exists, Matches, ContainsAll, Size, ElemMatch, HasType, Mod)
_UNKNOWN: Compiled = (ALL, False)


@dataclass(frozen=True, eq=False)
class Part:
    """One of the questions that must all be answered with yes.

    Attributes
    ----------
    node
        The question.
    condition
        What every run fulfils of which the answer is yes.
    exact
        Whether no other run fulfils it.
    """

    node: Node
    condition: Condition
    exact: bool


class Compiler:
    """Compiles queries for one database, whose paths and marks it looks up."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.places = PathIndex(connection)

    def plan(self, query: Node) -> list[Part]:
        """Split a query into parts that must all hold, each compiled."""
        parts = query.nodes if isinstance(query, And) else (query,)
        return [Part(part, *self.compile(part)) for part in parts]

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
        return both(condition for condition, _ in parts), all(exact for _, exact in parts)

    @compile.register
    def _or(self, node: Or) -> Compiled:
        parts = [self.compile(part) for part in node.nodes]
        return either(condition for condition, _ in parts), all(exact for _, exact in parts)

    @compile.register
    def _not(self, node: Not) -> Compiled:
        inner = node.node
        if isinstance(inner, And | Or):
            # So that one part that is not exact does not spoil the others.
            parts = [self._not(Not(part)) for part in inner.nodes]
            join = either if isinstance(inner, And) else both
            return join(condition for condition, _ in parts), all(exact for _, exact in parts)
        condition, exact = self.compile(inner)
        return (unless(condition), True) if exact else _UNKNOWN

    @compile.register
    def _equals(self, node: Equals) -> Compiled:
        if _is_identity(node.path):
            return self._identity(node.path, [node.value])
        if node.path.document == "run":
            return fact_conditions.one_of(self.places, node.path, [node.value])
        return value_conditions.equal(self.places, node.path, node.value)

    @compile.register
    def _in(self, node: In) -> Compiled:
        if _is_identity(node.path):
            return self._identity(node.path, node.values)
        if node.path.document == "run":
            return fact_conditions.one_of(self.places, node.path, node.values)
        return value_conditions.one_of(self.places, node.path, node.values)

    @compile.register
    def _compare(self, node: Compare) -> Compiled:
        if node.path.text == "time" and node.path.document == "start":
            return window(self._connection, node.op, node.value)
        return value_conditions.compared(self.places, node)

    @compile.register
    def _exists(self, node: Exists) -> Compiled:
        if _is_identity(node.path):
            found = ALL if node.path.document == "start" else self.places.ended()
            return (found if node.expected else unless(found)), True
        if node.path.document not in DOCUMENTS:
            return _UNKNOWN
        condition, exact = self.places.find(node.path, ANYTHING).compiled
        if node.expected:
            return condition, exact
        return (unless(condition), True) if exact else _UNKNOWN

    @compile.register
    def _contains_all(self, node: ContainsAll) -> Compiled:
        if not node.values:
            return NOTHING, True
        return self._and(And(*(Equals(node.path, value) for value in node.values)))

    @compile.register
    def _has_type(self, node: HasType) -> Compiled:
        return value_conditions.of_type(self.places, node)

    @compile.register
    def _size(self, node: Size) -> Compiled:
        return self.places.find_values(node.path, ARRAY, [0]).compiled[0], False

    @compile.register
    def _mod(self, node: Mod) -> Compiled:
        return self.places.find(node.path, ((NUMBER,), "any", ())).compiled[0], False

    @compile.register
    def _matches(self, node: Matches) -> Compiled:
        return pattern_conditions.matching(self.places, node)

    @compile.register
    def _elem_match(self, node: ElemMatch) -> Compiled:
        if node.path.document not in DOCUMENTS:
            return _UNKNOWN
        array = self.places.find_values(node.path, ARRAY, [0]).compiled[0]
        return both([array, self._of_element(node.node, node.path)]), False

    @compile.register
    def _data_key(self, node: DataKey) -> Compiled:
        kind, value = leaf(node.name)
        return self.places.data_key(kind, value), kind == TEXT

    @compile.register
    def _time(self, node: TimeBounds) -> Compiled:
        since = _UNKNOWN if node.since is None else window(self._connection, "gte", node.since)
        until = _UNKNOWN if node.until is None else window(self._connection, "lte", node.until)
        sure = (node.since is None or since[1]) and (node.until is None or until[1])
        return both([since[0], until[0]]), sure

    @compile.register
    def _uid_prefix(self, node: UidPrefix) -> Compiled:
        if self.places.any(_ODD_UIDS):
            return _UNKNOWN  # uids that SQLite can only hold, and order, as bytes
        if not node.prefix:
            return ALL, True
        if portable(node.prefix) != node.prefix:
            return NOTHING, True
        return Lookup("runs", "uid", "within", uids_with(node.prefix)), True

    @compile.register
    def _full_text(self, node: FullText) -> Compiled:
        phrases = [word for phrase in node.phrases for word in phrase]
        single = [phrase[0] for phrase in node.excluded if len(phrase) == 1]
        partly = {
            word: list(self.places.unindexed(RUNS, WORDS, {word}))
            for word in {*node.words, *phrases, *single}
        }
        words = dict.fromkeys((*node.words, *phrases))
        required = [either([self.places.word(word), *partly[word]]) for word in words]
        excluded = [unless(self.places.word(word)) for word in single]
        exact = not phrases and len(single) == len(node.excluded) and not any(partly.values())
        return both([*required, *excluded]), exact

    def _identity(self, path: Path, wanted: Sequence[Any]) -> Compiled:
        """Look up what each document has one of, in the table of runs."""
        if path.text == "time":
            ways = [
                self._and(And(Compare(path, "gte", value), Compare(path, "lte", value)))
                for value in wanted
                if is_number(value)
            ]
            return either(condition for condition, _ in ways), all(exact for _, exact in ways)
        column = "stop_uid" if (path.document, path.text) == ("stop", "uid") else "uid"
        texts = [portable(value) for value in wanted if isinstance(value, str)]
        chunks = [tuple(texts[at : at + 500]) for at in range(0, len(texts), 500)]
        found = either(Lookup("runs", column, "in", chunk) for chunk in chunks)
        if path.document == "start":
            return found, True
        ended = self.places.ended()
        return either([both([found, ended]), *([unless(ended)] if None in wanted else [])]), True

    def _of_element(self, node: Node, path: Path) -> Condition:
        """Return what a run fulfils in which an element of an array answers a question."""
        if isinstance(node, And | Or):
            join = both if isinstance(node, And) else either
            return join(self._of_element(part, path) for part in node.nodes)
        if not isinstance(node, _ABOUT_A_VALUE):
            return ALL
        moved = value_conditions.moved(node, path)
        return ALL if moved is None else self.compile(moved)[0]


_ODD_UIDS = Lookup("runs", "uid", BYTES)


def _is_identity(path: Path) -> bool:
    document = DOCUMENTS.get(path.document)
    return document is not None and path.text in IDENTITY[document]


def uids_with(prefix: str) -> tuple[str, str]:
    """Return between which texts the uids are that begin with one, if all are UTF-8.

    Examples
    --------
    >>> uids_with("ab")
    ('ab', 'ac')
    """
    following = ord(prefix[-1]) + 1
    if following > 0x10FFFF:
        return prefix, uids_with(prefix[:-1])[1] if prefix[1:] else ""
    # Surrogates are no characters of their own.
    return prefix, prefix[:-1] + chr(0xE000 if 0xD800 <= following < 0xE000 else following)
