"""Where paths begin: in a run, but in an element of an array inside of `ElemMatch`."""

from __future__ import annotations

from ..errors import InvalidQuery
from .nodes import And, ElemMatch, Node, Not, Or, PathNode

_OF_ELEMENTS = ("element", "value")


def check_paths(node: Node, within: bool = False) -> Node:
    """Return a node whose paths all begin where they can.

    Parameters
    ----------
    node
        A question about a run or, `within` an `ElemMatch`, about an element.

    Raises
    ------
    InvalidQuery
        A path begins elsewhere.

    Examples
    --------
    >>> from .nodes import Path, Size
    >>> check_paths(Size(Path("", "value"), 3))
    Traceback (most recent call last):
    databroker.errors.InvalidQuery: Item.size(3) asks about an element of an array: ...
    """
    match node:
        case And() | Or():
            for each in node.nodes:
                check_paths(each, within)
        case Not():
            check_paths(node.node, within)
        case PathNode() if (node.path.document in _OF_ELEMENTS) == within:
            if isinstance(node, ElemMatch):
                check_paths(node.node, within=True)
        case PathNode() if not within:
            raise InvalidQuery(
                f"{node!r} asks about an element of an array: it can stand in elem_match alone"
            )
        case _ if within:
            raise InvalidQuery(f"{node!r} asks about a run; elem_match can only ask about elements")
    return node
