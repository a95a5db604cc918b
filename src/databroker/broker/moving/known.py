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
        if self._outline is None or not self._outline.rows.get(owner):
            return batch
        if owner not in self._known:
            found = [_hashes(owner, each) for each in batches_of(self._store, *owner, _IDENTITIES)]
            self._known[owner] = np.concatenate(found)
        is_known = np.isin(_hashes(owner, batch), self._known[owner])
        return batch.filter(pa.array(~is_known)) if is_known.any() else batch


def _hashes(owner: Owner, batch: pa.RecordBatch) -> Hashes:
    identities = values_of(batch, IDENTITY[owner[0]])
    return np.fromiter(map(hash, identities), np.int64, len(identities))
