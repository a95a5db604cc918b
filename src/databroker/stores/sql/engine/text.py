"""Text as every database can hold it: without NUL and lone surrogates, which have no UTF-8.

Of two texts the one that comes first, by code points, still does, and what begins with another
one still does. So look-ups, prefixes and orders are those of the texts themselves.
"""

from __future__ import annotations

import re

_SURROGATES = range(0xD800, 0xE000)
_BEFORE = "\ud7ff"

_PORTABLE = {
    "\0": "\1\1",
    "\1": "\1\2",
    _BEFORE: f"{_BEFORE}\1",
    **{chr(code): f"{_BEFORE}\2{chr(code - _SURROGATES[0] + 2)}" for code in _SURROGATES},
    # So that each character has one behind it: what begins with a text comes before another text.
    "\U0010fffe": "\U0010fffe\1",
    "\U0010ffff": "\U0010fffe\2",
}
_TABLE = str.maketrans(_PORTABLE)
_ORIGINAL = {portable: text for text, portable in _PORTABLE.items()}
_CHANGED = re.compile(f"[\1\U0010fffe][\1\2]|{_BEFORE}(?:\1|\2.)", re.DOTALL)


def portable(text: str) -> str:
    """Return text as a database holds it."""
    if text.isascii() and "\0" not in text and "\1" not in text:
        return text
    return text.translate(_TABLE)


def original(stored: str | bytes) -> str:
    """Return the text that :func:`portable` was given; a damaged database may have bytes there."""
    if isinstance(stored, bytes):
        return stored.decode("utf-8", "surrogatepass")
    if stored.isascii() and "\1" not in stored:
        return stored
    return _CHANGED.sub(lambda match: _ORIGINAL.get(match[0], match[0]), stored)


def with_prefix(prefix: str) -> tuple[str, str]:
    """Return the first text that a database may hold of those with a prefix, and the next other."""
    first = portable(prefix)
    return first, first[:-1] + chr(ord(first[-1]) + 1)
