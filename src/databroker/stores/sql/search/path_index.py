"""Where a path of a question leads in the leaf index."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....query.nodes import Path
from ..engine.connection import Connection, fetch, original
from ..schema import DATA_KEYS, RUNS, START, STOP
from .conditions import ALL, MANY, Condition, Lookup, Sql, either
from .index import ENDED, EVERY, IDENTITY, bound, path_id
from .index_terms import ARRAY, DOTTED, MAX_PATH, OBJECT, TEXT, UNINDEXED
from .name_filter import might_contain

__all__ = ["Found", "PathIndex"]

DOCUMENTS = {"start": START, "stop": STOP}

_MOST_PARTS = 32
_MOST_WAYS = 16
_CHUNK = 500  # values in one statement


@dataclass
class Found:
    """What the leaf index says about a path.

    Attributes
    ----------
    lookups
        Each finds runs; none finds a run that has nothing there.
    marks
        Each finds runs that have something on the way which is not indexed.
    sure
        Whether what the look-ups find is there for sure.
    """

    lookups: list[Condition] = field(default_factory=list)
    marks: list[Condition] = field(default_factory=list)
    sure: bool = True

    @property
    def compiled(self) -> tuple[Condition, bool]:
        """A condition that every run in question fulfils, and whether no other does."""
        return either([*self.lookups, *self.marks]), self.sure and not self.marks


class PathIndex:
    """The leaf index of one database, asked by path.

    Parameters
    ----------
    connection
        To the database, whose paths and marks are looked up.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._filters: dict[int, list[tuple[int, bytes | int]]] = {}

    def find(self, path: Path, *wanted: Sql) -> Found:
        """Look up leaves at a path that fulfil one of some SQL expressions."""
        return self._found(path, [(where, values, False) for where, values in wanted])

    def find_values(self, path: Path, kind: int, values: Sequence[Any]) -> Found:
        """Look up leaves of one kind that have one of some values."""
        held = [bound(kind, value) for value in values]
        if len(held) <= MANY:
            where = f"x.kind = {kind} AND x.value = ?"
            return self._found(path, [(where, (value,), True) for value in held])
        chunks = [tuple(held[at : at + _CHUNK]) for at in range(0, len(held), _CHUNK)]
        return self._found(
            path,
            [
                (f"x.kind = {kind} AND x.value IN ({', '.join('?' * len(chunk))})", chunk, False)
                for chunk in chunks
            ],
        )

    def _found(self, path: Path, wanted: Sequence[tuple[str, tuple[Any, ...], bool]]) -> Found:
        document = DOCUMENTS.get(path.document)
        ways = _ways(path.parts)
        if document is None or ways is None or len(path.text) > MAX_PATH:
            return Found(marks=[ALL])
        if path.text in IDENTITY[document]:
            return Found([ALL if document == START else self.ended()], sure=False)
        found = Found(sure=len(ways) == 1)
        for place in ways:
            number = path_id(self._connection, document, place)
            if number is not None:
                for where, values, ordered in wanted:
                    lookup = Lookup("leaves", f"x.path = {number} AND {where}", values, ordered)
                    found.lookups.append(lookup)
        found.marks = list(self._marks(document, path.parts))
        return found

    def _marks(self, document: int, parts: tuple[str, ...]) -> Iterator[Condition]:
        plain = tuple(part for part in parts if not _is_position(part))
        ways = {".".join(way[:end]) for way in (parts, plain) for end in range(len(way) + 1)}
        for place in sorted(ways - {""}):
            yield from self.mark(document, place, UNINDEXED)
        yield from self.unindexed(document, "", ways)

    def arrays(self, path: Path) -> list[Lookup]:
        """Look up runs in which a path to nowhere may still find nothing, rather than a gap.

        An array on the way, or a key that itself contains dots.
        """
        document, parts = DOCUMENTS[path.document], path.parts
        if len(parts) < 2:
            return []
        found = list(self.mark(document, "", DOTTED))
        for end in range(1, len(parts)):
            found += self.mark(document, ".".join(parts[:end]), ARRAY)
        return found

    def texts(self, path: Path, most: int) -> list[str] | None:
        """Return the different texts at a path; None if they are more than so many.

        Each is one step through the index, however many runs have it.
        """
        document = DOCUMENTS.get(path.document)
        number = None if document is None else path_id(self._connection, document, path.text)
        if number is None:
            return []
        where = f"FROM leaves WHERE path = {number} AND kind = {TEXT}"
        rows = fetch(
            self._connection,
            f"WITH RECURSIVE step(value) AS (SELECT min(value) {where} UNION ALL "
            f"SELECT (SELECT min(value) {where} AND value > step.value) FROM step "
            "WHERE step.value IS NOT NULL) "
            f"SELECT value FROM step WHERE value IS NOT NULL LIMIT {most + 1}",
        )
        return None if len(rows) > most else [original(value) for (value,) in rows]

    def every(self) -> Lookup | None:
        """Look up all runs; None if there are none."""
        return next(self.mark(RUNS, EVERY, OBJECT), None)

    def ended(self) -> Condition:
        """Look up the runs that have a stop document."""
        return either(self.mark(RUNS, ENDED, OBJECT))

    def data_key(self, kind: int, name: str) -> Condition:
        """Look up the runs one of whose descriptors has a data key."""
        number = path_id(self._connection, DATA_KEYS, "")
        if number is None:
            return either([])
        where = f"x.path = {number} AND x.kind = {kind} AND x.value = ?"
        return Lookup("leaves", where, (bound(kind, name),))

    def mark(self, document: int, place: str, kind: int) -> Iterator[Lookup]:
        """Give the look-up of a mark, if any run has it."""
        number = path_id(self._connection, document, place)
        if number is not None:
            where = f"x.path = {number} AND x.kind = {kind} AND x.value = 0"
            lookup = Lookup("leaves", where, ())
            if self.any(lookup):
                yield lookup

    def unindexed(self, document: int, place: str, names: Collection[str]) -> Iterator[Lookup]:
        """Look up the runs of which something that is not indexed may have one of some names."""
        number = path_id(self._connection, document, place)
        if number is None:
            return
        where = f"x.path = {number} AND x.kind = {UNINDEXED}"
        held = self._filters.get(number)
        if held is None:
            held = fetch(self._connection, f"SELECT run, value FROM leaves x WHERE {where}")
            self._filters[number] = held
        runs = [
            run
            for run, one in held
            if type(one) is not bytes or any(might_contain(one, name) for name in names)
        ]
        if len(runs) > _CHUNK:
            yield Lookup("leaves", where, (), False)
        elif runs:
            yield Lookup("runs", f"x.id IN ({', '.join('?' * len(runs))})", tuple(runs))

    def any(self, lookup: Condition) -> bool:
        """Tell whether there is such an entry."""
        if not isinstance(lookup, Lookup):
            return True
        sql = f"SELECT 1 FROM {lookup.table} x WHERE {lookup.where} LIMIT 1"
        return bool(fetch(self._connection, sql, lookup.values))


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
