"""Documents that come as a flow, in groups that are stored together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .sizes import bytes_of

# In a large index, each group writes most pages that have common values. So few large
# groups are stored sooner than many small ones; but other writers wait for each.
_MOST = 16_000
_BYTES = 16 * 2**20
_SECONDS = 1.0


class Accepted(NamedTuple):
    """A document as it is stored, and what had to be changed for that."""

    kind: str
    document: dict[str, Any]
    changes: list[str]


class Group:
    """Gathers documents, and hands them on before they are too many, too large or too old.

    So other writers do not wait long, and readers soon see what came.
    """

    def __init__(self, keep: Callable[[list[Accepted]], None]) -> None:
        self._keep = keep
        self._documents: list[Accepted] = []
        self._bytes = 0
        self._begun = 0.0

    def add(self, document: Accepted) -> None:
        """Take one more."""
        if not self._documents:
            self._begun = time.monotonic()
        self._documents.append(document)
        self._bytes += bytes_of(document.document)
        old = time.monotonic() - self._begun > _SECONDS
        if old or len(self._documents) >= _MOST or self._bytes >= _BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand on what is there."""
        documents, self._documents, self._bytes = self._documents, [], 0
        if documents:
            self._keep(documents)
