"""Which rows a store has already, so that what was broken off goes on with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ...columns import Selection
from ...columns.batches import values_of
from ...documents.identity import same_row
from ...documents.kinds import IDENTITY, OWNER
from ...stores.rows import batches_of, rows_of

if TYPE_CHECKING:
    from ...stores.base import Store
    from ...stores.contents import Outline, Owner

Hashes = np.ndarray[Any, np.dtype[np.int64]]

_IDENTITIES = Selection(others=True)
_HELD = 20_000  # rows, at most


class Known:
    """The rows of one run that a store has: eight bytes of each identity are kept."""

    def __init__(self, store: Store, outline: Outline | None) -> None:
        self._store, self._outline = store, outline
        self._known: dict[Owner, Hashes] = {}

    def without(self, owner: Owner, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return a batch without the rows that are there."""
        if owner not in self._known:
            self._known[owner] = self._look(owner)
        if not len(self._known[owner]):
            return batch
        is_known = np.isin(_hashes(owner, batch), self._known[owner])
        return batch.filter(pa.array(~is_known)) if is_known.any() else batch

    def _look(self, owner: Owner) -> Hashes:
        rows = {} if self._outline is None else self._outline.rows
        # An old resource may have come with another run that refers to it.
        if not rows.get(owner, owner[0] == "datum"):
            return np.empty(0, np.int64)
        batches = batches_of(self._store, *owner, _IDENTITIES)
        return np.concatenate([np.empty(0, np.int64), *(_hashes(owner, one) for one in batches)])


class KnownRows:
    """Rows that a store had before, of the owners that came last: to compare a row with its own.

    A store looks for each row that comes again by itself, which takes ten times as long as to save
    a new one. Of owners that have very many, nothing is held.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[Owner, int] = {}
        self._rows: dict[Owner, dict[str, dict[str, Any]]] = {}

    def look(self, outline: Outline) -> None:
        """Take note of what a run has by now."""
        self._counts.update((owner, rows) for owner, rows in outline.rows.items() if rows <= _HELD)

    def has(self, kind: str, document: dict[str, Any]) -> bool:
        """Tell whether a document is known to be there as it is."""
        owner = kind, document.get(OWNER.get(kind, ""))
        if not isinstance(owner[1], str) or not self._counts.get((kind, owner[1])):
            return False
        identity = document.get(IDENTITY[kind])
        row = self._rows_of((kind, owner[1])).get(identity) if isinstance(identity, str) else None
        return row is not None and same_row(row, document)

    def _rows_of(self, owner: Owner) -> dict[str, dict[str, Any]]:
        if owner not in self._rows:
            held = sum(map(len, self._rows.values()))
            while self._rows and held + self._counts[owner] > _HELD:
                held -= len(self._rows.pop(next(iter(self._rows))))
            key = IDENTITY[owner[0]]
            self._rows[owner] = {row[key]: row for row in rows_of(self._store, *owner)}
        return self._rows[owner]


def _hashes(owner: Owner, batch: pa.RecordBatch) -> Hashes:
    identities = values_of(batch, IDENTITY[owner[0]])
    return np.fromiter(map(hash, identities), np.int64, len(identities))
