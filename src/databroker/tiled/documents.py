"""The documents of a run as Tiled exports them: a sequence of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..documents.kinds import LISTS, NESTED

if TYPE_CHECKING:
    from .run import RunEntry

SEQUENCE = "application/json-seq"
_RECORD = "\x1e"


def documents_of(
    mimetype: str, entry: RunEntry, metadata: Mapping[str, Any], filter_for_access: Any = None
) -> Iterator[str]:
    """Yield the documents of a run, each as a record; see RFC 7464.

    Parameters
    ----------
    mimetype
        That of such sequences.
    entry
        The run.
    metadata, filter_for_access
        What Tiled gives besides; who may see a run may see its documents.
    """
    for kind, document in entry.run.documents():
        name, given = _known(kind, document)
        text = json.dumps({"name": name, "doc": given}, default=_plain)
        yield f"{_RECORD}{text}\n"


def _known(kind: str, document: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a document as Tiled's client knows it: that has no name for a single datum."""
    return ("datum_page", _page(document)) if kind == "datum" else (kind, document)


def _page(datum: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page with one datum.

    Examples
    --------
    >>> _page({"resource": "r", "datum_id": "r/0", "datum_kwargs": {"frame": 4}})
    {'resource': 'r', 'datum_id': ['r/0'], 'datum_kwargs': {'frame': [4]}}
    """
    page: dict[str, Any] = {}
    for key, value in datum.items():
        if key in LISTS["datum_page"]:
            page[key] = [value]
        elif key in NESTED["datum"] and isinstance(value, Mapping):
            page[key] = {name: [each] for name, each in value.items()}
        else:
            page[key] = value
    return page


def _plain(value: Any) -> Any:
    """Return what JSON has no form for as what is most like it."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
