"""Single documents gathered into pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from ..documents.kinds import NESTED, OWNER

__all__ = ["paged"]

Doc = dict[str, Any]

_MOST = 1000  # rows a page


def paged(documents: Iterable[tuple[str, Doc]]) -> Iterator[tuple[str, Doc]]:
    """Yield documents, consecutive events (or datum documents) of one owner as one page.

    Examples
    --------
    >>> datums = [
    ...     ("datum", {"datum_id": f"r/{n}", "resource": "r", "datum_kwargs": {"frame": n}})
    ...     for n in range(2)
    ... ]
    >>> list(paged(datums))[0]
    ('datum_page', {'datum_id': ['r/0', 'r/1'], 'resource': 'r', 'datum_kwargs': {'frame': [0, 1]}})
    """
    for (kind, _), group in groupby(enumerate(documents), _like):
        rows = [document for _, (_, document) in group]
        if kind in ("event", "datum"):
            yield f"{kind}_page", _page(kind, rows)
        else:
            yield kind, rows[0]


def _like(numbered: tuple[int, tuple[str, Doc]]) -> tuple[str, Any]:
    """Return what documents in one page have in common."""
    place, (kind, document) = numbered
    if kind not in ("event", "datum"):
        return kind, place
    inner = [tuple(document.get(key) or ()) for key in NESTED[kind]]
    return kind, (document[OWNER[kind]], tuple(document), *inner, place // _MOST)


def _page(kind: str, rows: list[Doc]) -> Doc:
    page: Doc = {}
    for key, first in rows[0].items():
        if key == OWNER[kind]:
            page[key] = first
        elif key in NESTED[kind]:
            page[key] = {name: [row[key][name] for row in rows] for name in first}
        else:
            page[key] = [row[key] for row in rows]
    return page
