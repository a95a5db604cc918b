"""Which rows a store has already, so that a copy that was broken off sends only the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ...columns import Selection
from ...columns.batches import values_of
from ...documents.kinds import IDENTITY
from ...stores.rows import batches_of

if TYPE_CHECKING:
    from ...stores.base import Store
    from ...stores.contents import Outline, Owner

Hashes = np.ndarray[Any, np.dtype[np.int64]]

_IDENTITIES = Selection(others=True)


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


def _hashes(owner: Owner, batch: pa.RecordBatch) -> Hashes:
    identities = values_of(batch, IDENTITY[owner[0]])
    return np.fromiter(map(hash, identities), np.int64, len(identities))
