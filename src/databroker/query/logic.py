"""What a question is, and how questions combine: and, or, not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

from .._util.printable import shown
from ..errors import InvalidQuery
from .paths import MAX_DEPTH

__all__ = ["And", "Everything", "Node", "Not", "Or", "all_of", "any_of", "checked_depth"]


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


@dataclass(frozen=True, slots=True, repr=False)
class Everything(Node):
    """Every run."""

    def _code(self) -> str:
        return "Everything()"


@dataclass(frozen=True, slots=True, repr=False, init=False)
class _Combination(Node):
    """What :class:`And` and :class:`Or` share."""

    nodes: tuple[Node, ...]
    depth: int = field(compare=False)
    _symbol: ClassVar[str]

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

    def _code(self) -> str:
        if len(self.nodes) < 2:
            return f"{type(self).__name__}({', '.join(map(repr, self.nodes))})"
        return f" {self._symbol} ".join(node._term() for node in self.nodes)

    def _stands_alone(self) -> bool:
        return len(self.nodes) < 2


class And(_Combination):
    """All of these; given nothing, every run.

    Examples
    --------
    >>> from databroker.query.nodes import DataKey, UidPrefix
    >>> And(DataKey("det"), And(UidPrefix("a"), Everything())).nodes
    (DataKey('det'), UidPrefix('a'))
    """

    __slots__ = ()
    _symbol: ClassVar[str] = "&"

    def _flattened(self, nodes: Iterable[Any]) -> Iterator[Node]:
        return (n for n in super()._flattened(nodes) if not isinstance(n, Everything))


class Or(_Combination):
    """Any of these; given nothing, no run."""

    __slots__ = ()
    _symbol: ClassVar[str] = "|"


@dataclass(frozen=True, slots=True, repr=False)
class Not(Node):
    """The opposite of a node."""

    node: Node
    depth: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.node, Node):
            raise InvalidQuery(f"Not takes a query, not {shown(self.node)}")
        object.__setattr__(self, "depth", checked_depth((self.node,)))

    def _code(self) -> str:
        return self.node._negated()[0]

    def _stands_alone(self) -> bool:
        return self.node._negated()[1]

    def _negated(self) -> tuple[str, bool]:
        return f"Not({self!r})", True  # ~~x would be read as x


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
