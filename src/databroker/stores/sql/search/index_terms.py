"""What of a document is indexed: its leaves, each a path and a scalar value.

Containers leave a mark, so that one can ask whether a key exists. What is not
indexed leaves a mark too, and runs with that mark are looked at themselves:
arrays inside arrays, arrays longer than 256; of more than 5 000 keys of a
document those amid the others; and of more than 5 000 leaves inside it those of
the deepest and largest containers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ...._util.lazy import lazy_module
from ....query.text import texts_of, words
from .name_filter import name_filter

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_module("numpy")

Leaf = tuple[str, int, Any]
"""Path, kind and value."""

NULL, FALSE_TRUE, NUMBER, NAN, TEXT, LONG_TEXT, OBJECT, ARRAY, UNINDEXED, DOTTED = range(10)
"""What a leaf is; marks have the value 0.

UNINDEXED says that what is there is not indexed, or not wholly; at the path
``""``, the value is a filter of the keys of which this is so (see
`name_filter`). DOTTED, at the path ``""``, says that some key contains a dot.
"""

WITHOUT_VALUE = frozenset({NULL, NAN, OBJECT, ARRAY})
"""The kinds of leaves that have the value 0."""

MAX_ARRAY = 256
MAX_PATH = 640  # characters: some databases have indexes of 2 700 bytes an entry at most
MAX_LEAVES = 5_000
MAX_TEXT = 256
MAX_WORDS = 10_000
MAX_KNOWN_WORDS = 2**20
EXACT_INTEGERS = 2**53

_PIECE = 65_536  # characters that are looked at between two counts of the words
_SHORT = 256  # characters, and texts: so many of them make a piece
_SPACE = re.compile(r"\s")

_PLAIN = "biufU"  # dtypes whose elements are Python's scalars


def leaves(document: dict[str, Any], without: Container[str] = ()) -> set[Leaf]:
    """Return the leaves of a document."""
    found: set[Leaf] = set()
    if "." in "".join(document):
        found.add(("", DOTTED, 0))
    own = [item for item in document.items() if item[0] not in without]
    items = [item for item in own if len(item[0]) <= MAX_PATH]
    left = [key for key, _ in own if len(key) > MAX_PATH]
    if len(items) > MAX_LEAVES:
        # What programs and people add to very many keys stands before or behind them.
        half = MAX_LEAVES // 2
        left += [key for key, _ in items[half:-half]]
        items = items[:half] + items[-half:]
    if left:
        found.add(("", UNINDEXED, name_filter(left)))
    room = MAX_LEAVES  # for what is inside
    while items:
        containers = _add(found, items)
        items = []
        for path, container in sorted(containers, key=lambda one: len(one[1])):
            inner = _inner(path, container) if len(container) <= room else None
            if inner is None:
                found.add((path, UNINDEXED, 0))
            else:
                items += inner
                room -= len(inner)
    return found


def _add(found: set[Leaf], items: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Add what is at some paths; return the containers, which wait for their turn."""
    containers = []
    for path, value in items:
        shape = type(value)
        if shape is np.ndarray and value.ndim == 0:
            value = value.item() if value.dtype.kind in _PLAIN else value
        if shape is dict:
            found.add((path, OBJECT, 0))
            if "." in "".join(value):
                found.add(("", DOTTED, 0))
            containers.append((path, value))
        elif shape is list or (isinstance(value, np.ndarray) and value.ndim):
            found.add((path, ARRAY, 0))
            containers.append((path, value))
        else:
            found.add((path, *leaf(value)))
    return containers


def leaf(value: Any) -> tuple[int, Any]:
    """Return the kind and the indexed form of a scalar; the mark for anything else.

    The form of long text is its beginning, and that of an integer beyond
    2**53 the nearest float: runs found by these are verified.
    """
    kind = type(value)
    if kind is str:
        return (TEXT, value) if len(value) <= MAX_TEXT else (LONG_TEXT, value[:MAX_TEXT])
    if kind is float:
        return (NUMBER, value) if value == value else (NAN, 0)
    if kind is int:
        return NUMBER, value if abs(value) <= EXACT_INTEGERS else nearest_float(value)
    if kind is bool:
        return FALSE_TRUE, int(value)
    return (NULL, 0) if value is None else (UNINDEXED, 0)


def nearest_float(value: int) -> float:
    """Return an integer of any size as a float; infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def indexed_words(document: dict[str, Any]) -> tuple[set[str], bytes | int | None]:
    """Return words of a document, and of the others a filter; None if there are no others.

    Where even the others are too many, 0 stands for them.
    """
    found: set[str] = set()
    for piece in _pieces(texts_of(document)):
        found.update(words(piece))
        if len(found) > MAX_KNOWN_WORDS:
            # The rest of a book need not be read: the run will be looked at itself.
            return set(sorted(found)[:MAX_WORDS]), 0
    if len(found) <= MAX_WORDS:
        return found, None
    indexed = set(sorted(found)[:MAX_WORDS])
    return indexed, name_filter(found - indexed)


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """Join short texts, and cut a long one where there is white space."""
    short: list[str] = []
    for text in texts:
        if len(text) < _SHORT and text.isascii():  # others are slower, and would slow all
            short.append(text)
            continue
        start = 0
        while len(text) - start > _PIECE:
            space = _SPACE.search(text, start + _PIECE)
            if space is None:
                break
            yield text[start : space.start()]
            start = space.end()
        yield text[start:]
    for first in range(0, len(short), _SHORT):
        yield " ".join(short[first : first + _SHORT])


def _inner(path: str, container: Any) -> list[tuple[str, Any]] | None:
    """Return what is in a container, with its paths; None if it is not indexed."""
    if type(container) is not dict:
        elements = _elements(container)
        return None if elements is None else [(path, item) for item in elements]
    inner = [(f"{path}.{key}", item) for key, item in container.items()]
    return inner if all(len(place) <= MAX_PATH for place, _ in inner) else None


def _elements(array: Any) -> list[Any] | None:
    """Return the elements of an array as leaves are made of them, or None to leave it out."""
    if type(array) is np.ndarray:
        if array.dtype.kind not in _PLAIN or array.size > MAX_ARRAY or array.ndim > 1:
            return None
        elements: list[Any] = array.tolist()
        return elements
    if len(array) > MAX_ARRAY or any(type(item) in (list, np.ndarray) for item in array):
        return None
    return list(array)
