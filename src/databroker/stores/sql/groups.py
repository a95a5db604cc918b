"""Documents that come as a flow, in groups that are stored in one transaction each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .sizes import bytes_of

Doc = dict[str, Any]
Checked = tuple[str, Doc, list[str]]
"""A kind, a document as it is stored, and what had to be changed for that."""

_MOST = 500
_BYTES = 4 * 2**20
_SECONDS = 0.2


class Group:
    """Gathers documents, and hands them on before they are too many, too large or too old.

    So other writers do not wait long, and readers soon see what came.

    Parameters
    ----------
    store
        Stores a group.
    """

    def __init__(self, store: Callable[[list[Checked]], None]) -> None:
        self._store = store
        self._documents: list[Checked] = []
        self._bytes = 0
        self._begun = 0.0

    def add(self, document: Checked) -> None:
        """Take one more."""
        if not self._documents:
            self._begun = time.monotonic()
        self._documents.append(document)
        self._bytes += bytes_of(document[1])
        old = time.monotonic() - self._begun > _SECONDS
        if old or len(self._documents) >= _MOST or self._bytes >= _BYTES:
            self.flush()

    def flush(self) -> None:
        """Store what is there."""
        documents, self._documents, self._bytes = self._documents, [], 0
        if documents:
            self._store(documents)
