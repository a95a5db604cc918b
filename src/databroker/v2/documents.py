"""Documents as classes, one for each kind, which cannot be changed."""

from __future__ import annotations

from typing import Any

from .._util.printable import pformat_of_tree, repr_of_tree
from ..documents.readonly import ReadOnly


class Document(ReadOnly):
    """A document: a dictionary that refuses to be changed, and says what it is.

    Examples
    --------
    >>> start = Start({"uid": "a", "hints": {"dimensions": []}})
    >>> start
    Start({'uid': 'a', 'hints': {'dimensions': []}})
    >>> start.to_dict()["hints"]["dimensions"].append("x")
    >>> start["hints"]
    {'dimensions': []}
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({repr_of_tree(dict(self))})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"{type(self).__name__}({pformat_of_tree(dict(self))})")


class Start(Document):
    """What was known when a run began."""


class Stop(Document):
    """How a run ended."""


class Descriptor(Document):
    """What the events of a stream hold."""


class Event(Document):
    """One row of a stream."""


class EventPage(Document):
    """Several rows of a stream."""


class Resource(Document):
    """A file, and how to read it."""


class Datum(Document):
    """A part of a file."""


class DatumPage(Document):
    """Several parts of a file."""
