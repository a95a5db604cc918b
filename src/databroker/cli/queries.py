"""Which runs are meant, as one types it: words, and key=value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

_TIMES = ("since", "until", "time", "started")


def query_of(words: Sequence[str]) -> dict[str, Any] | None:
    """Return what is searched for, as one query; None if that is every run.

    Examples
    --------
    >>> query_of(["good", "sample", "scan_id=42", "since=2024"])
    {'scan_id': 42, 'since': '2024', '$text': {'$search': 'good sample'}}
    """
    text, query = words_and_keys(words)
    if text:
        query["$text"] = {"$search": text}
    return query or None


def words_and_keys(words: Sequence[str]) -> tuple[str | None, dict[str, Any]]:
    """Return the words, and the values of keys: numbers where they are written so.

    Examples
    --------
    >>> words_and_keys(["good", "scan_id=42", "since=2024"])
    ('good', {'scan_id': 42, 'since': '2024'})
    """
    pairs = dict(word.split("=", 1) for word in words if "=" in word)
    # A time is text, and a year is no second since 1970.
    query = {key: value if key in _TIMES else _value(value) for key, value in pairs.items()}
    return " ".join(word for word in words if "=" not in word) or None, query


def listed(names: str | None) -> list[str] | None:
    """Return names that have commas between them."""
    return None if names is None else list(filter(None, map(str.strip, names.split(","))))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
