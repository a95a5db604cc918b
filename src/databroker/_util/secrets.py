"""Passwords are for the store alone: nobody else is shown them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Greedy up to the last '@': an unescaped '@', '/' or space in a password must not leave a
# part of it standing. With fewer slashes than it should have, it is a URI all the same.
_IN_URI = re.compile(r"(:/+[^:/@\s]*:|(?<![\w.+%-])(?:[\w.+%-]{2,}):(?![\s/\\])).*@", re.DOTALL)
_WORDS = "(?:pass(?:word|wd|phrase|code)|pwd|secret|api_?key|token|credentials?)"
# Quoted, or else up to what looks like the next key: nobody knows where a mistaken one ends.
_QUOTED = r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")(?=[\s&,;:}\])]|$)"""
_VALUE = rf"""(?:{_QUOTED}|[^&]*?(?=\s[\w'"\\]+\s*[=:]|&|$))"""
# The key may itself be quoted, as in a mapping that is shown as text.
_NAMED = re.compile(rf"""(?is)({_WORDS}[\\'"]*\s*[=:]\s*){_VALUE}""")
_SECRET_KEY = re.compile(rf"(?i){_WORDS}$|^key$")
_STARS = "***"


def hide_passwords(text: str) -> str:
    """Return text with the passwords in its URIs replaced by stars.

    Examples
    --------
    >>> hide_passwords("mongodb://ann:s3cret@host:27017/runs")
    'mongodb://ann:***@host:27017/runs'
    >>> hide_passwords("host=db user=ann password=s3cret")
    'host=db user=ann password=***'
    """
    return _NAMED.sub(rf"\1{_STARS}", _IN_URI.sub(rf"\1{_STARS}@", text))


def has_password(text: str) -> bool:
    """Tell whether there is something like a password in a text."""
    return hide_passwords(text) != text


def hide_passwords_in(value: Any) -> Any:
    """Return a value made of mappings, lists and text without the passwords in it."""
    if isinstance(value, Mapping):
        return {
            key: _STARS if _SECRET_KEY.search(str(key)) else hide_passwords_in(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [hide_passwords_in(item) for item in value]
    return hide_passwords(value) if isinstance(value, str) else value
