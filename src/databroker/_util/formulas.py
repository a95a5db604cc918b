"""Text that a spreadsheet would take for a formula, and how it is kept from that."""

from __future__ import annotations

import re

_BEGINS = (
    "[=+\\-@\t\r\n\uff0b\uff0d\uff1d\uff20]"  # a formula, to some spreadsheet in some language
)
FORMULA = f"'*{_BEGINS}"
"""The beginning of such text, and of what it was made into."""

NUMBER = r"[+\-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+\-]?[0-9]+)?"
"""A number, which is no formula, whatever it begins with."""


def guarded(text: str) -> str:
    """Return text of which no spreadsheet makes a formula.

    Examples
    --------
    >>> guarded("=cmd()"), guarded("-5"), guarded("'=cmd()"), guarded("Ni")
    ("'=cmd()", '-5', "''=cmd()", 'Ni')
    """
    return f"'{text}" if re.match(FORMULA, text) and not re.fullmatch(NUMBER, text) else text


def unguarded(text: str) -> str:
    """Return the text that a cell was made of.

    Examples
    --------
    >>> unguarded("'=cmd()"), unguarded("-5"), unguarded("'tis")
    ('=cmd()', '-5', "'tis")
    """
    return text[1:] if re.match(f"'+{_BEGINS}", text) else text
