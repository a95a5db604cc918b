"""Documents that come as a flow, in groups that are stored together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .sizes import bytes_of

_BYTES = 2**10  # a document, as far as they are counted on
_A_SECOND = 16_000  # documents that come in it, as far as it is counted on


class Accepted(NamedTuple):
    """A document as it is stored, and what had to be changed for that."""

    kind: str
    document: dict[str, Any]
    changes: list[str]


class Group:
    """Gathers documents, and hands them on before they are too many, too large or too old.

    So other writers do not wait long, and readers soon see what came: of small documents that
    come fast there are `size` in a group.
    """

    def __init__(self, keep: Callable[[list[Accepted]], None], size: int) -> None:
        self._keep = keep
        self._size = size
        self._documents: list[Accepted] = []
        self._bytes = 0
        self._begun = 0.0

    def add(self, document: Accepted) -> None:
        """Take one more."""
        if not self._documents:
            self._begun = time.monotonic()
        self._documents.append(document)
        self._bytes += bytes_of(document.document)
        size, is_old = self._size, time.monotonic() - self._begun > self._size / _A_SECOND
        if is_old or len(self._documents) >= size or self._bytes >= size * _BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand on what is there."""
        documents, self._documents, self._bytes = self._documents, [], 0
        if documents:
            self._keep(documents)
