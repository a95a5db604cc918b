"""What stands where a broker of databroker 1.x had the writers of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Serializer"]


class Serializer:
    """A function that inserts documents.

    In databroker 1.x it was a router to the files of runs in progress, which programs
    close in order to read them (apstools' tests do). Here nothing is held open.

    Examples
    --------
    >>> serializer = Serializer(print)
    >>> serializer("stop", {"uid": "z"})
    stop {'uid': 'z'}
    >>> [writer for writers in serializer._factory_cbs_by_start.values() for writer in writers]
    []
    """

    def __init__(self, insert: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._insert = insert
        self._factory_cbs_by_start: dict[str, list[Any]] = {}

    def __call__(self, name: str, doc: Mapping[str, Any]) -> None:
        """Insert a document."""
        self._insert(name, doc)
