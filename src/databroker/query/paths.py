"""Where a question looks: a path, and in which document it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import InvalidQuery

__all__ = ["FACTS", "MAX_DEPTH", "Document", "Path"]

#: How deeply a question may be nested. Deeper ones are refused with a clear
#: error instead of running into Python's recursion limit half-way.
MAX_DEPTH = 100

#: Where a path begins. Besides the two documents of a run, ``'run'`` is what is
#: known of the run beyond these (`FACTS`); ``'element'`` is an element of an array
#: whose keys are looked at, and ``'value'`` the element itself; both occur only
#: inside :class:`ElemMatch`.
Document = Literal["start", "stop", "run", "element", "value"]

#: What is known of a run beyond its documents: how it stands, and how many events
#: its main stream has (all its streams, if none is called primary).
FACTS = ("status", "num_events")

_PREFIXES: tuple[Document, Document] = ("start", "stop")


@dataclass(frozen=True, slots=True)
class Path:
    """A place in a document: keys joined by dots, and the document in which they begin.

    Examples
    --------
    >>> Path("sample.name").parts
    ('sample', 'name')
    """

    text: str
    document: Document = "start"

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidQuery(
                f"a key must be text such as 'sample.name', not {type(self.text).__name__}"
            )
        if self.text.count(".") >= MAX_DEPTH:
            raise InvalidQuery(f"a key may have at most {MAX_DEPTH} parts between dots")
        if self.document == "run" and self.text not in FACTS:
            raise InvalidQuery(
                f"what is known of a run is {' and '.join(map(repr, FACTS))}, not {self.text!r}"
            )

    @classmethod
    def parse(cls, text: str) -> Path:
        """Read a key as users write it, who may put ``start.`` or ``stop.`` before it.

        Examples
        --------
        >>> Path.parse("stop.num_events.primary")
        Path(text='num_events.primary', document='stop')
        >>> Path.parse("stop")
        Path(text='stop', document='start')
        """
        if isinstance(text, str):
            for document in _PREFIXES:
                key = text.removeprefix(f"{document}.")
                if key not in (text, ""):
                    return cls(key, document)
        return cls(text)

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys between the dots; none for an array element itself."""
        return () if self.document == "value" else tuple(self.text.split("."))

    def code(self) -> str:
        """Give the code that makes a key for this path."""
        if self.document == "value":
            return "Item"
        if self.document == "stop":
            return f"Key({'stop.' + self.text!r})"
        if self.document == "run":
            return f"Key({self.text!r}, document='run')"
        if self.document == "start" and Path.parse(self.text) != self:
            return f"Key({self.text!r}, document='start')"
        return f"Key({self.text!r})"
