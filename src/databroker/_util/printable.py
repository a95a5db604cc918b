r"""Text from documents, files and people as it may stand on a screen or in a message.

A terminal obeys the control characters that it is sent: it clears the screen, changes its
title, moves back over what was printed. Some characters change the order in which others
are shown. So these are shown by their codes, here and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .signals import suppressed

HIDDEN = (
    "["
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # control characters, those of eight bits too
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these change the order of what is shown
    "\u2028\u2029"  # these end a line
    "\u00ad\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # not seen
    "\ud800-\udfff"  # these cannot be printed at all
    "]"
)
"""The pattern of a character that a terminal would obey, or not show; ends of lines apart."""

_HIDDEN = re.compile(HIDDEN)


def printable(text: str, lines: bool = True) -> str:
    r"""Return text in which what a terminal would obey, or not show, is shown by its code.

    So are ends of lines, unless they are to stay.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb\x9bc\u202ed"))
    a\x1b[2Jb\x9bc\u202ed
    """
    if text.isprintable():
        return text
    text = _HIDDEN.sub(_code, text)
    return text if lines else text.replace("\n", r"\n")


def text_of(value: Any) -> str:
    """Return the `str` of anything, or else its `repr`, or else what says of which type it is."""
    return _first(value, (str, repr))


def repr_of(value: Any) -> str:
    """Return the `repr` of anything, or else what says of which type it is."""
    return _first(value, (repr,))


def repr_of_tree(value: Any) -> str:
    """Return the `repr` of what is made of dictionaries and lists, none of which is in itself."""
    try:
        return repr(value)
    except ValueError:  # of an integer that is too long for Python to write
        if isinstance(value, dict):
            pairs = (f"{key!r}: {repr_of_tree(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
        return f"[{', '.join(map(repr_of_tree, value))}]" if type(value) is list else repr_of(value)


def pformat_of_tree(value: Any) -> str:
    """Return the same over several lines, where one is too long."""
    from pprint import pformat  # takes longer to import than all of this room

    try:
        return pformat(value, sort_dicts=False)
    except ValueError:  # as above
        return repr_of_tree(value)


def shown(value: Any, most: int = 60) -> str:
    r"""Return the `repr` of anything on one printable line, cut where it is longer.

    Examples
    --------
    >>> shown("a\x1b[2J"), shown([1] * 99, most=7), shown(10**5000, most=6)
    ("'a\\x1b[2J'", '[1, 1, …', '0x31e2…')
    """
    text = printable(repr_of(value), lines=False)
    return text if len(text) <= most else text[:most] + "…"


def type_name(value: Any) -> str:
    """Return the name of the type of anything."""
    return str(type.__dict__["__name__"].__get__(type(value)))


def _code(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _first(value: Any, ways: tuple[Callable[[Any], str], ...]) -> str:
    """Return what the first of some ways gives that does not fail, whatever it raises."""
    for way in (*ways, hex):  # of integers, Python writes some thousand digits at most
        with suppressed(Exception):  # of somebody else's class
            return str.__str__(way(value))
    return f"<{type_name(value)} that cannot be printed>"
