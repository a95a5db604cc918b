"""Text as every database can hold it: without NUL and lone surrogates, which have no UTF-8.

Of two texts the one that comes first, by code points, still does, and what begins with another
one still does. So look-ups, prefixes and orders are those of the texts themselves.
"""

from __future__ import annotations

import functools
import re

_SURROGATES = range(0xD800, 0xE000)
_BEFORE = "\ud7ff"

_CHANGED = re.compile(f"[\1\U0010fffe][\1\2]|{_BEFORE}(?:\1|\2.)", re.DOTALL)


@functools.cache  # made for the first text that is not plain: most have none
def _portable() -> dict[str, str]:
    return {
        "\0": "\1\1",
        "\1": "\1\2",
        _BEFORE: f"{_BEFORE}\1",
        **{chr(code): f"{_BEFORE}\2{chr(code - _SURROGATES[0] + 2)}" for code in _SURROGATES},
        # So that each character has one behind it: what begins with a text comes before another.
        "\U0010fffe": "\U0010fffe\1",
        "\U0010ffff": "\U0010fffe\2",
    }


@functools.cache
def _to_portable() -> dict[int, str]:
    return str.maketrans(_portable())


@functools.cache
def _to_original() -> dict[str, str]:
    return {portable: text for text, portable in _portable().items()}


def portable(text: str) -> str:
    """Return text as a database holds it."""
    if text.isascii() and "\0" not in text and "\1" not in text:
        return text
    return text.translate(_to_portable())


def original(stored: str | bytes) -> str:
    """Return the text that :func:`portable` was given; a damaged database may have bytes there."""
    if isinstance(stored, bytes):
        return stored.decode("utf-8", "surrogatepass")
    if stored.isascii() and "\1" not in stored:
        return stored
    originals = _to_original()
    return _CHANGED.sub(lambda match: originals.get(match[0], match[0]), stored)


def with_prefix(prefix: str) -> tuple[str, str]:
    """Return the first text that a database may hold of those with a prefix, and the next other."""
    first = portable(prefix)
    return first, first[:-1] + chr(ord(first[-1]) + 1)
