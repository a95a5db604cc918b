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

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, NoReturn

from .._util.printable import shown
from ..errors import InvalidQuery
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
    "all_of",
    "any_of",
]

Operator = Literal["gt", "gte", "lt", "lte"]


class Node:
    """A question about one run: combine with ``&`` (and), ``|`` (or), ``~`` (not)."""

    __slots__ = ()

    @property
    def depth(self) -> int:
        """How many nodes lie on top of each other, this one included."""
        return 1

    def __and__(self, other: object) -> Node:
        if not isinstance(other, Node):
            return NotImplemented
        if isinstance(self, Everything):
            return other
        return self if isinstance(other, Everything) else And(self, other)

    def __or__(self, other: object) -> Node:
        return Or(self, other) if isinstance(other, Node) else NotImplemented

    def __invert__(self) -> Node:
        # ~~x is x: otherwise a loop that negates would nest without end.
        return self.node if isinstance(self, Not) else Not(self)

    def __bool__(self) -> NoReturn:
        # Python would otherwise answer `a and b` with b alone.
        raise TypeError(
            "a query is neither true nor false: combine queries with & | ~ "
            "(not and/or/not), and write (Key('x') > 1) & (Key('x') < 5) instead of "
            "1 < Key('x') < 5"
        )

    def __repr__(self) -> str:
        return _code(self)[0]


def checked_depth(children: Iterable[Node]) -> int:
    """Give the depth of a node over these, within bounds."""
    depth = 1 + max((child.depth for child in children), default=0)
    if depth > MAX_DEPTH:
        raise InvalidQuery(f"the query is nested more than {MAX_DEPTH} levels deep")
    return depth


@dataclass(frozen=True, slots=True, repr=False)
class Everything(Node):
    """Every run."""


@dataclass(frozen=True, slots=True, repr=False, init=False)
class _Combination(Node):
    """What :class:`And` and :class:`Or` share."""

    nodes: tuple[Node, ...]
    depth: int = field(compare=False)

    def __init__(self, *nodes: Node | Iterable[Node]) -> None:
        flat = tuple(self._flattened(nodes))
        object.__setattr__(self, "nodes", flat)
        object.__setattr__(self, "depth", checked_depth(flat))

    def _flattened(self, nodes: Iterable[Any]) -> Iterator[Node]:
        for node in nodes:
            if isinstance(node, type(self)):
                yield from node.nodes
            elif isinstance(node, Node):
                yield node
            elif isinstance(node, Iterable) and not isinstance(node, str | bytes | dict):
                yield from self._flattened(node)
            else:
                raise InvalidQuery(
                    f"{type(self).__name__} takes queries such as Key('plan_name') == 'scan', "
                    f"not {shown(node)}"
                )


class And(_Combination):
    """All of these; given nothing, every run.

    Examples
    --------
    >>> And(DataKey("det"), And(UidPrefix("a"), Everything())).nodes
    (DataKey('det'), UidPrefix('a'))
    """

    __slots__ = ()

    def _flattened(self, nodes: Iterable[Any]) -> Iterator[Node]:
        return (n for n in super()._flattened(nodes) if not isinstance(n, Everything))


class Or(_Combination):
    """Any of these; given nothing, no run."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class Not(Node):
    """The opposite of a node."""

    node: Node
    depth: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.node, Node):
            raise InvalidQuery(f"Not takes a query, not {shown(self.node)}")
        object.__setattr__(self, "depth", checked_depth((self.node,)))


def all_of(nodes: Iterable[Node]) -> Node:
    """Ask for runs that answer all of these; of one, it alone."""
    both = And(nodes)
    if not both.nodes:
        return Everything()
    return both.nodes[0] if len(both.nodes) == 1 else both


def any_of(nodes: Iterable[Node]) -> Node:
    """Ask for runs that answer any of these; of one, it alone."""
    either = Or(nodes)
    return either.nodes[0] if len(either.nodes) == 1 else either


# -- questions about a value -------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class PathNode(Node):
    """A question about the value at a path, printed as a method of its key."""

    path: Path
    _method: ClassVar[str]


@dataclass(frozen=True, slots=True, repr=False)
class Equals(PathNode):
    """The value, or an element of it if it is an array, equals this.

    None stands for null or missing.
    """

    value: Any


@dataclass(frozen=True, slots=True, repr=False)
class In(PathNode):
    """Equal to one of these values."""

    values: tuple[Any, ...]
    _method: ClassVar[str] = "isin"


@dataclass(frozen=True, slots=True, repr=False)
class Compare(PathNode):
    """Greater or less than this, among values of the same kind."""

    op: Operator
    value: Any


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


# -- questions about a run ---------------------------------------------------------


@dataclass(frozen=True, slots=True, repr=False)
class TimeBounds(Node):
    """The RunStart's time lies between two instants, both included.

    Epoch seconds; None leaves that side open.
    """

    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True, repr=False)
class FullText(Node):
    """Words among the RunStart's text values, folded by `query.text`.

    Each of `words` occurs somewhere; each of `phrases` occurs as consecutive
    words of one value; none of `excluded` does (words are phrases of one).
    """

    words: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class DataKey(Node):
    """One of the run's descriptors has this data key."""

    name: str


@dataclass(frozen=True, slots=True, repr=False)
class UidPrefix(Node):
    """The RunStart's uid begins with this text, taken literally."""

    prefix: str


# -- as code -----------------------------------------------------------------------

_SYMBOLS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def _code(node: Node) -> tuple[str, bool]:
    """Give the code of a node, and whether it may stand beside an operator as it is."""
    match node:
        case Equals(path, value):
            return f"{path.code()} == {_code_of(value)}", False
        case Compare(path, op, value):
            return f"{path.code()} {_SYMBOLS[op]} {_code_of(value)}", False
        case PathNode():
            return _call(node, node._method), True
        case And(nodes) | Or(nodes) if len(nodes) > 1:
            symbol = " & " if isinstance(node, And) else " | "
            return symbol.join(map(_term, nodes)), False
        case And(nodes) | Or(nodes):
            return f"{type(node).__name__}({', '.join(map(repr, nodes))})", True
        case Not(Equals(path, value)):
            return f"{path.code()} != {_code_of(value)}", False
        case Not(In() as inner):
            return _call(inner, "notin"), True
        case Not(Not() as inner):
            return f"Not({inner!r})", True  # ~~x would be read as x
        case Not(inner):
            return f"~{_term(inner)}", True
        case FullText():
            excluded = (f'-"{" ".join(phrase)}"' for phrase in node.excluded)
            terms = [*node.words, *(f'"{" ".join(phrase)}"' for phrase in node.phrases), *excluded]
            return f"FullText({' '.join(terms)!r})", True
        case TimeBounds(since, until):
            return f"TimeBounds(since={_code_of(since)}, until={_code_of(until)})", True
        case Everything() | DataKey() | UidPrefix():
            parts = (repr(getattr(node, each.name)) for each in fields(node))
            return f"{type(node).__name__}({', '.join(parts)})", True
    raise NotImplementedError(type(node).__name__)


def _term(node: Node) -> str:
    """Give the code, in parentheses where an operator beside it would bind first."""
    code, stands_alone = _code(node)
    return code if stands_alone else f"({code})"


def _call(node: PathNode, method: str) -> str:
    parts = [(getattr(node, part.name), part.default) for part in fields(node)[1:] if part.init]
    given = [_code_of(value) for value, default in parts if value != default]
    return f"{node.path.code()}.{method}({', '.join(given)})"


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
