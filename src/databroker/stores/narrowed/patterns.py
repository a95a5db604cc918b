"""Patterns in a question, which a store may try on whatever its index has.

How long a pattern takes on a text, whoever writes it can make depend on what is in the text. So it
must not be tried on the texts of runs that are not to be seen.
"""

from __future__ import annotations

from ...query.nodes import And, ElemMatch, Everything, Matches, Node, Not, Or, all_of


def split(query: Node) -> tuple[Node, Node]:
    """Return what of a query may be asked of a store, and what is to be tried on what it finds.

    Both must hold.

    Examples
    --------
    >>> from databroker.query.nodes import Equals, Path
    >>> split(Equals(Path("plan_name"), "scan") & Matches(Path("sample"), "^Ni"))
    (Key('plan_name') == 'scan', Key('sample').matches('^Ni'))
    >>> split(Equals(Path("plan_name"), "scan"))
    (Key('plan_name') == 'scan', Everything())
    """
    parts = query.nodes if isinstance(query, And) else (query,)
    with_patterns = [part for part in parts if _has_pattern(part)]
    if not with_patterns:
        return query, Everything()
    return all_of(part for part in parts if not _has_pattern(part)), all_of(with_patterns)


def _has_pattern(query: Node) -> bool:
    match query:
        case And(nodes) | Or(nodes):
            return any(map(_has_pattern, nodes))
        case Not(node):
            return _has_pattern(node)
        case ElemMatch():
            return _has_pattern(query.node)
    return isinstance(query, Matches)
