"""``Key('sample.name') == 'Ni'``: questions written as Python expressions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar, Literal, NoReturn

from .._util.printable import shown
from ..errors import InvalidQuery
from . import nodes
from .nodes import Node, Operator, Path, PathNode
from .operands import comparable, nonzero, plain, type_name, whole_number
from .patterns import is_pattern, matching


class Key:
    """A key of the RunStart, or behind ``stop.`` of the RunStop, to ask about.

    Parameters
    ----------
    path
        Keys joined by dots, such as ``'sample.name'``.
    document
        ``'start'`` or ``'stop'``; by default 'stop' if the path begins with
        ``stop.``, else 'start'. So ``Key('stop.x', document='start')`` is the
        key ``x`` of a dictionary that the RunStart holds under ``stop``. Or
        ``'run'`` for what is known of the run beyond these: 'status', 'num_events'.

    Examples
    --------
    >>> (Key("sample.name") == "Ni") & (Key("scan_id") > 5)
    (Key('sample.name') == 'Ni') & (Key('scan_id') > 5)
    >>> Key("stop.exit_status").isin(["fail", "abort"]) | ~Key("operator").exists()
    Key('stop.exit_status').isin(['fail', 'abort']) | ~Key('operator').exists()
    """

    __slots__ = ("_path",)
    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __init__(self, path: str, document: Literal["start", "stop", "run"] | None = None) -> None:
        if document not in (None, "start", "stop", "run"):
            raise InvalidQuery(f"document is 'start' or 'stop', or 'run', not {shown(document)}")
        self._path = Path.parse(path) if document is None else Path(path, document)

    @property
    def path(self) -> Path:
        """Where the key leads, and in which document."""
        return self._path

    def __repr__(self) -> str:
        return self._path.code()

    def __eq__(self, value: object) -> Node:  # type: ignore[override]
        if is_pattern(value):
            return self.matches(value)
        return nodes.Equals(self._path, _value(value))

    def __ne__(self, value: object) -> Node:  # type: ignore[override]
        return ~(self == value)

    def __lt__(self, value: object) -> Node:
        return self._compare("lt", value)

    def __le__(self, value: object) -> Node:
        return self._compare("lte", value)

    def __gt__(self, value: object) -> Node:
        return self._compare("gt", value)

    def __ge__(self, value: object) -> Node:
        return self._compare("gte", value)

    def _compare(self, op: Operator, value: object) -> Node:
        return nodes.Compare(self._path, op, comparable(_value(value), f"a comparison ({op})"))

    def _unfinished(self, *other: object) -> NoReturn:
        # Python reads `Key('a') == 1 & Key('b') == 2` as `Key('a') == (1 & Key('b')) == 2`.
        raise TypeError(
            f"{self!r} is not yet a question. Compare it, and put each comparison in parentheses: "
            f"({self!r} == 1) & (Key('other') > 2)"
        )

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = __bool__ = _unfinished

    def isin(self, values: Iterable[Any]) -> Node:
        """Ask for one of these values.

        Examples
        --------
        >>> Key("plan_name").isin(["scan", "count"])
        Key('plan_name').isin(['scan', 'count'])
        """
        return nodes.In(self._path, _values(values))

    def notin(self, values: Iterable[Any]) -> Node:
        """Ask for none of these values; so also where the key is missing."""
        return ~self.isin(values)

    def matches(self, pattern: Any, flags: str = "") -> Node:
        """Ask for text in which a regular expression is found.

        Parameters
        ----------
        pattern
            Text, or a compiled pattern.
        flags
            Letters: ``i`` ignores case, ``m`` lets ``^`` and ``$`` match at each
            line, ``s`` lets ``.`` match line ends, ``x`` allows comments, ``a`` is ASCII.

        Examples
        --------
        >>> Key("sample.name").matches("^ni", "i")
        Key('sample.name').matches('^ni', 'i')
        """
        return matching(self._path, pattern, flags)

    def exists(self, expected: bool = True) -> Node:
        """Ask whether the key is there, be its value None; or, given False, is not."""
        return nodes.Exists(self._path, bool(expected))

    def contains_all(self, values: Iterable[Any]) -> Node:
        """Ask for an array that has all of these values, in any order."""
        return nodes.ContainsAll(self._path, _values(values))

    def size(self, n: int) -> Node:
        """Ask for an array of `n` elements."""
        return nodes.Size(self._path, whole_number("size", n))

    def has_type(self, kind: str | type) -> Node:
        """Ask for a value of this type: ``'string'`` or ``str``, ``'number'``, ``list``, ...

        Examples
        --------
        >>> Key("temperature").has_type("number") | Key("temperature").has_type(str)
        Key('temperature').has_type('number') | Key('temperature').has_type('string')
        """
        return nodes.HasType(self._path, type_name(kind))

    def mod(self, divisor: int, remainder: int) -> Node:
        """Ask for a number whose whole part, divided, leaves this remainder."""
        return nodes.Mod(self._path, nonzero("mod", divisor), whole_number("mod", remainder))

    def elem_match(self, query: Node) -> Node:
        """Ask for an array with one element that answers the whole query.

        In the query, keys are keys of the element; `Item` is the element itself.

        Examples
        --------
        >>> Key("samples").elem_match((Key("name") == "Ni") & (Key("mass") > 2))
        Key('samples').elem_match((Key('name') == 'Ni') & (Key('mass') > 2))
        >>> Key("temperatures").elem_match((Item > 300) & (Item < 310))
        Key('temperatures').elem_match((Item > 300) & (Item < 310))
        """
        if not isinstance(query, Node):
            raise InvalidQuery(
                f"elem_match takes a query such as Key('name') == 'Ni', not {shown(query)}"
            )
        return nodes.ElemMatch(self._path, _within_element(query))


def _item() -> Key:
    key = Key("")
    key._path = Path("", "value")
    return key


#: The element of an array itself, inside :meth:`Key.elem_match`.
Item = _item()


def _within_element(node: Node) -> Node:
    """Let the paths of a query begin at an element instead of at the RunStart."""
    if isinstance(node, nodes.And | nodes.Or):
        return type(node)(*map(_within_element, node.nodes))
    if isinstance(node, nodes.Not):
        return nodes.Not(_within_element(node.node))
    if isinstance(node, PathNode):
        path = node.path
        if path.document in ("start", "stop"):
            text = f"stop.{path.text}" if path.document == "stop" else path.text
            return replace(node, path=Path(text, "element"))
        if path.document != "run":
            return node
    raise InvalidQuery(f"{node!r} asks about a run; elem_match can only ask about elements")


def _value(value: object) -> Any:
    if isinstance(value, Key | Node):
        raise InvalidQuery(f"a key is compared with a value, not with {shown(value)}")
    return plain(value)


def _values(values: Any) -> tuple[Any, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidQuery(f"expected a list of values, not {shown(values)}")
    return tuple(map(_value, values))
