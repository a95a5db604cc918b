"""The rows of several documents of one run, such as its resources, with few questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from .rows import batches_of

if TYPE_CHECKING:
    import pyarrow as pa

    from .base import Store

_SEVERAL = 4
"""The rows of so many documents are asked for together."""


def batches_of_each(
    store: Store, run: str, kind: str, owners: Sequence[str]
) -> Iterator[Iterable[pa.RecordBatch]]:
    """Yield the rows of each of some documents of a run; with few questions, if they are several.

    Those of one are to be taken before the next are asked for.

    Parameters
    ----------
    store
        Where the run is.
    run
        Its uid.
    kind
        That of the rows.
    owners
        The uids of the documents.
    """
    from ..columns import ALL

    stored = None
    if len(owners) >= _SEVERAL:
        stored = next(iter(store.read_runs([run])), None)
    if stored is None:
        yield from (batches_of(store, kind, owner, ALL) for owner in owners)
        return
    known = [(kind, owner) for owner in owners]
    if stored.batches is not None and stored.batches.keys() >= set(known):
        yield from map(stored.batches.__getitem__, known)
        return
    extents = [
        stored.extents[owner] if owner in stored.extents else store.extents(*owner)
        for owner in known
    ]
    found = store.read_extents(kind, list(chain.from_iterable(extents)), ALL)
    for some in extents:
        yield chain.from_iterable(islice(found, len(some)))
