"""Hypothesis strategies for searches that have a fair chance to find something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from ..query import nodes as n
from ..query.operands import plain
from ..query.text import parse_text
from .values import scalars

_WORDS = ("good", "sample", '"good sample"', "zurich", "Ni -test", "样品", "-eta", "det µm")


def leaves(doc: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every path in a document and the value there, containers included.

    Examples
    --------
    >>> list(leaves({"sample": {"name": "Ni"}, "sizes": [1]}))
    [('sample', {'name': 'Ni'}), ('sample.name', 'Ni'), ('sizes', [1]), ('sizes.0', 1)]
    """
    items = doc.items() if isinstance(doc, dict) else enumerate(doc) if type(doc) is list else ()
    for key, value in items:
        place = f"{path}.{key}" if path else str(key)
        yield place, value
        yield from leaves(value, place)


def questions(
    starts: Sequence[dict[str, Any]], stops: Sequence[dict[str, Any]] = ()
) -> st.SearchStrategy[n.Node]:
    """Return a strategy for nodes that ask about paths and values of some runs.

    Parameters
    ----------
    starts, stops
        The documents of the runs to ask about.
    """
    places: list[tuple[n.Document, dict[str, Any]]] = [("start", doc) for doc in starts]
    places += [("stop", doc) for doc in stops]
    pairs = [
        (n.Path(key, document), plain(value))
        for document, doc in places
        for key, value in leaves(doc)
        if key.count(".") < n.MAX_DEPTH
    ]
    pairs.append((n.Path("missing"), None))
    paths = st.sampled_from([path for path, _ in pairs])
    values = scalars() | st.sampled_from([value for _, value in pairs])
    times = st.none() | st.sampled_from([float(doc["time"]) for doc in starts] or [0.0])
    uids = st.sampled_from([doc["uid"] for doc in starts] or [""])
    single = st.one_of(
        st.sampled_from(pairs).map(lambda pair: n.Equals(*pair)),
        st.builds(n.Equals, paths, values),
        st.builds(n.In, paths, st.lists(values, max_size=3).map(tuple)),
        st.builds(n.ContainsAll, paths, st.lists(values, max_size=2).map(tuple)),
        st.builds(n.Compare, paths, st.sampled_from(("gt", "gte", "lt", "lte")), scalars()),
        st.builds(n.Exists, paths, st.booleans()),
        st.builds(n.Size, paths, st.integers(0, 3)),
        st.builds(n.Matches, paths, st.sampled_from(("^g", "a.p", "[0-9]", "$")), st.just("i")),
        st.builds(n.TimeBounds, times, times),
        st.builds(n.DataKey, st.sampled_from(("det", "motor", "a.b", "", "ü\x00"))),
        st.builds(lambda uid, size: n.UidPrefix(uid[:size]), uids, st.integers(0, 40)),
        st.sampled_from(_WORDS).map(parse_text),
        st.just(n.Everything()),
    )
    return st.recursive(
        single,
        lambda inner: st.one_of(
            inner.map(lambda node: ~node),
            st.lists(inner, max_size=3).map(n.And),
            st.lists(inner, max_size=3).map(n.Or),
        ),
        max_leaves=3,
    )


def walk(node: n.Node) -> Iterator[n.Node]:
    """Iterate over a node and all nodes in it."""
    yield node
    if isinstance(node, n.And | n.Or):
        for child in node.nodes:
            yield from walk(child)
    elif isinstance(node, n.Not | n.ElemMatch):
        yield from walk(node.node)
