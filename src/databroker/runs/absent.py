"""What is said where there is nothing to give, because nothing has the name that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .._util.suggestions import did_you_mean
from .._util.user_warnings import warn_user
from ..errors import NothingFoundWarning
from ..query.aliases import ALIASES
from ..query.nodes import And, Compare, ElemMatch, Equals, Exists, In, Node, Or, Path, PathNode

if TYPE_CHECKING:
    from ..stores.base import Store

_SHOWN = 12
_MOST_NAMES = 2_000

_MEANT = {
    "limit": "to take the first few of the results, write db(...).limit(n)",
    "n": "to take the first few of the results, write db(...).limit(n)",
    "sort": "to put the results into an order, write db(...).sort(key)",
    "columns": "for a table of the results, write db(...).to_frame(columns)",
    "fields": "to load some fields, write header.table(fields=[...])",
    "stream_name": "to load a stream, write header.table(stream_name)",
    "text_search": "for words, write them first: db('good sample')",
}
"""What people mean who write the name of an option where a key is expected."""


def warn_if_absent(run: str, kind: str, name: object, known: Iterable[str]) -> None:
    """Warn if a name is none of those that a run has; say nothing of a run that has none at all."""
    names = list(dict.fromkeys(known))
    if not isinstance(name, str) or name in names or not names:
        return
    shown = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
    warn_user(
        f"Run {run[:8]!r} has no {kind} {name!r}.{did_you_mean(name, names)} It has: {shown}.",
        NothingFoundWarning,
    )


def explain_nothing(store: Store, query: Node) -> None:
    """Warn if nothing matches a query because of a key that no run has, with the nearest name.

    This is for searches that turned out empty: it costs a look into the index, or into
    all runs where there is none.
    """
    absent = missing_keys(query, lambda path: _is_there(store, path))
    if absent and (known := store.keys(_MOST_NAMES)):
        path = absent[0]
        prefix = "stop." if path.document == "stop" else ""
        key = prefix + path.text
        # A word that is known is no slip of the pen; there is nothing to look it up in.
        words = [*known, "since", "until", "data_key", *ALIASES]
        hint = "" if key in ALIASES else did_you_mean(key, words)
        if not prefix and key in _MEANT:
            hint = f" If it is not meant as a key: {_MEANT[key]}."
        warn_user(f"Nothing was found: no run has the key {key!r}.{hint}", NothingFoundWarning)


def _is_there(store: Store, path: Path) -> bool:
    return next(iter(store.select(Exists(path), [Path("uid")], 1)), None) is not None


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
