"""Where a path of a question leads in the index."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...._util.portable_text import original, portable
from ....query.nodes import Path
from ..engine.conditions import ALL, Condition, Lookup, either
from ..engine.connection import Connection
from ..engine.schema import RUNS, START, STOP
from ..engine.statements import index
from .compiled import Compiled
from .index import ENDED, EVERY, IDENTITY, WORDS, bound, path_id, table_of, text_of
from .index_terms import ARRAY, DOTTED, MAX_PATH, OBJECT, TEXT, UNINDEXED, WITHOUT_VALUE
from .name_filter import might_contain

DOCUMENTS = {"start": START, "stop": STOP}

VALUES = tuple(range(UNINDEXED))
"""The kinds of leaves, without the marks of what is not indexed."""

_MOST_PARTS, _MOST_WAYS = 32, 16  # of a path beyond these the evaluator is asked

Wanted = tuple[Collection[int], str, tuple[Any, ...]]
"""Kinds of leaves, and how their values compare with others (see `Lookup`)."""

ANYTHING: Wanted = (VALUES, "any", ())
"""What fits every leaf, and no mark for what is not indexed."""


@dataclass
class Found:
    """What the index says about a path.

    The look-ups find runs that have something there, for sure or not; the marks those that
    have something on the way which is not indexed.
    """

    lookups: list[Condition] = field(default_factory=list)
    marks: list[Condition] = field(default_factory=list)
    sure: bool = True

    @property
    def compiled(self) -> Compiled:
        """What it says of which runs have such a leaf."""
        return Compiled(either([*self.lookups, *self.marks]), self.sure and not self.marks)


class PathIndex:
    """The index of one database, asked by path; each path is looked up once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._limits = connection.limits
        self._kinds: dict[tuple[int, str], dict[int, int]] = {}
        self._filters: dict[int, list[tuple[int, bytes]]] = {}

    def find(self, path: Path, *wanted: Wanted) -> Found:
        """Look up leaves at a path that fulfil one of some conditions."""
        document = DOCUMENTS.get(path.document)
        ways = _ways(path.parts)
        if document is None or ways is None or len(path.text) > MAX_PATH:
            return Found(marks=[ALL])
        if path.text in IDENTITY[document]:
            return Found([ALL if document == START else self.ended()], sure=False)
        marks = _ways_to(path.parts)
        self._look_up(document, {*ways, *marks, ""})
        found = Found(sure=len(ways) == 1, marks=list(self._marks(document, marks)))
        for way in ways:
            numbers = self._numbers(document, way)
            for kinds, op, values in wanted:
                found.lookups += [
                    _lookup(kind, numbers[kind], op, values) for kind in kinds if kind in numbers
                ]
        return found

    def find_values(self, path: Path, kind: int, values: Sequence[Any]) -> Found:
        """Look up leaves of one kind that have one of some values."""
        held = [bound(kind, value) for value in values]
        if len(held) <= self._limits.apart:
            return self.find(path, *(((kind,), "eq", (value,)) for value in held))
        size = self._limits.values
        chunks = [tuple(held[at : at + size]) for at in range(0, len(held), size)]
        return self.find(path, *(((kind,), "in", chunk) for chunk in chunks))

    def leaves(self, path: Path) -> dict[int, Lookup]:
        """Look up all leaves that stand just at a path, by kind."""
        numbers = self._numbers(DOCUMENTS[path.document], path.text)
        return {kind: _lookup(kind, numbers[kind]) for kind in VALUES if kind in numbers}

    def _marks(self, document: int, ways: Collection[str]) -> Iterator[Condition]:
        for way in sorted(ways):
            yield from self.entries(document, way, UNINDEXED)
        yield from self.unindexed(document, "", {"", *ways})

    def arrays(self, path: Path) -> list[Lookup]:
        """Look up runs in which a path to nowhere may still find nothing, rather than a gap.

        An array on the way, or a key that itself contains dots.
        """
        document, parts = DOCUMENTS[path.document], path.parts
        if len(parts) < 2:
            return []
        found = self.entries(document, "", DOTTED)
        for end in range(1, len(parts)):
            found += self.entries(document, ".".join(parts[:end]), ARRAY)
        return found

    def texts(self, path: Path) -> list[str] | None:
        """Return the different texts at a path; None if they are too many."""
        document = DOCUMENTS.get(path.document)
        numbers = {} if document is None else self._numbers(document, path.text)
        if TEXT not in numbers:
            return []
        texts = index.different(self._connection, numbers[TEXT], self._limits.texts + 1)
        return None if len(texts) > self._limits.texts else list(map(text_of, texts))

    def every(self) -> Lookup | None:
        """Look up all runs; None if there are none."""
        number = path_id(self._connection, RUNS, EVERY, OBJECT)  # which is remembered
        return None if number is None else _lookup(OBJECT, number)

    def ended(self) -> Condition:
        """Look up the runs that have a stop document."""
        return either(self.entries(RUNS, ENDED, OBJECT))

    def entries(self, document: int, path: str, kind: int, value: Any = 0) -> list[Lookup]:
        """Look up a value of a kind at a path, or a mark, if there was ever one."""
        number = self._numbers(document, path).get(kind)
        if number is None:
            return []
        return [Lookup(table_of(kind), number, "eq", (bound(kind, value),))]

    def unindexed(self, document: int, path: str, names: Collection[str]) -> Iterator[Lookup]:
        """Look up the runs of which something that is not indexed may have one of some names."""
        number = self._numbers(document, path).get(UNINDEXED)
        if number is None:
            return
        marks = Lookup("texts", number)
        held = self._filters.get(number)
        if held is None:
            rows = index.values_by_run(self._connection, marks, (-(2**63), 2**63 - 1))
            held = self._filters[number] = [(run, value) for run, value in rows]
        runs = [
            run for run, one in held if not one or any(might_contain(one, name) for name in names)
        ]
        if len(runs) > self._limits.values:
            yield marks
        elif runs:
            yield Lookup("runs", "id", "in", tuple(runs))

    def any(self, lookup: Condition) -> bool:
        """Tell whether there is such an entry."""
        return not isinstance(lookup, Lookup) or index.any_entry(self._connection, lookup)

    def _numbers(self, document: int, path: str) -> dict[int, int]:
        """Return the numbers of a path by kinds of values."""
        if (document, path) not in self._kinds:
            self._look_up(document, (ENDED, WORDS) if document == RUNS else (path,))
        return self._kinds[document, path]

    def _look_up(self, document: int, paths: Iterable[str]) -> None:
        new = [path for path in paths if (document, path) not in self._kinds]
        if not new:
            return
        self._kinds.update({(document, path): {} for path in new})
        for path, kind, number in index.kinds_at(
            self._connection, document, list(map(portable, new))
        ):
            self._kinds[document, original(path)][kind] = number


def _lookup(kind: int, number: int, op: str = "any", values: tuple[Any, ...] = ()) -> Lookup:
    if op == "any" and kind in WITHOUT_VALUE:
        op, values = "eq", (0,)  # which has an order
    return Lookup(table_of(kind), number, op, values)


def _is_position(part: str) -> bool:
    return part.isdigit()


def _ways(parts: tuple[str, ...]) -> list[str] | None:
    """Return the indexed paths that a path may lead to; None if they are too many.

    A number may be a key or a position in an array; elements are indexed at
    the path of their array.
    """
    if len(parts) > _MOST_PARTS:
        return None
    ways: list[tuple[str, ...]] = [()]
    for part in parts:
        longer = [(*way, part) for way in ways]
        ways = longer + ways if _is_position(part) else longer
        if len(ways) > _MOST_WAYS:
            return None
    return list(dict.fromkeys(".".join(way) for way in ways if way)) or None


def _ways_to(parts: tuple[str, ...]) -> set[str]:
    """Return the paths at which there is a mark, if something on the way is not indexed."""
    plain = tuple(part for part in parts if not _is_position(part))
    ways = {".".join(way[:end]) for way in (parts, plain) for end in range(len(way) + 1)}
    return ways - {""}
