"""Why a question finds nothing: keys that no run has."""

from __future__ import annotations

from collections.abc import Callable

from .nodes import And, Compare, ElemMatch, Equals, Exists, In, Node, Or, Path, PathNode

__all__ = ["missing_keys"]


def missing_keys(query: Node, is_there: Callable[[Path], bool]) -> list[Path]:
    """Return the keys for want of which no run can match; none where that is not the reason.

    `is_there` tells whether some run has a key; it is called only for those that matter.

    Examples
    --------
    >>> query = (Equals(Path("operater"), "Dan") | Equals(Path("user"), "Dan")) & ~Exists(Path("x"))
    >>> [path.text for path in missing_keys(query, lambda path: False)]
    ['operater', 'user']
    >>> missing_keys(query, lambda path: path.text == "user")
    []
    """
    if isinstance(query, And):
        return [path for node in query.nodes for path in missing_keys(node, is_there)]
    if isinstance(query, Or):
        missing = []
        for node in query.nodes:
            if not (of_node := missing_keys(node, is_there)):
                return []
            missing += of_node
        return missing
    if not isinstance(query, PathNode) or query.path.document not in ("start", "stop"):
        return []
    return [] if _may_match_without(query) or is_there(query.path) else [query.path]


def _may_match_without(node: PathNode) -> bool:
    """Tell whether a run without the key may answer."""
    if isinstance(node, Equals | Compare):
        return node.value is None
    if isinstance(node, In):
        return None in node.values
    return not node.expected if isinstance(node, Exists) else isinstance(node, ElemMatch)
