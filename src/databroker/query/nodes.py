"""What a question is made of: small immutable nodes.

Every way of asking (keywords, Mongo-style dictionaries, the objects of
:mod:`databroker.queries`) ends in a tree of these nodes. A store compiles the
nodes that it can answer and hands the others to
:mod:`databroker.query.evaluate`, which says what each of them means.

A node prints as the code that makes it, given
``from databroker.queries import *``.

Examples
--------
>>> node = Equals(Path("sample.name"), "Ni") & ~Exists(Path("temperature"))
>>> node
(Key('sample.name') == 'Ni') & ~Key('temperature').exists()
>>> node | Equals(Path.parse("stop.exit_status"), "fail")
((Key('sample.name') == 'Ni') & ~Key('temperature').exists()) | (Key('stop.exit_status') == 'fail')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from .logic import And, Everything, Node, Not, Or, checked_depth
from .paths import MAX_DEPTH, Document, Path, code_of

__all__ = [
    "MAX_DEPTH",
    "And",
    "Compare",
    "ContainsAll",
    "DataKey",
    "Document",
    "ElemMatch",
    "Equals",
    "Everything",
    "Exists",
    "FullText",
    "HasType",
    "In",
    "Matches",
    "Mod",
    "Node",
    "Not",
    "Operator",
    "Or",
    "Path",
    "Size",
    "TimeBounds",
    "UidPrefix",
    "walk",
]

Operator = Literal["gt", "gte", "lt", "lte"]

_SYMBOLS: dict[str, str] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True, repr=False)
class Equals(Node):
    """The value, or an element of it if it is an array, equals this.

    None stands for null or missing.
    """

    path: Path
    value: Any

    def _code(self) -> str:
        return f"{self.path.code()} == {code_of(self.value)}"

    def _stands_alone(self) -> bool:
        return False

    def _negated(self) -> tuple[str, bool]:
        return f"{self.path.code()} != {code_of(self.value)}", False


@dataclass(frozen=True, slots=True, repr=False)
class In(Node):
    """Equal to one of these values."""

    path: Path
    values: tuple[Any, ...]

    def _code(self) -> str:
        return f"{self.path.code()}.isin({code_of(list(self.values))})"

    def _negated(self) -> tuple[str, bool]:
        return f"{self.path.code()}.notin({code_of(list(self.values))})", True


@dataclass(frozen=True, slots=True, repr=False)
class Compare(Node):
    """Greater or less than this, among values of the same kind."""

    path: Path
    op: Operator
    value: Any

    def _code(self) -> str:
        return f"{self.path.code()} {_SYMBOLS[self.op]} {code_of(self.value)}"

    def _stands_alone(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, repr=False)
class Exists(Node):
    """The path leads to a value (null included), or to none."""

    path: Path
    expected: bool = True

    def _code(self) -> str:
        return f"{self.path.code()}.exists({'' if self.expected else 'False'})"


@dataclass(frozen=True, slots=True, repr=False)
class Matches(Node):
    """A regular expression is found in the text at this path.

    `flags` are letters: a (ASCII), i (ignore case), m, s, x.
    """

    path: Path
    pattern: str
    flags: str = ""

    def _code(self) -> str:
        flags = f", {self.flags!r}" if self.flags else ""
        return f"{self.path.code()}.matches({self.pattern!r}{flags})"


@dataclass(frozen=True, slots=True, repr=False)
class ContainsAll(Node):
    """Equal to each of these values, which an array can be."""

    path: Path
    values: tuple[Any, ...]

    def _code(self) -> str:
        return f"{self.path.code()}.contains_all({code_of(list(self.values))})"


@dataclass(frozen=True, slots=True, repr=False)
class Size(Node):
    """An array of this many elements."""

    path: Path
    n: int

    def _code(self) -> str:
        return f"{self.path.code()}.size({self.n!r})"


@dataclass(frozen=True, slots=True, repr=False)
class ElemMatch(Node):
    """One element of an array answers the whole inner node.

    The inner node's paths begin at the element (`Document`).
    """

    path: Path
    node: Node
    _depth: int = field(init=False, compare=False)

    @property
    def depth(self) -> int:
        """How many nodes lie on top of each other, this one included."""
        return self._depth

    def __post_init__(self) -> None:
        object.__setattr__(self, "_depth", checked_depth((self.node,)))

    def _code(self) -> str:
        return f"{self.path.code()}.elem_match({self.node!r})"


@dataclass(frozen=True, slots=True, repr=False)
class HasType(Node):
    """The value, or an element of it, is of this kind (see `query.values.KINDS`)."""

    path: Path
    type: str

    def _code(self) -> str:
        return f"{self.path.code()}.has_type({self.type!r})"


@dataclass(frozen=True, slots=True, repr=False)
class Mod(Node):
    """A number that, divided, leaves this remainder."""

    path: Path
    divisor: int
    remainder: int

    def _code(self) -> str:
        return f"{self.path.code()}.mod({self.divisor!r}, {self.remainder!r})"


@dataclass(frozen=True, slots=True, repr=False)
class TimeBounds(Node):
    """The RunStart's time lies between two instants, both included.

    Epoch seconds; None leaves that side open.
    """

    since: float | None = None
    until: float | None = None

    def _code(self) -> str:
        return f"TimeBounds(since={code_of(self.since)}, until={code_of(self.until)})"


@dataclass(frozen=True, slots=True, repr=False)
class FullText(Node):
    """Words among the RunStart's text values, folded by `query.text`.

    Each of `words` occurs somewhere; each of `phrases` occurs as consecutive
    words of one value; none of `excluded` does (words are phrases of one).
    """

    words: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()

    def _code(self) -> str:
        terms = [
            *self.words,
            *(f'"{" ".join(phrase)}"' for phrase in self.phrases),
            *(f'-"{" ".join(phrase)}"' for phrase in self.excluded),
        ]
        return f"FullText({' '.join(terms)!r})"


@dataclass(frozen=True, slots=True, repr=False)
class DataKey(Node):
    """One of the run's descriptors has this data key."""

    name: str

    def _code(self) -> str:
        return f"DataKey({self.name!r})"


@dataclass(frozen=True, slots=True, repr=False)
class UidPrefix(Node):
    """The RunStart's uid begins with this text, taken literally."""

    prefix: str

    def _code(self) -> str:
        return f"UidPrefix({self.prefix!r})"


def walk(node: Node) -> Iterator[Node]:
    """Iterate over a node and all nodes in it.

    Examples
    --------
    >>> [type(part).__name__ for part in walk(~DataKey("det") & Everything() | Exists(Path("x")))]
    ['Or', 'Not', 'DataKey', 'Exists']
    """
    yield node
    if isinstance(node, And | Or):
        for child in node.nodes:
            yield from walk(child)
    elif isinstance(node, Not | ElemMatch):
        yield from walk(node.node)
