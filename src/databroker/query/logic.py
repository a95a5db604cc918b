"""What a question is, and how questions combine: and, or, not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

from .._util.printable import shown
from ..errors import InvalidQuery
from .paths import MAX_DEPTH

__all__ = ["And", "Everything", "Node", "Not", "Or", "checked_depth"]


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
        return self._code()

    def _code(self) -> str:
        raise NotImplementedError(type(self).__name__)

    def _term(self) -> str:
        """Give the code, in parentheses where an operator beside it would bind first."""
        return self._code() if self._stands_alone() else f"({self._code()})"

    def _stands_alone(self) -> bool:
        return True

    def _negated(self) -> tuple[str, bool]:
        """Give the code of the opposite, and whether that needs no parentheses."""
        return f"~{self._term()}", True


def checked_depth(children: Iterable[Node]) -> int:
    """Give the depth of a node over these, within bounds."""
    depth = 1 + max((child.depth for child in children), default=0)
    if depth > MAX_DEPTH:
        raise InvalidQuery(f"the query is nested more than {MAX_DEPTH} levels deep")
    return depth


def _flattened(kind: type[And] | type[Or], given: Iterable[Any]) -> Iterator[Node]:
    for item in given:
        if isinstance(item, kind):
            yield from item.nodes
        elif isinstance(item, Node):
            yield item
        elif isinstance(item, Iterable) and not isinstance(item, str | bytes | dict):
            yield from _flattened(kind, item)
        else:
            raise InvalidQuery(
                f"{kind.__name__} takes queries such as Key('plan_name') == 'scan', "
                f"not {shown(item)}"
            )


@dataclass(frozen=True, slots=True, repr=False)
class Everything(Node):
    """Every run."""

    def _code(self) -> str:
        return "Everything()"


class _Nary(Node):
    """What :class:`And` and :class:`Or` share."""

    __slots__ = ()
    nodes: tuple[Node, ...]
    _symbol: ClassVar[str]

    def _code(self) -> str:
        if len(self.nodes) < 2:
            return f"{type(self).__name__}({', '.join(map(repr, self.nodes))})"
        return f" {self._symbol} ".join(node._term() for node in self.nodes)

    def _stands_alone(self) -> bool:
        return len(self.nodes) < 2


@dataclass(frozen=True, slots=True, repr=False, init=False)
class And(_Nary):
    """All of these; given nothing, every run.

    Examples
    --------
    >>> from databroker.query.nodes import DataKey, UidPrefix
    >>> And(DataKey("det"), And(UidPrefix("a"), Everything())).nodes
    (DataKey('det'), UidPrefix('a'))
    """

    nodes: tuple[Node, ...]
    _depth: int = field(compare=False)
    _symbol: ClassVar[str] = "&"

    @property
    def depth(self) -> int:
        """How many nodes lie on top of each other, this one included."""
        return self._depth

    def __init__(self, *nodes: Node | Iterable[Node]) -> None:
        flat = tuple(n for n in _flattened(And, nodes) if not isinstance(n, Everything))
        object.__setattr__(self, "nodes", flat)
        object.__setattr__(self, "_depth", checked_depth(flat))


@dataclass(frozen=True, slots=True, repr=False, init=False)
class Or(_Nary):
    """Any of these; given nothing, no run."""

    nodes: tuple[Node, ...]
    _depth: int = field(compare=False)
    _symbol: ClassVar[str] = "|"

    @property
    def depth(self) -> int:
        """How many nodes lie on top of each other, this one included."""
        return self._depth

    def __init__(self, *nodes: Node | Iterable[Node]) -> None:
        flat = tuple(_flattened(Or, nodes))
        object.__setattr__(self, "nodes", flat)
        object.__setattr__(self, "_depth", checked_depth(flat))


@dataclass(frozen=True, slots=True, repr=False)
class Not(Node):
    """The opposite of a node."""

    node: Node
    _depth: int = field(init=False, compare=False)

    @property
    def depth(self) -> int:
        """How many nodes lie on top of each other, this one included."""
        return self._depth

    def __post_init__(self) -> None:
        if not isinstance(self.node, Node):
            raise InvalidQuery(f"Not takes a query, not {shown(self.node)}")
        object.__setattr__(self, "_depth", checked_depth((self.node,)))

    def _code(self) -> str:
        return self.node._negated()[0]

    def _stands_alone(self) -> bool:
        return self.node._negated()[1]

    def _negated(self) -> tuple[str, bool]:
        return f"Not({self!r})", True  # ~~x would be read as x
