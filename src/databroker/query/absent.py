"""Why a question cannot be answered: keys that nobody has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .nodes import And, Compare, ElemMatch, Equals, Exists, In, Node, Not, Or, Path

__all__ = ["absent_keys", "keys_of"]

_DEEPEST = 8


def absent_keys(query: Node, is_there: Callable[[Path], bool]) -> list[Path]:
    """Return the keys for want of which no run can match; none where that is not the reason.

    Whether some run has a key is asked only of those that matter.

    Examples
    --------
    >>> query = (Equals(Path("operater"), "Dan") | Equals(Path("user"), "Dan")) & ~Exists(Path("x"))
    >>> [path.text for path in absent_keys(query, lambda path: False)]
    ['operater', 'user']
    >>> absent_keys(query, lambda path: path.text == "user")
    []
    """
    if isinstance(query, And):
        return [path for node in query.nodes for path in absent_keys(node, is_there)]
    if isinstance(query, Or):
        found = []
        for node in query.nodes:
            if not (absent := absent_keys(node, is_there)):
                return []
            found += absent
        return found
    path = getattr(query, "path", None)
    if path is None or path.document not in ("start", "stop") or _is_content_without(query):
        return []
    return [] if is_there(path) else [path]


def _is_content_without(node: Node) -> bool:
    """Tell whether a run without the key may answer."""
    if isinstance(node, Equals | Compare):
        return node.value is None
    if isinstance(node, In):
        return None in node.values
    return not node.expected if isinstance(node, Exists) else isinstance(node, Not | ElemMatch)


def keys_of(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of a document as one writes them in a search, nested ones with dots.

    Examples
    --------
    >>> list(keys_of({"sample": {"name": "Ni"}, "scan_id": 5}))
    ['sample', 'sample.name', 'scan_id']
    """
    yield from _keys("", document, _DEEPEST)


def _keys(before: str, document: Mapping[str, Any], depth: int) -> Iterator[str]:
    for key, value in document.items():
        yield before + key
        if isinstance(value, Mapping) and depth:
            yield from _keys(f"{before}{key}.", value, depth - 1)
