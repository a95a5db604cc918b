"""Configurations as a file could say them: nothing fails, or never ends, when looked at."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from .._util.printable import shown, text_of, type_name
from .._util.signals import from_signal
from .source_map import Lines, Section

__all__ = ["plain"]

_DEEPEST = 12
_MOST = 100_000
_LARGEST = 2**63
_LEAVES = (str, float, bool, type(None), os.PathLike, datetime.date, datetime.tzinfo)


def plain(value: Any, file: Path | None = None, lines: Lines | None = None) -> Section:
    """Return a copy of what a configuration says, made of dictionaries with text as keys and lists.

    Examples
    --------
    >>> dict(plain({"handlers": {1: ("a", "b")}}))
    {'handlers': {'1': ['a', 'b']}}
    """
    unread = Section({}, file, lines)
    values = _plain(value, unread, (), count())
    if not isinstance(values, dict | None):
        raise unread.error("it must be a mapping (lines of 'key: value').")
    return Section(values or {}, file, lines)


def _plain(value: Any, section: Section, keys: tuple[str, ...], seen: Iterator[int]) -> Any:
    # A few lines of aliases may stand for more than any machine can hold.
    if next(seen) > _MOST or len(keys) > _DEEPEST:
        raise section.error("it is nested too deep, or contains itself.", *keys[:2])
    if isinstance(value, Mapping):
        inner = {text_of(key): item for key, item in _items(value, section, keys)}
        return {key: _plain(item, section, (*keys, key), seen) for key, item in inner.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, section, (*keys, str(n)), seen) for n, item in enumerate(value)]
    whole = isinstance(value, int) and abs(value) < _LARGEST
    if whole or isinstance(value, _LEAVES) or callable(value):
        return value
    what = f"the value of {shown(keys[-1])}" if keys else "it"
    raise section.error(f"{what} can be no {type_name(value)} such as {shown(value)}.", *keys)


def _items(
    value: Mapping[Any, Any], section: Section, keys: tuple[str, ...]
) -> list[tuple[Any, Any]]:
    try:
        return list(value.items())
    except Exception as error:  # of somebody else's class
        if from_signal(error):
            raise
        raise section.error(f"it cannot be read: {type_name(error)}.", *keys) from error
