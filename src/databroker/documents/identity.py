"""What is said when a document cannot be placed beside the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._util.printable import shown
from ..errors import ConflictingDocument, UnknownDescriptor
from .kinds import IDENTITY, Document

CLOSED_BY = "closed_by"
"""The key of a stop document that `Broker.close_run` made for a run whose writer died."""


def is_provisional(stop: Document) -> bool:
    """Tell whether a stop was made by `Broker.close_run`, and gives way to the writer's own."""
    return CLOSED_BY in stop


def same_row(known: Document, found: Document) -> bool:
    """Tell whether two rows of one identity are equal; one may say what is filled, and one not.

    Events are handed out with that said, and come again as what they are.

    Examples
    --------
    >>> same_row({"uid": "a", "data": {}}, {"uid": "a", "data": {}, "filled": {}})
    True
    """
    from .encode import same

    if all(isinstance(row.get("filled"), dict) for row in (known, found)):
        return same(known, found)
    return same(known, found) or same(_without_flags(known), _without_flags(found))


def conflict(kind: str, known: Document, found: Document) -> ConflictingDocument:
    """Return the error for a document that differs from the stored one of its identity.

    Examples
    --------
    >>> print(conflict("start", {"uid": "a", "time": 1.0}, {"uid": "a", "time": 2.0}))
    start document 'a' is already stored with other content: 'time' is 1.0 there and 2.0 here. ...
    """
    name = found[IDENTITY[kind]]
    if kind == "stop" and known["uid"] != name:
        return ConflictingDocument(
            f"Run {found['run_start']!r} has ended already, with the stop document "
            f"{known['uid']!r}; a second one ({name!r}) is refused."
        )
    where = next((key for key in {**known, **found} if not _alike(key, known, found)), "?")
    return ConflictingDocument(
        f"{kind} document {name!r} is already stored with other content: {where!r} is "
        f"{_shown(known, where)} there and {_shown(found, where)} here. Documents are never "
        "changed once stored; a new document needs a new uid."
    )


def unknown_descriptor(uid: str) -> UnknownDescriptor:
    """Return the error for an event whose descriptor, of this uid, was never inserted."""
    return UnknownDescriptor(
        f"The event belongs to the descriptor {uid!r}, which was never inserted. Insert the "
        "descriptor first."
    )


def last_time(documents: Iterable[Document]) -> float:
    """Return the time of the newest of some documents; that of none is -inf."""
    times = (_seconds(document.get("time")) for document in documents)
    return max(times, default=float("-inf"))


def _seconds(value: Any) -> float:
    return float(value) if type(value) in (int, float) else float("-inf")


def _without_flags(row: Document) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "filled"}


def _alike(key: str, known: Document, found: Document) -> bool:
    from .encode import same

    return key in known and key in found and same(known[key], found[key])


def _shown(document: Document, key: str) -> str:
    return shown(document[key]) if key in document else "missing"
