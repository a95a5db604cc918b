"""Where a question looks: a path, the document in which it begins, and where it leads in that."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from ..errors import InvalidQuery
from .values import MISSING, thaw

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

_POSITION = re.compile(r"0|[1-9][0-9]{0,17}")
_DEEPEST = 8

# For each part of a path: the key that it is, and those that it is with what follows, since a
# key may itself contain dots.
_Steps = tuple[tuple[str, tuple[str, ...]], ...]

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


def get_path(document: Mapping[str, Any], parts: tuple[str, ...]) -> list[Any]:
    """Give the values at a path of a document.

    MISSING stands for a dictionary without the key, and for a scalar where the
    path goes on. An array that holds no dictionary gives nothing at all.

    Examples
    --------
    >>> get_path({"a": [{"b": 1}, {"b": 2}, {}]}, ("a", "b"))
    [1, 2, MISSING]
    >>> get_path({"a": [5, 6], "a.b": 7}, ("a", "1")), get_path({"a": {"b.c": 7}}, ("a", "b", "c"))
    ([6], [7])
    """
    return _get(_steps(parts), document)


def path_getter(parts: tuple[str, ...]) -> Callable[[Mapping[str, Any]], list[Any]]:
    """Make a function that gives the values at this path of one document after another."""
    return partial(_get, _steps(parts))


def _steps(parts: tuple[str, ...]) -> _Steps:
    count = len(parts)
    return tuple(
        (parts[at], tuple(".".join(parts[at:end]) for end in range(at + 2, count + 1)))
        for at in range(count)
    )


def _get(steps: _Steps, document: Any) -> list[Any]:
    value = document
    for key, longer_keys in steps:  # dictionary in dictionary: nearly always
        if type(value) is not dict:
            return _get_all(steps, document)
        for longer in longer_keys:
            if longer in value:
                return _get_all(steps, document)
        if key not in value:
            return [MISSING]
        value = value[key]
    return [thaw(value)]


def _get_all(steps: _Steps, document: Any) -> list[Any]:
    values: list[Any] = []
    # Where an array's elements can be reached both by position and without,
    # ways would multiply with depth; each array is searched once per part.
    searched: dict[tuple[int, int], Any] = {}

    def go(value: Any, at: int) -> None:
        if at == len(steps):
            values.append(value)
        elif type(value) is dict or isinstance(value, Mapping):
            key, longer_keys = steps[at]
            is_known = False
            for end, name in enumerate((key, *longer_keys), at + 1):
                if name in value:
                    is_known = True
                    go(thaw(value[name]), end)
            if not is_known:
                values.append(MISSING)
        elif not isinstance(value, list | tuple):
            values.append(MISSING)
        elif (id(value), at) not in searched:
            searched[id(value), at] = value
            for item in value:
                if isinstance(item, Mapping):
                    go(item, at)
            part = steps[at][0]
            if _POSITION.fullmatch(part) and int(part) < len(value):
                go(thaw(value[int(part)]), at + 1)

    go(document, 0)
    return values


def key_paths(
    document: Mapping[str, Any], prefix: str = "", depth: int = _DEEPEST
) -> Iterator[str]:
    """Yield the keys of a document as one writes them in a search, nested ones with dots.

    Examples
    --------
    >>> list(key_paths({"sample": {"name": "Ni"}, "scan_id": 5}))
    ['sample', 'sample.name', 'scan_id']
    """
    for key, value in document.items():
        yield prefix + key
        if isinstance(value, Mapping) and depth:
            yield from key_paths(value, f"{prefix}{key}.", depth - 1)
