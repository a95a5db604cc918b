"""Patterns as conditions on the index."""

from __future__ import annotations

import re

from ....errors import QueryTimeout
from ....query.evaluate import RunView, compile
from ....query.nodes import Matches, Path
from ..engine.conditions import either
from .compiled import UNKNOWN, Compiled
from .index import bound
from .index_terms import LONG_TEXT, TEXT
from .path_index import DOCUMENTS, PathIndex

__all__ = ["matching"]

MOST_TEXTS = 256
"""Of a key with no more different texts than these, each is tried once."""

_BEGINNING = re.compile(r"(?:\^|\\A)((?:[\w \-/]|\\[.\-/_])+)", re.ASCII)


def matching(places: PathIndex, node: Matches) -> Compiled:
    """Compile the question whether a pattern is found in a text.

    A key such as the plan's name has few different texts: the pattern is tried
    on each, and the runs that have one that fits are looked up.
    """
    path = node.path
    if path.document not in DOCUMENTS:
        return UNKNOWN
    long = places.find(path, ((LONG_TEXT,), "any", ()))
    few = _fitting(places, node) if long.sure else None
    if few is None:
        return _beginning(places, node)
    fitting = places.find_values(path, TEXT, few)
    others = [*long.lookups, *long.marks]
    return Compiled(either([*fitting.lookups, *others]), not others)


def _fitting(places: PathIndex, node: Matches) -> list[str] | None:
    """Return the texts at a path that a pattern is found in, if there are few texts."""
    texts = places.texts(node.path, MOST_TEXTS)
    if texts is None:
        return None
    fits = compile(Matches(Path("text"), node.pattern, node.flags))
    try:
        return [text for text in texts if fits(RunView({"text": text}))]
    except QueryTimeout:
        return None  # the evaluator will say so, if it comes to such a run


def _beginning(places: PathIndex, node: Matches) -> Compiled:
    """Look up the texts, of those only that begin as the pattern says that they must."""
    prefix = literal_beginning(node.pattern, node.flags)
    # No byte of UTF-8 is 255.
    limits = (bound(TEXT, prefix), bound(TEXT, prefix) + b"\xff")
    wanted = ("within", limits) if prefix else ("any", ())
    return places.find(node.path, ((TEXT, LONG_TEXT), *wanted)).compiled.at_least()


def literal_beginning(pattern: str, flags: str = "") -> str:
    r"""Return the text that each match begins with, at the beginning of the text.

    Examples
    --------
    >>> literal_beginning("^scan_4.*x"), literal_beginning(r"\Aa\.b"), literal_beginning("^ab*")
    ('scan_4', 'a.b', 'a')
    >>> literal_beginning("scan"), literal_beginning("^a|b"), literal_beginning("^a", "i")
    ('', '', '')
    """
    found = _BEGINNING.match(pattern)
    if not found or set("imx") & set(flags) or "|" in pattern or "(?" in pattern:
        return ""
    literal = re.sub(r"\\(.)", r"\1", found[1])
    # What is repeated, perhaps not at all, is not sure to be there.
    return literal[:-1] if pattern[found.end() : found.end() + 1] in set("*+?{") else literal
