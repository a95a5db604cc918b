"""The door: a document is checked and made plain before any store sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._util.printable import shown, type_name
from .._util.signals import not_from_signal
from ..errors import DatabrokerError, InvalidDocument
from .kinds import LISTS, NESTED, PAGES
from .normalise import SCALARS, normalise, normalise_column
from .pages import unpack
from .repair import repair
from .validate import check, check_kind

_TEXT = frozenset({str})


def accept(kind: str, doc: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a checked, plain copy of a document, and what had to be changed.

    Nothing but UnknownDocumentKind and InvalidDocument is raised, whatever is in the document.

    Examples
    --------
    >>> accept("start", {"uid": "a", "time": 1.5, "shape": (1, 2)})
    ({'uid': 'a', 'time': 1.5, 'shape': [1, 2]}, [])
    """
    check_kind(kind)
    try:
        return _accepted(kind, doc)
    except (DatabrokerError, MemoryError):
        raise
    except not_from_signal(Exception) as error:  # of somebody else's class
        raise InvalidDocument(
            f"{kind} document, a {type_name(doc)}, cannot be read: it raises {shown(error, 200)}."
        ) from error


def _accepted(kind: str, doc: Any) -> tuple[dict[str, Any], list[str]]:
    if type(doc) is not dict:
        if not isinstance(doc, Mapping):
            raise InvalidDocument(
                f"{kind} document is a {type_name(doc)}; it must be a dictionary."
            )
        doc = dict(doc.items())
    changes: list[str] = []
    clean = _plain_event(doc) if kind == "event" else None
    if kind in LISTS:
        clean = _accept_page(kind, doc, changes)
    elif clean is None:
        clean, changes = normalise(doc)
    repair(kind, clean, changes)
    check(kind, clean)
    if kind in ("bulk_events", "bulk_datum"):
        _check_each(kind, clean)
    return clean, changes


def _plain_event(doc: dict[Any, Any]) -> dict[str, Any] | None:
    """Return a copy of an event that holds nothing but scalars; None of another one."""
    # Events come by the million, and most are such: for them a look at the types replaces
    # a walk through all values.
    if not _TEXT.issuperset(map(type, doc)):
        return None
    clean = doc.copy()
    for key, value in doc.items():
        kind = type(value)
        if kind is dict:
            if not (
                _TEXT.issuperset(map(type, value)) and SCALARS.issuperset(map(type, value.values()))
            ):
                return None
            clean[key] = value.copy()
        elif kind not in SCALARS:
            return None
    return clean


def _accept_page(kind: str, doc: Mapping[str, Any], changes: list[str]) -> dict[str, Any]:
    """Normalise the columns of a page, without a look at each number."""
    clean: dict[str, Any] = {}
    for key, value in doc.items():
        if key in LISTS[kind]:
            clean[key] = normalise_column(value, key, changes)
        elif (
            key in NESTED[PAGES[kind]]
            and isinstance(value, dict)
            and _TEXT.issuperset(map(type, value))
        ):
            clean[key] = {
                name: normalise_column(column, name, changes) for name, column in value.items()
            }
        else:
            rest, more = normalise({key: value})
            clean.update(rest)
            changes += more
    return clean


def _check_each(kind: str, bulk: dict[str, Any]) -> None:
    single = PAGES[kind]
    for place, document in enumerate(unpack(kind, bulk)):
        try:
            if not isinstance(document, dict):
                raise InvalidDocument(f"{shown(document)} is not a dictionary.")
            check(single, document)
        except InvalidDocument as error:
            raise InvalidDocument(f"{kind} document, item {place}: {error}") from None
