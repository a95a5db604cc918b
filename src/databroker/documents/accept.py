"""The door: a document is checked and made plain before any store sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidDocument
from .checks import check
from .normalise import SCALARS, normalise, normalise_values
from .pages import unpack

_COLUMNS = ("data", "timestamps", "filled")


def accept(kind: str, doc: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a checked, plain copy of a document, and what had to be changed.

    Raises
    ------
    UnknownDocumentKind, InvalidDocument
        As `check` and `normalise` say.

    Examples
    --------
    >>> accept("start", {"uid": "a", "time": 1.5, "shape": (1, 2)})
    ({'uid': 'a', 'time': 1.5, 'shape': [1, 2]}, [])
    """
    if not isinstance(doc, Mapping):
        raise InvalidDocument(f"{kind} document is a {type(doc).__name__}; it must be a dictionary.")
    if kind == "event" and _is_plain_event(doc):
        clean = {key: dict(value) if type(value) is dict else value for key, value in doc.items()}
        changes: list[str] = []
    elif kind == "event_page":
        clean, changes = _accept_page(doc)
    else:
        clean, changes = normalise(doc)
    check(kind, clean)
    if kind == "bulk_events":
        for event in unpack(kind, clean):
            check("event", event)
    return clean, changes


def _is_plain_event(doc: Mapping[str, Any]) -> bool:
    # Events come by the million, and most hold nothing but scalars: for them
    # a look at the types replaces a walk that copies.
    for key, value in doc.items():
        kind = type(value)
        if kind is dict:
            if not (_TEXT.issuperset(map(type, value)) and SCALARS.issuperset(map(type, value.values()))):
                return False
        elif kind not in SCALARS or type(key) is not str:
            return False
    return True


_TEXT = frozenset({str})


def _accept_page(doc: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Normalise the columns of a page, without a look at each number."""
    changes: list[str] = []
    clean: dict[str, Any] = {}
    for key, value in doc.items():
        if key in _COLUMNS and isinstance(value, dict) and _TEXT.issuperset(map(type, value)):
            clean[key] = {name: _column(column, name, changes) for name, column in value.items()}
        elif key in ("uid", "time", "seq_num"):
            clean[key] = _column(value, key, changes)
        else:
            rest, more = normalise({key: value})
            clean.update(rest)
            changes += more
    return clean, changes


def _column(column: Any, name: str, changes: list[str]) -> Any:
    if isinstance(column, tuple):
        column = list(column)
    elif not isinstance(column, list):
        kept, more = normalise({name: column})
        changes += more
        # A whole column may come as one array: its rows are its elements.
        array = kept[name]
        if not hasattr(array, "tolist") or array.ndim == 0:
            return array
        column = array.tolist() if array.ndim == 1 else list(array)
    return normalise_values(column, name, changes)
