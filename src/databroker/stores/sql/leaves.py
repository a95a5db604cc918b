"""What of a document is indexed: its leaves, each a path and a scalar value.

Containers leave a mark, so that one can ask whether a key exists. What is not
indexed leaves a mark too, and runs with that mark are looked at themselves:
arrays inside arrays, arrays longer than 256, and everything beyond the 5 000th
leaf of a document.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...query.text import document_words

Leaf = tuple[str, int, Any]
"""Path, kind and value."""

NULL, FALSE_TRUE, NUMBER, NAN, TEXT, LONG_TEXT, OBJECT, ARRAY, UNINDEXED = range(9)
"""What a leaf is; marks have the value 0."""

MAX_ARRAY = 256
MAX_LEAVES = 5_000
MAX_TEXT = 256
MAX_WORDS = 10_000
EXACT_INTEGERS = 2**53

PARTLY = ""
"""The word of runs whose words are not all indexed."""


def leaves(document: dict[str, Any]) -> set[Leaf]:
    """Return the leaves of a document.

    Examples
    --------
    >>> sorted(leaves({"sample": {"name": "Ni"}, "sizes": [1, 2.5]}))
    [('sample', 6, 0), ('sample.name', 4, 'Ni'), ('sizes', 2, 1), ('sizes', 2, 2.5), ('sizes', 7, 0)]
    """
    found: set[Leaf] = set()
    stack: list[tuple[str, Any]] = list(document.items())
    while stack:
        path, value = stack.pop()
        if len(found) >= MAX_LEAVES or len(path) > 4 * MAX_TEXT:
            found.add(("", UNINDEXED, 0))
            if len(found) > MAX_LEAVES:
                break
            continue
        if isinstance(value, dict):
            found.add((path, OBJECT, 0))
            stack += [(f"{path}.{key}", item) for key, item in value.items()]
        elif isinstance(value, list | np.ndarray):
            found.add((path, ARRAY, 0))
            elements = _elements(value)
            if elements is None:
                found.add((path, UNINDEXED, 0))
            else:
                stack += [(path, item) for item in elements]
        else:
            found.add((path, *leaf(value)))
    return found


def leaf(value: Any) -> tuple[int, Any]:
    """Return the kind and the indexed form of a scalar.

    The form of long text is its beginning, and that of an integer beyond
    2**53 the nearest float: runs found by these are verified.
    """
    if value is None:
        return NULL, 0
    if isinstance(value, bool):
        return FALSE_TRUE, int(value)
    if isinstance(value, str):
        return (TEXT, value) if len(value) <= MAX_TEXT else (LONG_TEXT, value[:MAX_TEXT])
    if math.isnan(value):
        return NAN, 0
    if isinstance(value, int) and abs(value) > EXACT_INTEGERS:
        return NUMBER, nearest_float(value)
    return NUMBER, value


def nearest_float(value: int) -> float:
    """Return an integer of any size as a float; infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def indexed_words(document: dict[str, Any]) -> Iterable[str]:
    """Return the words of a document, with the mark for "not all" where they are too many."""
    words = document_words(document)
    if len(words) <= MAX_WORDS:
        return words
    return [PARTLY, *sorted(words)[:MAX_WORDS]]


def _elements(array: Any) -> list[Any] | None:
    """Return the elements of an array as leaves are made of them, or None to leave it out."""
    if isinstance(array, np.ndarray):
        if array.dtype.kind not in "biufU" or array.size > MAX_ARRAY or array.ndim > 1:
            return None
        return [array.item()] if array.ndim == 0 else list(array.tolist())
    if len(array) > MAX_ARRAY or any(isinstance(item, list | np.ndarray) for item in array):
        return None
    return list(array)
