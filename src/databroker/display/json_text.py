"""Values of documents as JSON that any program reads.

Numbers are exact. JSON has no NaN and no infinities: they are null there. Text never commands a
terminal: such characters are shown by their codes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from .._util.printable import text_of

_LONG = 10**1000
"""Python refuses to write integers of some more digits."""


def as_json(value: Any, indent: int | None = None) -> str:
    r"""Return a value of a document as JSON.

    Examples
    --------
    >>> print(as_json({"a": [0.1, float("nan")], "b": "\x1b[2J\x7f"}))
    {"a": [0.1, null], "b": "\u001b[2J\u007f"}
    """
    try:
        text = json.dumps(value, default=_plain, allow_nan=False, indent=indent)
    except ValueError:  # no number of JSON's, or an integer that is too long for Python to write
        text = json.dumps(_writable(value), default=text_of, indent=indent)
    return text.replace("\x7f", r"\u007f")


def _plain(value: Any) -> Any:
    """Return an array, a number of NumPy's or a part of a report as JSON may have it; else text."""
    if is_dataclass(value):
        return attributes(value)
    return value.tolist() if hasattr(value, "tolist") else text_of(value)


def attributes(value: Any) -> dict[str, Any]:
    """Return what a dataclass has, by name."""
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _writable(value: Any) -> Any:
    """Return a value without what JSON has no form for."""
    if isinstance(value, Mapping):
        return {key: _writable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_writable, value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return _writable(value.tolist())
    return text_of(value) if type(value) is int and abs(value) >= _LONG else value
