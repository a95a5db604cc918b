"""Which external values may be asked for of a store behind: those of runs that are to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ...columns import ALL
from ...columns.batches import values_of
from ...errors import ExternalDataMissing
from ..rows import batches_of

if TYPE_CHECKING:
    from ..base import Store
    from ..external import ExternalValues

_FEW = 10
"""So many datums of a resource are looked up one by one."""


def check_is_seen(store: Store, values: ExternalValues) -> None:
    """See that what refers to some values is in the runs of a store.

    Raises
    ------
    ExternalDataMissing
        Something is not there, or not to be seen.
    """
    for each in _unseen(store, values):
        raise ExternalDataMissing(f"There is no {each}. Were all documents of the run inserted?")


def _unseen(store: Store, values: ExternalValues) -> Iterator[str]:
    datums = [each for each in values.references if isinstance(each, str)]
    for resource, some in groupby(datums, lambda each: each.rpartition("/")[0]):
        ids = list(some)
        known = _datums_of(store, resource) if len(ids) > _FEW else frozenset()
        # An id need not begin with its resource.
        lost = (each for each in ids if each not in known and store.datum(each) is None)
        yield from (f"datum document {each!r}" for each in lost)
    streamed = {each[0] for each in values.references if not isinstance(each, str)}
    kept = store.documents(values.run or "", ["stream_resource"]) if streamed else ()
    for uid in streamed.difference([doc["uid"] for _, doc in kept]):
        yield f"stream resource {uid!r}"


def _datums_of(store: Store, resource: str) -> frozenset[str]:
    """Return the ids of the datums of a resource."""
    batches = batches_of(store, "datum", resource, ALL)
    return frozenset(each for batch in batches for each in values_of(batch, "datum_id"))
