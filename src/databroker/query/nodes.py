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

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from .logic import And, Everything, Node, Not, Or, checked_depth
from .paths import MAX_DEPTH, Document, Path

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
]

Operator = Literal["gt", "gte", "lt", "lte"]

_SYMBOLS: dict[str, str] = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True, slots=True, repr=False)
class PathNode(Node):
    """A question about the value at a path, printed as a method of its key."""

    path: Path
    _method: ClassVar[str]

    def _code(self) -> str:
        return self._call(self._method)

    def _call(self, method: str) -> str:
        parts = [(getattr(self, part.name), part.default) for part in fields(self)[1:] if part.init]
        given = [_code_of(value) for value, default in parts if value != default]
        return f"{self.path.code()}.{method}({', '.join(given)})"


@dataclass(frozen=True, slots=True, repr=False)
class Equals(PathNode):
    """The value, or an element of it if it is an array, equals this.

    None stands for null or missing.
    """

    value: Any

    def _code(self) -> str:
        return f"{self.path.code()} == {_code_of(self.value)}"

    def _stands_alone(self) -> bool:
        return False

    def _negated(self) -> tuple[str, bool]:
        return f"{self.path.code()} != {_code_of(self.value)}", False


@dataclass(frozen=True, slots=True, repr=False)
class In(PathNode):
    """Equal to one of these values."""

    values: tuple[Any, ...]
    _method: ClassVar[str] = "isin"

    def _negated(self) -> tuple[str, bool]:
        return self._call("notin"), True


@dataclass(frozen=True, slots=True, repr=False)
class Compare(PathNode):
    """Greater or less than this, among values of the same kind."""

    op: Operator
    value: Any

    def _code(self) -> str:
        return f"{self.path.code()} {_SYMBOLS[self.op]} {_code_of(self.value)}"

    def _stands_alone(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, repr=False)
class Exists(PathNode):
    """The path leads to a value (null included), or to none."""

    expected: bool = True
    _method: ClassVar[str] = "exists"


@dataclass(frozen=True, slots=True, repr=False)
class Matches(PathNode):
    """A regular expression is found in the text at this path.

    `flags` are letters: a (ASCII), i (ignore case), m, s, x.
    """

    pattern: str
    flags: str = ""
    _method: ClassVar[str] = "matches"


@dataclass(frozen=True, slots=True, repr=False)
class ContainsAll(PathNode):
    """Equal to each of these values, which an array can be."""

    values: tuple[Any, ...]
    _method: ClassVar[str] = "contains_all"


@dataclass(frozen=True, slots=True, repr=False)
class Size(PathNode):
    """An array of this many elements."""

    n: int
    _method: ClassVar[str] = "size"


@dataclass(frozen=True, slots=True, repr=False)
class ElemMatch(PathNode):
    """One element of an array answers the whole inner node.

    The inner node's paths begin at the element (`Document`).
    """

    node: Node
    depth: int = field(init=False, compare=False)
    _method: ClassVar[str] = "elem_match"

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", checked_depth((self.node,)))


@dataclass(frozen=True, slots=True, repr=False)
class HasType(PathNode):
    """The value, or an element of it, is of this kind (`query.values.KINDS`, or 'number')."""

    type: str
    _method: ClassVar[str] = "has_type"


@dataclass(frozen=True, slots=True, repr=False)
class Mod(PathNode):
    """A number that, divided, leaves this remainder."""

    divisor: int
    remainder: int
    _method: ClassVar[str] = "mod"


@dataclass(frozen=True, slots=True, repr=False)
class TimeBounds(Node):
    """The RunStart's time lies between two instants, both included.

    Epoch seconds; None leaves that side open.
    """

    since: float | None = None
    until: float | None = None

    def _code(self) -> str:
        return f"TimeBounds(since={_code_of(self.since)}, until={_code_of(self.until)})"


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


def _code_of(value: Any) -> str:
    """Give code for a value; unlike repr, also for NaN and infinities."""
    if isinstance(value, float):
        text = float.__repr__(value)
        return text if text[-1].isdigit() else f"float({text!r})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_code_of, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k!r}: {_code_of(v)}' for k, v in value.items())}}}"
    return repr(value)
