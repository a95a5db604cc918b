"""Single documents gathered into pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial, wraps
from itertools import groupby
from typing import Any

from ..documents.kinds import NESTED, OWNER

Doc = dict[str, Any]

_MOST = 1000  # rows a page


def paged(documents: Iterable[tuple[str, Doc]], most: int = _MOST) -> Iterator[tuple[str, Doc]]:
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
    for (kind, _), group in groupby(enumerate(documents), partial(_like, most)):
        rows = [document for _, (_, document) in group]
        if kind in ("event", "datum"):
            yield f"{kind}_page", _page(kind, rows)
        else:
            yield kind, rows[0]


def to_event_pages(get_event_cursor: Callable[..., Iterable[Doc]], page_size: int) -> Any:
    """Return a function that yields pages of the events that another one yields.

    Parameters
    ----------
    get_event_cursor
        The function that yields events.
    page_size
        How many events a page has at most.

    Examples
    --------
    >>> def events():
    ...     for n in (1, 2, 3):
    ...         yield {"uid": f"e{n}", "descriptor": "d", "seq_num": n, "time": 0.0,
    ...                "data": {"x": n}, "timestamps": {"x": 0.0}}
    >>> [page["data"] for page in to_event_pages(events, 2)()]
    [{'x': [1, 2]}, {'x': [3]}]
    """
    return _pages_of("event", get_event_cursor, page_size)


def to_datum_pages(get_datum_cursor: Callable[..., Iterable[Doc]], page_size: int) -> Any:
    """Return a function that yields pages of datum documents; see `to_event_pages`.

    Examples
    --------
    >>> def datums():
    ...     yield {"datum_id": "r/0", "resource": "r", "datum_kwargs": {"frame": 0}}
    >>> list(to_datum_pages(datums, 2)())
    [{'datum_id': ['r/0'], 'resource': 'r', 'datum_kwargs': {'frame': [0]}}]
    """
    return _pages_of("datum", get_datum_cursor, page_size)


def _pages_of(kind: str, cursor: Callable[..., Iterable[Doc]], page_size: int) -> Any:
    @wraps(cursor)
    def pages(*args: Any, **kwargs: Any) -> Iterator[Doc]:
        documents = ((kind, document) for document in cursor(*args, **kwargs))
        return (page for _, page in paged(documents, page_size))

    return pages


def _like(most: int, numbered: tuple[int, tuple[str, Doc]]) -> tuple[str, Any]:
    """Return what documents in one page have in common."""
    place, (kind, document) = numbered
    if kind not in ("event", "datum"):
        return kind, place
    inner = [tuple(document.get(key) or ()) for key in NESTED[kind]]
    return kind, (document[OWNER[kind]], tuple(document), *inner, place // most)


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
